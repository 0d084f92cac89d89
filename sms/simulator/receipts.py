"""Receipts of simulated sends: kept until they are due, then put where the provider's are put. From there on they are read as any other."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import transaction
from msgspec.structs import replace

from sms.inbound.receipts import Incoming, insert
from sms.ledger import wakeups
from sms.models import Service, SimulatedReceipt
from sms.models.sql.clock import corrected_now
from sms.webex.sandbox.in_process import DueReceipt

AT_ONCE = 1000


def keep(found: Iterable[DueReceipt], *, service_id: int, key: str, now: float) -> None:
    """Durable afterwards. What comes before the answer is put into the inbox at once."""
    rows = [(datetime.fromtimestamp(one.at, UTC), one) for one in found]
    at_once = [_incoming(one.body, service_id, key, at) for at, one in rows if one.at <= now]
    later = [
        SimulatedReceipt(service_id=service_id, raw=one.body, due_at=at) for at, one in rows if one.at > now
    ]
    with transaction.atomic():
        if at_once:
            insert(at_once)
        SimulatedReceipt.objects.bulk_create(later)
    if at_once:
        wakeups.fold()


def anything_due(*, now: datetime | None = None) -> bool:
    return SimulatedReceipt.objects.filter(due_at__lte=now or corrected_now()).exists()


def hand_over(*, now: datetime | None = None) -> int:
    """Put what is due into the inbox, in one transaction with its leaving here; returns how many."""
    now = now or corrected_now()
    if not anything_due(now=now):
        return 0
    with transaction.atomic():
        due = SimulatedReceipt.objects.select_for_update(skip_locked=True).filter(due_at__lte=now)
        rows = list(due.order_by("due_at", "id")[:AT_ONCE])
        if not rows:
            return 0
        keys = dict(
            Service.objects.filter(pk__in={row.service_id for row in rows}).values_list(
                "pk", "correlation_key"
            )
        )
        insert([_incoming(bytes(row.raw), row.service_id, keys[row.service_id], now) for row in rows])
        SimulatedReceipt.objects.filter(pk__in=[row.pk for row in rows]).delete()
    wakeups.fold()
    return len(rows)


def _incoming(raw: bytes, service_id: int, key: str, at: datetime) -> Incoming:
    found = Incoming.read(raw, service_id=service_id, key=key, received_at=at)
    return replace(found, simulated=True)
