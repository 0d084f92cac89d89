"""The dispatch loop: one coordinator that owns the database connection, and posters that own the network.

Each turn of the loop is one transaction that records what came back and arms what goes out next, so the cost of a commit is shared
by all that is in flight. Every instant at which the process may die is covered: before the commit nothing left, after it the
message is marked *posting*.
"""

import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import Min
from django.db.models.functions import Coalesce, Greatest, Now

from sms.dispatch import record
from sms.dispatch.arm import arm
from sms.dispatch.claim import Lease, claim, database_now, finish, open_slices
from sms.dispatch.gate import Gate
from sms.dispatch.post import ClientFor, Job, Outcome, Posters, direct
from sms.dispatch.request import Line, Sheet, line_of, sheet_of
from sms.models import Send

log = structlog.get_logger(__name__)

DEFAULT_CLIENTS = 24
LEASES = 4
IDLE = 0.5  # seconds between looks while waiting for something to become due
Stopped = Callable[[], bool]


@dataclass(slots=True)
class Report:
    """What a run did."""

    posted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def due_within(seconds: float) -> float | None:
    """Seconds until the next slice is due or its lease runs out (0 if it is now), None where that is further away."""
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
    stopped: Stopped = lambda: False,
) -> Report:
    """Dispatch what is due for up to `seconds`, first waiting up to `look_ahead` seconds for something to become due.

    Returns when nothing is left, when the time is over or when `stopped()`; in each case everything armed has its answer.
    """
    waited_until = time.monotonic() + look_ahead
    report = Report()
    while not stopped():
        pause = due_within(max(waited_until - time.monotonic(), 0.0))
        if pause is None:
            break
        if pause > 0:
            time.sleep(min(pause, IDLE))
            continue
        desk = _Desk(public_url=public_url, clients=clients, client_for=client_for, report=report)
        desk.work(until=time.monotonic() + seconds, stopped=stopped)
        if time.monotonic() >= waited_until:
            break
    return report


class _Desk:
    """One run's state."""

    def __init__(self, *, public_url: str, clients: int, client_for: ClientFor, report: Report) -> None:
        self.owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        self.public_url, self.report = public_url, report
        self.posters = Posters(clients, client_for=client_for)
        self.leases: list[Lease] = []
        self.gates: dict[int, Gate] = {}
        self.sheets: dict[int, Sheet] = {}
        self.lines: dict[int, Line] = {}
        self.owed: list[Outcome] = []  # answers that are not recorded yet; they survive a failed transaction

    @property
    def in_flight(self) -> int:
        return sum(lease.in_flight for lease in self.leases)

    def work(self, *, until: float, stopped: Stopped) -> None:
        """Turn until nothing is left, the time is over, or somebody stops us."""
        try:
            while True:
                over = time.monotonic() >= until or stopped()
                if not over and len(self.leases) < LEASES:
                    self._claim()
                self.owed += self._collect()
                wait = self._turn(self.owed, arming=not over)
                self.owed = []
                self._let_go(over)
                if not self.leases:
                    if over or not due_now():
                        return
                elif not self.in_flight and wait > 0:
                    time.sleep(min(wait, IDLE))
        finally:
            self.posters.close()
            self.owed += self.posters.outcomes(at_least=0, timeout=0)
            self._pay()

    def _pay(self) -> None:
        """Record what a broken turn left over: an answer that was heard must not end as *unconfirmed*."""
        for pause in (0.0, 0.5, 1.0, 2.0, 4.0):
            if not self.owed:
                return
            time.sleep(pause)
            try:
                with transaction.atomic():
                    record.record(self.owed)
                self.owed = []
            except DatabaseError as problem:
                log.warning("record_again", outcomes=len(self.owed), error=type(problem).__name__)
                close_old_connections()
        if self.owed:
            log.error("answers_lost", outcomes=len(self.owed))

    def _claim(self) -> None:
        for lease in claim(owner=self.owner, limit=LEASES - len(self.leases)):
            self.leases.append(lease)
            if lease.send_id not in self.sheets:
                send = Send.objects.select_related(
                    "service__region", "sender", "template", "policy_group", "link_domain"
                ).get(pk=lease.send_id)
                self.sheets[lease.send_id] = sheet_of(send, public_url=self.public_url)
                self.lines[lease.service_id] = line_of(send.service)
                self.gates.setdefault(lease.service_id, Gate(self.posters.count))

    def _collect(self) -> list[Outcome]:
        flying = self.in_flight
        outcomes = self.posters.outcomes(at_least=max(flying // 3, 1), timeout=0.02) if flying else []
        for outcome in outcomes:
            gate = self.gates[outcome.job.lease.service_id]
            if isinstance(outcome.result, Exception):
                gate.refused(outcome.result)
            else:
                gate.accepted()
            self.report.outcomes[type(outcome.result).__name__] += 1
        return outcomes

    def _turn(self, outcomes: Sequence[Outcome], *, arming: bool) -> float:
        """Record and arm in one commit, then hand over; returns seconds until arming makes sense again."""
        for outcome in outcomes:
            outcome.job.lease.in_flight -= 1
        wait = max((self.gates[lease.service_id].held_for for lease in self.leases), default=0.0)
        if not outcomes and not (arming and any(self._room(lease, 0) for lease in self.leases)):
            return wait
        jobs: list[Job] = []
        with transaction.atomic():
            record.record(outcomes)
            # in one order everywhere, so that two dispatchers never wait for each other
            for lease in (
                sorted(self.leases, key=lambda one: (one.service_id, one.slice_id)) if arming else ()
            ):
                room = self._room(lease, len(jobs))
                if room:
                    sheet, line = self.sheets[lease.send_id], self.lines[lease.service_id]
                    armed, paced = arm(lease, owner=self.owner, room=room, sheet=sheet, line=line)
                    jobs.extend(armed)
                    wait = max(wait, paced)
        for job in jobs:  # after the commit: "posting" is durable before a byte leaves
            job.lease.in_flight += 1
            self.posters.post(job)
        self.report.posted += len(jobs)
        return wait

    def _room(self, lease: Lease, arming: int) -> int:
        """How many messages of a lease may be armed now, `arming` being those already armed in this turn."""
        flying = sum(other.in_flight for other in self.leases if other.service_id == lease.service_id)
        gate = self.gates[lease.service_id]
        return max(
            min(
                gate.room(in_flight=flying + arming),
                self.posters.count - self.in_flight - arming,
                len(lease.waiting),
            ),
            0,
        )

    def _let_go(self, over: bool) -> None:
        for lease in list(self.leases):
            held = self.gates[lease.service_id].held_for
            if lease.in_flight == 0 and (over or lease.lost or not lease.waiting or held > IDLE):
                finish(lease, owner=self.owner, retry_in=held)
                self.leases.remove(lease)


def due_now() -> bool:
    """Whether a claim would find something."""
    return due_within(0.0) is not None
