"""The coordinator of one run owns the database connection; posters (`post`) own the network.

Each step of its loop is one transaction that records what came back and arms what goes out next, so the cost of a commit is shared
by all that is in flight. Every instant at which the process may die is covered: before the commit nothing left, after it the
message is marked *posting*.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from sms import simulator
from sms.dispatch import outcome_meters, record
from sms.dispatch.arm import ArmResult, arm, fence
from sms.dispatch.breaker import OF_THIS_PROCESS, PROBE, Breakers
from sms.dispatch.claim import LEASE, ClaimedSlice, Owner, claim, due_within, finish, load, renew
from sms.dispatch.contexts import ServiceContexts
from sms.dispatch.epochs import epochs
from sms.dispatch.fair_queue import FairQueue
from sms.dispatch.isolation import held_if_broken
from sms.dispatch.journal import Journal, journals
from sms.dispatch.last_look import statuses_of
from sms.dispatch.post import ArmedRequest, ClientFor, Held, Late, Posters, PostOutcome, client_of
from sms.dispatch.recovery import recover_own, recover_soon
from sms.dispatch.request import body_of
from sms.dispatch.settle import by_policy
from sms.dispatch.watch import watch
from sms.ledger.counters import CounterDeltas
from sms.ledger.crash_points import point
from sms.models import Lane
from sms.models.sql.session import database_now
from sms.models.sql.trouble import is_no_ones_fault
from sms.values.spans import spans
from sms.webex.errors import RequestRefused

log = structlog.get_logger(__name__)

LEASES = 4
DEFAULT_CLIENTS = 64
SIMULATORS = 2  # threads: a simulated request costs a transaction, and waits for no network
SIMULATED = Breakers()  # of this process, for the simulator: it drops connections where a number asks for it
SPARE = 160  # requests armed beyond twice the posters: a step of that size shares the cost of its commit
PATIENCE = 0.04  # seconds that answers wait for others to share their commit
IDLE = 0.25  # seconds between checks: for something due, for urgent work while busy, for a stop
RENEW = 1 / 12  # of a lease: every five seconds, of sixty
WATCH = 2.0  # seconds between checks of how the sends under way are going
# Seconds between threads: posters must leave at their instant while the coordinator computes. The interpreter has one value for all
# threads, so it is set while there are posters, and set back.
SWITCH = 0.001


@dataclass(slots=True)
class DispatchRun:
    """What a run did: messages armed, requests by outcome."""

    posted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class Coordinator:
    def __init__(
        self,
        *,
        public_url: str,
        clients: int,
        client_for: ClientFor,
        lease: timedelta,
        breakers: Breakers,
        journal: Journal,
        simulated: bool = False,
    ) -> None:
        self.journal = journal
        self.owner = Owner(journal.owner, lease)
        self.report = DispatchRun()
        self.simulated = simulated
        self.contexts = ServiceContexts(breakers, public_url=public_url, simulated=simulated)
        self.posters = Posters(clients, client_for=client_for, begin=journal.begin)
        self.queue = FairQueue()
        self.leases: list[ClaimedSlice] = []
        self.checked_at = self.watched_at = self.renewed_at = 0.0
        self.full_until = 0.0  # nothing more fits before then
        self.in_flight: Counter[int] = Counter()  # requests handed to the posters, by service; no probes
        self.to_retime: list[ArmedRequest] = []  # armed, but in need of another instant
        self.unrecorded: list[PostOutcome] = []  # they survive a failed transaction
        self.through = False  # it ended as it should, with nothing leased

    @spans.around("dispatch", lambda _, run: {"messages": run.report.posted, "simulated": run.simulated})
    def work(self, *, until: float, stopped: Callable[[], bool]) -> None:
        """Step until nothing is left, the time is over, or we are stopped."""
        switch = sys.getswitchinterval()
        sys.setswitchinterval(min(SWITCH, switch))
        self.journal.unfinished = True
        try:
            while True:
                over = time.monotonic() >= until or stopped()
                if not over:
                    self._check()
                self._collect(patient=bool(self.unrecorded or self.to_retime))
                wait = self._step(arming=not over)
                self._finish_leases(over)
                if not self.leases:
                    if over or due_within(0.0, simulated=self.simulated) is None:
                        self.through = True
                        return
                    self.checked_at = 0.0
                elif not self.in_flight.total() and wait > 0:
                    time.sleep(min(wait, IDLE))
        finally:
            sys.setswitchinterval(switch)
            self.journal.abandoned = not self.posters.close()
            self._collect(patient=False)
            self.journal.owed += [
                *self.unrecorded,
                *(PostOutcome(request, Held()) for request in self.to_retime),
            ]
            self._hand_back()

    def _check(self) -> None:
        """Now and then: renew the leases, see which were stopped since, claim more, and watch the sends."""
        crowded = len(self.leases) >= LEASES
        if self.leases and time.monotonic() - self.checked_at < IDLE:
            return
        self.checked_at = time.monotonic()
        if self.leases and self.checked_at - self.renewed_at > RENEW * self.owner.lease.total_seconds():
            self.renewed_at = self.checked_at
            with transaction.atomic():  # also those of which everything is in flight
                renew(sorted(self.leases, key=lambda lease: lease.slice_id), owner=self.owner)
        if self.leases:
            statuses = statuses_of({lease.send_id for lease in self.leases}, simulated=self.simulated)
            for lease in self.leases:
                lease.halted = lease.lost or statuses[lease.send_id].halted
        if not crowded:
            self._claim(LEASES - len(self.leases), before_lane=None)
        elif (lane := min(lease.lane for lease in self.leases)) > Lane.URGENT:
            # a more urgent lane than all that we have never waits for it to end
            self._claim(1, before_lane=lane)
        if self.checked_at - self.watched_at > WATCH:
            self.watched_at = self.checked_at
            watch()

    def _claim(self, limit: int, *, before_lane: int | None) -> None:
        sends = {lease.send_id for lease in self.leases}
        leases = claim(
            owner=self.owner,
            limit=limit,
            before_lane=before_lane,
            working_on=sends,
            simulated=self.simulated,
        )
        if leases and by_policy({lease.send_id for lease in leases}):
            for lease in leases:
                load(lease)
        for lease in leases:
            prepared = False
            with held_if_broken(lease.send_id):
                prepared = self.contexts.prepare(lease)
            if prepared:
                self.leases.append(lease)
            else:
                finish(lease, owner=self.owner, retry_in=60.0)

    def _collect(self, *, patient: bool) -> None:
        """Take in what came back. Late requests and the halves of refused batches go out again; everything else is to be recorded."""
        in_flight = self.in_flight.total()
        at_least = 1 if patient else max(in_flight // 2, 1)
        for outcome in self.posters.outcomes(at_least=at_least, timeout=PATIENCE if in_flight else 0.0):
            request, result = outcome.request, outcome.result
            if request.lease is None:
                request.breaker.probed(result)
                continue
            self.in_flight[request.service_id] -= 1
            self.report.outcomes[type(result).__name__] += 1
            if not self.simulated:
                outcome_meters.count(outcome, self.contexts[request.service_id].slug)
            if isinstance(result, Late):
                self.to_retime.append(request)
            elif isinstance(result, RequestRefused) and len(request.messages) > 1:
                self.to_retime += self._halves(request, request.lease)
            else:
                self.unrecorded.append(outcome)

    def _halves(self, request: ArmedRequest, lease: ClaimedSlice) -> list[ArmedRequest]:
        """A refused batch is certainly not sent: one bad message must not sink the others."""
        middle = len(request.messages) // 2
        template = self.contexts.template(lease)
        return [
            replace(request, messages=part, body=body_of(part, template), not_before=0.0, paced=False)
            for part in (request.messages[:middle], request.messages[middle:])
        ]

    def _step(self, *, arming: bool) -> float:
        """Record and arm in one commit, then hand over; returns seconds until arming makes sense again."""
        self._probe()
        self._withhold(arming=arming)
        leases: list[ClaimedSlice] = []
        if arming and time.monotonic() >= self.full_until:
            capacity = self._capacity()
            leases = [lease for lease in self.leases if lease.waiting and capacity[lease.service_id]]
        breakers = (self.contexts[lease.service_id].breaker for lease in self.leases)
        wait = min((breaker.held_for for breaker in breakers), default=0.0)
        if not (self.unrecorded or self.to_retime or leases):
            return wait
        if leases and not self.simulated:
            epochs.before_arming()
        point("before_record")
        wanted = {lease.slice_id: lease for lease in leases}
        wanted |= {request.lease.slice_id: request.lease for request in self.to_retime if request.lease}
        try:
            armed = self._commit([wanted[key] for key in sorted(wanted)])
        except Exception as problem:
            if is_no_ones_fault(problem) or not self._hold_broken_sends():
                raise
            return 0.0
        if self.unrecorded:
            point("recorded")
        if armed.requests:
            point("armed")
        self._count(armed)
        self.unrecorded = [PostOutcome(request, Held()) for request in armed.withheld]
        self.to_retime = []
        self.full_until = time.monotonic() + min(armed.wait or 0.0, IDLE)
        for request in armed.requests:  # after the commit: "posting" is durable before a byte leaves
            self.in_flight[request.service_id] += 1
            self.journal.reserve(message.pk for message in request.messages)
            self.posters.post(request)
        return wait if armed.wait is None else max(wait, armed.wait)

    @spans.around("dispatch.step", lambda armed, *_: {"requests": len(armed.requests)})
    def _commit(self, leases: Sequence[ClaimedSlice]) -> ArmResult:
        with transaction.atomic():
            now, deltas = database_now(), CounterDeltas()
            # sends, slices, opt-outs, messages: everything locks in this order
            record.lock_sends_of(self.unrecorded)
            if leases:
                fence(leases, owner=self.owner)
            record.record(self.unrecorded, at=now, deltas=deltas)
            armed = self._arm(leases, self.to_retime, deltas, now) if leases else ArmResult()
            deltas.write()
        return armed

    def _arm(
        self,
        leases: Sequence[ClaimedSlice],
        to_retime: Sequence[ArmedRequest],
        deltas: CounterDeltas,
        now: datetime,
    ) -> ArmResult:
        return arm(
            leases,
            to_retime,
            contexts=self.contexts,
            capacity=self._capacity(),
            spare=max(2 * self.posters.count + SPARE - self.in_flight.total(), 0),
            queue=self.queue,
            now=now,
            deltas=deltas,
            simulated=self.simulated,
        )

    def _hold_broken_sends(self) -> bool:
        """A step broke off over what some send has stored: try each alone, hold those that break off again, go on with the others."""
        broken: set[int] = set()
        for lease in self.leases:
            load(lease)  # the step took messages out that it did not arm
        for send_id in sorted({lease.send_id for lease in self.leases}):
            broken.add(send_id)
            with held_if_broken(send_id), transaction.atomic():
                its = [lease for lease in self.leases if lease.send_id == send_id]
                self._arm(its, [], CounterDeltas(), database_now())
                transaction.set_rollback(True)
                broken.remove(send_id)
        for lease in self.leases:
            load(lease)
            if lease.send_id in broken:
                lease.halted = True
                lease.waiting.clear()
        return bool(broken)

    def _capacity(self) -> Mapping[int, int]:
        return {key: one.breaker.room(in_flight=self.in_flight[key]) for key, one in self.contexts.items()}

    def _withhold(self, *, arming: bool) -> None:
        """Of what was to get another instant, give up what was stopped since."""
        kept: list[ArmedRequest] = []
        for request in self.to_retime:
            if request.lease is None or request.lease.halted or request.breaker.closed or not arming:
                self.unrecorded.append(PostOutcome(request, Held()))
            else:
                kept.append(request)
        self.to_retime = kept

    def _count(self, armed: ArmResult) -> None:
        """Messages in flight by lease, and those posted, after a commit. What was only given another instant is neither."""
        for outcome in self.unrecorded:
            if lease := outcome.request.lease:
                self.journal.forget(message.pk for message in outcome.request.messages)
                lease.in_flight -= len(outcome.request.messages)
                lease.returned = lease.returned or isinstance(outcome.result, record.RETURNED)
        retimed = [request for request in self.to_retime if request not in armed.withheld]
        for sign, requests in ((1, armed.requests), (-1, retimed)):
            for request in requests:
                self.report.posted += sign * len(request.messages)
                if request.lease:
                    request.lease.in_flight += sign * len(request.messages)

    def _probe(self) -> None:
        for service_id, context in self.contexts.items():
            if context.breaker.wants_probe:
                context.breaker.probed_at = time.monotonic()
                probe = ArmedRequest(service_id, None, (), PROBE, context.connection, context.breaker)
                self.posters.post(probe)

    def _finish_leases(self, over: bool) -> None:
        for lease in list(self.leases):
            held = self.contexts[lease.service_id].breaker.held_for
            if lease.in_flight == 0 and (over or lease.lost or not lease.waiting or held > IDLE):
                finish(lease, owner=self.owner, retry_in=held)
                self.leases.remove(lease)

    def _hand_back(self) -> None:
        """Record what a failed step left, since an answer that was heard must not end as *unconfirmed*, and free what is still leased.

        What the database does not take soon is kept on the disk, and `recovery` goes on when it is back.
        """
        if self.through and not self.journal.owed:
            self.journal.finish()
            return
        if self.journal.abandoned:
            self.journal.keep([])
            return
        recover_soon(self.journal)


def run(
    *,
    public_url: str,
    seconds: float = 20.0,
    clients: int = DEFAULT_CLIENTS,
    client_for: ClientFor = client_of,
    lease: timedelta = LEASE,
    breakers: Breakers = OF_THIS_PROCESS,
    stopped: Callable[[], bool] = lambda: False,
) -> DispatchRun:
    """Dispatch what is due for up to `seconds`, and nothing that is simulated. Called by the cluster's jobs and by `manage.py dispatch`;
    as many at once as you like.

    Returns when nothing is left, when the time is over or when `stopped()`; in each case everything armed has its answer.
    """
    epochs.check_once()
    recover_own()
    if stopped() or due_within(0.0) is None:
        return DispatchRun()
    with journals.one(simulated=False) as journal:
        coordinator = Coordinator(
            public_url=public_url,
            clients=clients,
            client_for=client_for,
            lease=lease,
            breakers=breakers,
            journal=journal,
        )
        try:
            coordinator.work(until=time.monotonic() + seconds, stopped=stopped)
        finally:
            if coordinator.report.posted:
                epochs.posted()
    return coordinator.report


def run_simulated(
    *,
    public_url: str,
    seconds: float = 20.0,
    lease: timedelta = LEASE,
    breakers: Breakers = SIMULATED,
    stopped: Callable[[], bool] = lambda: False,
) -> DispatchRun:
    """The same for sends with test keys, and for no other. Whatever it posts ends in the simulator: it has no other client."""
    recover_own()
    if stopped() or due_within(0.0, simulated=True) is None:
        return DispatchRun()
    with journals.one(simulated=True) as journal:
        coordinator = Coordinator(
            public_url=public_url,
            clients=SIMULATORS,
            client_for=simulator.client_of,
            lease=lease,
            breakers=breakers,
            journal=journal,
            simulated=True,
        )
        coordinator.work(until=time.monotonic() + seconds, stopped=stopped)
    return coordinator.report
