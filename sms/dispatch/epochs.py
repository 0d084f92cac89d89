"""Is this database an earlier state of itself? A restored backup, or a standby that had not all of it, sends again what was sent since.

An epoch is raised now and then: committed first, then named in files outside the database, so that no crash leaves a file ahead. A file
that names an epoch which the database does not have was written beside a later state of it. Any one file tells, on any host; where
there is none, nothing is known. A PostgreSQL that was promoted or recovered to a moment says so by itself, by its timeline.

`check_once` comes before a process arms anything, `keep` with every beat, `is_promoted` with every claim.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max

from sms.dispatch import restored_copy
from sms.models import Epoch, RestoredCopy, Send
from sms.models.sql.session import database_now, timeline
from sms.values import durable_file

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=45)  # a beat comes once a minute
KEPT = timedelta(days=40)  # an older file tells only whether its number is larger
FILE = "epoch.json"


class KeptEpoch(NamedTuple):
    """What a file says."""

    number: int
    name: str
    raised_at: datetime


class Epochs:
    """Of one process: its folders, and whether it has looked. `lossless`: a promoted standby had every commit."""

    def __init__(self) -> None:
        self.folders: Sequence[Path] = ()
        self.lossless = False
        self._checked = self._raised = False

    def forget(self) -> None:
        self._checked = self._raised = False

    def check_once(self) -> None:
        """Before anything is armed by this process. Raises where the database is away: then nothing is armed."""
        if not self._checked:
            self.check()

    def check(self) -> bool:
        """Declare this a restored copy where it is one; returns whether it was."""
        why = self._behind() or self._promoted()
        if why:
            self.declare(why)
        self._checked = True
        return bool(why)

    def is_promoted(self) -> bool:
        """Whether the server is another since the last epoch; one statement. Declares it then."""
        why = self._promoted()
        if why:
            self.declare(why)
        return bool(why)

    def declare(self, why: str) -> None:
        """Pause every service; a new epoch begins with that, so that it is declared once."""
        with transaction.atomic():
            restored_copy.declare(why, at=database_now())
            raised = _raise()
        self._write(raised)

    def keep(self) -> None:
        """With every beat: look, and raise the epoch where the last was raised a while ago or this process is new."""
        if self.check():
            return
        newest, now = Epoch.objects.first(), database_now()
        if newest is None or newest.raised_at < now - EVERY or not self._raised:
            with suppress(IntegrityError):  # another process raised it at this moment
                with transaction.atomic():
                    _raise()
                Epoch.objects.filter(raised_at__lt=now - KEPT).delete()
            newest = Epoch.objects.first()
        self._raised = True
        if newest is not None:
            self._write(newest)

    def _behind(self) -> str:
        """Why this is a restored copy by what the files say; "" where it is none."""
        for kept in self._kept():
            if Epoch.objects.filter(number=kept.number, name=kept.name).exists():
                continue
            oldest = Epoch.objects.order_by("number").first()
            if oldest is not None and kept.number < oldest.number:
                continue  # forgotten
            found = RestoredCopy.objects.aggregate(last=Max("found_at"))["last"]
            if found is not None and kept.raised_at < found:
                continue  # of the same lost history, seen by another host
            if not Send.objects.exists():
                continue  # a new database beside old files: nothing to send twice
            return f"A file of this host knows epoch {kept.number} of {kept.raised_at:%-d %B %Y, %H:%M} UTC, and the database does not."
        return ""

    def _promoted(self) -> str:
        if self.lossless:
            return ""
        newest, present = Epoch.objects.first(), timeline()
        if newest is None or not newest.timeline < present or not newest.timeline:
            return ""
        return f"The database server was promoted or recovered: it is on timeline {present}, and was on {newest.timeline}."

    def _kept(self) -> Iterator[KeptEpoch]:
        for folder in self.folders:
            path = folder / FILE
            try:
                said = json.loads(path.read_text(encoding="utf-8"))
                yield KeptEpoch(
                    int(said["number"]), str(said["name"]), datetime.fromisoformat(said["raised_at"])
                )
            except FileNotFoundError:
                continue
            except (OSError, ValueError, KeyError, TypeError) as problem:
                log.error("epoch_unreadable", file=str(path), error=repr(problem)[:300])

    def _write(self, epoch: Epoch) -> None:
        said = {"number": epoch.number, "name": epoch.name, "raised_at": epoch.raised_at.isoformat()}
        for folder in self.folders:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                durable_file.put(folder / FILE, json.dumps(said).encode())
            except OSError as problem:
                log.error("epoch_not_kept", folder=str(folder), error=str(problem))


def _raise() -> Epoch:
    """In the transaction of the caller; the files are written once that is committed. Raises IntegrityError where another was first."""
    last = Epoch.objects.aggregate(last=Max("number"))["last"] or 0
    return Epoch.objects.create(
        number=last + 1, name=secrets.token_hex(16), raised_at=database_now(), timeline=timeline()
    )


epochs = Epochs()  # of the process; `sms.apps` gives it its folders
