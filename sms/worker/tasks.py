"""django-q2's entry points. Each says "look now" and nothing more; losing, repeating or reordering them is harmless.

`tick` is the one schedule (every minute); django-q2's scheduler looks at it about every 30 s, so a tick looks ahead far enough to
meet the next one, and posts each message at its own second. Several workers are woken for the same thing. Some of them get a slot and
send, one waits for what becomes due soon, one folds; the ledger's leases decide who sends what, so two at once would be wasteful and
correct.
"""

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from django.conf import settings
from django_q.signals import post_execute_in_worker, pre_execute

from sms import dispatch, notices
from sms.inbound import receipts
from sms.ledger import wakeups
from sms.models import Duty, Heartbeat
from sms.models.sql.limits import WorkKind, work_as
from sms.models.sql.trouble import is_away
from sms.reports import facts
from sms.worker import heartbeat
from sms.worker.jobs import IDLE, JobContext, Stopped, loops, send
from sms.worker.loop import Loop

log = structlog.get_logger(__name__)

LOOK_AHEAD = 95.0  # seconds: a minute between ticks, 30 s for the scheduler's own loop, and some
SENDING_SLOTS = 2  # of a cluster's three workers: the third is always free for receipts
SLOT_LEASE = 15.0  # seconds after which the slot of a killed process is free again
FOLD_AT_MOST = 60.0
LINGER = 1.5
FOLD_LEASE = 10.0
STOP_COUNTS_FOR = 60.0  # seconds; a stop file older than that was left behind by a supervisor that was killed
BY_TASKS = ("sending", "chores")  # loops of the table that are run here; `manage.py qcluster` runs the others


def _named(task: dict[str, Any], **_: Any) -> None:
    """Every line that a task writes says which it is."""
    structlog.contextvars.bind_contextvars(task=task["id"])


def _unnamed(**_: Any) -> None:
    structlog.contextvars.unbind_contextvars("task")


pre_execute.connect(_named, dispatch_uid="task_in_log")
post_execute_in_worker.connect(_unnamed, dispatch_uid="task_in_log")
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
    work_as(WorkKind.JOB)
    mine = heartbeat.of_this_process(Heartbeat.Kind.CLUSTER)
    mine.beat("looking")
    wakeups.keep_schedule()
    try:
        yield mine
    except Exception as problem:
        if not is_away(problem):  # that is told as a fault
            log.exception("task_broke_off")
        raise
    finally:
        mine.beat("")


def tick() -> None:
    """The guarantee behind every wake-up: the chores of the table, then whatever becomes due before the next tick."""
    if stopping():
        return
    with _sign_of_life():
        wakeups.fold()  # a task of its own lingers for more; a tick must stay well within django-q2's timeout
        Loop(loops()["chores"], JobContext(stopping)).once()
    work()


def work() -> None:
    """Dispatch what is due, and what is about to be."""
    if stopping():
        return
    with _sign_of_life() as mine:
        with sending_slot() as renew:
            if renew is None:  # those who have the slots see what we would
                return
            stopped = _renewing(renew)
            try:
                send(mine, stopped)
                if dispatch.due_within(0) is None:
                    wait_and_send(pulse=mine, stopped=stopped)
            finally:
                dispatch.epochs.after_posting(leaving=True)  # the next task may be another process's
        # a worker that came between our last look and giving the slot back has left
        if not stopping() and dispatch.due_within(0) is not None:
            wakeups.dispatch()


@contextmanager
def sending_slot() -> Iterator[Callable[[], bool] | None]:
    """One of this host's SENDING_SLOTS while it is held, as a function that renews it; None where all are taken."""
    names = (f"slot-{number}-{heartbeat.HOST[:18]}" for number in range(SENDING_SLOTS))
    held = next(filter(None, (Duty.hold(name, seconds=SLOT_LEASE) for name in names)), None)
    if held is None:
        yield None
        return
    with held:
        yield held.renew


def _renewing(renew: Callable[[], bool]) -> Stopped:
    def stopped() -> bool:
        renew()
        return stopping()

    return stopped


def wait_and_send(*, pulse: heartbeat.Pulse, stopped: Stopped) -> None:
    """Wait for what becomes due within LOOK_AHEAD seconds and send it at its second. Ends when nothing is near.

    One process waits at a time: the newest relieves the one before, so that what is looked ahead to never has a gap.
    """
    duty = Duty.relieve("look-ahead", seconds=LOOK_AHEAD)
    until = time.monotonic() + LOOK_AHEAD
    looked = time.monotonic()
    pulse.beat("waiting")
    while not stopped():
        pause = dispatch.due_within(max(until - time.monotonic(), 0.0))
        if pause is None:
            break
        if time.monotonic() - looked > 2.0:
            looked = time.monotonic()
            if not duty.is_mine():
                break
        pulse.beat("waiting")
        if pause > 0:
            time.sleep(min(pause, IDLE))
            continue
        posted = send(pulse, stopped)
        if time.monotonic() >= until:
            break
        if not posted:  # held back by a rate or a refusal: due, and yet nothing to do
            time.sleep(IDLE)


def fold() -> None:
    """Apply receipts until none came for LINGER seconds, a minute at most.

    That is longer than wake-ups are apart, so none is left: a worker that comes too late for the loop finds the duty taken and leaves,
    and for its receipts we look once more when the duty is given back.
    """
    if stopping():
        return
    with _sign_of_life() as mine:
        duty = Duty.hold("fold", seconds=FOLD_LEASE)
        if duty is None:
            return
        with duty:
            mine.beat("folding")
            quiet_since = time.monotonic()
            until = quiet_since + FOLD_AT_MOST
            while time.monotonic() - quiet_since < LINGER and time.monotonic() < until and not stopping():
                mine.beat()
                duty.renew()
                if receipts.fold():
                    quiet_since = time.monotonic()
                else:
                    time.sleep(0.2)
            facts.fold()
            dispatch.watch()  # what came in may let a send go on, or hold it
        if not stopping() and receipts.fold():
            wakeups.fold()


def approvals() -> None:
    """Mail notices at once: people are asked for an approval, or wait for one."""
    if stopping():
        return
    with _sign_of_life() as mine:
        mine.beat("mailing")
        notices.send_due(public_url=settings.PUBLIC_URL)
