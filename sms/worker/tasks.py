"""django-q2's entry points. Each says "look now" and nothing more; losing, repeating or reordering them is harmless.

`tick` is the one schedule (every minute); django-q2's scheduler looks at it about every 30 s, so a tick looks ahead far enough to
meet the next one, and posts each message at its own second. What is done is in `sms.worker.jobs` and `cluster`; here is who may do it,
and when to wake the next one.
"""

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.conf import settings

from sms import dispatch
from sms.compose.approval import mail as approval_mail
from sms.ledger import wakeups
from sms.models import Heartbeat
from sms.worker import cluster, heartbeat
from sms.worker.jobs import JobContext, loops
from sms.worker.loop import Loop

STOP_COUNTS_FOR = 60.0  # seconds; a stop file older than that was left behind by a supervisor that was killed
BY_TASKS = ("sending", "chores")  # loops of the table that are run here; `manage.py qcluster` runs the others
# `manage.py qcluster` puts a byte here that its workers share, and sets it at SIGTERM
draining = ctypes.c_byte(0)


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
    """The guarantee behind every wake-up: the chores of the table, then whatever becomes due before the next tick."""
    if stopping():
        return
    with _sign_of_life():
        wakeups.fold()  # a task of its own lingers for more; a tick must stay well within django-q2's timeout
        Loop(loops()["chores"], JobContext(stopping)).once()
    _send()


def _send() -> None:
    if stopping():
        return
    with _sign_of_life() as mine:
        with cluster.sending_slot() as renew:
            if renew is None:  # those who have the slots see what we would
                return
            stopped = _renewing(renew)
            cluster.send(public_url=settings.PUBLIC_URL, pulse=mine, stopped=stopped)
            if dispatch.due_within(0) is None:
                cluster.wait_and_send(public_url=settings.PUBLIC_URL, pulse=mine, stopped=stopped)
        # a worker that came between our last look and giving the slot back has left
        if not stopping() and dispatch.due_within(0) is not None:
            wakeups.dispatch()


def _renewing(renew: Callable[[], bool]) -> Callable[[], bool]:
    def stopped() -> bool:
        renew()
        return stopping()

    return stopped


def fold(*, linger: float = 1.5) -> None:
    """Apply receipts until none came for `linger` seconds; that is longer than wake-ups are apart, so that none are left."""
    if stopping():
        return
    with _sign_of_life() as mine:
        if cluster.fold(linger=linger, pulse=mine, stopped=stopping):
            wakeups.fold()


def approvals() -> None:
    """Mail the people who are asked for an approval, or wait for one."""
    if stopping():
        return
    with _sign_of_life() as mine:
        mine.beat("mailing")
        approval_mail.send_due(public_url=settings.PUBLIC_URL)


def ensure_schedule() -> None:
    """The one schedule, made at every start so that an emptied queue heals."""
    wakeups.make_schedule()
