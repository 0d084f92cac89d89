"""Is this database an earlier state of itself? A restored backup, or a standby that had not all of it, sends again what was sent since.

An epoch is raised now and then: committed first, then named in files outside the database, so that no crash leaves a file ahead. A file
that names an epoch which the database does not have was written beside a later state of it. Any one file tells, on any host, and the one
in the bucket of archives tells all hosts; where there is none, nothing is known. A PostgreSQL that was promoted or recovered to a moment
says so by itself, by its timeline, and one that a dump was restored into by its numbers (`sms.models.sql.history`).

`check_once` comes before a process arms anything, `keep` with every beat, `is_another` with every claim and before messages are written.
What is posted is never far from an epoch: `before_arming` and `after_posting` raise one every few seconds.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_noop

from sms.dispatch import restored_copy
from sms.models import Epoch, RestoredCopy, Service
from sms.models.sql.history import history, last_and_present
from sms.models.sql.session import database_now
from sms.values import durable_file
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=45)  # a beat comes every half a minute, so this is once a minute
# where something was posted: a backup that is as young as the newest epoch is not known for one
SOON = timedelta(seconds=10)
KEPT = timedelta(days=3)  # an older file tells only whether its number is larger
FILE = "epoch.json"
LONGEST = 4096  # bytes of a file
NEVER = float("-inf")
REST = 600.0  # seconds for which a bucket that failed is left alone, so that no beat waits for it again and again
FAR = 1_000_000  # numbers that a new database leaves out: hosts write their files at different moments


# as heartbeats carry them
NOT_READ = KeptSentence(
    gettext_noop(
        "%(file)s cannot be read (%(problem)s), so it cannot tell whether this database is a restored copy. It is left as it is. "
        "Make it readable; or, if you know that the database is none, remove it."
    )
)
# the more special one first: a sentence is read back by the first that it fits
BUCKET_NOT_KEPT = KeptSentence(
    gettext_noop(
        "The bucket of archives does not keep how far the database is (%(problem)s), so it cannot tell of a restored copy."
    )
)
NOT_KEPT = KeptSentence(
    gettext_noop(
        "%(file)s does not keep how far the database is (%(problem)s), so it cannot tell of a restored copy."
    )
)


class Bucket(Protocol):
    """Where one more file is kept, for all hosts. Both raise OSError."""

    def part(self, name: str, start: int, length: int) -> bytes: ...
    def replace(self, name: str, content: bytes) -> None: ...


class KeptEpoch(msgspec.Struct, frozen=True):
    """What a file says."""

    number: Annotated[int, msgspec.Meta(ge=1, lt=2**62)]
    name: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    raised_at: Annotated[datetime, msgspec.Meta(tz=True)]


class Epochs:
    """Of one process: its folders and the bucket, and whether it has looked. `lossless`: a promoted standby had every commit."""

    def __init__(self) -> None:
        self.folders: Sequence[Path] = ()
        self.bucket: Bucket | None = None
        self.lossless = False
        self.forget()

    def forget(self) -> None:
        self._checked = self._not_in_bucket = False
        self._rests_until = 0.0
        self._unread: dict[
            Path | None, str
        ] = {}  # where what is kept cannot be read, and why; None is the bucket
        self._unwritten: dict[Path | None, str] = {}
        self._kept_at = self._raised_at = self._posted_at = NEVER  # seconds

    @property
    def trouble(self) -> str:
        """Why a restored copy may not be known for one, with what to do about it; empty where every file is as it should be."""
        for where, problem in self._unread.items():
            if where is not None:
                return NOT_READ(file=where, problem=problem)
        for where, problem in (self._unwritten | self._unread).items():
            return (
                BUCKET_NOT_KEPT(problem=problem) if where is None else NOT_KEPT(file=where, problem=problem)
            )
        return ""

    def check_once(self) -> None:
        """Before anything is armed by this process. Raises where the database is away: then nothing is armed."""
        if not self._checked:
            self.check()

    def check(self, *, bucket: bool = True) -> bool:
        """Declare this a restored copy where it is one; returns whether it was."""
        why = self._behind(bucket=bucket) or self._another()
        if why:
            self.declare(why)
        self._checked = True
        return bool(why)

    def is_another(self) -> bool:
        """Whether server or database are others than at the last epoch; one statement. Declares a restored copy then."""
        why = self._another()
        if why:
            self.declare(why)
        return bool(why)

    def before_arming(self) -> None:
        """While messages are posted, so that no more than SOON of them is without an epoch."""
        if self._is_time():
            self._keep(SOON, bucket=False)

    def posted(self) -> None:
        """A run that posted something is over."""
        self._posted_at = time.monotonic()

    def after_posting(self, *, leaving: bool) -> None:
        """Soon after the last was posted; at once by a process that ends."""
        if self._owes() and (leaving or self._is_time()):
            self._keep(timedelta() if leaving else SOON, bucket=False)

    def declare(self, why: str) -> None:
        """Pause every service; a new epoch begins with that, so that it is declared once."""
        with transaction.atomic():
            restored_copy.declare(why, at=database_now())
            raised = _raise()
        self._write(raised)
        self._write_to_bucket(raised)

    def keep(self) -> None:
        """With every beat: look, and raise the epoch where the last was raised a while ago or this process is new."""
        self._keep(SOON if self._owes() else EVERY, bucket=True)

    def _owes(self) -> bool:
        return self._posted_at > self._raised_at

    def _is_time(self) -> bool:
        return time.monotonic() - self._kept_at >= SOON.total_seconds()

    def _keep(self, every: timedelta, *, bucket: bool) -> None:
        self._kept_at = began = time.monotonic()
        if self.check(bucket=bucket):
            return
        newest, now = Epoch.objects.first(), database_now()
        if newest is None or newest.raised_at <= now - every or self._raised_at == NEVER:
            with suppress(IntegrityError):  # another process raised it at this moment
                with transaction.atomic():
                    _raise()
                Epoch.objects.filter(raised_at__lt=now - KEPT).delete()
                self._not_in_bucket = True
            self._raised_at = began
            newest = Epoch.objects.first()
        if newest is None:
            return
        self._write(newest)
        if bucket and self._not_in_bucket:
            self._not_in_bucket = False
            self._write_to_bucket(newest)

    def _behind(self, *, bucket: bool) -> str:
        """Why this is a restored copy by what the files say; "" where it is none."""
        for where, kept in self._kept(bucket=bucket):
            if Epoch.objects.filter(number=kept.number, name=kept.name).exists():
                continue
            oldest = Epoch.objects.order_by("number").first()
            if oldest is not None and kept.number < oldest.number:
                continue  # forgotten
            found = RestoredCopy.objects.aggregate(last=Max("found_at"))["last"]
            if found is not None and kept.raised_at < found:
                continue  # of the same lost history, seen by another host
            if not Service.objects.exists():
                self._begin_anew(kept)
                continue
            return f"{where} knows epoch {kept.number} of {kept.raised_at:%-d %B %Y, %H:%M} UTC, and the database does not."
        return ""

    def _another(self) -> str:
        last, present = last_and_present()
        if present.is_of_another(last):
            return f"The database was restored from a dump, or moved: it is number {present.identity}, and was {last.identity}."
        if 0 < last.timeline < present.timeline and not self.lossless:
            return f"The database server was promoted or recovered: it is on timeline {present.timeline}, and was on {last.timeline}."
        return ""

    def _begin_anew(self, kept: KeptEpoch) -> None:
        """A new database beside old files: each service to come has its own key for correlation IDs, and so shares none with the past.
        Its numbers begin beyond those of all files, so that they are of a forgotten past when there are services."""
        with suppress(IntegrityError):  # another process began it at this moment
            with transaction.atomic():
                Epoch.objects.all().delete()
                raised = _raise(beyond=kept.number + FAR)
            self._write(raised)
            self._write_to_bucket(raised)

    def _kept(self, *, bucket: bool) -> Iterator[tuple[str, KeptEpoch]]:
        """What each file says, behind a phrase for where it is."""
        for folder in self.folders:
            path, kept = folder / FILE, None
            try:
                kept = _READ.decode(path.read_bytes())
            except FileNotFoundError:
                pass
            except (OSError, ValueError) as problem:
                self._unread[path] = _words(problem)
                log.error("epoch_unreadable", file=str(path), error=self._unread[path])
                continue
            self._unread.pop(path, None)
            if kept is not None:
                yield "A file of this host", kept
        if self.bucket is None or not bucket or time.monotonic() < self._rests_until:
            return
        kept = None
        try:
            kept = _READ.decode(self.bucket.part(FILE, 0, LONGEST))
        except FileNotFoundError:
            pass
        except OSError as problem:
            self._bucket_failed(problem)
            return
        except ValueError as problem:
            self._unread[None] = _words(problem)
            log.error("epoch_unreadable", file="bucket", error=self._unread[None])
            return
        self._unread.pop(None, None)
        self._unwritten.pop(None, None)
        if kept is not None:
            yield "The bucket of archives", kept

    def _write(self, epoch: Epoch) -> None:
        """What cannot be read stays as it is: it may be all that tells of a restored copy."""
        for folder in self.folders:
            path = folder / FILE
            if path in self._unread:
                continue
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                durable_file.put(path, _said(epoch))
            except OSError as problem:
                self._unwritten[path] = _words(problem)
                log.error("epoch_not_kept", folder=str(folder), error=self._unwritten[path])
            else:
                self._unwritten.pop(path, None)

    def _write_to_bucket(self, epoch: Epoch) -> None:
        """By who raised one alone: a request a minute of each process that posts, and one of all others together."""
        if self.bucket is None or None in self._unread or time.monotonic() < self._rests_until:
            return
        try:
            self.bucket.replace(FILE, _said(epoch))
        except OSError as problem:
            self._bucket_failed(problem)
        else:
            self._unwritten.pop(None, None)

    def _bucket_failed(self, problem: OSError) -> None:
        self._rests_until = time.monotonic() + REST
        self._unwritten[None] = _words(problem)
        log.error("epoch_bucket_away", error=self._unwritten[None])


def _words(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"[:120]


def _said(epoch: Epoch) -> bytes:
    return msgspec.json.encode(KeptEpoch(epoch.number, epoch.name, epoch.raised_at))


def _raise(*, beyond: int = 0) -> Epoch:
    """In the transaction of the caller; the files are written once that is committed. Raises IntegrityError where another was first."""
    last, present = max(Epoch.objects.aggregate(last=Max("number"))["last"] or 0, beyond), history()
    return Epoch.objects.create(
        number=last + 1,
        name=secrets.token_hex(16),
        raised_at=database_now(),
        timeline=present.timeline,
        identity=present.identity,
    )


_READ = msgspec.json.Decoder(KeptEpoch)
epochs = Epochs()  # of the process; `sms.apps` gives it its folders
