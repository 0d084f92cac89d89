"""How far a send is: its counters, the stage of its ramp, and what quiet hours keep back. A fixed number of queries, whatever its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Min, Sum

from sms.models import MessageState, Send, StateCount
from sms.models.message import FINAL


@dataclass(frozen=True, slots=True)
class Progress:
    send: Send
    counts: dict[str, int]

    @property
    def open(self) -> int:
        return sum(self.counts.get(state, 0) for state in (MessageState.PENDING, MessageState.POSTING))

    @property
    def waiting(self) -> int:
        """Messages that a stop would still reach."""
        return self.counts.get(MessageState.PENDING, 0)

    @property
    def posted(self) -> int:
        kept = (MessageState.PENDING, MessageState.CANCELLED, MessageState.EXPIRED)
        return self.send.recipients - sum(self.counts.get(state, 0) for state in kept)

    @property
    def final(self) -> int:
        done = (*FINAL, MessageState.NO_REPORT)
        return sum(self.counts.get(state, 0) for state in done)

    @property
    def unanswered(self) -> int:
        return self.send.recipients - self.final

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected: no message will be posted, and no receipt is awaited."""
        return self.unanswered == 0


def progress_of(send: Send) -> Progress:
    return Progress(send, send.counts())


def progress_of_page(sends: Sequence[Send]) -> list[Progress]:
    """A page of sends with their counters, in one query for all."""
    totals = (
        StateCount.objects.filter(send__in=[send.pk for send in sends])
        .values("send_id", "state")
        .annotate(total=Sum("delta"))
        .order_by()
    )
    counts: dict[int, dict[str, int]] = {}
    for row in totals:
        if row["total"]:
            counts.setdefault(row["send_id"], {})[row["state"]] = row["total"]
    return [Progress(send, counts.get(send.pk, {})) for send in sends]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a ramp stands: `number` of 3, and how many messages have been let go so far."""

    number: int
    share: str
    released: int


def stage_of(send: Send) -> Stage | None:
    """The stage of a send that starts small; None for others."""
    if not send.ramp:
        return None
    ends = (-(-send.recipients // 100), -(-send.recipients // 10), send.recipients)
    at = min(send.stage, 2)
    return Stage(at + 1, ("1 %", "10 %", "everything")[at], ends[at])


@dataclass(frozen=True, slots=True)
class Night:
    """Messages that wait for the end of quiet hours, at most so many, and when the first of them may go."""

    messages: int
    until: datetime


def night_of(send: Send, *, now: datetime) -> Night | None:
    """What the quiet hours of a send keep back now, read from its slices and counters, so that no page walks over messages."""
    if not send.quiet_hours:
        return None
    # a slice is claimed again within seconds unless quiet hours are the reason
    waiting = send.slices.filter(
        done=False, owner="", stage__lte=send.stage, due_at__gt=max(now, send.due_at) + timedelta(minutes=2)
    )
    found = waiting.aggregate(first=Min("due_at"), room=Sum(F("last_id") - F("first_id") + 1))
    if found["first"] is None:
        return None
    pending = send.counts().get(MessageState.PENDING, 0)
    return Night(min(found["room"], pending), found["first"]) if pending else None
