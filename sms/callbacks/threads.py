"""Threads that post, shared out among endpoints so that no receiver, however slow, takes the last of them. Used by `run`.

Every endpoint has RESERVED of its own. Of the SHARED ones it may have as many as are free at that moment: one that takes all it can
get leaves as many as it holds, ten of them leave a share for an eleventh.

A thread whose POST was taken goes on with the next that is `ready` for its endpoint, so that it does not wait for the coordinator.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from django.utils.translation import gettext_noop

from sms.callbacks import batches
from sms.callbacks.leases import EndpointLease
from sms.callbacks.post import ReceiverConnection, Reply
from sms.callbacks.record import Delivery
from sms.models import Callback
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

# Translators: error is the name of a class.
NOT_POSTED = KeptSentence(gettext_noop("It could not be posted: %(error)s."))

MOST_ENDPOINTS = 64  # at once in one process
RESERVED = 4  # threads of each
SHARED = 256
MOST = MOST_ENDPOINTS * RESERVED + SHARED
AT_ONCE = 200  # results that are taken together
Connect = Callable[[], ReceiverConnection]
_Job = tuple[EndpointLease, Sequence[Callback], ReceiverConnection, bool]


class PostThreads:
    """Made as they are needed; daemons, so that a hanging look-up of a name never keeps a process alive."""

    def __init__(self, connection_for: Connect, clock: Callable[[], datetime]) -> None:
        self._connection_for, self._clock = connection_for, clock
        self._results: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = self._shared = 0
        self.in_flight = 0

    def have_room_for(self, lease: EndpointLease, *, more: int = 1) -> bool:
        """Whether it may have `more` threads than now; with 0, whether it may keep those that it has."""
        above = lease.posting + more - RESERVED
        return self.in_flight + more <= MOST and (above <= 0 or above <= SHARED - self._shared)

    def post(self, lease: EndpointLease, callbacks: Sequence[Callback], *, canary: bool) -> None:
        self.in_flight += 1
        lease.posting += 1
        self._shared += lease.posting > RESERVED
        if self.in_flight > self._threads:
            self._threads += 1
            threading.Thread(target=self._work, name="callbacks", daemon=True).start()
        connection = lease.idle.pop() if lease.idle else self._connection_for()
        self._jobs.put((lease, callbacks, connection, canary))

    def collect(self, timeout: float) -> list[Delivery]:
        """What came back, waiting for the first at most `timeout`."""
        found: list[Delivery] = []
        while self.in_flight and len(found) < AT_ONCE:
            try:
                one = self._results.get(timeout=timeout) if not found else self._results.get_nowait()
            except queue.Empty:
                break
            found.append(one)
            if not one.goes_on:
                self._shared -= one.lease.posting > RESERVED
                one.lease.posting -= 1
                one.lease.idle.append(one.connection)
                self.in_flight -= 1
        return found

    def close(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            lease, callbacks, connection, canary = job
            following: Sequence[Callback] | None = callbacks
            while following:
                callbacks, began = following, time.monotonic()
                reply = self._post(lease, callbacks, connection)
                following = lease.take_ready() if reply.ok else None
                goes_on = following is not None
                self._results.put(Delivery(lease, callbacks, connection, reply, began, canary, goes_on))

    def _post(
        self, lease: EndpointLease, callbacks: Sequence[Callback], connection: ReceiverConnection
    ) -> Reply:
        try:
            return connection.post(batches.request(lease.row, callbacks, now=self._clock()))
        except Exception as problem:  # of ours; the callback waits and the loop goes on
            log.error("callback_broke_off", callback=callbacks[0].pk, error=repr(problem)[:300])
            return Reply(0, 0, NOT_POSTED(error=type(problem).__name__))
