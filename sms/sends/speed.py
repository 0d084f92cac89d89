"""How fast a send or a service posts, measured over the last minutes, and until when at that rate."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet, Sum

from sms.ledger.progress_log import began_at
from sms.models import SendState, Service, StateCount
from sms.sends.progress import Progress

ENOUGH = timedelta(seconds=60)  # of a window of the counters; before that the one before counts too
SHORTEST = timedelta(seconds=2)  # of what is measured


@dataclass(frozen=True, slots=True)
class SendSpeed:
    """Messages a second over the last minutes, or of the whole send once it is handed over; None where that cannot be measured.

    `ends_at` is when the last message is posted at that rate, in `left`, or when it was.
    """

    per_second: float | None
    ends_at: datetime | None = None
    left: timedelta = timedelta(0)
    over: bool = False


def speed_of(progress: Progress, *, now: datetime) -> SendSpeed | None:
    """None before its first message and of a send that was cancelled. Three queries at most."""
    send = progress.send
    if send.state not in (SendState.SENDING, SendState.FINISHED) or not progress.posted:
        return None
    began = began_at(send)
    if began is None:
        return None
    if send.state == SendState.FINISHED:
        if send.posted_at is None:
            return None
        return SendSpeed(_rate(progress.posted, send.posted_at - began), send.posted_at, over=True)
    rate = _lately(send.counters.all(), began=began, now=now)
    if not rate or not progress.open:
        return SendSpeed(rate)
    left = timedelta(seconds=progress.open / rate)
    return SendSpeed(rate, now + left, left)


def service_speed(service: Service, *, now: datetime) -> float:
    """Messages a second that the service posted over the last minutes. One query, by the windows of the counters."""
    counters = StateCount.objects.filter(send__service=service, send__simulated=False)
    return _lately(counters, began=None, now=now) or 0.0


def _lately(counters: "QuerySet[StateCount]", *, began: datetime | None, now: datetime) -> float | None:
    window = int(now.timestamp()) // StateCount.WINDOW
    since = max(_begin(window), began or _begin(window))
    if now - since < ENOUGH and (began is None or began < since):
        window -= 1
        since = max(_begin(window), began or _begin(window))
    posted = counters.filter(window__gte=window).aggregate(total=Sum("delta"))["total"] or 0
    return _rate(posted, now - since)


def _begin(window: int) -> datetime:
    return datetime.fromtimestamp(window * StateCount.WINDOW, UTC)


def _rate(messages: int, time: timedelta) -> float | None:
    return messages / time.total_seconds() if time >= SHORTEST else None
