"""`manage.py dispatch`: send what is due in a loop of its own, beside django-q2's cluster or instead of it, several at once too."""

import os
import signal
import threading
import time
from types import FrameType
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
    """Whether to come to an end: at a signal, or when the time is over."""

    def __init__(self, seconds: float | None) -> None:
        self.signal = ""
        self._event = threading.Event()
        self._until = None if seconds is None else time.monotonic() + seconds
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def __call__(self) -> bool:
        return self._event.is_set() or (self._until is not None and time.monotonic() >= self._until)

    def now(self) -> None:
        self._event.set()

    def pause(self, seconds: float) -> None:
        if self._until is not None:
            seconds = min(seconds, self._until - time.monotonic())
        self._event.wait(max(seconds, 0.0))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        if not self.signal:
            last = threading.Timer(DRAINED_WITHIN, _give_up)
            last.daemon = True
            last.start()
        self.signal = signal.Signals(number).name
        self._event.set()


def _give_up() -> None:
    """Something hangs. What was in flight becomes *unconfirmed* when its lease runs out, as after a crash."""
    log.error("dispatcher_gave_up", sentence=f"Not drained within {DRAINED_WITHIN:.0f} s; ending anyway.")
    os._exit(1)
