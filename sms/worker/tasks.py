"""django-q2's entry points. Each says "look now" and nothing more; losing, repeating or reordering them is harmless.

`tick` is the one schedule (every minute); django-q2's scheduler looks at it about every 30 s, so a tick looks ahead far enough to
meet the next one, and posts each message at its own second. What is done is in `sms.worker.jobs`; here is who may do it, and when to wake
the next one.
"""

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections

from sms import dispatch
from sms.callbacks import AddressPolicy
from sms.compliance import audit
from sms.inbound import receipts
from sms.ledger import wakeups
from sms.models import Heartbeat
from sms.worker import heartbeat, jobs

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 5.0  # seconds between tries while the database is away
RETAIN_EVERY = 20.0  # seconds between looks for something to erase, or whose days are over
STOP_COUNTS_FOR = 60.0  # seconds; a stop file older than that was left behind by somebody who was killed
draining = ctypes.c_byte(
    0
)  # `manage.py qcluster` puts a byte here that its workers share, and sets it at SIGTERM


def stopping() -> bool:
    """Whether the supervisor or the service manager wants us to come to an end."""
    if draining.value:
        return True
    with suppress(OSError):
        return time.time() - settings.STOP_FILE.stat().st_mtime < STOP_COUNTS_FOR
    return False


@contextmanager
def _sign_of_life() -> Iterator[heartbeat.Pulse]:
    """Beat at the beginning and at the end of a task, whatever it finds to do; heal the schedule on the way."""
    mine = heartbeat.of_this_process(Heartbeat.Kind.CLUSTER)
    mine.beat("looking")
    wakeups.keep_schedule()
    try:
        yield mine
    finally:
        mine.beat("")


def work() -> None:
    """Dispatch what is due, and what is about to be."""
    _send()


def tick() -> None:
    """The guarantee behind every wake-up: fold, squash counters, then dispatch whatever becomes due before the next tick."""
    if stopping():
        return
    with _sign_of_life():
        receipts.fold()
        wakeups.fold()  # a task of its own lingers for more; a tick must stay well within django-q2's timeout
        jobs.tidy()
        jobs.report(public_url=settings.PUBLIC_URL)
    _send()


def _send() -> None:
    if stopping():
        return
    with _sign_of_life() as mine:
        with jobs.seat() as keep:
            if keep is None:  # those who have the seats see what we would
                return
            stopped = _and(stopping, keep)
            jobs.send(public_url=settings.PUBLIC_URL, pulse=mine, stopped=stopped)
            if dispatch.due_within(0) is None:
                jobs.wait_and_send(public_url=settings.PUBLIC_URL, pulse=mine, stopped=stopped)
        # whoever came between our last look and giving the seat back went away
        if not stopping() and dispatch.due_within(0) is not None:
            wakeups.dispatch()


def _and(stopped: Callable[[], bool], keep: Callable[[], None]) -> Callable[[], bool]:
    def look() -> bool:
        keep()
        return stopped()

    return look


def fold(*, linger: float = 1.5) -> None:
    """Apply receipts until none came for `linger` seconds; that is longer than wake-ups are apart, so none is left lying."""
    if stopping():
        return
    with _sign_of_life() as mine:
        if jobs.fold(linger=linger, pulse=mine, stopped=stopping):
            wakeups.fold()


def approvals() -> None:
    """Mail whoever is asked for a yes, or waits for one."""
    if stopping():
        return
    with _sign_of_life() as mine:
        mine.beat("mailing")
        jobs.tell_people(public_url=settings.PUBLIC_URL)


def tell_until(stopped: Callable[[], bool]) -> None:
    """Deliver callbacks until the end: the loop that `manage.py qcluster` runs beside its workers, so that none is kept by a slow
    receiver. A database that is away is waited for."""
    said = False
    while not stopped():
        pause = jobs.IDLE
        try:
            if jobs.tell(policy=AddressPolicy(**settings.CALLBACKS), stopped=stopped):
                pause = 0.0
            said = False
        except Exception as problem:
            if not said:
                gone = isinstance(problem, (DatabaseError, InterfaceError))
                log.warning("callbacks_wait", error=repr(problem)[:300], exc_info=not gone)
            said, pause = True, LONGEST_PAUSE
            connections.close_all()
        time.sleep(pause)
    connections.close_all()


def seal_until(stopped: Callable[[], bool]) -> None:
    """Seal audit rows until the end, in a loop beside the one above. What goes wrong is told once, and tried again."""
    keeper, said = audit.Keeper(settings.VAR_DIR / "audit"), False
    while not stopped():
        pause = audit.EVERY
        try:
            keeper.turn()
            said = False
        except Exception as problem:
            if not said:
                gone = isinstance(problem, (DatabaseError, InterfaceError))
                log.warning("audit_waits", error=repr(problem)[:300], exc_info=not gone)
            said, pause = True, LONGEST_PAUSE
            connections.close_all()
        until = time.monotonic() + pause
        while time.monotonic() < until and not stopped():
            time.sleep(jobs.IDLE)
    connections.close_all()


def retain_until(stopped: Callable[[], bool]) -> None:
    """Let go what its days are over for until the end, in a loop beside the others, since it takes its time on purpose."""
    said = False
    while not stopped():
        try:
            jobs.erase(folder=settings.VAR_DIR)
            jobs.retain(stopped=stopped)
            said = False
        except Exception as problem:
            if not said:
                gone = isinstance(problem, (DatabaseError, InterfaceError))
                log.warning("retention_waits", error=repr(problem)[:300], exc_info=not gone)
            said = True
        connections.close_all()  # a connection for hours of waiting is one too many
        until = time.monotonic() + RETAIN_EVERY
        while time.monotonic() < until and not stopped():
            time.sleep(jobs.IDLE)
    connections.close_all()


def prepare_until(stopped: Callable[[], bool]) -> None:
    """Have large audiences prepared until the end, by a process of its own while something waits."""
    jobs.prepare_until(stopped, manage=settings.BASE_DIR / "manage.py")


def report_until(stopped: Callable[[], bool]) -> None:
    """Have long reports written until the end, by a process of its own while one waits."""
    jobs.report_until(stopped, manage=settings.BASE_DIR / "manage.py")


def ensure_schedule() -> None:
    """The one schedule, made at every start so that an emptied queue heals."""
    wakeups.make_schedule()
