"""Where receipts wait while the database is away: files of their own for each process, synced to the disk before we say 200.

A file is a run of records: MAGIC, length, CRC-32, payload. A writer appends under a lock and starts a new file when its own was taken.
`sweep` takes files by renaming them, brings their records in, and removes them; it may run in many processes and may be killed
anywhere, since a receipt that comes in twice is one receipt. What was torn by a crash had not been answered with 200.
"""

import contextlib
import fcntl
import os
import secrets
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from sms.receipts.incoming import Incoming

log = structlog.get_logger(__name__)

MAGIC = b"\xf5SP1"
HEAD = struct.Struct(">4sII")
FULL = 4_000_000  # bytes after which a new file is begun, so that one sweep is short
CHUNK = 500  # receipts brought in by one transaction

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Incoming).decode


@dataclass(slots=True)
class Spool:
    """One folder of spool files, shared by all processes of a host."""

    folder: Path | None = None
    _fd: int | None = None
    _pid: int = 0
    _path: Path | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, batch: Sequence[Incoming]) -> None:
        """Return once all are on the disk; raises OSError (no room, not writable), with nothing half-written left."""
        block = b"".join(_record(item) for item in batch)
        with self._lock:
            fd = self._own_file()
            size = os.fstat(fd).st_size
            try:
                view = memoryview(block)
                while view:
                    view = view[os.write(fd, view) :]
                os.fsync(fd)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(fd, size)
                self._leave()
                raise
            if size + len(block) > FULL:
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

    def sweep(self, insert: Callable[[Sequence[Incoming]], object], *, files: int = 50) -> int:
        """Bring in what waits, through `insert`; returns how many records. Raises what `insert` raised; the file then stays."""
        done = 0
        for path in self._files("*.taken", "*.spool")[:files]:
            with _taken(path) as (taken, fd):
                if fd is None:
                    continue
                records, torn = _read(fd)
                for start in range(0, len(records), CHUNK):
                    insert(records[start : start + CHUNK])
                done += len(records)
                if torn:
                    log.error("spool_damaged", file=str(taken), bytes=torn)
                    taken.replace(taken.with_suffix(".kept"))
                else:
                    taken.unlink(missing_ok=True)
        return done

    def _files(self, *patterns: str) -> list[Path]:
        if self.folder is None or not self.folder.is_dir():
            return []
        return [path for pattern in patterns for path in sorted(self.folder.glob(pattern))]

    def _own_file(self) -> int:
        """Our file, open and locked; a new one after a fork, or where a sweep took it."""
        if self._fd is not None and self._path is not None and self._pid == os.getpid():
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if self._path.stat().st_ino == os.fstat(self._fd).st_ino:
                    return self._fd
            self._leave()
        if self.folder is None:
            raise OSError("no spool folder is set")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{os.getpid()}-{secrets.token_hex(6)}.spool"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._fd, self._path, self._pid = fd, path, os.getpid()
        fcntl.flock(fd, fcntl.LOCK_EX)
        if not path.exists():  # a sweep took the empty file before we had its lock
            self._leave()
            return self._own_file()
        _sync_folder(self.folder)
        return fd

    def _leave(self) -> None:
        """Close our file, which gives its lock back; a sweep finds it."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd = self._path = None


@contextlib.contextmanager
def _taken(path: Path) -> Iterator[tuple[Path, int | None]]:
    """The file under a name and a lock of our own; None where somebody else has it, or had it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield path, None
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = path.stat().st_ino == os.fstat(fd).st_ino
        except (BlockingIOError, FileNotFoundError):
            same = False
        if not same:
            yield path, None
            return
        taken = path.with_suffix(".taken")
        if taken != path:
            path.replace(taken)
        yield taken, fd
    finally:
        os.close(fd)


def _record(item: Incoming) -> bytes:
    payload = _encode(item)
    return HEAD.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload


def _read(fd: int) -> tuple[list[Incoming], int]:
    """The whole records of a file, and how many bytes before its last whole record are damaged. A torn tail is not damage."""
    os.lseek(fd, 0, os.SEEK_SET)
    parts = []
    while part := os.read(fd, 1 << 20):
        parts.append(part)
    data = b"".join(parts)
    records, at, damaged, skipped = [], 0, 0, 0
    while at < len(data):
        found, end = _record_at(data, at)
        if found is not None:
            records.append(found)
            damaged, skipped, at = damaged + skipped, 0, end
            continue
        following = data.find(MAGIC, at + 1)
        following = len(data) if following < 0 else following
        skipped += following - at
        at = following
    return records, damaged


def _record_at(data: bytes, at: int) -> tuple[Incoming | None, int]:
    if len(data) - at < HEAD.size:
        return None, at
    magic, length, crc = HEAD.unpack_from(data, at)
    payload = data[at + HEAD.size : at + HEAD.size + length]
    if magic != MAGIC or len(payload) != length or zlib.crc32(payload) != crc:
        return None, at
    try:
        return _decode(payload), at + HEAD.size + length
    except msgspec.MsgspecError:
        return None, at


def _sync_folder(folder: Path) -> None:
    """A new file is durable once its name is."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


spool = Spool()
