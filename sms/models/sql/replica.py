"""Reports read a copy of the database, where one is set and is no more than a minute behind; nothing is ever written to it.

`@from_replica` marks what may be a little old. Everything else reads and writes the primary.
"""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import structlog
from django.db import DatabaseError, connections
from django.db.models import Max, Model

from sms.models.heartbeat import Heartbeat

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

ALIAS = "replica"
BEHIND = 60.0  # seconds
AGAIN = 15.0  # seconds for which a look at it holds good

_reading: ContextVar[bool] = ContextVar("reading_replica", default=False)


class ReplicaRouter:
    """Django asks it for every query. The default stands where it says None."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return ALIAS if _reading.get() else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return True  # rows of the copy are rows of the primary

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == ALIAS else None


class _Replica:
    """What this process knows of it."""

    def __init__(self) -> None:
        self._serves, self._looked, self._why = False, float("-inf"), ""

    def serves(self) -> bool:
        if ALIAS not in connections.databases:
            return False
        if time.monotonic() - self._looked > AGAIN:
            why = self._trouble()
            if why and why != self._why:
                log.warning("replica_left_out", sentence=f"Reports read the primary: the replica {why}.")
            elif self._why and not why:
                log.info("replica_back")
            self._serves, self._why, self._looked = not why, why, time.monotonic()
        return self._serves

    def failed(self, problem: DatabaseError) -> None:
        log.warning("replica_failed", error=type(problem).__name__)
        connections[ALIAS].close()
        self._looked = float("-inf")

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]

    def _trouble(self) -> str:
        """Empty for none. What dispatchers write every few seconds has to have come through, whichever way rows are copied."""
        newest = Heartbeat.objects.using("default").aggregate(at=Max("beat_at"))["at"]
        try:
            copied = Heartbeat.objects.using(ALIAS).aggregate(at=Max("beat_at"))["at"]
        except DatabaseError as problem:
            connections[ALIAS].close()
            return f"does not answer ({type(problem).__name__})"
        if newest is not None and (copied is None or (newest - copied).total_seconds() > BEHIND):
            return f"is more than {BEHIND:.0f} s behind"
        return ""


replica = _Replica()


@contextmanager
def _from_replica() -> Iterator[None]:
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def from_replica(function: Callable[P, T]) -> Callable[P, T]:
    """Its queries go to the replica; where that fails on the way they are all asked again of the primary."""

    @functools.wraps(function)
    def read(*args: P.args, **kwargs: P.kwargs) -> T:
        if not replica.serves():
            return function(*args, **kwargs)
        try:
            with _from_replica():
                return function(*args, **kwargs)
        except DatabaseError as problem:
            replica.failed(problem)
            return function(*args, **kwargs)

    return read


def lines_from_replica(function: Callable[P, Iterator[T]]) -> Callable[P, Iterator[T]]:
    """The same for a generator, whose reader may ask in between for other things, which are not meant. One that breaks off is not
    begun again, since some of it is gone out already."""

    @functools.wraps(function)
    def read(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        lines, here = function(*args, **kwargs), replica.serves()
        while True:
            try:
                if here:
                    with _from_replica():
                        line = next(lines)
                else:
                    line = next(lines)
            except StopIteration:
                return
            yield line

    return read
