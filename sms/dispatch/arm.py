"""Arm: the last look before a byte may leave, and the mark that says so.

Runs inside the coordinator's transaction. Everything that could have changed since the send was made is read again here
(`last_look`). The `fence` comes first: a dispatcher that slept past its lease finds it gone and arms nothing.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import gettext_noop

from sms.compose import spending
from sms.dispatch import rate
from sms.dispatch.claim import ClaimedMessage, ClaimedSlice, Owner, renew
from sms.dispatch.contexts import ServiceContext
from sms.dispatch.fair_queue import FairQueue
from sms.dispatch.last_look import SendStatus, may_disturb, opted_out, statuses_of
from sms.dispatch.post import ArmedRequest
from sms.dispatch.request import RequestTemplate, batches, body_of
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.crash_points import point
from sms.ledger.state_machine import StateChange
from sms.models import Message, MessageState, Service
from sms.models.sql.id_list import among
from sms.models.sql.opt_outs import lock_opt_outs
from sms.values.spans import Said, spans
from sms.webex.wire import WireError

Chosen = list[tuple[ClaimedSlice, ClaimedMessage]]


OPTED_OUT = gettext_noop("The recipient opted out.")


@dataclass(slots=True)
class ArmResult:
    """What may be handed over once the transaction is committed; `wait` is seconds until more may be asked for.

    `withheld` are requests that were armed before and must not go any more: expired, or to a recipient who opted out since.
    """

    requests: list[ArmedRequest] = field(default_factory=list)
    withheld: list[ArmedRequest] = field(default_factory=list)
    wait: float | None = None

    def wait_for(self, seconds: float) -> None:
        """The soonest of all waits counts."""
        self.wait = seconds if self.wait is None else min(self.wait, seconds)


def fence(leases: Sequence[ClaimedSlice], *, owner: Owner) -> None:
    """Make sure that the leases are still ours, and that no opt-out goes unseen, until the transaction ends.

    To be called before any message is locked and after any send is: sweeps and folds lock in that order.
    """
    point("before_arm")
    renew(leases, owner=owner)
    lock_opt_outs((lease.service_id for lease in leases), share=True)


def _armed(armed: ArmResult, leases: Sequence[ClaimedSlice], *_: object) -> dict[str, Said]:
    return {
        "sends": sorted({lease.send_id for lease in leases}),
        "requests": len(armed.requests),
        "messages": sum(len(request.messages) for request in armed.requests),
    }


@spans.around("dispatch.arm", _armed)
def arm(
    leases: Sequence[ClaimedSlice],
    to_retime: Sequence[ArmedRequest],
    *,
    contexts: Mapping[int, ServiceContext],
    capacity: Mapping[int, int],
    spare: int,
    queue: FairQueue,
    now: datetime,
    deltas: CounterDeltas,
    simulated: bool = False,
) -> ArmResult:
    """Mark messages *posting* and give every request its instant. The caller has been through the `fence`.

    `capacity` is the requests that each service's breaker lets through, `spare` how many the posters can take without a pace to slow
    them. `to_retime` are armed requests that need another instant: late ones, and halves of refused batches.
    """
    armed = ArmResult()
    statuses = statuses_of({lease.send_id for lease in leases}, simulated=simulated)
    by_service: dict[int, list[ClaimedSlice]] = defaultdict(list)
    for lease in leases:
        if _may_go(lease, statuses[lease.send_id], now=now, deltas=deltas):
            by_service[lease.service_id].append(lease)
    # services in one order everywhere, so that two dispatchers never wait for each other's pace
    for service_id in sorted(by_service.keys() | {request.service_id for request in to_retime}):
        late = [request for request in to_retime if request.service_id == service_id]
        late = _still_wanted(late, statuses, armed, now=now)
        status = next(statuses[lease.send_id] for lease in leases if lease.service_id == service_id)
        contracted = None if simulated else status.service.rate  # what is simulated takes nothing of it
        grant = rate.open_grant(service_id, rate=contracted, burst=status.service.burst)
        armed.requests += _timed(late, grant)
        size = rate.whole_batches(status.service.batch_size, contracted)
        requests = capacity[service_id]
        if grant.row is None:
            unpaced = max(sum(1 for key in by_service if key >= service_id), 1)
            requests = min(requests, -(-spare // unpaced))
            spare -= requests
        chosen = _choose(
            by_service[service_id], statuses, queue=queue, room=min(requests * size, grant.room), now=now
        )
        chosen = _unlocked(chosen)
        chosen = _without_opt_outs(chosen, statuses, status.service, now=now, deltas=deltas)
        fresh = _arm_batches(chosen, contexts[service_id], size=size, now=now, deltas=deltas)
        armed.requests += _timed(fresh, grant)
        grant.close()
        if any(lease.waiting for lease in by_service[service_id]):
            armed.wait_for(grant.wait)
    point("armed_uncommitted")
    return armed


def _timed(requests: Iterable[ArmedRequest], grant: rate.Grant) -> list[ArmedRequest]:
    """The same requests, each at an instant of its own."""
    paced = grant.row is not None
    return [replace(one, not_before=grant.take(len(one.messages)), paced=paced) for one in requests]


def _still_wanted(
    late: Sequence[ArmedRequest], statuses: Mapping[int, SendStatus], armed: ArmResult, *, now: datetime
) -> list[ArmedRequest]:
    """Requests that go out later than they were armed for are checked once more."""
    if not late:
        return []
    refused = opted_out(
        [message for request in late for message in request.messages],
        service_id=late[0].service_id,
        hidden=any(status.service.opt_outs_hidden for status in statuses.values()),
    )
    wanted: list[ArmedRequest] = []
    for request in late:
        until = statuses[request.lease.send_id].send.expires_at if request.lease else None
        expired = until is not None and until <= now
        withheld = expired or any(message.msisdn in refused for message in request.messages)
        (armed.withheld if withheld else wanted).append(request)
    return wanted


def _may_go(lease: ClaimedSlice, status: SendStatus, *, now: datetime, deltas: CounterDeltas) -> bool:
    """Whether anything of this lease may be posted; what has expired becomes so at once."""
    if lease.lost:
        return False
    lease.halted = status.halted
    if status.halted:
        lease.waiting.clear()
        return False
    if status.send.expires_at is not None and status.send.expires_at <= now:
        free = states.hold_free([message.pk for message in lease.waiting])
        expired = [message for message in lease.waiting if message.pk in free]
        states.apply(
            [StateChange(message.pk, MessageState.EXPIRED, now) for message in expired], deltas=deltas
        )
        _give_back(status, expired)
        lease.waiting.clear()  # what somebody else has locked is still pending, and expires when the slice is claimed again
    return bool(lease.waiting)


def _choose(
    leases: Sequence[ClaimedSlice],
    statuses: Mapping[int, SendStatus],
    *,
    queue: FairQueue,
    room: int,
    now: datetime,
) -> Chosen:
    """The next messages, send by send as is fair; recipients who must not be disturbed now are put off."""
    by_send: dict[int, deque[ClaimedSlice]] = defaultdict(deque)
    for lease in leases:
        by_send[lease.send_id].append(lease)
    wants = {
        send_id: (slices[0].lane, sum(len(lease.waiting) for lease in slices))
        for send_id, slices in by_send.items()
    }
    chosen: Chosen = []
    for send_id in queue.order(wants, room=room):
        slices = by_send[send_id]
        while slices:
            lease = slices[0]
            if not lease.waiting:
                slices.popleft()
                continue
            message = lease.waiting.popleft()
            allowed = may_disturb(message, statuses[send_id], now=now)
            if allowed is None:
                chosen.append((lease, message))
                break
            lease.not_before = allowed if lease.not_before is None else min(lease.not_before, allowed)
    return chosen


def _unlocked(chosen: Chosen) -> Chosen:
    """Those that nobody else has locked, such as a fold: the step has others locked already, and waits for no more."""
    free = states.hold_free([message.pk for _, message in chosen])
    for lease, message in chosen:
        if message.pk not in free:
            lease.waiting.append(message)
    return [(lease, message) for lease, message in chosen if message.pk in free]


def _give_back(status: SendStatus, messages: Iterable[ClaimedMessage]) -> None:
    """What will not be posted frees its room of the spend caps."""
    rows = Message.objects.filter(pk__in=among(message.pk for message in messages)).order_by()
    spending.give_back(status.send, status.service, rows.values_list("msisdn", "country", "segments"))


def _without_opt_outs(
    chosen: Chosen,
    statuses: Mapping[int, SendStatus],
    service: Service,
    *,
    now: datetime,
    deltas: CounterDeltas,
) -> Chosen:
    """A recipient who opted out is not written to, however late that became known."""
    messages = [message for _, message in chosen]
    refused = opted_out(messages, service_id=service.pk, hidden=service.opt_outs_hidden)
    if not refused:
        return chosen
    cancelled = [
        StateChange(message.pk, MessageState.CANCELLED, now, code="opted_out", detail=OPTED_OUT)
        for _, message in chosen
        if message.msisdn in refused
    ]
    states.apply(cancelled, deltas=deltas)
    for lease, message in chosen:
        if message.msisdn in refused:
            _give_back(statuses[lease.send_id], [message])
    return [(lease, message) for lease, message in chosen if message.msisdn not in refused]


def _arm_batches(
    chosen: Chosen, context: ServiceContext, *, size: int, now: datetime, deltas: CounterDeltas
) -> list[ArmedRequest]:
    """What the provider's rules forbid fails here instead of at the provider, and takes no other message with it."""
    by_slice: dict[int, list[ClaimedMessage]] = defaultdict(list)
    place: dict[int, int] = {}
    leases = {lease.slice_id: lease for lease, _ in chosen}
    for index, (lease, message) in enumerate(chosen):
        by_slice[lease.slice_id].append(message)
        place[message.pk] = index
    provider = (context.connection, context.breaker)
    ready: list[ArmedRequest] = []
    for slice_id, messages in by_slice.items():
        lease = leases[slice_id]
        template = context.templates[lease.send_id]
        for batch in batches(messages, template=template, size=size):
            for part, body in _bodies(batch, template, now=now, deltas=deltas):
                ready.append(ArmedRequest(lease.service_id, lease, tuple(part), body, *provider))
    wanted = [message.pk for batch in ready for message in batch.messages]
    marked = states.arm(wanted, at=now, deltas=deltas)
    if len(marked) < len(wanted):
        # changed under us in spite of the fence: only an operator's hand in the database does that
        ready = [batch for batch in ready if all(message.pk in marked for message in batch.messages)]
    return sorted(ready, key=lambda batch: place[batch.messages[0].pk])


def _bodies(
    batch: Sequence[ClaimedMessage], template: RequestTemplate, *, now: datetime, deltas: CounterDeltas
) -> Iterable[tuple[Sequence[ClaimedMessage], bytes]]:
    try:
        yield batch, body_of(batch, template)
    except WireError as problem:
        if len(batch) > 1:
            for message in batch:
                yield from _bodies([message], template, now=now, deltas=deltas)
            return
        detail = f"{problem.field}: {problem.rule}"
        bad = StateChange(batch[0].pk, MessageState.FAILED, now, code="wire", detail=detail)
        states.apply([bad], deltas=deltas)
