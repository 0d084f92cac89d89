"""`manage.py dispatch`: send what is due in a loop of its own, beside django-q2's cluster or instead of it, several at once too."""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connections

from sms.callbacks import AddressPolicy
from sms.compliance import audit
from sms.ledger import wakeups
from sms.models import Heartbeat
from sms.worker import heartbeat, jobs

log = structlog.get_logger(__name__)

LOOK = 3.0  # seconds between looks at the spool
IDLE = 0.5  # seconds between looks
MINUTE = 60.0
RETAIN_EVERY = 20.0
LONGEST_PAUSE = 5.0  # between tries while the database is away
DRAINED_WITHIN = 28.0  # seconds from the signal to the end, whatever hangs: service managers are told 30


class Command(BaseCommand):
    """Seven loops: sending, receipts and chores, callbacks, the audit's seals, retention; large audiences and long reports have processes
    of their own, which the last two start."""

    help = "Send what is due until SIGTERM or Ctrl-C, without django-q2. Finishes what is in flight, at most 30 s."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the interface page."""
        parser.add_argument("--seconds", type=float, help="end after that long instead of at a signal")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal; exit code 0 when everything in flight has its answer."""
        stop = _Stop(options["seconds"])
        log.info("dispatcher_started", pid=os.getpid(), host=heartbeat.HOST)
        others = [
            threading.Thread(target=work, args=(stop,), name=work.__name__)
            for work in (_receipts, _callbacks, _audit, _audiences, _retention, _reports)
        ]
        for thread in others:
            thread.start()
        mine = heartbeat.of_this_process(Heartbeat.Kind.DISPATCH)
        try:
            _keep_on(lambda: _send(mine, stop), stop=stop, what="sending")
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
        """Come to an end."""
        self._event.set()

    def pause(self, seconds: float) -> None:
        """Sleep, but not past the end."""
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


def _keep_on(turn: Callable[[], None], *, stop: _Stop, what: str) -> None:
    """Turn after turn until the end. A database that is away is waited for, and mentioned once; so is any other trouble."""
    said, since, pause = "", 0.0, IDLE
    while not stop():
        try:
            turn()
        except Exception as problem:
            gone = isinstance(problem, (DatabaseError, InterfaceError))
            sentence = (
                f"The database does not answer, so {what} waits: {_first_line(problem)}"
                if gone
                else f"{what} broke off and is tried again: {type(problem).__name__}: {_first_line(problem)}"
            )
            if not said:
                since = time.monotonic()
            if said != type(problem).__name__:
                said = type(problem).__name__
                log.warning("dispatcher_waits", sentence=sentence, exc_info=not gone)
            connections.close_all()
            stop.pause(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            if said:
                log.info(
                    "dispatcher_goes_on", sentence=f"{what} goes on after {time.monotonic() - since:.0f} s."
                )
            said, pause = "", IDLE


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]


def _send(mine: heartbeat.Pulse, stop: _Stop) -> None:
    pause = jobs.due_in(IDLE)
    if not pause and jobs.send(public_url=settings.PUBLIC_URL, pulse=mine, stopped=stop):
        return
    mine.beat("")
    stop.pause(pause or IDLE)  # due and yet nothing posted: held back by a rate or a refusal


def _receipts(stop: _Stop) -> None:
    """Receipts and chores, on a thread and a connection of its own, so that a long send does not hold them up."""
    next_chores = next_look = 0.0

    def turn() -> None:
        nonlocal next_chores, next_look
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + LOOK
            jobs.bring_in()
        if not jobs.fold_some():
            stop.pause(IDLE)
        if time.monotonic() >= next_chores:
            next_chores = time.monotonic() + MINUTE
            jobs.tidy()
            jobs.tell_people(public_url=settings.PUBLIC_URL)
            wakeups.discard_stale()

    try:
        _keep_on(turn, stop=stop, what="the work on receipts")
    finally:
        connections.close_all()


def _callbacks(stop: _Stop) -> None:
    """Callbacks to partners, whose receivers may be slow, in nobody's way."""

    def turn() -> None:
        if not jobs.tell(policy=AddressPolicy(**settings.CALLBACKS), stopped=stop):
            stop.pause(IDLE)

    try:
        _keep_on(turn, stop=stop, what="the work on callbacks")
    finally:
        connections.close_all()


def _audit(stop: _Stop) -> None:
    """Seals for audit rows, and the hourly checkpoints."""
    keeper = audit.Keeper(settings.VAR_DIR / "audit")

    def turn() -> None:
        keeper.turn()
        stop.pause(audit.EVERY)

    try:
        _keep_on(turn, stop=stop, what="the sealing of the audit")
    finally:
        connections.close_all()


def _retention(stop: _Stop) -> None:
    """What services keep no longer, slowly."""

    def turn() -> None:
        jobs.erase(folder=settings.VAR_DIR)
        if not jobs.retain(stopped=stop):
            stop.pause(RETAIN_EVERY)

    try:
        _keep_on(turn, stop=stop, what="retention")
    finally:
        connections.close_all()


def _audiences(stop: _Stop) -> None:
    """Large audiences, which take a process of their own for as long as they need."""
    jobs.prepare_until(stop, manage=settings.BASE_DIR / "manage.py")


def _reports(stop: _Stop) -> None:
    """Long reports as files, by a process of their own as well."""
    jobs.report_until(stop, manage=settings.BASE_DIR / "manage.py")
