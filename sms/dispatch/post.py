"""Posters: threads that each hold one connection and hand armed messages to the provider. They never touch the database.

One client per thread, because one wide client collapses under its own pool (measured: 68 requests/s at 50 in flight, against 600 and
more for one connection each).
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from sms.dispatch.claim import Lease
from sms.dispatch.request import Line
from sms.webex.client import Client
from sms.webex.errors import NotSent, ProviderError, Unconfirmed
from sms.webex.replies import Accepted

log = structlog.get_logger(__name__)

ClientFor = Callable[[Line], Client]


@dataclass(frozen=True, slots=True)
class Job:
    """One armed message: its body, when it may leave (monotonic seconds) and where to."""

    lease: Lease
    message_id: int
    attempt: int
    body: bytes
    line: Line
    not_before: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: an acceptance, or the error whose class is the decision."""

    job: Job
    result: Accepted | ProviderError


def direct(line: Line) -> Client:
    """The client that really goes out."""
    return Client(line.base_url, line.credentials())


class Posters:
    """A fixed number of poster threads with an inlet and an outlet."""

    def __init__(self, count: int, *, client_for: ClientFor = direct) -> None:
        self.count = count
        self._client_for = client_for
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"poster-{n}", daemon=True) for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def post(self, job: Job) -> None:
        """Hand over one armed message."""
        self._jobs.put(job)

    def outcomes(self, *, at_least: int, timeout: float) -> list[Outcome]:
        """What has come back; waits up to `timeout` seconds until `at_least` have, so that results are recorded in groups."""
        found: list[Outcome] = []
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                found.append(
                    self._outcomes.get(block=len(found) < at_least and left > 0, timeout=max(left, 0.001))
                )
            except queue.Empty:
                return found

    def close(self) -> None:
        """End the threads once their work is done."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=30)

    def _work(self) -> None:
        clients: dict[Line, Client] = {}
        while (job := self._jobs.get()) is not None:
            self._outcomes.put(Outcome(job, self._deliver(job, clients)))
        for client in clients.values():
            client.close()

    def _deliver(self, job: Job, clients: dict[Line, Client]) -> Accepted | ProviderError:
        pause = job.not_before - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        try:
            client = clients.get(job.line) or clients.setdefault(job.line, self._client_for(job.line))
        except (
            ValueError,
            OSError,
        ) as problem:  # an address or a secret that no client can be made of: nothing left
            return NotSent("unreachable", detail=str(problem))
        try:
            return client.post(job.body)
        except ProviderError as error:
            return error
        except Exception as surprise:  # a bug of ours must not lose an armed message: bytes may have left
            log.exception("post_surprised", message=job.message_id)
            return Unconfirmed("bug", detail=f"unexpected {type(surprise).__name__}")
