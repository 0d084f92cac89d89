"""The calendar: what goes out when, over the services of one person, and where two sends share a contracted rate.

Read by the calendar, the home page and the page that moves a send. It counts no messages: open sends are found by their slices, which are
few, and their sizes are counters.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q, Sum

from sms.models import OVER, Draft, MessageState, RecurringSend, Send, SendState, Service, Slice, StateCount
from sms.sends import holds
from sms.sends.plan.shared_rate import Span, moment
from sms.sends.rate_sharing import end_alone, spans_of
from sms.sends.recurring import timetable

# nothing of it has gone; a new state belongs here unless it is left out
_BEGUN = (SendState.SENDING, *OVER)
BEFORE = [state for state in SendState if state not in _BEGUN]
MOST = 500  # sends on one page; more of them come from programs, and are too many to read
FELT = timedelta(minutes=1)  # from this delay on, a page mentions it


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """A send or a draft with a time, or a time at which a recurring send comes again.

    `state` is the send's, "held" where something keeps it back, "draft", or "forecast" of an occurrence that is not made yet
    (`recurring`). `recipients` is None where it is not known before the draft
    is checked, `ends_at` where that cannot be foreseen. `late` is how much later it ends because of the sends in `beside`.
    """

    service: Service
    at: datetime
    name: str
    state: str
    recipients: int | None
    sender: str
    send: Send | None = None
    draft: Draft | None = None
    recurring: RecurringSend | None = None
    ends_at: datetime | None = None
    late: timedelta = timedelta(0)
    beside: tuple[str, ...] = ()

    @property
    def movable(self) -> bool:
        return self.send is not None and self.send.state in BEFORE

    @property
    def long(self) -> bool:
        return self.ends_at is not None and self.ends_at - self.at >= FELT


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries in order of their time. `more` is how many scheduled sends were left out at the end."""

    entries: Sequence[CalendarEntry]
    more: int = 0


def entries_between(
    services: Collection[Service],
    *,
    until: datetime,
    now: datetime,
    since: datetime | None = None,
    drafts_of: Collection[Service] = (),
    most: int = MOST,
) -> Entries:
    """What is under way or begins from `since` (None: now) until `until`; drafts only of the services in `drafts_of`."""
    by_id = {one.pk: one for one in services}
    sends, more = _open_sends(by_id, until=until, most=most)
    held = holds.held_among(sends)
    left = _left(sends)
    spans = spans_of(by_id, [one for one in sends if one.pk not in held], left, now=now)
    entries = [
        _entry(one, by_id[one.service_id], spans, left, is_held=one.pk in held, now=now) for one in sends
    ]
    entries = _with_lateness(entries, left, now=now)
    start = max(since or now, now)
    if start > now:  # otherwise all that is open counts, however long ago it was due
        entries = [one for one in entries if (one.ends_at or one.at) >= start]
    entries += _drafts(drafts_of, since=start, until=until)
    entries += _to_come(by_id, since=start, until=until)
    entries.sort(key=lambda one: (one.at, one.name))
    return Entries(entries, more)


def _open_sends(services: dict[int, Service], *, until: datetime, most: int) -> tuple[list[Send], int]:
    """Everything that has begun or is due before `until`, the soonest first, and how many more there are."""
    begun = Slice.objects.filter(service__in=services, done=False).values("send_id")
    wanted = Q(state=SendState.SENDING, pk__in=begun)
    for state in BEFORE:  # one by one, as the partial indexes are
        wanted |= Q(state=state, due_at__lt=until)
    found = Send.objects.filter(wanted, service__in=services, simulated=False)
    rows = list(found.select_related("sender", "created_by").order_by("due_at", "pk")[: most + 1])
    more = found.count() - most if len(rows) > most else 0
    return rows[:most], more


def _left(sends: Sequence[Send]) -> dict[int, int]:
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
        ends_at=now if done else moment(span.last) if span is not None and span.last is not None else None,
    )


def _with_lateness(
    entries: Sequence[CalendarEntry], left: dict[int, int], *, now: datetime
) -> list[CalendarEntry]:
    """Each with how much later it ends than it would alone, and because of which others."""
    found: list[CalendarEntry] = []
    for one in entries:
        others = [other for other in entries if other is not one and _meet(one, other)]
        if not others or one.send is None or one.ends_at is None or not one.service.rate:
            found.append(one)
            continue
        alone = end_alone(one.send, one.service, left.get(one.send.pk, 0), now=now)
        late = one.ends_at - alone if alone is not None else timedelta(0)
        if late >= FELT:
            one = replace(one, late=late, beside=tuple(other.name for other in others))
        found.append(one)
    return found


def _meet(one: CalendarEntry, other: CalendarEntry) -> bool:
    if one.service.pk != other.service.pk or one.ends_at is None or other.ends_at is None:
        return False
    return one.at < other.ends_at and other.at < one.ends_at


def _drafts(services: Collection[Service], *, since: datetime, until: datetime) -> list[CalendarEntry]:
    by_id = {one.pk: one for one in services}
    rows = Draft.objects.filter(Draft.open_ones(), service__in=by_id, send_at__gte=since, send_at__lt=until)
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


def _to_come(services: dict[int, Service], *, since: datetime, until: datetime) -> list[CalendarEntry]:
    """Occurrences of recurring sends that are not made yet; those that are, are sends."""
    running = RecurringSend.objects.filter(
        service__in=services, state=RecurringSend.State.RUNNING, next_at__lt=until
    )
    related = running.select_related("draft__sender", "draft__audience__current")
    light = related.defer("draft__pasted", "draft__audience__current__rejects")
    rows = list(light.order_by("next_at")[:MOST])
    found: list[CalendarEntry] = []
    days = {pk: timetable.holidays_of(pk) for pk in services} if rows else {}
    skipped = timetable.skipped_of(rows)
    for row in rows:
        row.service = services[row.service_id]
        audience = row.draft.audience
        found += [
            CalendarEntry(
                service=row.service,
                at=one.at,
                name=row.name,
                state="forecast",
                recipients=audience.current.recipients if audience and audience.current else None,
                sender=str(row.draft.sender or ""),
                recurring=row,
            )
            for one in timetable.coming(
                row,
                most=MOST,
                since=since,
                until=until,
                holidays=days[row.service_id],
                skipped=skipped[row.pk],
            )
            if one.goes_out
        ]
    return found
