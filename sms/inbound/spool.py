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
from sms.models.sql.trouble import is_of_the_database
from sms.values import durable_file

log = structlog.get_logger(__name__)

FULL = 4_000_000  # bytes after which a new file is begun, so that one sweep is short
MOST = 10_000  # files; then the disk counts as full
CHUNK = 500  # posts brought in by one transaction


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

        Raises where the database is away; the file then stays. A file that cannot be opened, and a post that is refused for good, hold
        up no other: the one is told in the log, the other is kept in a file beside.
        """
        done = 0
        for path in self._files("*.taken", "*.spool"):
            if files <= 0:
                break
            try:
                files -= path.stat().st_size > 0  # an empty one, as a full disk left them once, only goes
                done += self._bring_in(path, insert)
            except FileNotFoundError:
                continue  # another process took it
            except OSError as problem:
                files -= 1
                log.error("spool_file_unusable", file=str(path), error=str(problem))
        return done

    def take_in_kept(self, insert: Callable[[Sequence[Post]], object]) -> int:
        """Bring in what could not be before; returns how many posts. What is refused again, or damaged, is kept again.

        Raises where the database is away; the next sweep then goes on.
        """
        again = [path.replace(path.with_suffix(".spool")) for path in self._files("*.kept")]
        return sum(self._bring_in(path, insert) for path in again)

    def _bring_in(self, path: Path, insert: Callable[[Sequence[Post]], object]) -> int:
        with _taken(path) as taken:
            if taken is None:
                return 0
            posts, damaged = self.format.read(taken.read_bytes())
            refused: list[Post] = []
            for start in range(0, len(posts), CHUNK):
                refused += _insert(posts[start : start + CHUNK], insert)
            kept = taken.with_suffix(".kept")
            if damaged:
                log.error("spool_damaged", file=str(taken), bytes=damaged)
                taken.replace(kept)
            else:
                if refused:  # durable before the file that they came in goes
                    durable_file.put(kept, self.format.packed(refused))
                taken.unlink(missing_ok=True)
            return len(posts) - len(refused)

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


def _insert(batch: Sequence[Post], insert: Callable[[Sequence[Post]], object]) -> list[Post]:
    """Those that are refused for good, found by halving; raises where the database is away or damaged."""
    try:
        insert(batch)
    except Exception as problem:  # the service is gone, for example
        if is_of_the_database(problem):
            raise
        if len(batch) == 1:
            log.error("spool_record_refused", service=batch[0].service_id, error=repr(problem)[:300])
            return list(batch)
        middle = len(batch) // 2
        return _insert(batch[:middle], insert) + _insert(batch[middle:], insert)
    return []
