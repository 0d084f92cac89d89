"""How far a send is: its counters, the stage of its ramp, and what quiet hours keep back. A fixed number of queries, whatever its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Min, Sum
from django.utils.translation import gettext as _

from sms.ledger.slices import stage_ends
from sms.models import MessageState, Receipt, Send, SendState, Service, StateCount
from sms.models.message import OPEN
from sms.sends.waits import SAMPLE, because_of_a_zone


@dataclass(frozen=True, slots=True)
class Progress:
    """`counts` has messages by state. While they are written all recipients count, those to come as pending."""

    send: Send
    counts: dict[str, int]

    @property
    def open(self) -> int:
        return sum(self.counts.get(state, 0) for state in (MessageState.PENDING, MessageState.POSTING))

    @property
    def waiting(self) -> int:
        return self.counts.get(MessageState.PENDING, 0)

    @property
    def posted(self) -> int:
        kept = (MessageState.PENDING, MessageState.CANCELLED, MessageState.EXPIRED)
        return self.send.recipients - sum(self.counts.get(state, 0) for state in kept)

    @property
    def unanswered(self) -> int:
        """Messages without an end."""
        return sum(self.counts.get(state, 0) for state in OPEN)

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected: no message will be posted, and no receipt is awaited."""
        return self.unanswered == 0


def progress_of(send: Send) -> Progress:
    return _progress(send, send.counts())


def _progress(send: Send, counts: dict[str, int]) -> Progress:
    if send.state == SendState.PREPARING and (missing := send.recipients - sum(counts.values())) > 0:
        counts = counts | {MessageState.PENDING.value: counts.get(MessageState.PENDING, 0) + missing}
    return Progress(send, counts)


def progress_of_page(sends: Sequence[Send]) -> list[Progress]:
    """A page of sends with their counters, in one query for all."""
    rows = StateCount.objects.filter(send__in=[send.pk for send in sends]).values("send_id", "state")
    counts: dict[int, dict[str, int]] = {}
    for row in rows.annotate(total=Sum("delta")).order_by():
        if row["total"]:
            counts.setdefault(row["send_id"], {})[row["state"]] = row["total"]
    return [_progress(send, counts.get(send.pk, {})) for send in sends]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a ramp stands: `number` of 3, and how many messages have been let go so far."""

    number: int
    share: str
    released: int


def stage_of(send: Send) -> Stage | None:
    if not send.ramp:
        return None
    at = min(send.stage, 2)
    released = stage_ends(send.recipients, ramp=True)[at]
    return Stage(at + 1, ("1 %", "10 %", _("everything"))[at], released)


@dataclass(frozen=True, slots=True)
class Night:
    """Messages that wait for the end of quiet hours, at most so many, and when the first of them may go.

    `unknown` is a sentence where it is not night at all, but a time zone that this machine does not know.
    """

    messages: int
    until: datetime
    unknown: str = ""


def night_of(send: Send, *, now: datetime) -> Night | None:
    """What the quiet hours of a send keep back now, from its slices and counters; of its messages only the first of these are looked at."""
    if not send.quiet_hours:
        return None
    # a slice is claimed again within seconds unless quiet hours are the reason
    waiting = send.slices.filter(
        done=False, owner="", stage__lte=send.stage, due_at__gt=max(now, send.due_at) + timedelta(minutes=2)
    )
    found = waiting.aggregate(
        first=Min("due_at"), room=Sum(F("last_id") - F("first_id") + 1), begin=Min("first_id")
    )
    if found["first"] is None:
        return None
    pending = send.counts().get(MessageState.PENDING, 0)
    if not pending:
        return None
    first = send.messages.filter(pk__range=(found["begin"], found["begin"] + SAMPLE - 1))
    says = because_of_a_zone(send, first.only("msisdn", "zone"))
    return Night(min(found["room"], pending), found["first"], says)


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """A service in the last 24 hours: its latest sends, and its messages counted by state."""

    recent: Sequence[Progress]
    last_receipt: datetime | None
    today: dict[str, int]

    @property
    def unconfirmed(self) -> int:
        return self.today.get(MessageState.UNCONFIRMED, 0)


def figures_of(service: Service, *, now: datetime) -> ServiceFigures:
    """A fixed number of queries. Answers to replies are among the figures but not in the list: they would leave no room in it."""
    sends = Send.objects.filter(service=service, simulated=False, answering__isnull=True)
    receipts = Receipt.objects.filter(service=service, simulated=False).order_by("-id")
    day = (now - timedelta(days=1), now)
    counts = StateCount.objects.filter(
        send__service=service, send__simulated=False, send__due_at__range=day
    ).values("state")
    return ServiceFigures(
        progress_of_page(list(sends.select_related("sender", "created_by")[:6])),
        receipts.values_list("received_at", flat=True).first(),
        {row["state"]: row["total"] for row in counts.annotate(total=Sum("delta")) if row["total"]},
    )
