"""The delivery loop: one coordinator that owns the database connection, and threads that own the network (`threads`).

Every endpoint has a width of its own (`width`), so a receiver that drips for ten seconds holds up no other. A thread is given the next
POST as soon as its last one was answered; what came of them is written together, so the cost of a commit is shared. May run on any
number of hosts at once.
"""

import os
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sms.callbacks import leases
from sms.callbacks.address import AddressPolicy
from sms.callbacks.leases import EndpointLease
from sms.callbacks.post import ReceiverConnection
from sms.callbacks.record import Delivery, record
from sms.callbacks.schedule import OPENS_AFTER
from sms.callbacks.threads import MOST_ENDPOINTS, Connect, PostThreads
from sms.models.sql.clock import corrected_now

LOOK = 0.2  # seconds between looks for other endpoints, and for what came since
RENEW = 5.0
PATIENCE = 0.05  # seconds that results wait for others to share their commit
MOST_TOGETHER = 400  # callbacks of one commit
READY = 4  # of so many that are posted, one more is laid ready
TURN = 2.0  # seconds that an endpoint keeps its place although others wait for one
Stopped = Callable[[], bool]
Clock = Callable[[], datetime]


@dataclass(slots=True)
class DeliveryRun:
    tried: int = 0
    delivered: int = 0
    posts: int = 0
    by_status: Counter[int] = field(default_factory=Counter)


def run(
    *,
    policy: AddressPolicy,
    seconds: float = float("inf"),
    connection_for: Connect | None = None,
    stopped: Stopped = lambda: False,
    clock: Clock = corrected_now,
) -> DeliveryRun:
    """Deliver what is due; returns when nothing is, when `seconds` are over or when `stopped()`.

    What is on its way then is waited for, at most a POST's deadline.
    """
    loop = _DeliveryLoop(connection_for or (lambda: ReceiverConnection(policy)), clock)
    try:
        loop.work(until=time.monotonic() + seconds, stopped=stopped)
    finally:
        loop.close()
    return loop.report


def anything_due() -> bool:
    return leases.due(corrected_now()).exists()


class _DeliveryLoop:
    def __init__(self, connection_for: Connect, clock: Clock) -> None:
        self.owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        self.clock = clock
        self.report = DeliveryRun()
        self.threads = PostThreads(connection_for, clock)
        self.mine: dict[int, EndpointLease] = {}
        self.unwritten: list[Delivery] = []
        self.written_at = self.looked_at = self.renewed_at = float("-inf")

    def work(self, *, until: float, stopped: Stopped) -> None:
        while True:
            over = time.monotonic() >= until or stopped()
            if not over:
                self._look()
            for lease in self.mine.values():
                self._begin(lease, over=over)
            self._take(self.threads.collect(PATIENCE if self.unwritten else LOOK))
            self._write()
            self._give_back(over=over)
            if not self.mine and not over:
                self.looked_at = float("-inf")
                self._look()
            if not self.mine:
                return

    def _look(self) -> None:
        """Now and then: keep what is ours, see what came for it, and claim what others have due."""
        at, now = time.monotonic(), self.clock()
        if not self.mine:
            self.renewed_at = at
        elif at - self.renewed_at > RENEW:
            self.renewed_at = at
            leases.keep(self.mine.values(), self.owner, now=now)
        if at - self.looked_at < LOOK:
            return
        self.looked_at = at
        going_on = [lease for lease in self.mine.values() if not lease.closed]
        leases.look_again([lease for lease in going_on if lease.failures < OPENS_AFTER], now=now)
        room = MOST_ENDPOINTS - len(going_on)
        if room > 0:
            self.mine |= {lease.pk: lease for lease in leases.claim(self.owner, limit=room, now=now)}
        elif others := leases.due(now).free()[:MOST_ENDPOINTS].count():
            had_theirs = [lease for lease in going_on if at - lease.began > TURN]
            for lease in sorted(had_theirs, key=lambda one: one.began)[:others]:
                lease.closed = True  # it ends what it has begun, which takes nobody's place

    def _begin(self, lease: EndpointLease, *, over: bool) -> None:
        """Post what may be posted now, and lay a little ready for the threads that are at it."""
        lease.closed = lease.closed or over
        alone = lease.failures >= OPENS_AFTER  # a receiver that fails gets a canary
        if lease.closed or lease.failures or lease.posting > lease.width.now:
            lease.take_back()
        while not lease.closed and not (alone and lease.begun):
            more = lease.posting < lease.width.now
            if not more and (lease.failures or len(lease.ready) >= lease.posting // READY):
                return
            if not self.threads.have_room_for(lease, more=int(more)):
                return
            if more and (left := lease.take_ready()):  # laid ready when its last thread had gone
                self.threads.post(lease, left, canary=False)
                continue
            if not lease.waiting and not lease.empty:
                leases.read_due(lease, now=self.clock())
            if not lease.waiting:
                return
            if more:
                self.threads.post(lease, lease.next_post(), canary=alone)
            else:
                lease.ready.append(lease.next_post())
            if alone:
                lease.waiting.clear()

    def _take(self, results: list[Delivery]) -> None:
        """What came back makes room at once, for the next one of its endpoint."""
        at = time.monotonic()
        for one in results:
            lease, reply = one.lease, one.reply
            lease.width.answered(
                reply.status, reply.milliseconds, began=one.began, at=at, more=bool(lease.waiting)
            )
            lease.failures = 0 if reply.ok else lease.failures + 1  # until it is written, which counts better
            self.report.posts += 1
            self.report.tried += len(one.callbacks)
            self.report.delivered += len(one.callbacks) if reply.ok else 0
            self.report.by_status[reply.status] += 1
        if results and not self.unwritten:
            self.written_at = at
        self.unwritten += results

    def _write(self) -> None:
        """A failure is written at once: it may close its endpoint."""
        found = self.unwritten
        if not found or not (
            time.monotonic() - self.written_at >= PATIENCE
            or sum(len(one.callbacks) for one in found) >= MOST_TOGETHER
            or not self.threads.in_flight
            or not all(one.reply.ok for one in found)
        ):
            return
        record(found, now=self.clock())
        self.unwritten = []
        for one in found:  # only now: until it is written, it is still due
            one.lease.in_flight.difference_update(callback.pk for callback in one.callbacks)

    def _give_back(self, *, over: bool) -> None:
        ended = [
            lease
            for lease in self.mine.values()
            if not lease.begun and (over or lease.closed or (lease.empty and not lease.waiting))
        ]
        if ended:
            leases.give_back(ended, self.owner)
        for lease in ended:
            del self.mine[lease.pk]
            lease.hang_up()

    def close(self) -> None:
        """After an error the leases run out by themselves; threads end when their post does."""
        self.threads.close()
        for lease in self.mine.values():
            lease.hang_up()
