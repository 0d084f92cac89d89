"""What a service's home page shows of its sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from sms.models import Draft, MessageState, Receipt, ReceiptInbox, Send, SendState, Service, StateCount
from sms.sends.progress import Progress, progress_of_page


@dataclass(frozen=True, slots=True)
class ServiceOverview:
    """A service today; `unmatched` receipts have no message yet, `today` counts messages by state."""

    in_flight: Sequence[Progress]
    recent: Sequence[Progress]
    drafts: Sequence[Draft]
    last_receipt: datetime | None
    unmatched: int
    unconfirmed: int
    today: dict[str, int]


def overview_of(service: Service, *, now: datetime) -> ServiceOverview:
    """Its latest sends and drafts, today's states, and what needs attention; a fixed number of queries."""
    progress = progress_of_page(
        list(Send.objects.filter(service=service).select_related("sender", "created_by")[:12])
    )
    last = (
        Receipt.objects.filter(service=service).order_by("-id").values_list("received_at", flat=True).first()
    )
    today = (
        StateCount.objects.filter(
            send__service=service, send__due_at__gte=now - timedelta(days=1), send__due_at__lte=now
        )
        .values("state")
        .annotate(total=Sum("delta"))
    )
    totals = {row["state"]: row["total"] for row in today if row["total"]}
    return ServiceOverview(
        in_flight=[item for item in progress if item.send.state in (SendState.PREPARING, SendState.SENDING)],
        recent=progress[:6],
        drafts=list(
            Draft.objects.filter(service=service, send=None)
            .select_related("changed_by")
            .order_by("-changed_at")[:5]
        ),
        last_receipt=last,
        unmatched=ReceiptInbox.objects.filter(receipt__service=service)
        .exclude(why=ReceiptInbox.Why.NEW)
        .count(),
        unconfirmed=totals.get(MessageState.UNCONFIRMED, 0),
        today=totals,
    )
