"""Wake-ups: "look now" for the cluster, and the one schedule. They carry nothing, so losing, repeating or reordering them changes
latency only."""

import threading
import time
from datetime import timedelta

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

log = structlog.get_logger(__name__)

TICK = "sms.tasks.tick"
STALE = timedelta(
    minutes=10
)  # a wake-up that nobody took: there is no cluster, or it will be woken again anyway


def dispatch() -> None:
    """Have something dispatched soon after this transaction."""
    transaction.on_commit(lambda: _enqueue("sms.tasks.work"))


class Seldom:
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
        """Wake, unless it was done a moment ago."""
        if self.due():
            _enqueue(self.action)


fold = Seldom("sms.tasks.fold", period=1.0)
_schedule = Seldom(TICK, period=5.0)


def keep_schedule() -> None:
    """Make the schedule again if it is gone: one small query every few seconds, for every process that passes by."""
    if not _schedule.due():
        return
    try:
        if not Schedule.objects.filter(name="tick").exists():
            make_schedule()
    except DatabaseError as problem:
        log.warning("schedule_not_seen_to", error=type(problem).__name__)


def make_schedule() -> None:
    """The one schedule, as it should be. Two processes that make it at once leave two, which the next one mends."""
    wanted = {"func": TICK, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    with transaction.atomic():
        ticks = [row.pk for row in Schedule.objects.select_for_update().filter(name="tick").order_by("pk")]
        if not ticks:
            Schedule.objects.create(name="tick", **wanted)
            return
        Schedule.objects.filter(pk__in=ticks[1:]).delete()
        Schedule.objects.filter(pk=ticks[0]).update(**wanted)


def discard_stale() -> int:
    """Remove wake-ups that nobody took; without a cluster they would pile up. Returns how many."""
    removed, _ = OrmQ.objects.filter(lock__lt=timezone.now() - STALE).delete()
    return removed


def _enqueue(task: str) -> None:
    try:
        async_task(task)
    except DatabaseError as problem:  # the tick is the guarantee; a wake-up only saves waiting for it
        log.warning("wake_up_lost", task=task, error=str(problem))
    else:
        if not transaction.get_connection().in_atomic_block:
            keep_schedule()
