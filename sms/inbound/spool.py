"""Where the provider's posts wait while the database is away: files of each process, synced to the disk before we say 200.

A writer appends records (`spool_records`) under a lock and starts a new file when its own was taken. `sweep` takes files by renaming
them, brings their records in, and removes them; it may run in many processes and may be killed anywhere, since a post that comes in
twice is one. What was torn by a crash had not been answered with 200.
"""

import contextlib
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic

import structlog

from sms.inbound.spool_records import Post, RecordFormat
from sms.models.sql.trouble import is_of_the_database, may_be_of_one_alone
from sms.values import durable_file

log = structlog.get_logger(__name__)

FULL = 4_000_000  # bytes after which a new file is begun, so that one sweep is short
MOST = 10_000  # files; then the disk counts as full
MANY = 20  # posts of a file; where more end in timeouts it is the database
CHUNK = 500  # posts brought in by one transaction
TRIES = 10  # of a post that the database does not get done while it takes others
LONG = 1800.0  # seconds; by then operators know of a database that takes nothing
TRIED = "~"  # in a file's name, before how often


class Spool(Generic[Post]):
    """One folder for one kind of post, shared by all processes of a host. With `full` 0 every append has a file of its own."""

    def __init__(self, kind: type[Post], folder: Path | None = None, *, full: int = FULL) -> None:
        self.folder, self.format, self._full = folder, RecordFormat(kind), full
        self._fd: int | None = None
        self._path = Path()
        self._pid = 0
        self._lock = threading.Lock()

    def append(self, batch: Sequence[Post]) -> None:
        """Return once all are on the disk; raises OSError (no room, not writable), with nothing of them left there."""
        block = self.format.packed(batch)
        with self._lock:
            fd = self._own_file()
            size = os.fstat(fd).st_size
            try:
                durable_file.write(fd, block)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(fd, size)
                self._leave(remove=not size)
                raise
            if size + len(block) > self._full:
                self._leave()
            else:
                fcntl.flock(fd, fcntl.LOCK_UN)

    def waiting(self) -> tuple[int, int]:
        """Files that wait to be swept, and their bytes."""
        sizes = []
        for path in self._files("*.spool", "*.taken"):
            with contextlib.suppress(OSError):
                sizes.append(path.stat().st_size)
        return len([size for size in sizes if size]), sum(sizes)

    def kept(self) -> int:
        """Files with records that could not be brought in; a person has to look."""
        return len(self._files("*.kept"))

    def untouched(self) -> list[Path]:
        """Files that neither a writer nor a sweep has to do with."""
        others = (path for path in self._files("*") if path.suffix not in (".spool", ".taken"))
        return [path for path in others if path.is_file()]

    def sweep(self, insert: Callable[[Sequence[Post]], object], *, files: int = 50) -> int:
        """Bring in what waits through `insert`, the oldest file first; returns how many posts.

        Raises where the database is away; the file then stays. A file that cannot be opened, a post that is refused for good, and one that
        alone ends in a timeout or at a damaged page, hold up no other: the first is told in the log, the others are kept in a file beside,
        the last of them after TRIES. A try counts where the database took something else meanwhile, or LONG after it came.
        """
        done, alone = 0, list[_StuckError]()
        waiting = self._files("*.taken", "*.spool")
        while waiting and files > 0:
            # behind two of which nothing comes in, any one says whether the database takes something
            path = waiting.pop(secrets.randbelow(len(waiting)) if len(alone) > 1 and not done else 0)
            try:
                files -= path.stat().st_size > 0  # an empty one, as a full disk left them once, only goes
                done += self._bring_in(path, insert)
            except FileNotFoundError:
                continue  # another process took it
            except OSError as problem:
                files -= 1
                log.error("spool_file_unusable", file=str(path), error=str(problem))
            except _StuckError as problem:
                alone.append(problem)
                if len(alone) > 2 and not done:
                    break
        if alone and not done and not all(_is_old(one.taken) for one in alone):
            raise alone[0].why  # as far as is known, the database gets nothing done
        return done + self._try_alone(alone, insert)

    def take_in_kept(self, insert: Callable[[Sequence[Post]], object]) -> int:
        """Bring in what could not be before; returns how many posts. What is refused again, or damaged, is kept again.

        Raises where the database is away; the next sweep then goes on.
        """
        done, alone = 0, list[_StuckError]()
        for path in [path.replace(path.with_suffix(".spool")) for path in self._files("*.kept")]:
            try:
                done += self._bring_in(path, insert)
            except _StuckError as problem:
                alone.append(problem)
        return done + self._try_alone(alone, insert)

    def _try_alone(self, stuck: "Sequence[_StuckError]", insert: Callable[[Sequence[Post]], object]) -> int:
        """Files of which nothing came in, while the database took others or was asked for nothing else: each post for itself."""
        done = 0
        for one in stuck:
            why: Exception | None = None
            with contextlib.suppress(FileNotFoundError):  # another process took it
                try:
                    done += self._bring_in(one.taken, insert, well=True)
                except _StuckError as problem:
                    why = problem.why
            if why is not None:
                raise why  # out here, since its own cause says what kind it is
        return done

    def _bring_in(self, path: Path, insert: Callable[[Sequence[Post]], object], *, well: bool = False) -> int:
        """Raises _StuckError where nothing came in and the database is not known to be `well`; the file then stays."""
        with _taken(path) as taken:
            if taken is None:
                return 0
            posts, damaged = self.format.read(taken.read_bytes())
            found = _Sorting(insert, most_stuck=MANY if well else 1)
            try:
                for start in range(0, len(posts), CHUNK):
                    found.bring_in(posts[start : start + CHUNK])
                if found.stuck and not found.done and not well:
                    raise _TooManyError
            except _TooManyError:
                raise _StuckError(taken, found.why) from None
            kept = taken.with_suffix(".kept")
            if damaged:
                log.error("spool_damaged", file=str(taken), bytes=damaged)
                taken.replace(kept)
            else:  # durable before the file that they came in goes
                if found.refused:
                    durable_file.put(kept, self.format.packed(found.refused))
                if found.stuck:
                    durable_file.put(_next_name(taken), self.format.packed(found.stuck))
                taken.unlink(missing_ok=True)
            return found.done

    def _files(self, *patterns: str) -> list[Path]:
        if self.folder is None or not self.folder.is_dir():
            return []
        return [path for pattern in patterns for path in sorted(self.folder.glob(pattern))]

    def _own_file(self) -> int:
        """Our file, open and locked; a new one after a fork, or where a sweep took it."""
        if self.folder is None:
            raise OSError("no spool folder is set")
        if self._fd is not None and self._pid == os.getpid() and self._path.parent == self.folder:
            # never wait: a sweep holds the lock for as long as the database takes
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._path.stat().st_ino == os.fstat(self._fd).st_ino:
                    return self._fd
        self._leave()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sum(1 for _ in self.folder.iterdir()) >= MOST:
            raise OSError("the spool folder is full")
        path = self.folder / f"{time.time_ns()}-{secrets.token_hex(6)}.spool"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._fd, self._path, self._pid = fd, path, os.getpid()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists():
                durable_file.sync_folder(self.folder)
                return fd
        except BlockingIOError:
            pass
        except OSError:
            self._leave(remove=True)
            raise
        self._leave()  # a sweep took the empty file before we had its lock
        return self._own_file()

    def _leave(self, *, remove: bool = False) -> None:
        """Close our file, which gives its lock back; a sweep finds it, where it is not removed."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                if remove:
                    self._path.unlink()
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd = None


@contextlib.contextmanager
def _taken(path: Path) -> Iterator[Path | None]:
    """The file under a name and a lock of our own; None where another process has it, or had it."""
    with durable_file.left_behind(path) as free:
        yield path.replace(path.with_suffix(".taken")) if free else None


def _is_old(path: Path) -> bool:
    """By its name, which begins with when it was begun."""
    begun = path.name.partition("-")[0]
    return not begun.isdecimal() or time.time_ns() - int(begun) > LONG * 1e9


def _next_name(taken: Path) -> Path:
    """With one try more, for the next sweep; for a person after TRIES."""
    stem, _, tries = taken.stem.partition(TRIED)
    count = int(tries or 0) + 1
    log.error("spool_record_stuck", file=str(taken), tries=count)
    return taken.with_name(f"{stem}{TRIED}{count}{'.kept' if count >= TRIES else '.spool'}")


class _TooManyError(Exception):
    """It looks as if the database were to blame."""


class _StuckError(Exception):
    """Nothing of a file came in, be it for its own sake or the database's."""

    def __init__(self, taken: Path, why: Exception) -> None:
        super().__init__(taken, why)
        self.taken, self.why = taken, why


class _Sorting(Generic[Post]):
    """Brings the posts of a file in, and finds by halving which cannot be. Raises where the database is away, and _TooManyError where
    more than `most_stuck` were not got done; once some are, it is MANY."""

    def __init__(self, insert: Callable[[Sequence[Post]], object], *, most_stuck: int) -> None:
        self._insert, self._most_stuck = insert, most_stuck
        self.done = 0
        self.refused: list[Post] = []  # for good
        self.stuck: list[Post] = []
        self.why: Exception = Exception()

    def bring_in(self, batch: Sequence[Post]) -> None:
        try:
            self._insert(batch)
        except Exception as problem:  # the service is gone, for example
            stuck = may_be_of_one_alone(problem)
            if is_of_the_database(problem) and not stuck:
                raise
            if len(batch) > 1:
                for part in _ends_first(batch) if stuck and not self.done else _halves(batch):
                    self.bring_in(part)
            elif stuck:
                self.stuck.append(batch[0])
                self.why = problem
                if len(self.stuck) > (MANY if self.done else self._most_stuck):
                    raise _TooManyError from None
            else:
                log.error("spool_record_refused", service=batch[0].service_id, error=repr(problem)[:300])
                self.refused.append(batch[0])
        else:
            self.done += len(batch)


def _ends_first(batch: Sequence[Post]) -> list[Sequence[Post]]:
    return [part for part in (batch[:1], batch[-1:], batch[1:-1]) if part]


def _halves(batch: Sequence[Post]) -> list[Sequence[Post]]:
    middle = len(batch) // 2
    return [batch[:middle], batch[middle:]]
