"""django-q2's broker over Redis or Valkey, which may be lost: then a cluster looks by itself every few seconds until it is back.

A wake-up carries nothing but "look now" (`sms.worker.tasks`), so one that is lost is made up for by any later one.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import redis
import structlog
from django_q.brokers import Broker
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.signing import SignedPackage
from redis.backoff import NoBackoff
from redis.retry import Retry

from sms.models.sql.clock import corrected_now

log = structlog.get_logger(__name__)

LOOK = 2.0  # seconds between looks while there is no queue
TICK = 60.0
PATIENCE = 3.0  # seconds for an answer; longer than one waits for a wake-up
AGAIN = 5.0  # seconds after which a process that was not answered tries again
MOST = 200  # wake-ups that may wait: without a cluster they would pile up


class Away(Exception):
    """Redis does not answer; said in the log already."""


class RedisQueue(Broker):
    _lost: ClassVar[bool] = False  # of this process, as everything below
    _next_try: ClassVar[float] = 0.0
    _next_look: ClassVar[float] = 0.0
    _next_tick: ClassVar[float] = 0.0

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:  # noqa: ARG004 - django-q2 hands it over
        return redis.from_url(
            Conf.REDIS,
            socket_connect_timeout=PATIENCE,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 1),
        )

    @property
    def _key(self) -> str:
        return f"django_q:{self.list_key}:q"

    def enqueue(self, task: str) -> int:
        """The queue's length, or 0 where it is lost: whoever asked has better to do than to wait."""
        if time.monotonic() < RedisQueue._next_try:
            return 0
        try:
            with self._heard():
                length, _ = (
                    self.connection.pipeline().rpush(self._key, task).ltrim(self._key, -MOST, -1).execute()
                )
        except Away:
            return 0
        return int(length)

    def dequeue(self) -> list[tuple[None, Any]] | None:
        try:
            with self._heard():
                found = self.connection.blpop(self._key, 1)
        except Away:
            return self._look()
        return [(None, found[1])] if found else None

    def _look(self) -> list[tuple[None, Any]] | None:
        """What wake-ups would have said, once in LOOK seconds."""
        now = time.monotonic()
        if now < RedisQueue._next_look:
            time.sleep(0.5)
            return None
        RedisQueue._next_look = now + LOOK
        tasks = ["sms.worker.tasks.work", "sms.worker.tasks.fold", "sms.worker.tasks.approvals"]
        if now >= RedisQueue._next_tick:
            RedisQueue._next_tick = now + TICK
            tasks.append("sms.worker.tasks.tick")
        return [(None, _package(task)) for task in tasks]

    def queue_size(self) -> int:
        if time.monotonic() >= RedisQueue._next_try:
            with suppress(Away), self._heard():
                return int(self.connection.llen(self._key))
        return 0

    def delete_queue(self) -> None:
        with suppress(Away), self._heard():
            self.connection.delete(self._key)

    purge_queue = delete_queue

    def ping(self) -> bool:
        """Never an exception: a cluster begins without it."""
        if time.monotonic() >= RedisQueue._next_try:
            with suppress(Away), self._heard():
                return bool(self.connection.ping())
        return False

    def info(self) -> str:
        return "Redis"

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Nobody reads django-q2's own: processes are seen by their heartbeats."""

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except (redis.RedisError, OSError) as problem:
            if not RedisQueue._lost:
                says = "Redis does not answer: clusters look every few seconds for what is to be done."
                log.warning("queue_lost", sentence=says, error=type(problem).__name__)
            RedisQueue._lost = True
            RedisQueue._next_try = time.monotonic() + AGAIN
            raise Away from problem
        if RedisQueue._lost:
            RedisQueue._lost = False
            log.info("queue_back")


def _package(task: str) -> Any:
    name, pk = uuid()
    asked = {"id": pk, "name": name, "func": task, "args": (), "kwargs": {}, "started": corrected_now()}
    return SignedPackage.dumps(asked | {"ack_failure": True})
