"""Threads for one kind of caller each, so that none can take those of another. Called by `portal.web.front`."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from sms.models.sql.limits import WorkKind, work_as

Deliver = Callable[[Any], None]


class LaneFull(Exception):
    """As many requests wait as may."""


class ThreadLane:
    """So many threads, each of which may hold a database connection, and so many requests that may wait for one.

    What is done is handed back to the event loop together: while it is busy, one wake-up is enough.
    """

    def __init__(self, name: str, *, threads: int, room: int, work: WorkKind = WorkKind.PAGE) -> None:
        self.name, self.threads, self.room, self.work = name, threads, room, work
        self._jobs: queue.SimpleQueue[tuple[Callable[[Any, Deliver], None], Any, asyncio.Future[Any]]] = (
            queue.SimpleQueue()
        )
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False

    def run(self, job: Callable[[Any, Deliver], None], given: Any) -> "asyncio.Future[Any]":
        """`job(given, deliver)` in one of the threads; what it delivers, or raises before. It may go on after it delivered."""
        if self._loop is None:
            self._start()
        if self._jobs.qsize() >= self.room:
            raise LaneFull
        future: asyncio.Future[Any] = self._loop.create_future()  # type: ignore[union-attr]
        self._jobs.put((job, given, future))
        return future

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for number in range(self.threads):
            threading.Thread(target=self._work, name=f"{self.name}-{number}", daemon=True).start()

    def _work(self) -> None:
        work_as(self.work)
        while True:
            job, given, future = self._jobs.get()
            delivered = False

            def deliver(result: Any, future: "asyncio.Future[Any]" = future) -> None:
                nonlocal delivered
                delivered = True
                self._hand_back(future, result, None)

            try:
                job(given, deliver)
            except BaseException as problem:
                if not delivered:
                    self._hand_back(future, None, problem)
            del job, given, future  # or the last body stays until the next one comes

    def _hand_back(self, future: "asyncio.Future[Any]", result: Any, problem: BaseException | None) -> None:
        self._done.append((future, result, problem))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._settle)  # type: ignore[union-attr]

    def _settle(self) -> None:
        self._woken = False  # before the look: what is added behind it wakes us again
        while self._done:
            future, result, problem = self._done.popleft()
            if future.done():
                continue
            if problem is None:
                future.set_result(result)
            else:
                future.set_exception(problem)
