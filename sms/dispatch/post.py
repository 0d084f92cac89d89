"""Posters: threads that each hold one connection and hand armed messages to the provider. They never touch the database.

One client per thread, because one wide client collapses under its own pool (measured: 68 requests/s at 50 in flight, against 600 and
more for one connection each). Requests wait for their own instant; a poster checks once more, without a lock, whether its request may
still go: stopped, held or late ones come back without a byte having left.
"""

import heapq
import itertools
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from sms.catalogue import provider_address
from sms.catalogue.credentials import ProviderConnection
from sms.dispatch.breaker import Breaker
from sms.dispatch.claim import ClaimedMessage, ClaimedSlice
from sms.ledger.crash_points import point
from sms.simulator import SimulatedConnection
from sms.values.spans import Said, spans
from sms.webex.client import Client
from sms.webex.errors import NotSent, ProviderError, Throttled, Unconfirmed
from sms.webex.replies import Accepted

log = structlog.get_logger(__name__)

ClientFor = Callable[[Any], Client]  # of the one kind of connection that a run has
LATE = 0.01  # seconds after its instant at which a paced request has lost its place: it would make another second too full
FIRST_POSTERS = 8
SLOW = 0.05  # seconds that a request may be overdue before another poster is worth its thread
CLOSING = 30.0  # seconds


@dataclass(frozen=True, slots=True, eq=False)
class ArmedRequest:
    """One armed request: its messages, its body, when it may leave (monotonic seconds; `paced` if that is exact) and where to.

    Without messages it is a probe (see `breaker`).
    """

    service_id: int
    lease: ClaimedSlice | None
    messages: tuple[ClaimedMessage, ...]
    body: bytes
    connection: ProviderConnection | SimulatedConnection
    breaker: Breaker
    not_before: float = 0.0
    paced: bool = False


class Late(Exception):
    """Not posted: its instant had passed. The messages stay armed and get another instant."""


class Held(Exception):
    """Not posted: stopped, held or broken since it was armed. No byte has left."""


@dataclass(frozen=True, slots=True)
class PostOutcome:
    """What came of a request: an acceptance, the error whose class is the decision, or that it was not tried."""

    request: ArmedRequest
    result: Accepted | ProviderError | Late | Held
    seconds: float = 0.0


def _said(request: ArmedRequest, result: Accepted | ProviderError | Late | Held) -> dict[str, Said]:
    """Of its span. A probe belongs to no send; what is accepted came with a status of success."""
    said: dict[str, Said] = {"service": request.service_id, "messages": len(request.messages)}
    if request.lease is not None:
        said["send"] = request.lease.send_id
    if isinstance(result, ProviderError) and result.status:
        said["status"] = result.status
    return said | {"outcome": type(result).__name__}


def client_of(connection: ProviderConnection) -> Client:
    """The client that really goes out. A simulated connection has no address that it could go to."""
    if not isinstance(connection, ProviderConnection):
        raise TypeError("only a provider's connection leads to a network")
    return Client(
        connection.base_url,
        connection.credentials(),
        dial=provider_address.dial_for(connection.base_url),
        sent=lambda: point("mid_post"),
    )


class Posters:
    """Poster threads, with requests waiting before them and outcomes behind; more threads as long as requests wait for one."""

    def __init__(
        self,
        most: int,
        *,
        client_for: ClientFor = client_of,
        begin: Callable[[Iterable[int]], object] = lambda _ids: None,
    ) -> None:
        self.most = most
        self._begin = begin  # told the messages' ids before the first byte of their request leaves
        self._client_for = client_for
        # by service, the next instant first
        self._waiting: dict[int, list[tuple[float, int, ArmedRequest, Any]]] = {}
        self._in_flight: Counter[int] = Counter()  # requests on their way, by service
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._watched = False  # one idle poster waits for the next instant, the others to be notified
        self._closing = False
        self._outcomes: queue.SimpleQueue[PostOutcome] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._grown_at = 0.0
        self._accepted_at = 0.0
        for _ in range(min(FIRST_POSTERS, most)):
            self._grow()

    @property
    def count(self) -> int:
        return len(self._threads)

    def post(self, request: ArmedRequest) -> None:
        with self._changed:
            waiting = self._waiting.setdefault(request.service_id, [])
            heapq.heappush(waiting, (request.not_before, next(self._order), request, spans.here()))
            self._changed.notify()

    def outcomes(self, *, at_least: int, timeout: float) -> list[PostOutcome]:
        """What has come back; waits up to `timeout` seconds until `at_least` have, so that results are recorded in groups."""
        found: list[PostOutcome] = []
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                wait = len(found) < at_least and left > 0
                found.append(self._outcomes.get(block=wait, timeout=max(left, 0.001)))
            except queue.Empty:
                self._grow_if_slow()
                return found

    def close(self) -> bool:
        """End the threads once nothing waits; False where one hangs, whose outcome nobody will hear."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        deadline = time.monotonic() + CLOSING
        for thread in self._threads:
            thread.join(timeout=max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _grow_if_slow(self) -> None:
        """More posters where requests wait while the provider goes on answering, or where a service has none because others have all."""
        with self._changed:
            now = time.monotonic()
            if self._idle or self.count >= self.most or now - self._grown_at < SLOW:
                return
            overdue = {key: requests[0][0] + SLOW for key, requests in self._waiting.items() if requests}
            if any(
                since < now and (since < self._accepted_at or not self._in_flight[key])
                for key, since in overdue.items()
            ):
                self._grown_at = now
                for _ in range(min(max(self.count // 2, 1), self.most - self.count)):
                    self._grow()

    def _grow(self) -> None:
        thread = threading.Thread(target=self._work, name=f"poster-{self.count}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _next(self) -> tuple[ArmedRequest, Any] | None:
        """The next request whose instant has come, and what its span is part of; None when closing and nothing is left."""
        with self._changed:
            while True:
                key, pause = self._head()
                if key is not None and pause <= 0:
                    _, _, request, within = heapq.heappop(self._waiting[key])
                    self._in_flight[key] += 1
                    self._changed.notify()
                    return request, within
                if key is None and self._closing:
                    self._changed.notify()  # the next one may wait for what was last, which another took
                    return None
                timed = key is not None and not self._watched
                self._watched = self._watched or timed
                self._idle += 1
                self._changed.wait(timeout=pause if timed else None)
                self._idle -= 1
                if timed:
                    self._watched = False

    def _head(self) -> tuple[int | None, float]:
        """Whose request is next, and in how many seconds: of those that are due, the service with the fewest on their way."""
        now = time.monotonic()
        waiting = [(key, requests[0][0] - now) for key, requests in self._waiting.items() if requests]
        if not waiting:
            return None, 0.0
        due = [one for one in waiting if one[1] <= 0]
        if due:
            return min(due, key=lambda one: self._in_flight[one[0]])
        return min(waiting, key=lambda one: one[1])

    def _work(self) -> None:
        clients: dict[ProviderConnection | SimulatedConnection, Client] = {}
        while (found := self._next()) is not None:
            request, within = found
            began = time.monotonic()
            with spans.open("provider.request", within=within) as span:
                result = self._deliver(request, clients)
                if isinstance(result, Held | Late):
                    span.forget()
                span.say(**_said(request, result))
            seconds = time.monotonic() - began
            # throttling of a contracted rate is the pace's affair, for every process
            if request.lease is not None and not (
                isinstance(result, Held | Late) or (isinstance(result, Throttled) and request.paced)
            ):
                request.breaker.answered(result)
            with self._changed:
                self._in_flight[request.service_id] -= 1
                if isinstance(result, Accepted):
                    self._accepted_at = time.monotonic()
            self._outcomes.put(PostOutcome(request, result, seconds))
        for client in clients.values():
            client.close()

    def _deliver(
        self, request: ArmedRequest, clients: dict[ProviderConnection | SimulatedConnection, Client]
    ) -> Accepted | ProviderError | Late | Held:
        if request.lease is not None:
            if request.lease.halted or request.breaker.closed or time.monotonic() > request.lease.until:
                return Held()
            if request.paced and time.monotonic() - request.not_before > LATE:
                return Late()
        try:
            client = clients.get(request.connection) or clients.setdefault(
                request.connection, self._client_for(request.connection)
            )
        except (ValueError, OSError) as problem:  # an address or a secret that no client can be made of
            return NotSent("unreachable", detail=str(problem))
        try:
            point("before_post")
            ids = [message.pk for message in request.messages]
            result = client.post(request.body, destinations=len(ids), begin=partial(self._begin, ids))
            point("after_post")
            return result
        except ProviderError as error:
            point("after_post")
            return error
        except Exception as surprise:  # a bug of ours must not lose an armed message: bytes may have left
            log.exception("post_surprised", messages=[message.pk for message in request.messages])
            return Unconfirmed("bug", detail=f"unexpected {type(surprise).__name__}")
