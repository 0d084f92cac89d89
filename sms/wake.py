"""Wake-ups: "look now" for the cluster. They carry nothing, so losing, repeating or reordering them changes latency only."""

import threading
import time

import structlog
from django.db import DatabaseError, transaction
from django_q.tasks import async_task

log = structlog.get_logger(__name__)


def dispatch() -> None:
    """Have something dispatched soon after this transaction."""
    transaction.on_commit(lambda: _enqueue("sms.tasks.work"))


class Seldom:
    """At most one wake-up per `period` seconds from this process, however many receipts come."""

    def __init__(self, task: str, *, period: float) -> None:
        self.task, self.period = task, period
        self._next = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Wake, unless it was done a moment ago: then once more when the period is over, so that the last receipt is not left lying."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + self.period
        _enqueue(self.task)


fold = Seldom("sms.tasks.fold", period=1.0)


def _enqueue(task: str) -> None:
    try:
        async_task(task)
    except DatabaseError as problem:  # the tick is the guarantee; a wake-up only saves waiting for it
        log.warning("wake_up_lost", task=task, error=str(problem))
