"""Operators are told of a fault within a minute of its beginning, and once when it is over.

What the database knows is looked at by one process of the installation at a time, which keeps in a table what was told. Of the database
itself each host tells: the process that holds a lock on a file there.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from django.db import DatabaseError, connections

from sms.models import Duty, OperationalFault
from sms.models.sql.session import database_now
from sms.operations import faults, readiness
from sms.operations.delivery import FaultDelivery
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
        self._began: float | None = None  # of trouble with the database, in monotonic seconds
        self._good_since: float | None = None
        self._told: Fault | None = None
        self._since = datetime.min.replace(tzinfo=UTC)
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
        """`word` is what is wrong with it by now, empty where nothing is."""
        if word:
            self._good_since = None
            if self._began is None:
                self._began, self._since = now, datetime.now(UTC)
            if self._told is None and now - self._began >= LASTED and self._speaks():
                fault = Fault(word, HOST, f"{HOST}: {faults.SAYS[word]}")
                if self.delivery.tell(fault, since=self._since, over=False, people=word == faults.LOCKED):
                    self._told = fault
            return
        if self._began is None:
            return
        if self._good_since is None:
            self._good_since = now
        if now - self._good_since < STAYS_OVER:
            return
        if self._told is None or self.delivery.tell(self._told, since=self._since, over=True, people=True):
            self._began = self._good_since = self._told = None
            self._hush()

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


def of_all(found: Sequence[Fault], delivery: FaultDelivery, *, now: datetime | None = None) -> None:
    """Tell what has lasted and what is over, and note it."""
    now = now or database_now()
    known = {(one.fault, one.where): one for one in OperationalFault.objects.all()}
    for fault in found:
        row = known.pop((fault.word, fault.where[:255]), None)
        if row is None:
            row = OperationalFault(fault=fault.word, where=fault.where[:255])
            row.since = now - timedelta(seconds=fault.age)
        row.says, row.over_at = fault.says[:300], None
        if row.told_at is None and (now - row.since).total_seconds() >= LASTED:
            told = delivery.tell(fault, since=row.since, over=False, people=fault.word != faults.AUDIT)
            row.told_at = now if told else None
        row.save()
    for row in known.values():
        if row.over_at is None:
            row.over_at = now
            row.save()
        elif (now - row.over_at).total_seconds() >= STAYS_OVER:
            fault = Fault(row.fault, row.where, row.says)
            people = fault.word != faults.AUDIT  # its check tells them itself
            if row.told_at is None or delivery.tell(fault, since=row.since, over=True, people=people):
                row.delete()
