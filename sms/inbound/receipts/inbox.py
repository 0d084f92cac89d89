"""Taking receipts in: into the database by commits that many requests share; into the spool where that fails."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import structlog
from django.db import Error, transaction

from sms.inbound.receipts.incoming import Incoming
from sms.inbound.spool import Spool
from sms.models.sql.availability import database
from sms.models.sql.receipt_inbox import store_new
from sms.models.sql.trouble import is_away, is_of_the_database

log = structlog.get_logger(__name__)

ROOM = 1000  # receipts that may wait in one process
PATIENCE = 2.0  # seconds for a commit; after that the database counts as away


class Overloaded(RuntimeError):
    """More receipts wait than may; the provider sends this one again."""


class Stuck(RuntimeError):
    """A write takes too long."""


class _Ticket:
    """One receipt that waits. `gate` opens when it is done, or when its thread shall write for all that wait."""

    __slots__ = ("done", "error", "gate", "incoming")

    def __init__(self, incoming: Incoming) -> None:
        self.incoming, self.done, self.gate = incoming, False, threading.Lock()
        self.error: Exception | None = None
        self.gate.acquire()


@dataclass(slots=True)
class GroupCommit:
    """Concurrent requests share a commit: one of them writes for all that are waiting by then, and names the next writer.

    While one commit is under way the next batch gathers by itself, so there is no waiting window to tune.
    """

    write: Callable[[Sequence[Incoming]], object]
    most: int = 500
    room: int = ROOM
    _waiting: deque[_Ticket] = field(default_factory=deque)
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _writing_since: float = 0.0

    def store(self, incoming: Incoming, *, patience: float = PATIENCE) -> None:
        """Return once the receipt is durable; raises what `write` raised, Overloaded or Stuck."""
        ticket = _Ticket(incoming)
        with self._mutex:
            if len(self._waiting) >= self.room:
                raise Overloaded
            since = self._writing_since
            if since and time.monotonic() - since > patience:
                raise Stuck
            self._waiting.append(ticket)
            if not since:
                self._writing_since = time.monotonic()
        if since and not ticket.gate.acquire(timeout=patience):
            with self._mutex:
                if not ticket.gate.acquire(blocking=False):  # else it was stored at the last moment
                    if ticket in self._waiting:
                        self._waiting.remove(ticket)
                    raise Stuck
        if not ticket.done:
            self._write()
        if ticket.error is not None:
            raise ticket.error
        if not ticket.done:  # its writer was killed on the way
            raise Stuck

    def _write(self) -> None:
        """For all that wait, ourselves first among them; then the next in the row, if any, does the same."""
        with self._mutex:
            batch = [self._waiting.popleft() for _ in range(min(self.most, len(self._waiting)))]
        try:
            if batch:
                self._write_all(batch)
        finally:
            with self._mutex:
                self._writing_since = time.monotonic() if self._waiting else 0.0
                following = self._waiting[0] if self._waiting else None
                if following is not None:
                    following.gate.release()
            for ticket in batch:
                if ticket.gate.locked():
                    ticket.gate.release()

    def _write_all(self, batch: Sequence[_Ticket]) -> None:
        try:
            self.write([ticket.incoming for ticket in batch])
        except Exception as error:  # handed to every request of the batch; each answers for itself
            alone = len(batch) > 1 and isinstance(error, Error) and not is_of_the_database(error)
            for ticket in batch:
                if alone:  # one of them is wrong: the others shall not suffer
                    self._write_all([ticket])
                else:
                    ticket.error = error
        for ticket in batch:
            ticket.done = True


def insert(batch: Sequence[Incoming], *, everywhere: bool = False) -> int:
    """Store receipts that are not stored yet, in one transaction; returns how many were new.

    `everywhere`: an exact repeat is looked for in all of the past, not only near the time when the receipt came.
    """
    items = {item.dedupe: item for item in reversed(batch)}
    rows = [
        (
            *(item.service_id, item.message_id, item.attempt, digest, item.raw),
            *(item.received_at, item.simulated),
        )
        for digest, item in items.items()
    ]
    rows.sort(key=itemgetter(3))  # two processes with the same receipts would wait for each other otherwise
    with transaction.atomic():
        return store_new(rows, everywhere=everywhere)


# One for the process: its open file is what makes a group quick. `sms.apps` gives it its folder
spool = Spool(Incoming)


class Intake:
    """Durable one way or the other: the database, and the spool where that does not take it."""

    def __init__(self) -> None:
        self.database = GroupCommit(insert)
        self.disk = GroupCommit(spool.append)

    def store(self, incoming: Incoming) -> bool:
        """Return once the receipt is durable: True in the database, False on the spool. Raises Overloaded, Stuck or OSError where it is
        neither. What the database refuses for good is set apart by the sweep, where a person is told of it."""
        if not database.away():
            try:
                self.database.store(incoming)
            except (Error, Stuck) as problem:
                if isinstance(problem, Stuck) or is_away(problem):
                    database.report(problem)
                log.warning("receipt_goes_to_the_spool", error=f"{type(problem).__name__}: {problem}"[:300])
            else:
                return True
        self.disk.store(incoming)
        return False


intake = Intake()
store = intake.store


def take_in_kept() -> int:
    """Bring in what could not be when this host's spool was swept; returns how many receipts."""
    return spool.take_in_kept(insert)


def sweep() -> int:
    """Bring in what waits on the spool of this host; returns how many receipts."""
    return spool.sweep(insert)
