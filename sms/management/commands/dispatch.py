"""`manage.py dispatch`: send what is due in a loop of its own, beside django-q2's cluster or instead of it, several at once too."""

import os
import queue
import signal
import sys
import threading
import time
import traceback
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from sms.models import Heartbeat
from sms.worker import heartbeat
from sms.worker.jobs import JobContext, loops
from sms.worker.loop import Loop

log = structlog.get_logger(__name__)

DRAINED_WITHIN = 28.0  # seconds from the signal to the end, whatever hangs: service managers are set to 30


class Command(BaseCommand):
    """Every loop of the table of jobs: sending on the main thread, each of the others on a thread and a connection of its own."""

    help = "Send what is due until SIGTERM or Ctrl-C, without django-q2. Finishes what is in flight, at most 30 s."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, help="end after that long instead of at a signal")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal; exit code 0 when everything in flight has its answer."""
        stop = _Stop(options["seconds"])
        log.info("dispatcher_started", pid=os.getpid(), host=heartbeat.HOST)
        mine = heartbeat.Pulse(Heartbeat.Kind.DISPATCH)
        context = JobContext(stop, pause=stop.pause, pulse=mine)
        others = [
            threading.Thread(target=Loop(rows, context).run, name=name)
            for name, rows in loops(without=("sending",)).items()
        ]
        for thread in others:
            thread.start()
        try:
            Loop(loops()["sending"], context).run()
        finally:
            stop.now()
            for thread in others:
                thread.join()
            mine.end()
            connections.close_all()
        log.info("dispatcher_stopped", pid=os.getpid(), posted=mine.progress, signal=stop.signal or None)


class _Stop:
    """Whether to come to an end: at a signal, or when the time is over.

    A handler runs between any two steps of the main thread, also while that thread holds the lock of the event it waits for. So it only
    puts the number into a queue, whose `put` may be called there, and a thread does the rest.
    """

    def __init__(self, seconds: float | None) -> None:
        self.signal = ""
        self._event = threading.Event()
        self._until = None if seconds is None else time.monotonic() + seconds
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="signals", daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _frame: self._signals.put(number))

    def __call__(self) -> bool:
        return self._event.is_set() or (self._until is not None and time.monotonic() >= self._until)

    def now(self) -> None:
        self._event.set()

    def pause(self, seconds: float) -> None:
        if self._until is not None:
            seconds = min(seconds, self._until - time.monotonic())
        self._event.wait(max(seconds, 0.0))

    def _listen(self) -> None:
        self.signal = signal.Signals(self._signals.get()).name
        self._event.set()
        time.sleep(DRAINED_WITHIN)
        _give_up()


def _give_up() -> None:
    """Something hangs. What was in flight becomes *unconfirmed* when its lease runs out, as after a crash."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    where = {
        names.get(ident, str(ident)): traceback.format_stack(frame)[-1].split("\n")[0].strip()
        for ident, frame in sys._current_frames().items()
        if ident != threading.get_ident()
    }
    sentence = f"Not drained within {DRAINED_WITHIN:.0f} s; ending anyway."
    log.error("dispatcher_gave_up", sentence=sentence, threads=where)
    os._exit(1)
