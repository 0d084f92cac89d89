"""Coming sends: what goes out when, over the services of one person, and where two of them share a contracted rate.

    coming(services, …)   the entries of a stretch of time, in order, each with its forecast end and who gets in its way
    quiet_spans(…)        the quiet hours of a day, for shading

Read by the calendar, the home page and the page that moves a send. It counts no messages: open sends are found by their slices,
which are few, and their sizes are counters.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Q, Sum

from sms.dispatch.fair_queue import WEIGHTS
from sms.models import Draft, MessageState, Send, SendState, Service, Slice, StateCount
from sms.sends import holds
from sms.sends.plan.shared_rate import Load, Span, together
from sms.values import quiet_hours

# before any of it goes; whoever adds a state adds it to a send that is still to come
BEFORE = [
    state for state in SendState if state not in (SendState.SENDING, SendState.FINISHED, SendState.CANCELLED)
]
MOST = 500  # sends of one look; a desk with more has them from programs, and a page of them helps nobody
FELT = timedelta(minutes=1)  # what a send is late because of another one, from which on it is said


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """A send or a draft with a time.

    `state` is the send's, "held" where something keeps it back, or "draft". `recipients` is None where it is not known before the draft
    is checked, `ends_at` where nobody can foresee it. `late` is how much later it ends because `beside` go at the same time.
    """

    service: Service
    at: datetime
    name: str
    state: str
    recipients: int | None
    sender: str
    send: Send | None = None
    draft: Draft | None = None
    ends_at: datetime | None = None
    late: timedelta = timedelta(0)
    beside: tuple[str, ...] = ()

    @property
    def movable(self) -> bool:
        """Whether it is a send that has not begun."""
        return self.send is not None and self.send.state in BEFORE

    @property
    def long(self) -> bool:
        """Whether it takes more than a moment, so that its end is worth a word."""
        return self.ends_at is not None and self.ends_at - self.at >= FELT


@dataclass(frozen=True, slots=True)
class Coming:
    """The entries in order of their time. `more` is how many scheduled sends were left out at the end."""

    entries: Sequence[CalendarEntry]
    more: int = 0


def coming(
    services: Collection[Service],
    *,
    until: datetime,
    now: datetime,
    since: datetime | None = None,
    drafts_of: Collection[Service] = (),
    most: int = MOST,
) -> Coming:
    """What goes on or begins from `since` (None: now) until `until`; drafts only of the services in `drafts_of`."""
    by_id = {one.pk: one for one in services}
    sends, more = _open_sends(by_id, until=until, most=most)
    held = holds.held_among(sends)
    left = _left(sends)
    spans = _spans(by_id, [one for one in sends if one.pk not in held], left, now=now)
    entries = [
        _entry(one, by_id[one.service_id], spans, left, is_held=one.pk in held, now=now) for one in sends
    ]
    entries = _with_company(entries, left, now=now)
    start = max(since or now, now)
    if start > now:  # otherwise all that is open counts, however long ago it was due
        entries = [one for one in entries if (one.ends_at or one.at) >= start]
    entries += _drafts(drafts_of, since=start, until=until)
    entries.sort(key=lambda one: (one.at, one.name))
    return Coming(entries, more)


def _open_sends(services: dict[int, Service], *, until: datetime, most: int) -> tuple[list[Send], int]:
    """Everything that has begun or is due before `until`, the soonest first, and how many more there are."""
    begun = Slice.objects.filter(service__in=services, done=False).values("send_id")
    wanted = Q(state=SendState.SENDING, pk__in=begun)
    for state in BEFORE:  # one by one, as the partial indexes are
        wanted |= Q(state=state, due_at__lt=until)
    found = Send.objects.filter(wanted, service__in=services)
    rows = list(found.select_related("sender", "created_by").order_by("due_at", "pk")[: most + 1])
    more = found.count() - most if len(rows) > most else 0
    return rows[:most], more


def _left(sends: Sequence[Send]) -> dict[int, int]:
    """Messages of each that were not posted yet."""
    pending = StateCount.objects.filter(send__in=[one.pk for one in sends], state=MessageState.PENDING)
    counted = pending.values("send_id").order_by().annotate(total=Sum("delta"))
    left = {row["send_id"]: row["total"] or 0 for row in counted}
    unwritten = {one.pk: one.recipients for one in sends if one.state == SendState.PREPARING}
    return left | unwritten


def _entry(
    send: Send,
    service: Service,
    spans: dict[int, Span],
    left: dict[int, int],
    *,
    is_held: bool,
    now: datetime,
) -> CalendarEntry:
    span = spans.get(send.pk)
    done = not left.get(send.pk) and send.state == SendState.SENDING
    return CalendarEntry(
        service=service,
        at=send.due_at,
        name=send.name,
        state="held" if is_held else send.state,
        recipients=send.recipients,
        sender=str(send.sender),
        send=send,
        ends_at=now if done else _moment(span.last) if span is not None and span.last is not None else None,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# --- who shares the rate with whom --------------------------------------------------------------------------------------


def _load(send: Send, messages: int, *, now: datetime) -> Load:
    at = max(send.due_at, now).timestamp()
    return Load(send.pk, WEIGHTS[send.lane], at, float(messages), send.quiet_hours)


def _spans(
    services: dict[int, Service], sends: Sequence[Send], left: dict[int, int], *, now: datetime
) -> dict[int, Span]:
    """When each begins and ends, service by service; none without a rate, nor while the whole service is paused."""
    of_service: dict[int, list[Load]] = defaultdict(list)
    for send in sends:
        service = services[send.service_id]
        if service.rate and service.paused_at is None:
            of_service[send.service_id].append(_load(send, left.get(send.pk, 0), now=now))
    spans: dict[int, Span] = {}
    for service_id, loads in of_service.items():
        service = services[service_id]
        spans |= together(loads, rate=float(service.rate or 0), allowed=_Night(service.time_zone))
    return spans


class _Night:
    """The end of quiet hours by the clock of the service: where each recipient is, a month's picture does not look at."""

    def __init__(self, zone: str) -> None:
        self._zone = zone

    def __call__(self, quiet: str, at: float) -> float:
        when = quiet_hours.next_allowed(_moment(at), (self._zone,), quiet)
        return max(when.timestamp(), at) if when is not None else at


def _with_company(
    entries: Sequence[CalendarEntry], left: dict[int, int], *, now: datetime
) -> list[CalendarEntry]:
    """Say of each whether it ends later than it would alone, and because of whom."""
    told: list[CalendarEntry] = []
    for one in entries:
        others = [other for other in entries if other is not one and _meet(one, other)]
        if not others or one.send is None or one.ends_at is None or not one.service.rate:
            told.append(one)
            continue
        load = _load(one.send, left.get(one.send.pk, 0), now=now)
        alone = together([load], rate=float(one.service.rate), allowed=_Night(one.service.time_zone))
        last = alone[load.key].last if load.key in alone else None
        late = one.ends_at - _moment(last) if last is not None else timedelta(0)
        if late >= FELT:
            one = replace(one, late=late, beside=tuple(other.name for other in others))
        told.append(one)
    return told


def _meet(one: CalendarEntry, other: CalendarEntry) -> bool:
    if one.service.pk != other.service.pk or one.ends_at is None or other.ends_at is None:
        return False
    return one.at < other.ends_at and other.at < one.ends_at


# --- drafts -------------------------------------------------------------------------------------------------------------


def _drafts(services: Collection[Service], *, since: datetime, until: datetime) -> list[CalendarEntry]:
    by_id = {one.pk: one for one in services}
    rows = Draft.objects.filter(service__in=by_id, send=None, send_at__gte=since, send_at__lt=until)
    rows = rows.select_related("sender", "audience__current").defer("pasted", "audience__current__rejects")
    return [
        CalendarEntry(
            service=by_id[row.service_id],
            at=row.send_at,
            name=str(row),
            state="draft",
            recipients=row.audience.current.recipients if row.audience and row.audience.current else None,
            sender=str(row.sender or ""),
            draft=row,
        )
        for row in rows.order_by("send_at")[:MOST]
        if row.send_at is not None
    ]


# --- shading ------------------------------------------------------------------------------------------------------------

_STEP = timedelta(minutes=15)


def quiet_spans(service: Service, *, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches between two moments in which the service's own clock shows quiet hours, to a quarter of an hour."""
    spans: list[tuple[datetime, datetime]] = []
    at = since
    while service.quiet_hours and at < until:
        when = quiet_hours.next_allowed(at, (service.time_zone,), service.quiet_hours) or until
        if when > at:
            spans.append((at, min(when, until)))
            at = when
        at += _STEP
    return spans
