"""The receipts of a service as its page shows them, in a fixed number of queries of bounded size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from sms.inbound.receipts.inbox import spool
from sms.inbound.receipts.replay import QUARANTINE
from sms.inbound.receipts.silence import ReceiptGap, gaps
from sms.models import Receipt, ReceiptInbox, Service

MOST = 20_000  # receipts that are counted for the rates
SHOWN = 50


@dataclass(frozen=True, slots=True)
class ReceiptsOverview:
    """A service's receipts now. Rates are counts; `more` says that the last hour had more than were counted.

    `spool_files`, `spool_bytes` and `spool_kept` are of this host and all its services.
    """

    last: datetime | None
    last_minute: int
    last_hour: int
    more: bool
    waiting: int
    unmatched: int
    quarantined: int
    quarantine: Sequence[ReceiptInbox]
    orphans: Sequence[ReceiptInbox]
    spool_files: int
    spool_bytes: int
    spool_kept: int
    gaps: Sequence[ReceiptGap]


def overview_of(service: Service, *, now: datetime) -> ReceiptsOverview:
    latest = list(
        Receipt.objects.filter(service=service).order_by("-id").values_list("received_at", flat=True)[:MOST]
    )
    hour = [at for at in latest if at > now - timedelta(hours=1)]
    inbox = ReceiptInbox.objects.filter(receipt__service=service)
    counts = dict(inbox.order_by().values_list("why").annotate(count=Count("pk")))
    set_aside = inbox.exclude(why=ReceiptInbox.Why.NEW).select_related("receipt").defer("receipt__raw")
    files, size = spool.waiting()
    return ReceiptsOverview(
        last=max(latest[:100], default=None),
        last_minute=sum(at > now - timedelta(minutes=1) for at in hour),
        last_hour=len(hour),
        more=len(hour) == MOST,
        waiting=counts.get(ReceiptInbox.Why.NEW, 0),
        unmatched=counts.get(ReceiptInbox.Why.UNKNOWN, 0),
        quarantined=sum(counts.get(why, 0) for why in QUARANTINE),
        quarantine=list(set_aside.filter(why__in=QUARANTINE).order_by("-pk")[:SHOWN]),
        orphans=list(set_aside.filter(why=ReceiptInbox.Why.UNKNOWN).order_by("-pk")[:SHOWN]),
        spool_files=files,
        spool_bytes=size,
        spool_kept=spool.kept(),
        gaps=gaps(service, now=now),
    )
