"""What waits: messages, receipts, callbacks, wake-ups, retention, backups. A few queries that read an index each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Min
from django.db.models.functions import Now
from django_q.brokers import get_broker

from sms.compliance import retention
from sms.dispatch.claim import open_slices
from sms.models import (
    BackupNote,
    Callback,
    FactDelta,
    Hold,
    MeterTotal,
    ReceiptInbox,
    Service,
)
from sms.models.sql.session import database_now
from sms.operations.totals import UNCONFIRMED_MESSAGES
from sms.values.meters import labels_of


@dataclass(frozen=True, slots=True)
class ServiceWork:
    """`due_for`: seconds since the oldest message that may be sent now is due, 0 where none is."""

    pk: int
    slug: str
    name: str
    paused_at: datetime | None
    paused_because: str
    held_sends: int
    due_for: float
    unconfirmed: int
    trouble: float | None = None  # seconds for which posting has been in trouble


@dataclass(frozen=True, slots=True)
class Work:
    now: datetime
    services: list[ServiceWork] = field(default_factory=list)
    receipts: int = 0
    receipts_for: float = 0.0  # seconds that the oldest waits
    callbacks: int = 0
    queue: int = 0
    fact_deltas: int = 0
    retention_lag: float = 0.0  # seconds
    backup: BackupNote | None = None


def work(troubles: Mapping[int, float]) -> Work:
    now = database_now()
    new = ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW)
    inbox = new.aggregate(count=Count("pk"), oldest=Min("next_at"))
    return Work(
        now=now,
        services=services(now, troubles),
        receipts=inbox["count"],
        receipts_for=seconds_since(inbox["oldest"], now),
        callbacks=Callback.objects.filter(next_at__isnull=False).count(),
        queue=get_broker().queue_size(),
        fact_deltas=FactDelta.objects.count(),
        retention_lag=round(retention.lag(), 1),
        backup=BackupNote.objects.first(),
    )


def services(now: datetime, troubles: Mapping[int, float]) -> list[ServiceWork]:
    due = open_slices().filter(due_at__lte=Now()).order_by().values("service").annotate(oldest=Min("due_at"))
    oldest = dict(due.values_list("service", "oldest"))
    active = Hold.objects.active().filter(send__isnull=False).order_by()
    held = dict(active.values_list("service").annotate(count=Count("pk")))
    worked_out = MeterTotal.objects.filter(host="", name=UNCONFIRMED_MESSAGES)
    unconfirmed = dict(worked_out.values_list("labels", "value"))
    rows = Service.objects.order_by("slug").only("pk", "slug", "name", "paused_at", "paused_because")
    return [
        ServiceWork(
            pk=one.pk,
            slug=one.slug,
            name=one.name,
            paused_at=one.paused_at,
            paused_because=one.paused_because,
            held_sends=held.get(one.pk, 0),
            due_for=seconds_since(oldest.get(one.pk), now),
            unconfirmed=int(unconfirmed.get(labels_of(service=one.slug), 0)),
            trouble=troubles.get(one.pk),
        )
        for one in rows
    ]


def seconds_since(when: datetime | None, now: datetime) -> float:
    return round(max((now - when).total_seconds(), 0.0), 1) if when else 0.0
