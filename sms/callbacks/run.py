"""The delivery loop: one coordinator that owns the database connection, and threads that own the network.

Every endpoint has a few threads of its own at most, so a receiver that drips for ten seconds holds up no other. Results are written
together, so the cost of a commit is shared. May run on any number of hosts at once.
"""

import os
import queue
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.utils import timezone

from sms.callbacks import leases
from sms.callbacks.address import AddressPolicy
from sms.callbacks.leases import EndpointLease
from sms.callbacks.post import ReceiverConnection, Reply
from sms.callbacks.record import Delivery, record
from sms.callbacks.schedule import OPENS_AFTER
from sms.models import Callback

log = structlog.get_logger(__name__)

MOST_ENDPOINTS = 64  # at once in one process
WIDEST = 4  # callbacks at once to one endpoint
QUICK = 1000  # milliseconds: slower receivers get one callback at a time
IDLE = 0.2  # seconds between claims of other endpoints
RENEW = 5.0
PATIENCE = 0.02  # seconds that results wait for others to share their commit
LONGEST = 30.0  # seconds after which an endpoint is given back although something waits: others wait too
ConnectionFor = Callable[[], ReceiverConnection]
Stopped = Callable[[], bool]
Clock = Callable[[], datetime]


@dataclass(slots=True)
class DeliveryRun:
    tried: int = 0
    delivered: int = 0
    by_status: Counter[int] = field(default_factory=Counter)


def run(
    *,
    policy: AddressPolicy,
    seconds: float = 20.0,
    connection_for: ConnectionFor | None = None,
    stopped: Stopped = lambda: False,
    clock: Clock = timezone.now,
) -> DeliveryRun:
    """Deliver what is due for up to `seconds`; returns when nothing is, when the time is over or when `stopped()`.

    What is on its way then is waited for, at most a POST's deadline.
    """
    loop = _DeliveryLoop(connection_for or (lambda: ReceiverConnection(policy)), clock)
    try:
        loop.work(until=time.monotonic() + seconds, stopped=stopped)
    finally:
        loop.close()
    return loop.report


def anything_due() -> bool:
    return leases.due(timezone.now()).exists()


class _PostThreads:
    """Threads that post, made as they are needed, daemons so that a hanging look-up of a name never keeps a process alive."""

    def __init__(self) -> None:
        self.results: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[tuple[EndpointLease, Callback, ReceiverConnection] | None]
        self._jobs = queue.SimpleQueue()
        self._threads = 0
        self.in_flight = 0

    def post(self, lease: EndpointLease, callback: Callback, connection: ReceiverConnection) -> None:
        self.in_flight += 1
        if self.in_flight > self._threads:
            self._threads += 1
            threading.Thread(target=self._work, name="callbacks", daemon=True).start()
        self._jobs.put((lease, callback, connection))

    def collect(self, timeout: float) -> list[Delivery]:
        """What came back, waiting for the first at most `timeout` and a moment for others."""
        found = []
        until = time.monotonic() + timeout
        while self.in_flight:
            try:
                found.append(self.results.get(timeout=max(until - time.monotonic(), 0.0001)))
            except queue.Empty:
                break
            self.in_flight -= 1
            until = min(until, time.monotonic() + PATIENCE)
            if len(found) >= 200:
                break
        return found

    def close(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            lease, callback, connection = job
            try:
                reply = connection.post(lease.request(callback))
            except Exception as problem:  # of ours; the callback waits and the loop goes on
                log.error("callback_broke_off", callback=callback.pk, error=repr(problem)[:300])
                reply = Reply(0, 0, f"It could not be posted: {type(problem).__name__}.")
            self.results.put(Delivery(lease, callback, connection, reply))


class _DeliveryLoop:
    def __init__(self, connection_for: ConnectionFor, clock: Clock) -> None:
        self.owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        self.connection_for, self.clock = connection_for, clock
        self.report = DeliveryRun()
        self.posts = _PostThreads()
        self.mine: dict[int, EndpointLease] = {}
        self.claimed_at = self.renewed_at = 0.0

    def work(self, *, until: float, stopped: Stopped) -> None:
        while True:
            over = time.monotonic() >= until or stopped()
            if not over:
                self._claim()
            for lease in list(self.mine.values()):
                self._begin(lease, over=over)
            self._record(self.posts.collect(IDLE if self.posts.in_flight else 0.0))
            self._give_back(over=over)
            if not self.mine and not over:
                self.claimed_at = 0.0
                self._claim()
            if not self.mine:
                return

    def _claim(self) -> None:
        now = time.monotonic()
        if self.mine and now - self.renewed_at > RENEW:
            self.renewed_at = now
            leases.keep(self.mine.values(), self.owner)
        if now - self.claimed_at < IDLE or len(self.mine) >= MOST_ENDPOINTS:
            return
        self.claimed_at = now
        for lease in leases.claim(self.owner, limit=MOST_ENDPOINTS - len(self.mine), now=self.clock()):
            self.mine[lease.pk] = lease
            self.renewed_at = self.renewed_at or now

    def _begin(self, lease: EndpointLease, *, over: bool) -> None:
        """Post what may be posted now."""
        lease.closed = lease.closed or over or time.monotonic() - lease.began > LONGEST
        while not lease.closed and len(lease.in_flight) < lease.width:
            if not lease.waiting:
                if lease.empty:
                    return
                leases.read_due(lease, now=self.clock())
                if not lease.waiting:
                    return
            callback = lease.waiting.pop(0)
            lease.in_flight.add(callback.pk)
            self.posts.post(lease, callback, lease.idle.pop() if lease.idle else self.connection_for())
            if lease.failures >= OPENS_AFTER:  # the canary goes alone
                lease.waiting.clear()
                return

    def _record(self, results: list[Delivery]) -> None:
        for one in results:
            lease, reply = one.lease, one.reply
            lease.idle.append(one.connection)
            self.report.tried += 1
            self.report.delivered += reply.ok
            self.report.by_status[reply.status] += 1
            lease.width = min(lease.width * 2, WIDEST) if reply.ok and reply.milliseconds < QUICK else 1
        record(results, now=self.clock())
        for one in results:  # only now: until it is written, it is still due
            one.lease.in_flight.discard(one.callback.pk)

    def _give_back(self, *, over: bool) -> None:
        ended = [
            lease
            for lease in self.mine.values()
            if not lease.in_flight and (over or lease.closed or (lease.empty and not lease.waiting))
        ]
        if ended:
            leases.give_back(ended, self.owner)
        for lease in ended:
            del self.mine[lease.pk]
            for connection in lease.idle:
                connection.close()

    def close(self) -> None:
        """After an error the leases run out by themselves; threads end when their post does."""
        self.posts.close()
        for lease in self.mine.values():
            for connection in lease.idle:
                connection.close()
