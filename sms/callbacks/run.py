"""The delivery loop: one coordinator that owns the database connection, and threads that own the network.

Every endpoint has a few threads of its own at most, so a receiver that drips for ten seconds holds up nobody else. Results are written
together, so the cost of a commit is shared. May run on any number of hosts at once.
"""

import os
import queue
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.utils import timezone

from sms.callbacks import leases
from sms.callbacks.address import AddressPolicy
from sms.callbacks.leases import EndpointLease
from sms.callbacks.post import Letter, ReceiverConnection, Reply
from sms.callbacks.schedule import OPENS_AFTER
from sms.models import Callback

log = structlog.get_logger(__name__)

LANES = 64  # endpoints at once in one process
WIDEST = 4  # callbacks at once to one endpoint
QUICK = 1000  # milliseconds: slower receivers get one callback at a time
IDLE = 0.2  # seconds between looks for other endpoints
RENEW = 5.0
PATIENCE = 0.02  # seconds that results wait for others to share their commit
TURN = 30.0  # seconds after which an endpoint is given back although something waits: others wait too
LineFor = Callable[[], ReceiverConnection]
Stopped = Callable[[], bool]
Clock = Callable[[], datetime]


@dataclass(slots=True)
class DeliveryRun:
    """What a run did: replies, and how many of them were good."""

    tried: int = 0
    delivered: int = 0
    by_status: Counter[int] = field(default_factory=Counter)


def run(
    *,
    policy: AddressPolicy,
    seconds: float = 20.0,
    line_for: LineFor | None = None,
    stopped: Stopped = lambda: False,
    clock: Clock = timezone.now,
) -> DeliveryRun:
    """Deliver what is due for up to `seconds`; returns when nothing is, when the time is over or when `stopped()`.

    What is on its way then is waited for, at most a POST's deadline.
    """
    courier = _Courier(line_for or (lambda: ReceiverConnection(policy)), clock)
    try:
        courier.work(until=time.monotonic() + seconds, stopped=stopped)
    finally:
        courier.close()
    return courier.report


def anything_due(now: datetime | None = None) -> bool:
    """Whether a run would find something; one small query."""
    return leases.due(now or timezone.now()).exists()


class _Posts:
    """Threads that post, made as they are needed, daemons so that a hanging look-up of a name never keeps a process alive."""

    def __init__(self) -> None:
        self.results: queue.SimpleQueue[tuple[EndpointLease, Callback, Reply]] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[tuple[EndpointLease, Callback, Letter, ReceiverConnection] | None] = (
            queue.SimpleQueue()
        )
        self._threads = 0
        self.flying = 0

    def post(self, lane: EndpointLease, callback: Callback, letter: Letter, line: ReceiverConnection) -> None:
        self.flying += 1
        if self.flying > self._threads:
            self._threads += 1
            threading.Thread(target=self._work, name="callbacks", daemon=True).start()
        self._jobs.put((lane, callback, letter, line))

    def collect(self, timeout: float) -> list[tuple[EndpointLease, Callback, Reply]]:
        """What came back, waiting for the first at most `timeout` and a moment for others."""
        found = []
        until = time.monotonic() + timeout
        while self.flying:
            try:
                found.append(self.results.get(timeout=max(until - time.monotonic(), 0.0001)))
            except queue.Empty:
                break
            self.flying -= 1
            until = min(until, time.monotonic() + PATIENCE)
            if len(found) >= 200:
                break
        return found

    def close(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            lane, callback, letter, line = job
            try:
                reply = line.post(letter)
            except Exception as problem:  # of ours; the callback waits and the loop goes on
                log.error("callback_broke_off", callback=callback.pk, error=repr(problem)[:300])
                reply = Reply(0, 0, f"It could not be posted: {type(problem).__name__}.")
            self.results.put((lane, callback, reply))


class _Courier:
    """One run's state."""

    def __init__(self, line_for: LineFor, clock: Clock) -> None:
        self.owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        self.line_for, self.clock = line_for, clock
        self.report = DeliveryRun()
        self.posts = _Posts()
        self.mine: dict[int, EndpointLease] = {}
        self.urls: dict[int, str] = {}
        self.since: dict[int, float] = {}
        self.lines: dict[int, deque[ReceiverConnection]] = {}
        self.used: dict[int, ReceiverConnection] = {}
        self.looked = self.renewed = 0.0

    def work(self, *, until: float, stopped: Stopped) -> None:
        while True:
            over = time.monotonic() >= until or stopped()
            if not over:
                self._look()
            for lane in list(self.mine.values()):
                self._feed(lane, over=over)
            self._take_in(self.posts.collect(IDLE if self.posts.flying else 0.0))
            self._let_go(over=over)
            if not self.mine and not over:
                self.looked = 0.0
                self._look()
            if not self.mine:
                return

    def _look(self) -> None:
        now = time.monotonic()
        if self.mine and now - self.renewed > RENEW:
            self.renewed = now
            leases.keep(self.mine.values(), self.owner)
        if now - self.looked < IDLE or len(self.mine) >= LANES:
            return
        self.looked = now
        for lane, url in leases.claim(self.owner, limit=LANES - len(self.mine), now=self.clock()):
            self.mine[lane.pk], self.urls[lane.pk], self.since[lane.pk] = lane, url, now
            self.lines.setdefault(lane.pk, deque())
            self.renewed = self.renewed or now

    def _feed(self, lane: EndpointLease, *, over: bool) -> None:
        """Begin what may be begun."""
        lane.shut = lane.shut or over or time.monotonic() - self.since[lane.pk] > TURN
        while not lane.shut and len(lane.flying) < lane.width:
            if not lane.waiting:
                if lane.empty:
                    return
                leases.fill(lane, now=self.clock())
                if not lane.waiting:
                    return
            callback = lane.waiting.pop(0)
            lane.flying.add(callback.pk)
            kept = self.lines[lane.pk]
            line = kept.pop() if kept else self.line_for()
            self.used[callback.pk] = line
            self.posts.post(lane, callback, lane.letter(callback, self.urls[lane.pk]), line)
            if lane.failures >= OPENS_AFTER:  # the canary flies alone
                lane.waiting.clear()
                return

    def _take_in(self, results: list[tuple[EndpointLease, Callback, Reply]]) -> None:
        for lane, callback, reply in results:
            self.lines[lane.pk].append(self.used.pop(callback.pk))
            self.report.tried += 1
            self.report.delivered += reply.ok
            self.report.by_status[reply.status] += 1
            lane.width = min(lane.width * 2, WIDEST) if reply.ok and reply.milliseconds < QUICK else 1
        leases.record(results, now=self.clock())
        for lane, callback, _ in results:  # only now: until it is written, it is still due
            lane.flying.discard(callback.pk)

    def _let_go(self, *, over: bool) -> None:
        ended = [
            lane
            for lane in self.mine.values()
            if not lane.flying and (over or lane.shut or (lane.empty and not lane.waiting))
        ]
        if ended:
            leases.give_back(ended, self.owner)
        for lane in ended:
            del self.mine[lane.pk]
            for line in self.lines.pop(lane.pk):
                line.close()

    def close(self) -> None:
        """After a broken turn the leases run out by themselves; threads end when their post does."""
        self.posts.close()
        for kept in self.lines.values():
            for line in kept:
                line.close()
