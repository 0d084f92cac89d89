"""The dispatch loop: one coordinator that owns the database connection, and posters that own the network.

Each turn of the loop is one transaction that records what came back and arms what goes out next, so the cost of a commit is shared
by all that is in flight. Every instant at which the process may die is covered: before the commit nothing left, after it the
message is marked *posting*.
"""

import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import Min, Q
from django.db.models.functions import Coalesce, Greatest, Now

from sms.catalogue.credentials import connection_of
from sms.compose.approval import release
from sms.dispatch import record
from sms.dispatch.arm import Armed, ServiceContext, arm, fence
from sms.dispatch.breaker import KNOCK, OF_THIS_PROCESS, Gates
from sms.dispatch.claim import (
    LEASE,
    ClaimedSlice,
    Owner,
    claim,
    database_now,
    finish,
    load,
    open_slices,
    renew,
)
from sms.dispatch.fair_queue import Fair
from sms.dispatch.last_look import standings
from sms.dispatch.post import ClientFor, Held, Late, Posters, PostJob, PostOutcome, direct
from sms.dispatch.request import body_of, sheet_of
from sms.dispatch.settle import by_policy
from sms.dispatch.watch import watch
from sms.ledger.crash_points import point
from sms.ledger.states import CounterDeltas
from sms.models import Lane, Send
from sms.models.fields import UnreadableSecret
from sms.webex.errors import RequestRefused

log = structlog.get_logger(__name__)

DEFAULT_CLIENTS = 64
LEASES = 4
SPARE = 160  # requests armed beyond twice the posters: a turn of that size shares the cost of its commit
PATIENCE = 0.04  # seconds that answers wait for others to share their commit
IDLE = 0.25  # seconds between looks: for something due, for urgent work while busy, for a stop
RENEW = 5.0  # seconds between renewals of every lease
WATCH = 2.0  # seconds between looks at how the sends under way are going
SWITCH = 0.001  # seconds between threads: posters must leave at their instant while the coordinator computes
Stopped = Callable[[], bool]


@dataclass(slots=True)
class DispatchRun:
    """What a run did: messages armed, requests by outcome."""

    posted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def due_within(seconds: float) -> float | None:
    """Seconds until the next slice is due or its lease runs out (0 if it is now), None where that is further away."""
    by_now = Now() + timedelta(seconds=min(seconds, 0.0))
    free = Q(owner="") | Q(leased_until__lte=by_now)
    if open_slices().filter(free, due_at__lte=by_now).exists():
        return 0.0  # without a look at all the others
    ready = Greatest("due_at", Coalesce("leased_until", "due_at"))
    soonest = open_slices().annotate(ready=ready).filter(ready__lte=Now() + timedelta(seconds=seconds))
    when = soonest.aggregate(soonest=Min("ready"))["soonest"]
    return None if when is None else max((when - database_now()).total_seconds(), 0.0)


def run(
    *,
    public_url: str,
    seconds: float = 20.0,
    look_ahead: float = 0.0,
    clients: int = DEFAULT_CLIENTS,
    client_for: ClientFor = direct,
    lease: timedelta = LEASE,
    gates: Gates = OF_THIS_PROCESS,
    stopped: Stopped = lambda: False,
) -> DispatchRun:
    """Dispatch what is due for up to `seconds`, first waiting up to `look_ahead` seconds for something to become due.

    Returns when nothing is left, when the time is over or when `stopped()`; in each case everything armed has its answer.
    """
    waited_until = time.monotonic() + look_ahead
    report = DispatchRun()
    while not stopped():
        pause = due_within(max(waited_until - time.monotonic(), 0.0))
        if pause is None:
            break
        if pause > 0:
            time.sleep(min(pause, IDLE))
            continue
        desk = Coordinator(
            public_url=public_url,
            clients=clients,
            client_for=client_for,
            lease=lease,
            gates=gates,
            report=report,
        )
        desk.work(until=time.monotonic() + seconds, stopped=stopped)
        if time.monotonic() >= waited_until:
            break
    return report


class Coordinator:
    """One run's state."""

    def __init__(
        self,
        *,
        public_url: str,
        clients: int,
        client_for: ClientFor,
        lease: timedelta,
        gates: Gates,
        report: DispatchRun,
    ) -> None:
        self.owner = Owner(f"{os.getpid()}-{secrets.token_hex(8)}", lease)
        self.public_url, self.gates, self.report = public_url, gates, report
        self.posters = Posters(clients, client_for=client_for)
        self.leases: list[ClaimedSlice] = []
        self.kits: dict[int, ServiceContext] = {}
        self.stale: set[int] = set()  # sends whose sheet has to be read again
        self.fair = Fair()
        self.looked = self.watched = self.renewed = 0.0
        self.rest_until = 0.0  # nothing more fits before then
        self.requests = 0  # on the runway or on their way, knocks not counted
        self.flying: Counter[int] = Counter()  # the same by service
        self.again: list[PostJob] = []  # armed, but in need of another instant
        self.owed: list[
            PostOutcome
        ] = []  # answers that are not recorded yet; they survive a failed transaction

    def work(self, *, until: float, stopped: Stopped) -> None:
        """Turn until nothing is left, the time is over, or somebody stops us."""
        switch = sys.getswitchinterval()
        sys.setswitchinterval(min(SWITCH, switch))
        try:
            while True:
                over = time.monotonic() >= until or stopped()
                if not over:
                    self._look()
                self._collect(patient=bool(self.owed or self.again))
                wait = self._turn(arming=not over)
                self._let_go(over)
                if not self.leases:
                    if over or not due_now():
                        return
                    self.looked = 0.0
                elif not self.requests and wait > 0:
                    time.sleep(min(wait, IDLE))
        finally:
            sys.setswitchinterval(switch)
            self.posters.close()
            self._collect(patient=False)
            self.owed += [PostOutcome(job, Held()) for job in self.again]
            self._pay()

    def _look(self) -> None:
        """Now and then: what to work on, and what of it was stopped meanwhile."""
        crowded = len(self.leases) >= LEASES
        if time.monotonic() - self.looked < IDLE and (crowded or self.leases):
            return
        self.looked = time.monotonic()
        if self.leases and self.looked - self.renewed > RENEW:
            self.renewed = self.looked
            with transaction.atomic():  # also of those of which everything is on its way
                renew(sorted(self.leases, key=lambda lease: lease.slice_id), owner=self.owner)
        if self.leases:
            looks = standings({lease.send_id for lease in self.leases})
            for lease in self.leases:
                lease.halted = lease.lost or looks[lease.send_id].halted
        if not crowded:
            self._claim(LEASES - len(self.leases), before_lane=None)
        elif (lane := min(lease.lane for lease in self.leases)) > Lane.URGENT:
            # whatever goes before all that we have never waits for it to end
            self._claim(1, before_lane=lane)
        if self.looked - self.watched > WATCH:
            self.watched = self.looked
            watch()

    def _claim(self, limit: int, *, before_lane: int | None) -> None:
        sends = {lease.send_id for lease in self.leases}
        leases = claim(owner=self.owner, limit=limit, before_lane=before_lane, beside=sends)
        if leases and by_policy({lease.send_id for lease in leases}):
            for lease in leases:
                load(lease)
        for lease in leases:
            if self._equip(lease) and self._as_approved(lease):
                self.leases.append(lease)
            else:
                finish(lease, owner=self.owner, retry_in=60.0)

    def _as_approved(self, lease: ClaimedSlice) -> bool:
        """Whether somebody's yes, where one was needed, was to what we are about to send. Asked after it was read."""
        if not self.kits[lease.service_id].sheets[lease.send_id].approvers:
            return True
        fine = release.is_as_approved(
            lease.send_id,
            slice_id=lease.slice_id,
            first_id=lease.first_id,
            last_id=lease.last_id,
            now=database_now(),
        )
        if not fine:
            self.stale.add(lease.send_id)  # its sheet is what was not approved
        return fine

    def _equip(self, lease: ClaimedSlice) -> bool:
        """Have what it takes to post a lease's messages; a service that cannot be equipped is paused and stops no other."""
        kit = self.kits.get(lease.service_id)
        sheet = kit.sheets.get(lease.send_id) if kit is not None else None
        # what somebody said yes to is read anew for each slice: another process may have found a change, and got a new yes
        if sheet is not None and not sheet.approvers and lease.send_id not in self.stale:
            return True
        try:
            send = Send.objects.select_related(
                "service__region", "sender", "policy_group", "link_domain", "template"
            ).get(pk=lease.send_id)
            kit = self.kits.setdefault(
                lease.service_id,
                ServiceContext(self.gates[lease.service_id], connection_of(send.service), {}),
            )
            kit.sheets[lease.send_id] = sheet_of(send, public_url=self.public_url)
            self.stale.discard(lease.send_id)
        except UnreadableSecret as problem:
            with transaction.atomic():
                reason = f"A stored key or secret cannot be read: {problem}."
                record.pause_service(lease.service_id, because=reason, at=database_now())
            return False
        return True

    def _collect(self, *, patient: bool) -> None:
        """Take in what came back. Late requests and the halves of refused batches go again; everything else is owed to the ledger."""
        at_least = 1 if patient else max(self.requests // 2, 1)
        timeout = PATIENCE if self.requests else 0.0
        found = self.posters.outcomes(at_least=at_least, timeout=timeout)
        for outcome in found:
            job, result = outcome.job, outcome.result
            if job.lease is None:
                job.gate.knocked(result)
                continue
            self.requests -= 1
            self.flying[job.service_id] -= 1
            self.report.outcomes[type(result).__name__] += 1
            if isinstance(result, Late):
                self.again.append(job)
                continue
            if isinstance(result, RequestRefused) and len(job.messages) > 1:
                self.again += self._halves(job)
                continue
            self.owed.append(outcome)

    def _halves(self, job: PostJob) -> list[PostJob]:
        """A refused batch is certainly not sent: one bad message must not sink the others."""
        middle = len(job.messages) // 2
        sheet = self.kits[job.service_id].sheets[job.lease.send_id] if job.lease else None
        if sheet is None:
            return []
        return [
            PostJob(job.service_id, job.lease, part, body_of(part, sheet), job.line, job.gate)
            for part in (job.messages[:middle], job.messages[middle:])
        ]

    def _turn(self, *, arming: bool) -> float:
        """Record and arm in one commit, then hand over; returns seconds until arming makes sense again."""
        self._knock()
        again: list[PostJob] = []
        for job in self.again:
            stays = job.lease is None or job.lease.halted or job.gate.closed or not arming
            if stays:
                self.owed.append(PostOutcome(job, Held()))
            else:
                again.append(job)
        self.again = again
        leases = self._open_leases() if arming and time.monotonic() >= self.rest_until else []
        wait = min((self.kits[lease.service_id].gate.held_for for lease in self.leases), default=0.0)
        if not (self.owed or self.again or leases):
            return wait
        point("before_record")
        wanted = {lease.slice_id: lease for lease in leases}
        wanted |= {job.lease.slice_id: job.lease for job in self.again if job.lease}
        with transaction.atomic():
            now, tally = database_now(), CounterDeltas.new()
            record.lock_sends_of(
                self.owed
            )  # sends, slices, opt-outs, messages: everybody locks in this order
            if wanted:
                fence([wanted[key] for key in sorted(wanted)], owner=self.owner)
            record.record(self.owed, at=now, tally=tally)
            armed = self._arm([wanted[key] for key in sorted(wanted)], now=now, tally=tally)
            tally.write()
        if self.owed:
            point("recorded")
        if armed.jobs:
            point("armed")
        for outcome in self.owed:
            if lease := outcome.job.lease:
                lease.in_flight -= len(outcome.job.messages)
                lease.came_back = lease.came_back or isinstance(outcome.result, record.RETURNED)
        self.report.posted += sum(len(job.messages) for job in armed.jobs) - sum(
            len(job.messages) for job in again if job not in armed.stays
        )
        for job in armed.jobs:
            if job.lease:
                job.lease.in_flight += len(job.messages)
        for job in again:
            if job.lease and job not in armed.stays:
                job.lease.in_flight -= len(job.messages)  # counted again with its new instant
        self.owed, self.again = [PostOutcome(job, Held()) for job in armed.stays], []
        self.rest_until = time.monotonic() + min(armed.wait or 0.0, IDLE)
        for job in armed.jobs:  # after the commit: "posting" is durable before a byte leaves
            self._hand_over(job)
        return wait if armed.wait is None else max(wait, armed.wait)

    def _open_leases(self) -> list[ClaimedSlice]:
        """Those of which something may be armed now."""
        return [
            lease
            for lease in self.leases
            if lease.waiting
            and self.kits[lease.service_id].gate.room(in_flight=self.flying[lease.service_id])
        ]

    def _arm(self, leases: Sequence[ClaimedSlice], *, now: datetime, tally: CounterDeltas) -> Armed:
        if not leases:
            return Armed()
        return arm(
            leases,
            self.again,
            kits=self.kits,
            rooms={key: kit.gate.room(in_flight=self.flying[key]) for key, kit in self.kits.items()},
            spare=max(2 * self.posters.count + SPARE - self.requests, 0),
            fair=self.fair,
            now=now,
            tally=tally,
        )

    def _hand_over(self, job: PostJob) -> None:
        self.requests += 1
        self.flying[job.service_id] += 1
        self.posters.post(job)

    def _knock(self) -> None:
        for service_id, kit in self.kits.items():
            if kit.gate.wants_knock:
                kit.gate.knocked_at = time.monotonic()
                self.posters.post(PostJob(service_id, None, (), KNOCK, kit.line, kit.gate))

    def _let_go(self, over: bool) -> None:
        for lease in list(self.leases):
            held = self.kits[lease.service_id].gate.held_for
            if lease.in_flight == 0 and (over or lease.lost or not lease.waiting or held > IDLE):
                finish(lease, owner=self.owner, retry_in=held)
                self.leases.remove(lease)

    def _pay(self) -> None:
        """Record what a broken turn left over: an answer that was heard must not end as *unconfirmed*."""
        for pause in (0.0, 0.5, 1.0, 2.0, 4.0):
            if not self.owed:
                return
            time.sleep(pause)
            try:
                with transaction.atomic():
                    tally = CounterDeltas.new()
                    record.record(self.owed, at=database_now(), tally=tally)
                    tally.write()
                self.owed = []
            except DatabaseError as problem:
                log.warning("record_again", outcomes=len(self.owed), error=type(problem).__name__)
                close_old_connections()
        if self.owed:
            log.error("answers_lost", outcomes=len(self.owed))


def due_now() -> bool:
    """Whether a claim would find something."""
    return due_within(0.0) is not None
