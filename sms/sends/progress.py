"""The desk at a glance: what a service's home page shows, in a fixed number of queries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Min, Q, Sum

from sms.compliance import archive
from sms.ledger.states import RANK
from sms.models import (
    Draft,
    Message,
    MessageState,
    Receipt,
    ReceiptInbox,
    Send,
    SendState,
    Service,
    StateCount,
)
from sms.models.message import FINAL
from sms.values import correlation_id
from sms.values.msisdn import BadNumber, parse
from sms.values.msisdn.hidden import hidden


@dataclass(frozen=True, slots=True)
class BarPart:
    """One part of a bar, in SVG units."""

    state: str
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A send with its counters."""

    send: Send
    counts: dict[str, int]

    @property
    def open(self) -> int:
        """Messages not posted yet."""
        return sum(self.counts.get(state, 0) for state in (MessageState.PENDING, MessageState.POSTING))

    @property
    def waiting(self) -> int:
        """Messages that a stop would still reach."""
        return self.counts.get(MessageState.PENDING, 0)

    @property
    def posted(self) -> int:
        """Messages that left, whatever became of them since."""
        kept = (MessageState.PENDING, MessageState.CANCELLED, MessageState.EXPIRED)
        return self.send.recipients - sum(self.counts.get(state, 0) for state in kept)

    @property
    def final(self) -> int:
        """Messages that will not change any more."""
        done = (*FINAL, MessageState.NO_REPORT)
        return sum(self.counts.get(state, 0) for state in done)

    @property
    def settled(self) -> bool:
        """Whether nothing is expected any more."""
        return self.final == self.send.recipients

    @property
    def bar(self) -> list["BarPart"]:
        """The states as parts of a bar 100 wide, the surest news first."""
        whole = sum(self.counts.values()) or 1
        order = sorted(self.counts, key=lambda state: -RANK.get(state, 0))
        parts, start = [], 0.0
        for state in order:
            width = 100 * self.counts[state] / whole
            parts.append(BarPart(state, f"{start:.3f}", f"{width:.3f}"))
            start += width
        return parts

    @property
    def live(self) -> bool:
        """Whether the page should look again: something still moves, or receipts may still come."""
        return not self.settled


@dataclass(frozen=True, slots=True)
class ServiceOverview:
    """A service today."""

    in_flight: Sequence[Progress]
    recent: Sequence[Progress]
    drafts: Sequence[Draft]
    last_receipt: datetime | None
    unmatched: int
    unconfirmed: int
    today: dict[str, int]


def glance(service: Service, *, now: datetime) -> ServiceOverview:
    """What a team wants to know first."""
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
    # a slice is looked at again within seconds unless the night is the reason
    asleep = send.slices.filter(
        done=False, owner="", stage__lte=send.stage, due_at__gt=max(now, send.due_at) + timedelta(minutes=2)
    )
    found = asleep.aggregate(first=Min("due_at"), room=Sum(F("last_id") - F("first_id") + 1))
    if found["first"] is None:
        return None
    pending = send.counts().get(MessageState.PENDING, 0)
    return Night(min(found["room"], pending), found["first"]) if pending else None


def progress_of(send: Send) -> Progress:
    """One send with its counters."""
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
class FoundMessages:
    """Messages of a search, newest first; one more than a page where there are more. `problem`: why archives could not be read."""

    messages: list[Message]
    problem: str = ""


def find_messages(service: Service, text: str, *, before: int | None = None, page: int = 50) -> FoundMessages:
    """Messages by number, correlation id or provider id, below id `before`, archived ones too; empty text finds the latest here."""
    rows = Message.objects.filter(send__service=service).select_related("send").order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    wanted = text.strip()
    if not wanted:
        return FoundMessages(list(rows[: page + 1]))
    look, archived = _sought(service, wanted)
    here, problem = list(rows.filter(look)[: page + 1]), ""
    try:
        old = archived() if archive.has(service) else []
    except archive.ArchiveError as trouble:
        old, problem = [], str(trouble)
    older = [one.message for one in old if before is None or one.message.pk < before]
    both = sorted([*here, *older], key=lambda one: -one.pk)
    return FoundMessages(both[: page + 1], problem)


def _sought(service: Service, wanted: str) -> tuple[Q, Callable[[], list[archive.MessageHistory]]]:
    """What the text asks of the ledger, and of the archives."""
    ours = correlation_id.read(wanted, key=service.correlation_key)
    if ours is not None:
        message_id = ours.message_id

        def one() -> list[archive.MessageHistory]:
            found = archive.one(service, message_id)
            return [found] if found else []

        return Q(pk=message_id), one
    try:
        number = parse(wanted, country=service.default_country).e164
    except BadNumber:
        return Q(provider_id=wanted), lambda: archive.histories_of(
            service, archive.by_provider_id(service, wanted)
        )
    spelled = (number, hidden(number, key=service.number_key))
    return Q(msisdn__in=spelled), lambda: archive.histories_of(service, archive.to_number(service, number))


def story_of(service: Service, message_id: int) -> archive.MessageHistory | None:
    """One message with its receipts and clicks, from the ledger or from an archive; None where neither has it. Raises ArchiveError."""
    related = ("send__sender", "send__template", "send__created_by", "send__service")
    message = (
        Message.objects.filter(send__service=service).select_related(*related).filter(pk=message_id).first()
    )
    if message is None:
        return archive.one(service, message_id)
    receipts = list(Receipt.objects.filter(message_id=message.pk, service=service))
    clicks = {click.receipt_id: click for click in message.clicks.all()}
    return archive.MessageHistory(message, receipts, clicks, archived=False)


def messages_of(send: Send, *, state: str = "", after: int = 0, page: int = 50) -> FoundMessages:
    """A send's messages in order from the one behind `after`, wherever they lie."""
    rows = send.messages.filter(pk__gt=after).order_by("id")
    if state:
        rows = rows.filter(state=state)
    here, problem, old = list(rows[: page + 1]), "", list[archive.ArchivedMessage]()
    if archive.has(send.service):
        try:
            old = archive.of_send(send, after=after, state=state, most=page + 1)
        except archive.ArchiveError as trouble:
            problem = str(trouble)
    both = sorted(
        [*here, *(archive.history_of(row, send=send).message for row in old)], key=lambda one: one.pk
    )
    return FoundMessages(both[: page + 1], problem)
