"""Claim, finish and sweep: who works on which slice, by the database's clock.

A dispatcher that dies leaves its lease to run out. The next claim of the slice first settles what was armed: those messages may
have reached the provider, so they become *unconfirmed*; the rest was provably never sent and is claimed as usual.
"""

import time
from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils.translation import gettext_noop

from sms.dispatch.epochs import epochs
from sms.ledger import progress_log
from sms.ledger.counters import CounterDeltas
from sms.ledger.crash_points import point
from sms.ledger.settled import settle_after, tell
from sms.ledger.state_machine import StateChange
from sms.ledger.states import apply, cancel
from sms.models import Hold, Message, MessageState, Resend, Send, SendState, Slice
from sms.models.lease import LeaseQuerySet
from sms.models.message import OPEN
from sms.models.sql import slices
from sms.models.sql.session import database_now
from sms.values.meters import meters
from sms.values.spans import Said, spans

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)  # longer than the total deadline of a POST (20 s) and the writing of its result
BEGIN_WITHIN = 0.6  # of the lease: what is left is longer than a POST
RESEND_AFTER = {Resend.ALWAYS: timedelta(seconds=10), Resend.EVIDENCE: timedelta(minutes=15)}
SIMULATED_LOOK = timedelta(seconds=3)
WINDOW = 300  # due slices that a claim chooses from
EXTRA = 1  # attempts beyond the first that a policy may make
GIVE_UP_AFTER = timedelta(days=3)  # a receipt that has not come by then will not come


STOPPED = gettext_noop("The process that was sending it stopped before the answer came.")


class Owner(NamedTuple):
    """Who leases, and for how long. The time must be longer than what a POST and the writing of its result may take."""

    name: str
    lease: timedelta = LEASE

    @property
    def until(self) -> float:
        """When a request that is posted under a lease taken now must have begun, in monotonic seconds."""
        return time.monotonic() + self.lease.total_seconds() * BEGIN_WITHIN


class ClaimedMessage(NamedTuple):
    """What it takes to post one message, without the cost of a model instance."""

    pk: int
    msisdn: str
    text: str
    substitutions: dict[str, str]
    attempt: int
    zone: str


@dataclass(slots=True, eq=False)
class ClaimedSlice:
    """A slice that is ours for a while, with its messages still to be armed.

    `until` (monotonic seconds) and `halted` are read by the posters: after that moment a POST might outlive the lease, so none begins,
    not even in a process that was frozen in between; and what of a halted one is not in flight stays here. `not_before` is when the
    messages that had to be left (quiet hours) may go, unless others `returned` and may go sooner.
    """

    slice_id: int
    send_id: int
    service_id: int
    lane: int
    first_id: int
    last_id: int
    waiting: deque[ClaimedMessage] = field(default_factory=deque)
    in_flight: int = 0
    halted: bool = False
    lost: bool = False
    until: float = 0.0
    not_before: datetime | None = None
    returned: bool = False


def open_slices(*, simulated: bool = False) -> "LeaseQuerySet[Slice]":
    """Slices that can be claimed, now or in time: nothing holds them back but their due time and other leases.

    Those of real sends or those that are `simulated`, never both: each kind has dispatchers of its own.
    """
    held = Hold.objects.active()
    return Slice.objects.filter(
        ~Q(send__state=SendState.AWAITING),
        done=False,
        simulated=simulated,
        service__paused_at__isnull=True,
        stage__lte=F("send__stage"),
    ).exclude(
        Exists(held.filter(send=OuterRef("send")))
        | Exists(held.filter(sender=OuterRef("send__sender")))
        | Exists(held.filter(link_domain=OuterRef("send__link_domain")))
    )


def due_within(seconds: float, *, simulated: bool = False) -> float | None:
    """Seconds until the next slice is due or its lease runs out (0 if it is now), None where that is further away."""
    by_now = Now() + timedelta(seconds=min(seconds, 0.0))
    free = Q(owner="") | Q(leased_until__lte=by_now)
    open_ones = open_slices(simulated=simulated)
    if open_ones.filter(free, due_at__lte=by_now).exists():
        return 0.0  # the usual case, without reading all the others
    ready = Greatest("due_at", Coalesce("leased_until", "due_at"))
    soonest = open_ones.annotate(ready=ready).filter(ready__lte=Now() + timedelta(seconds=seconds))
    when = soonest.aggregate(soonest=Min("ready"))["soonest"]
    return None if when is None else max((when - database_now()).total_seconds(), 0.0)


def _claimed(leases: "list[ClaimedSlice]") -> dict[str, Said]:
    if not leases:
        return {}
    waiting = sum(len(lease.waiting) for lease in leases)
    return {
        "sends": sorted({lease.send_id for lease in leases}),
        "slices": len(leases),
        "messages": waiting,
    }


@spans.around("dispatch.claim", _claimed)
def claim(
    *,
    owner: Owner,
    limit: int,
    before_lane: int | None = None,
    working_on: Collection[int] = (),
    simulated: bool = False,
) -> list[ClaimedSlice]:
    """Lease up to `limit` due slices and load their pending messages: the urgent lane first, then a slice of each send.

    `before_lane` asks only for lanes that go before it; `working_on` are sends we work on already, which come last in their lane.
    """
    due = open_slices(simulated=simulated).free().filter(due_at__lte=Now())
    if before_lane is not None:
        due = due.filter(lane__lt=before_lane)
    # twice as many as wanted, since another dispatcher may be taking the same ones
    wanted = _in_order(due, working_on=set(working_on))[: limit * 2]
    if not wanted or epochs.is_another():
        return []
    until = owner.until
    with transaction.atomic():
        # due is asked again: a send may have been put off since, and then wait for approval
        rows = Slice.objects.free().filter(
            ~Q(send__state=SendState.AWAITING),
            pk__in=wanted,
            done=False,
            simulated=simulated,
            due_at__lte=Now(),
            service__paused_at__isnull=True,
        )
        rows = rows.order_by("lane", "due_at", "id").lock_what_no_other_has()
        place = {pk: index for index, pk in enumerate(wanted)}
        slices = sorted(rows, key=lambda item: place[item.pk])[:limit]
        if not slices:
            return []
        _sweep([item for item in slices if item.owner])
        Slice.objects.filter(pk__in=[item.pk for item in slices]).take(owner.name, lease=owner.lease)
    point("claimed")
    # after the slices' locks are gone: `cancel` takes the send's lock first and theirs second
    for send_id in sorted({item.send_id for item in slices}):
        Send.objects.filter(pk=send_id, state=SendState.SCHEDULED).update(state=SendState.SENDING)
    leases = [
        ClaimedSlice(item.pk, item.send_id, item.service_id, item.lane, item.first_id, item.last_id)
        for item in slices
    ]
    for lease in leases:
        lease.until = until
        load(lease)
    fresh = [lease for lease in reversed(leases) if is_fresh(lease)]
    progress_log.began({lease.send_id: lease.first_id for lease in fresh})
    return leases


def is_fresh(lease: ClaimedSlice) -> bool:
    """Whether nothing of it was ever posted."""
    first = lease.waiting[0] if lease.waiting else None
    return first is not None and first.pk == lease.first_id and first.attempt == 0


def _in_order(due: "QuerySet[Slice]", *, working_on: set[int]) -> list[int]:
    """The ids of the next slices in order of lane, then each send's first before any send's second, ours last.

    Out of the first WINDOW in order of due time, and as many of other sends than ours, so that neither a crowd of small sends nor one
    large send makes a claim slower or hides what comes after it.
    """
    in_line = due.order_by("lane", "due_at", "id").values_list("pk", "lane", "send_id", "due_at")
    first = list(in_line[:WINDOW])
    if working_on and len(first) == WINDOW:
        first += [row for row in in_line.exclude(send_id__in=working_on)[:WINDOW] if row not in set(first)]
    seen: Counter[int] = Counter()
    ranked: list[tuple[int, int, bool, datetime, int]] = []
    for pk, lane, send_id, due_at in sorted(first, key=lambda row: (row[1], row[3], row[0])):
        seen[send_id] += 1
        ranked.append((lane, seen[send_id], send_id in working_on, due_at, pk))
    return [row[-1] for row in sorted(ranked)]


def load(lease: ClaimedSlice) -> None:
    lease.waiting.clear()
    pending = in_slice(lease).filter(state=MessageState.PENDING).order_by("id")
    rows = pending.values_list("id", "msisdn", "text", "substitutions", "attempt", "zone")
    lease.waiting.extend(map(ClaimedMessage._make, rows))


def in_slice(lease: "ClaimedSlice | Slice") -> "QuerySet[Message]":
    """The messages of a slice; other sends may have ids in between."""
    return Message.objects.filter(send_id=lease.send_id, pk__gte=lease.first_id, pk__lte=lease.last_id)


def sweep() -> int:
    """Settle the leases that ran out where claims are not allowed, such as those of a paused service; returns how many."""
    # sends, slices, messages: it may leave the first out, as `claim` does, since nothing becomes pending here. It waits for no slice,
    # and who waits for messages that it has waits for none of its slices afterwards: those are open, and `reopen` wants closed ones
    with transaction.atomic():
        rows = Slice.objects.filter(leased_until__lt=Now(), done=False).exclude(owner="").order_by("pk")
        expired = list(rows.lock_what_no_other_has())
        _sweep(expired)
        Slice.objects.filter(pk__in=[item.pk for item in expired]).update(owner="", leased_until=None)
    return len(expired)


def hand_back(owner: str, *, begun: Collection[int] | None) -> int:
    """Free the slices of a run that is known to be over; returns how many.

    Of what it had armed, those that were `begun` may have been sent (None: any of them); the others certainly were not, and are pending
    again.
    """
    mine = Slice.objects.filter(owner=owner, done=False).order_by("pk")
    with transaction.atomic():
        lock_sends(set(mine.order_by().values_list("send_id", flat=True)))
        left = list(mine.select_for_update(no_key=True))
        _sweep(left, begun=begun)
        mine.filter(pk__in=[item.pk for item in left]).order_by().give_back(owner)
    return len(left)


def _sweep(slices: Sequence[Slice], *, begun: Collection[int] | None = None) -> None:
    """What a dead dispatcher had armed may have been sent: unconfirmed. Where it is known what it had `begun`, only that."""
    at = database_now()
    changes: list[StateChange] = []
    for item in slices:
        armed = list(in_slice(item).filter(state=MessageState.POSTING).values_list("pk", "attempt"))
        never = [(pk, attempt) for pk, attempt in armed if begun is not None and pk not in begun]
        lost = [pk for pk, _ in armed if begun is None or pk in begun]
        changes += [StateChange(pk, MessageState.UNCONFIRMED, at, detail=STOPPED) for pk in lost]
        changes += [
            StateChange(pk, MessageState.PENDING, at, attempt, returned=True) for pk, attempt in never
        ]
        meters.add("textdesk_leases_ran_out_total")
        log.warning(
            "lease_ran_out" if begun is None else "lease_taken_over",
            slice=item.pk,
            send=item.send_id,
            unconfirmed=len(lost),
            **({} if begun is None else {"never_sent": len(never)}),
        )
    deltas = CounterDeltas()
    apply(changes, deltas=deltas)
    deltas.write()
    if slices:
        point("swept")


def renew(leases: Sequence[ClaimedSlice], *, owner: Owner) -> None:
    """The fence: afterwards a lease that is no longer ours is `lost`. Locks their rows until the transaction ends."""
    until = owner.until
    still = slices.renew([lease.slice_id for lease in leases], owner.name, lease=owner.lease)
    for lease in leases:
        if lease.slice_id in still:
            lease.until = until
        else:
            lease.lost = lease.halted = True
            lease.waiting.clear()


def finish(lease: ClaimedSlice, *, owner: Owner, retry_in: float = 0.0) -> None:
    """Give a slice back: done where nothing is left to post, otherwise free again in `retry_in` seconds."""
    point("before_finish")
    with transaction.atomic():
        send = Send.objects.select_for_update(no_key=True).get(pk=lease.send_id)
        renew([lease], owner=owner)
        if lease.lost:
            return
        if send.state == SendState.CANCELLED:
            # what was in flight at that moment, and was returned by the provider since
            deltas = CounterDeltas()
            cancel(send.pk, at=database_now(), deltas=deltas)
            deltas.write()
        open_ones = in_slice(lease).filter(state__in=OPEN)
        outstanding = set(open_ones.order_by().values_list("state", flat=True).distinct())
        left = outstanding & {MessageState.PENDING, MessageState.UNCONFIRMED}
        mine = Slice.objects.filter(pk=lease.slice_id)
        if MessageState.PENDING in left:
            soon = Now() + timedelta(seconds=max(retry_in, 0))
            due_at = soon if lease.returned or lease.not_before is None else lease.not_before
            mine.give_back(owner.name, due_at=due_at)
        elif left and _is_worth_another_look(send, lease):
            mine.give_back(owner.name, due_at=Now() + _until_another_look(send, lease))
        else:
            mine.give_back(owner.name, done=True)
            more = Slice.objects.filter(send=OuterRef("pk"), done=False)
            ended = Send.objects.filter(~Exists(more), pk=send.pk, state=SendState.SENDING)
            now = database_now()
            if ended.update(state=SendState.FINISHED, posted_at=send.posted_at or now):
                progress_log.posted(send)
                send.state = SendState.FINISHED
                tell("send.posted", [] if send.posted_at else [send], at=now)
                settle_after([] if outstanding else [send.pk])  # its receipts were faster
    point("finished")


def _until_another_look(send: Send, lease: ClaimedSlice) -> timedelta:
    """What the simulator took has its receipt within seconds, so that a program that waits for the end of a send sees it."""
    fresh = Q(state=MessageState.UNCONFIRMED, posted_at__gt=database_now() - timedelta(minutes=1))
    if send.simulated and in_slice(lease).filter(fresh).exists():
        return SIMULATED_LOOK
    return RESEND_AFTER[Resend(send.resend)]


def _is_worth_another_look(send: Send, lease: ClaimedSlice) -> bool:
    """Whether its policy may yet want something of this slice (`settle.by_policy`), so that it comes due again."""
    now = database_now()
    if send.resend == Resend.NEVER or send.state == SendState.CANCELLED:
        return False
    rows = may_be_sent_again(send, in_slice(lease), now=now)
    return rows.filter(posted_at__gt=now - GIVE_UP_AFTER).exists()


def may_be_sent_again(send: Send, messages: "QuerySet[Message]", *, now: datetime) -> "QuerySet[Message]":
    """Those of its messages that a policy may send once more: unconfirmed, and still worth something to the recipient."""
    if send.expires_at is not None and send.expires_at <= now:
        return messages.none()
    rows = messages.filter(state=MessageState.UNCONFIRMED, resent__lt=EXTRA)
    if send.validity is None:
        return rows
    return rows.filter(posted_at__gt=now - timedelta(seconds=send.validity))


def lock_sends(send_ids: Collection[int]) -> None:
    """What `finish` locks too. Lock it before making messages pending again, or their slice could be closed for good in between."""
    if send_ids:
        rows = Send.objects.select_for_update(no_key=True).filter(pk__in=send_ids).order_by("pk")
        list(rows.values_list("pk"))


def reopen(slice_ids: Collection[int], *, retry_in: float = 0.0) -> None:
    """Messages came back to pending after their slice was closed: make it due again."""
    closed = Slice.objects.filter(pk__in=slice_ids, done=True)
    if closed.update(done=False, due_at=Now() + timedelta(seconds=retry_in)):
        Send.objects.filter(slices__in=slice_ids, state=SendState.FINISHED).update(state=SendState.SENDING)
