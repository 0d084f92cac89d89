"""Wake-ups of the cluster, and its one schedule. They carry nothing, so losing, repeating or reordering them changes latency only."""

import threading
import time
from contextlib import suppress
from datetime import timedelta

import structlog
from django.db import Error, connection, transaction
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from sms.models.sql.clock import corrected_now

log = structlog.get_logger(__name__)

TICK = "sms.worker.tasks.tick"
# After that nothing will take a wake-up: there is no cluster, or the next one does as well
STALE = timedelta(minutes=10)


class CoalescedWakeUp:
    """`action` at once; what comes within `period` seconds after it is done together, by a thread, when they are over.

    So nothing is left to an action that may have begun already. Without a period each call acts for itself.
    """

    def __init__(self, action: str) -> None:
        self.action, self.period = action, 0.0
        self._next, self._waiting = 0.0, False
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            if self._waiting:
                return
            now = time.monotonic()
            if now < self._next:
                # no daemon: a process that ends wakes first. Where no thread can be had, we do it ourselves
                with suppress(RuntimeError):
                    threading.Timer(self._next - now, self._wake_late).start()
                    self._waiting = True
                    return
            self._next = now + self.period
        _enqueue(self.action)

    def _wake_late(self) -> None:
        with self._lock:
            self._waiting, self._next = False, time.monotonic() + self.period
        try:
            _enqueue(self.action)
        finally:
            connection.close()


# Each is one object for the process, since what it remembers is when the process last woke the cluster
_work = CoalescedWakeUp("sms.worker.tasks.work")


def dispatch() -> None:
    transaction.on_commit(_work)


def approvals() -> None:
    """Have mail about approvals sent soon after this transaction: requests, and their results."""
    transaction.on_commit(lambda: _enqueue("sms.worker.tasks.approvals"))


def coalesce(period: float) -> None:
    """For a process that answers many requests: no more than one wake-up to dispatch in `period` seconds."""
    _work.period = period


class RareWakeUp:
    """`action` at most once per `period` seconds in this process, however often it is called.

    What comes within the period is left to the action before: a fold lingers for longer than this period, and a schedule that was
    there a moment ago is still there.
    """

    def __init__(self, action: str, *, period: float) -> None:
        self.action, self.period = action, period
        self._next = 0.0
        self._lock = threading.Lock()

    def due(self) -> bool:
        """Whether it is time; the caller then acts."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return False
            self._next = now + self.period
        return True

    def __call__(self) -> None:
        if self.due():
            _enqueue(self.action)


fold = RareWakeUp("sms.worker.tasks.fold", period=1.0)
_schedule = RareWakeUp(TICK, period=5.0)


def keep_schedule() -> None:
    """Make the schedule again if it is gone: one small query every few seconds, for any process to call."""
    if not _schedule.due():
        return
    try:
        if not Schedule.objects.filter(name="tick").exists():
            make_schedule()
    except Error as problem:
        log.warning("schedule_not_seen_to", error=type(problem).__name__)


def make_schedule() -> None:
    """The one schedule, as it should be. Two processes that make it at once leave two, of which the next one keeps one."""
    wanted = {"func": TICK, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    with transaction.atomic():
        ticks = [row.pk for row in Schedule.objects.select_for_update().filter(name="tick").order_by("pk")]
        if not ticks:
            Schedule.objects.create(name="tick", **wanted)
            return
        Schedule.objects.filter(pk__in=ticks[1:]).delete()
        Schedule.objects.filter(pk=ticks[0]).update(**wanted)


def discard_stale() -> int:
    """Remove wake-ups that were not taken; without a cluster they would pile up. Returns how many."""
    removed, _ = OrmQ.objects.filter(lock__lt=corrected_now() - STALE).delete()
    return removed


def _enqueue(task: str) -> None:
    try:
        async_task(task)
    except Error as problem:  # the tick is the guarantee; a wake-up only saves waiting for it
        log.warning("wake_up_lost", task=task, error=str(problem))
    else:
        if not transaction.get_connection().in_atomic_block:
            keep_schedule()
