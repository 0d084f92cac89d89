"""Which sends are due for what. Days count from when the last message of a send was posted, or the send was cancelled.

A send is due as a whole, and only when nothing of it can change any more: no message waits, is under way or unconfirmed, and no hold is on
it. Both is read from the send's counters, so that finding out costs nothing that grows with its messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Max, Q, Sum

from sms.models import OVER, Send, SendState, Service, StateCount
from sms.models.message import OPEN
from sms.models.paging import pages
from sms.models.sql.id_list import among

PAGE = 500
# a stage by the column that says that it is done, and the days that it follows
STAGES: dict[str, tuple[str, str]] = {
    "receipts": ("receipts_gone_at", "keep_receipts"),
    "bodies": ("bodies_gone_at", "keep_bodies"),
    "numbers": ("numbers_gone_at", "keep_numbers"),
    "archive": ("archived_at", "keep_messages"),
}


@dataclass(frozen=True, slots=True)
class Ready:
    send_id: int
    recipients: int
    ended_at: datetime


@dataclass(slots=True)
class KeptBack:
    """What is old enough and stays all the same: sends with something open, and held ones."""

    open: int = 0
    held: int = 0


def before(service: Service, stage: str, *, now: datetime) -> datetime | None:
    """What ended before that is due; None where it is kept for good."""
    days = getattr(service, STAGES[stage][1])
    return None if days is None else now - timedelta(days=days)


def ready(service: Service, stage: str, *, now: datetime, kept: KeptBack | None = None) -> Iterator[Ready]:
    """Sends that are due for a stage, by id. Two queries for each 500."""
    until, column = before(service, stage, now=now), STAGES[stage][0]
    if until is None:
        return
    kept = kept or KeptBack()
    rows = Send.objects.filter(Q(keeping__isnull=True) | Q(**{f"keeping__{column}": None}))
    columns = ("pk", "recipients", "state", "due_at", "created_at", "cancelled_at", "keeping__held_at")
    for page in pages(rows.filter(service=service, due_at__lt=until).values_list(*columns), PAGE):
        ends = _ends([row[0] for row in page])
        for pk, recipients, state, due, created, cancelled, held in page:
            still, posted = ends.get(pk, (0, None))
            time = None if state == SendState.CANCELLED else due
            ended = max(at for at in (time, created, cancelled, posted) if at)
            if ended >= until:
                continue
            if held is not None:
                kept.held += 1
            elif still or state not in OVER:
                kept.open += 1
            else:
                yield Ready(pk, recipients, ended)


def _ends(send_ids: list[int]) -> dict[int, tuple[int, datetime | None]]:
    """Messages that are still open, and the end of the window in which the last one was posted."""
    rows = StateCount.objects.filter(send_id__in=among(send_ids)).order_by().values_list("send_id")
    found = rows.annotate(open=Sum("delta", filter=Q(state__in=OPEN)), last=Max("window"))
    width = StateCount.WINDOW
    return {
        send_id: (open_ or 0, datetime.fromtimestamp((last + 1) * width, UTC) if last else None)
        for send_id, open_, last in found
    }
