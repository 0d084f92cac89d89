"""Operators are told of a fault within a minute of its beginning, and once when it is over.

What the database knows is looked at by one process of the installation at a time, which keeps in a table what was told. Of the database
itself each host tells: the process that holds a lock on a file there.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from django.db import DatabaseError, connections

from sms.models import Duty, OperationalFault
from sms.models.sql.session import database_now
from sms.operations import faults, readiness
from sms.operations.delivery import NOTICE, FaultDelivery
from sms.operations.faults import Fault
from sms.operations.own_facts import HOST

log = structlog.get_logger(__name__)

EVERY = 10.0  # seconds between looks
# Seconds after which operators are told. What heartbeats take and the looks before and after come on top, and all of it is a minute.
LASTED = 25.0
STAYS_OVER = 60.0  # seconds: what comes and goes is told once
DUTY = "operational faults"


class Teller:
    """One for each process. `folder` is where processes of one host agree on who speaks."""

    def __init__(self, delivery: FaultDelivery, folder: Path) -> None:
        self.delivery, self.folder = delivery, folder
        self._trouble: _Trouble | None = None  # with the database
        self._lock: int | None = None

    def look(self) -> None:
        """Called every EVERY seconds; raises nothing of a database that is away."""
        word = readiness.of_database()
        if word:
            connections.close_all()  # it may be another one that answers next
        self.of_database(word, now=time.monotonic())
        if word in (faults.AWAY, faults.READ_ONLY):
            return
        try:
            if (duty := Duty.hold(DUTY, seconds=EVERY)) is not None:
                with duty.kept():  # a mail server may be slow
                    of_all(faults.find(), self.delivery)
                duty.give_back(rest=EVERY * 0.9)
        except DatabaseError as problem:
            log.warning("faults_not_looked_for", error=type(problem).__name__)

    def of_database(self, word: str, *, now: float) -> None:
        """`word` is what is wrong with it by now, empty where nothing is; `now` in monotonic seconds."""
        known = self._trouble
        if word:
            if known is None or known.over:  # of what is over some were told; this is another
                known = self._trouble = _Trouble(began=now)
            known.good_since = None
            if known.fault is None and now - known.began >= LASTED and self._speaks():
                known.fault = Fault(word, HOST, faults.OF_HOST(host=HOST, says=faults.SAYS[word]))
                known.owed = self._ways(known.fault, people=word == faults.LOCKED)
            self._tell(known)
        elif known is not None:
            known.good_since = now if known.good_since is None else known.good_since
            if now - known.good_since < STAYS_OVER:
                return
            if known.fault is not None and not known.over:
                known.over, known.owed = True, self._ways(known.fault, people=True)
            self._tell(known)
            if not known.owed:
                self._trouble = None
                self._hush()

    def _ways(self, fault: Fault, *, people: bool) -> list[str]:
        return [way for way in self.delivery.ways(fault) if people or way != NOTICE]

    def _tell(self, known: "_Trouble") -> None:
        if known.fault is not None and known.owed:
            known.owed = self.delivery.tell(known.fault, known.owed, since=known.since, over=known.over)

    def _speaks(self) -> bool:
        """Whether this process is the one of its host that tells; every one is where they cannot agree."""
        if self._lock is not None:
            return True
        try:
            fd = os.open(self.folder / "operators_are_told", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return True
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._lock = fd
        return True

    def _hush(self) -> None:
        if self._lock is not None:
            with contextlib.suppress(OSError):
                os.close(self._lock)
            self._lock = None


@dataclass(slots=True)
class _Trouble:
    """With the database. `fault` once it is told; `owed`: the ways by which it still is to be; `over`: that it is over is told."""

    began: float
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    good_since: float | None = None
    fault: Fault | None = None
    owed: list[str] = field(default_factory=list)
    over: bool = False


def of_all(found: Sequence[Fault], delivery: FaultDelivery, *, now: datetime | None = None) -> None:
    """Tell what has lasted and what is over, and note it."""
    now = now or database_now()
    known = {(one.fault, one.where): one for one in OperationalFault.objects.all()}
    for fault in found:
        row = known.pop((fault.word, fault.where[:255]), None)
        if row is None or (
            row.over_at and row.owed and row.told_at is None
        ):  # of one that is over some were told
            row = row or OperationalFault(fault=fault.word, where=fault.where[:255])
            row.since, row.owed = now - timedelta(seconds=fault.age), ""
        row.says, row.over_at = fault.says[:300], None
        if row.told_at is None and (now - row.since).total_seconds() >= LASTED:
            row.told_at, row.owed = now, " ".join(delivery.ways(fault))
        if row.owed:
            row.owed = " ".join(delivery.tell(fault, row.owed.split(), since=row.since))
        row.save()
    for row in known.values():
        _over(row, delivery, now=now)


def _over(row: OperationalFault, delivery: FaultDelivery, *, now: datetime) -> None:
    if row.over_at is None:
        row.over_at = now
    elif (now - row.over_at).total_seconds() >= STAYS_OVER:
        fault = Fault(row.fault, row.where, row.says)
        if row.told_at is not None:
            row.told_at, row.owed = None, " ".join(delivery.ways(fault))
        if row.owed:
            row.owed = " ".join(delivery.tell(fault, row.owed.split(), since=row.since, over=True))
        if not row.owed:
            row.delete()
            return
    row.save()
