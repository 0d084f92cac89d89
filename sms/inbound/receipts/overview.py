"""The receipts of a service as its page shows them, in a fixed number of queries of bounded size."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from sms.inbound.receipts.inbox import spool
from sms.inbound.receipts.replay import QUARANTINE
from sms.inbound.receipts.silence import gaps
from sms.models import Receipt, ReceiptInbox, Service

MOST = 20_000  # receipts that are counted for the rates
SHOWN = 50


def overview_of(service: Service, *, now: datetime) -> dict[str, Any]:
    """Its receipts now. Rates are counts; `more`: the last hour had more than were counted. The spool is of this host and all services."""
    latest = list(
        Receipt.objects.filter(service=service, simulated=False)
        .order_by("-id")
        .values_list("received_at", flat=True)[:MOST]
    )
    hour = [at for at in latest if at > now - timedelta(hours=1)]
    inbox = ReceiptInbox.objects.filter(receipt__service=service, receipt__simulated=False)
    counts = dict(inbox.order_by().values_list("why").annotate(count=Count("pk")))
    set_aside = inbox.exclude(why=ReceiptInbox.Why.NEW).select_related("receipt").defer("receipt__raw")
    files, size = spool.waiting()
    return {
        "last": max(latest[:100], default=None),
        "last_minute": sum(at > now - timedelta(minutes=1) for at in hour),
        "last_hour": len(hour),
        "more": len(hour) == MOST,
        "waiting": counts.get(ReceiptInbox.Why.NEW, 0),
        "unmatched": counts.get(ReceiptInbox.Why.UNKNOWN, 0),
        "quarantined": sum(counts.get(why, 0) for why in QUARANTINE),
        "quarantine": list(set_aside.filter(why__in=QUARANTINE).order_by("-pk")[:SHOWN]),
        "orphans": list(set_aside.filter(why=ReceiptInbox.Why.UNKNOWN).order_by("-pk")[:SHOWN]),
        "spool_files": files,
        "spool_bytes": size,
        "gaps": gaps(service, now=now),
    }
