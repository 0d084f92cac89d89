"""Stored receipts applied again: those set aside, after a fix, and any of the past."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Max, Min

from sms.models import Receipt, ReceiptInbox, Service
from sms.models.paging import given
from sms.models.sql.session import database_now

# by which receipts may be older than those stored before them; on a spool even more
SKEW = timedelta(minutes=30)
QUARANTINE = (ReceiptInbox.Why.UNREADABLE, ReceiptInbox.Why.BROKE)


def retry(service: Service, receipt_id: int | None = None) -> int:
    """Apply what was set aside or not matched again, one or all; returns how many."""
    rows = ReceiptInbox.objects.filter(given(pk=receipt_id), receipt__service=service)
    rows = rows.exclude(why=ReceiptInbox.Why.NEW)
    return _put_in_again(list(rows.values_list("pk", flat=True)))


def _put_in_again(receipt_ids: list[int]) -> int:
    rows = ReceiptInbox.objects.filter(pk__in=receipt_ids).exclude(why=ReceiptInbox.Why.NEW)
    return rows.update(why=ReceiptInbox.Why.NEW, reason="", tries=0, next_at=database_now())


def replay(service: Service, *, since: datetime, until: datetime, batch: int = 1000) -> Iterator[int]:
    """Put stored receipts into the inbox again, in order; yields how many after each batch. Folding only moves states forward.

    May be stopped and started again at any time.
    """
    last_id = _last_id_before(since)
    while True:
        rows = Receipt.objects.filter(service=service, received_at__gte=since, received_at__lt=until)
        found = dict(rows.filter(pk__gt=last_id).order_by("pk").values_list("pk", "received_at")[:batch])
        if not found:
            return
        ids = list(found)
        last_id, now = ids[-1], database_now()
        fresh = (ReceiptInbox(receipt_id=pk, received_at=at, next_at=now) for pk, at in found.items())
        ReceiptInbox.objects.bulk_create(fresh, ignore_conflicts=True)
        _put_in_again(ids)
        yield len(ids)


def count_since(service: Service, *, since: datetime, most: int) -> int:
    """Receipts since then, counted up to `most`."""
    rows = Receipt.objects.filter(service=service, pk__gt=_last_id_before(since), received_at__gte=since)
    return rows[:most].count()


def _last_id_before(moment: datetime) -> int:
    """An id below all that were received since: found by halving, since ids grow with time, and no index is kept for this."""
    moment -= SKEW
    bounds = Receipt.objects.aggregate(least=Min("pk"), most=Max("pk"))
    low, high = (bounds["least"] or 1) - 1, bounds["most"] or 0
    while low < high:
        middle = (low + high + 1) // 2
        received = Receipt.objects.filter(pk__gte=middle).order_by("pk").values_list("received_at", flat=True)
        at = received.first()
        if at is not None and at < moment:
            low = middle
        else:
            high = middle - 1
    return low
