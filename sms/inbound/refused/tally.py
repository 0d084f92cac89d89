"""Counting what became of posts, and noting that a secret was proved. At most one update at a time in a process, for all that wait."""

import threading
from collections import Counter
from datetime import datetime
from typing import NamedTuple

import structlog
from django.db import Error, transaction
from django.db.models import F, QuerySet

from sms.inbound.receipts.addresses import ReceiptAddress, Verdict, receipt_addresses
from sms.models import Actor, PostTally, Service
from sms.models.audit import audit
from sms.models.sql.availability import database
from sms.models.sql.clock import corrected_now

log = structlog.get_logger(__name__)


class _OneMore(NamedTuple):
    service_id: int | None
    kind: str
    came_to: str
    column: str
    mark: str


class _Waiting:
    """What was counted and not written. Requests that come while one writes leave theirs to it, or to the next."""

    def __init__(self) -> None:
        self._counts: Counter[_OneMore] = Counter()
        self._lock, self._writing = threading.Lock(), threading.Lock()

    def add(self, *counted: _OneMore) -> None:
        with self._lock:
            self._counts.update(counted)
        # asked again after each turn: what came in the meantime found it being written
        while self._counts and not database.away() and self._writing.acquire(blocking=False):
            try:
                if not self._write():
                    return
            finally:
                self._writing.release()

    def _write(self) -> bool:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            with transaction.atomic():
                for one, number in sorted(
                    counts.items(), key=lambda item: (item[0].service_id or 0, *item[0][1:])
                ):
                    _update(one, number, corrected_now())
        except Error as problem:
            log.error("posts_not_counted_yet", error=str(problem)[:300])
            with self._lock:
                self._counts.update(counts)
            return False
        return True


_waiting = _Waiting()


def count(service_id: int | None, kind: str, came_to: str, *columns: str, mark: str = "") -> None:
    """One more in these columns of `PostTally`. While the database is away it is written with the next."""
    _waiting.add(*(_OneMore(service_id, kind, came_to, column, mark) for column in columns))


def note(verdict: Verdict, *, address: ReceiptAddress, kind: str) -> None:
    """What a post that was stored says about today's secret."""
    if verdict is Verdict.UNPROVEN:
        count(address.service_id, kind, address.came_to, "would_refuse", mark=address.mark)
    elif verdict is Verdict.PROVES and not database.away():  # else the next one proves it
        try:
            _prove(address, kind, corrected_now())
        except Error as problem:  # the next one proves it
            log.error("signature_not_noted_yet", service=address.service_id, error=str(problem)[:300])


def _prove(address: ReceiptAddress, kind: str, now: datetime) -> None:
    with transaction.atomic():
        rows = _rows(address.service_id, kind, address.came_to)
        first = rows.exclude(mark=address.mark).update(mark=address.mark, proved_at=now, would_refuse=0)
        first = first or rows.filter(mark=address.mark, proved_at=None).update(proved_at=now)
        if first:
            service = Service.objects.defer(*Service.secrets()).get(pk=address.service_id)
            by = Actor.system("provider")
            audit("service.signature_proved", service, by=by, kind=kind, came_to=str(address.came_to))
    receipt_addresses.look_again(address.service_id)


def _update(one: _OneMore, number: int, now: datetime) -> None:
    rows = _rows(one.service_id, one.kind, one.came_to)
    if one.mark:  # about a secret: what was counted for another one is over
        rows.exclude(mark=one.mark).update(mark=one.mark, proved_at=None, would_refuse=0)
    rows.update(**{one.column: F(one.column) + number, "last_at": now})


def _rows(service_id: int | None, kind: str, came_to: str) -> "QuerySet[PostTally]":
    """The row of an address, made where there is none."""
    rows = PostTally.objects.filter(service=service_id, kind=kind, came_to=came_to)
    if not rows.exists():
        new = PostTally(service_id=service_id, kind=kind, came_to=came_to)
        PostTally.objects.bulk_create([new], ignore_conflicts=True)
    return rows
