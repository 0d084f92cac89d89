"""Arm: the last look before a byte may leave, and the mark that says so.

Runs inside the coordinator's transaction. Whatever could have changed since the send was made is read again here (`look`). The
`fence` comes first: a dispatcher that slept past its lease finds it gone and arms nothing.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sms.catalogue.credentials import ProviderConnection
from sms.dispatch import rate
from sms.dispatch.breaker import Gate
from sms.dispatch.claim import ClaimedMessage, ClaimedSlice, Owner, renew
from sms.dispatch.fair_queue import Fair
from sms.dispatch.last_look import SendStatus, may_disturb, opted_out, standings
from sms.dispatch.post import PostJob
from sms.dispatch.request import RequestTemplate, batches, body_of
from sms.ledger import states
from sms.ledger.crash_points import point
from sms.ledger.states import CounterDeltas, StateChange
from sms.models import MessageState
from sms.models.optout import lock_opt_outs
from sms.webex.wire import WireError


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What it takes to post for one service: its gate in this process, its line to the provider, and the sheets of its sends."""

    gate: Gate
    line: ProviderConnection
    sheets: dict[int, RequestTemplate]


@dataclass(slots=True)
class Armed:
    """What may be handed over once the transaction is committed; `wait` is seconds until more may be asked for.

    `stays` are requests that were armed before and must not go any more: expired, or to somebody who refused since.
    """

    jobs: list[PostJob] = field(default_factory=list)
    stays: list[PostJob] = field(default_factory=list)
    wait: float | None = None

    def wait_for(self, seconds: float) -> None:
        """The soonest of all waits counts."""
        self.wait = seconds if self.wait is None else min(self.wait, seconds)


def fence(leases: Sequence[ClaimedSlice], *, owner: Owner) -> None:
    """Make sure that the leases are still ours, and that nobody opts out unseen, until the transaction ends.

    To be called before any message is locked and after any send is: whoever sweeps or folds locks in that order.
    """
    point("before_arm")
    renew(leases, owner=owner)
    lock_opt_outs((lease.service_id for lease in leases), share=True)


def arm(
    leases: Sequence[ClaimedSlice],
    again: Sequence[PostJob],
    *,
    kits: Mapping[int, ServiceContext],
    rooms: Mapping[int, int],
    spare: int,
    fair: Fair,
    now: datetime,
    tally: CounterDeltas,
) -> Armed:
    """Mark messages *posting* and give every request its instant. The caller has been through the `fence`.

    `rooms` is the requests that each service's gate lets through, `spare` how many the posters can take without a pace to slow them.
    `again` are armed requests that need another instant: late ones, and halves of refused batches.
    """
    armed = Armed()
    looks = standings({lease.send_id for lease in leases})
    by_service: dict[int, list[ClaimedSlice]] = defaultdict(list)
    for lease in leases:
        if _may_go(lease, looks[lease.send_id], now=now, tally=tally):
            by_service[lease.service_id].append(lease)
    # services in one order everywhere, so that two dispatchers never wait for each other's pace
    for service_id in sorted(by_service.keys() | {job.service_id for job in again}):
        late = _still_wanted([job for job in again if job.service_id == service_id], looks, armed, now=now)
        look = next(looks[lease.send_id] for lease in leases if lease.service_id == service_id)
        grant = rate.open_grant(service_id, rate=look.rate, burst=look.burst)
        armed.jobs += [
            replace(job, not_before=grant.take(len(job.messages)), paced=grant.row is not None)
            for job in late
        ]
        size = rate.whole_batches(look.batch_size, look.rate)
        requests = rooms[service_id]
        if grant.row is None:
            unpaced = max(sum(1 for key in by_service if key >= service_id), 1)
            requests = min(requests, -(-spare // unpaced))
            spare -= requests
        room = min(requests * size, grant.room)
        chosen = _choose(by_service[service_id], looks, fair=fair, room=room, now=now)
        chosen = _without_refusals(
            chosen, service_id=service_id, hides=look.opt_outs_hidden, now=now, tally=tally
        )
        for lease, messages, body in _requests(chosen, kits[service_id], size=size, now=now, tally=tally):
            armed.jobs.append(
                PostJob(
                    service_id=service_id,
                    lease=lease,
                    messages=messages,
                    body=body,
                    line=kits[service_id].line,
                    gate=kits[service_id].gate,
                    not_before=grant.take(len(messages)),
                    paced=grant.row is not None,
                )
            )
        grant.close()
        if any(lease.waiting for lease in by_service[service_id]):
            armed.wait_for(grant.wait)
    point("armed_uncommitted")
    return armed


def _still_wanted(
    again: Sequence[PostJob], looks: Mapping[int, SendStatus], armed: Armed, *, now: datetime
) -> list[PostJob]:
    """Requests that go out later than they were armed for are looked at once more."""
    if not again:
        return []
    refused = opted_out(
        [message for job in again for message in job.messages],
        service_id=again[0].service_id,
        hides=any(look.opt_outs_hidden for look in looks.values()),
    )
    wanted: list[PostJob] = []
    for job in again:
        until = looks[job.lease.send_id].expires_at if job.lease else None
        expired = until is not None and until <= now
        stays = expired or any(message.msisdn in refused for message in job.messages)
        (armed.stays if stays else wanted).append(job)
    return wanted


def _may_go(lease: ClaimedSlice, look: SendStatus, *, now: datetime, tally: CounterDeltas) -> bool:
    """Whether anything of this lease may be posted; what has expired is said so at once."""
    if lease.lost:
        return False
    if look.halted:
        lease.halted = True
        lease.waiting.clear()
        return False
    lease.halted = False
    if look.expires_at is not None and look.expires_at <= now:
        states.apply(
            [StateChange(message.pk, MessageState.EXPIRED, now) for message in lease.waiting], tally=tally
        )
        lease.waiting.clear()
    return bool(lease.waiting)


def _choose(
    leases: Sequence[ClaimedSlice], looks: Mapping[int, SendStatus], *, fair: Fair, room: int, now: datetime
) -> list[tuple[ClaimedSlice, ClaimedMessage]]:
    """The next messages, send by send as is fair; whoever must not be disturbed now is put off."""
    queues: dict[int, deque[ClaimedSlice]] = defaultdict(deque)
    for lease in leases:
        queues[lease.send_id].append(lease)
    wants = {
        send_id: (queue[0].lane, sum(len(lease.waiting) for lease in queue))
        for send_id, queue in queues.items()
    }
    chosen: list[tuple[ClaimedSlice, ClaimedMessage]] = []
    for send_id in fair.order(wants, room=room):
        queue = queues[send_id]
        while queue:
            lease = queue[0]
            if not lease.waiting:
                queue.popleft()
                continue
            message = lease.waiting.popleft()
            allowed = may_disturb(message, looks[send_id], now=now)
            if allowed is None:
                chosen.append((lease, message))
                break
            lease.not_before = allowed if lease.not_before is None else min(lease.not_before, allowed)
    return chosen


def _without_refusals(
    chosen: Sequence[tuple[ClaimedSlice, ClaimedMessage]],
    *,
    service_id: int,
    hides: bool,
    now: datetime,
    tally: CounterDeltas,
) -> list[tuple[ClaimedSlice, ClaimedMessage]]:
    """Whoever opted out is not written to, however late that became known."""
    out = opted_out([message for _, message in chosen], service_id=service_id, hides=hides)
    if not out:
        return list(chosen)
    refused = [message.pk for _, message in chosen if message.msisdn in out]
    news = [
        StateChange(pk, MessageState.CANCELLED, now, code="opted_out", detail="The recipient opted out.")
        for pk in refused
    ]
    states.apply(news, tally=tally)
    return [(lease, message) for lease, message in chosen if message.msisdn not in out]


def _requests(
    chosen: Sequence[tuple[ClaimedSlice, ClaimedMessage]],
    kit: ServiceContext,
    *,
    size: int,
    now: datetime,
    tally: CounterDeltas,
) -> list[tuple[ClaimedSlice, tuple[ClaimedMessage, ...], bytes]]:
    """Armed requests. What the provider's rules forbid fails here instead of at the provider, and takes no other with it."""
    runs: dict[int, list[ClaimedMessage]] = defaultdict(list)
    place: dict[int, int] = {}
    leases = {lease.slice_id: lease for lease, _ in chosen}
    for index, (lease, message) in enumerate(chosen):
        runs[lease.slice_id].append(message)
        place[message.pk] = index
    ready: list[tuple[ClaimedSlice, tuple[ClaimedMessage, ...], bytes]] = []
    for slice_id, messages in runs.items():
        sheet = kit.sheets[leases[slice_id].send_id]
        for batch in batches(messages, sheet=sheet, size=size):
            for part, body in _bodies(batch, sheet, now=now, tally=tally):
                ready.append((leases[slice_id], tuple(part), body))
    wanted = [message.pk for _, part, _ in ready for message in part]
    marked = states.arm(wanted, at=now, tally=tally)
    if len(marked) < len(
        wanted
    ):  # changed under us in spite of the fence: only an operator's hand in the database does that
        ready = [request for request in ready if all(message.pk in marked for message in request[1])]
    return sorted(ready, key=lambda request: place[request[1][0].pk])


def _bodies(
    batch: Sequence[ClaimedMessage], sheet: RequestTemplate, *, now: datetime, tally: CounterDeltas
) -> Iterable[tuple[Sequence[ClaimedMessage], bytes]]:
    try:
        yield batch, body_of(batch, sheet)
    except WireError as problem:
        if len(batch) > 1:
            for message in batch:
                yield from _bodies([message], sheet, now=now, tally=tally)
            return
        bad = StateChange(
            batch[0].pk, MessageState.FAILED, now, code="wire", detail=f"{problem.field}: {problem.rule}"
        )
        states.apply([bad], tally=tally)
