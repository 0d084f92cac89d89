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
from django.db import DatabaseError, InterfaceError, OperationalError

from sms.inbound.receipts.incoming import Incoming
from sms.values import durable_file

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
        sizes = []
        for path in self._files("*.spool", "*.taken"):
            with contextlib.suppress(OSError):
                sizes.append(path.stat().st_size)
        return len([size for size in sizes if size]), sum(sizes)

    def kept(self) -> int:
        """Files with records that could not be brought in; a person has to look."""
        return len(self._files("*.kept"))

    def sweep(self, insert: Callable[[Sequence[Incoming]], object], *, files: int = 50) -> int:
        """Bring in what waits, through `insert`; returns how many records.

        Raises where the database is away; the file then stays. A file that cannot be opened, and a record that the database refuses
        for good, holds up no other: the first is logged, the second is kept in a file beside.
        """
        done = 0
        for path in self._files("*.taken", "*.spool")[:files]:
            try:
                done += self._bring_in(path, insert)
            except OSError as problem:
                log.error("spool_file_unusable", file=str(path), error=str(problem))
        return done

    @staticmethod
    def rewritten(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
        """A file's records with what came in changed, each with a checksum that fits; what is damaged is changed as it lies there."""
        parts, at = list[bytes](), 0
        while at < len(data):
            found, end = _record_at(data, at)
            if found is None:
                following = data.find(MAGIC, at + 1)
                end = following if following > 0 else len(data)
                parts.append(change(data[at:end]))
            else:
                raw = change(found.raw)
                parts.append(
                    _record(msgspec.structs.replace(found, raw=raw)) if raw != found.raw else data[at:end]
                )
            at = end
        return b"".join(parts)

    def _bring_in(self, path: Path, insert: Callable[[Sequence[Incoming]], object]) -> int:
        with _taken(path) as (taken, fd):
            if fd is None:
                return 0
            records, damaged = _read(fd)
            refused: list[Incoming] = []
            for start in range(0, len(records), CHUNK):
                refused += _insert(records[start : start + CHUNK], insert)
            if damaged:
                log.error("spool_damaged", file=str(taken), bytes=damaged)
                taken.replace(taken.with_suffix(".kept"))
            else:
                if refused:
                    _keep(taken.with_suffix(".kept"), refused)
                taken.unlink(missing_ok=True)
            return len(records) - len(refused)

    def _files(self, *patterns: str) -> list[Path]:
        if self.folder is None or not self.folder.is_dir():
            return []
        return [path for pattern in patterns for path in sorted(self.folder.glob(pattern))]

    def _own_file(self) -> int:
        """Our file, open and locked; a new one after a fork, or where a sweep took it."""
        if self._fd is not None and self._path is not None and self._pid == os.getpid():
            # never wait: a sweep holds the lock for as long as the database takes
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._path.stat().st_ino == os.fstat(self._fd).st_ino:
                    return self._fd
            self._leave()
        if self.folder is None:
            raise OSError("no spool folder is set")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{os.getpid()}-{secrets.token_hex(6)}.spool"
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
            self._leave()
            raise
        self._leave()  # a sweep took the empty file before we had its lock
        return self._own_file()

    def _leave(self) -> None:
        """Close our file, which gives its lock back; a sweep finds it."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd = self._path = None


@contextlib.contextmanager
def _taken(path: Path) -> Iterator[tuple[Path, int | None]]:
    """The file under a name and a lock of our own; None where another process has it, or had it."""
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


def _insert(batch: Sequence[Incoming], insert: Callable[[Sequence[Incoming]], object]) -> list[Incoming]:
    """Those that the database refuses for good, found by halving; raises where it is away."""
    try:
        insert(batch)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError as problem:
        if len(batch) == 1:
            log.error("spool_record_refused", service=batch[0].service_id, error=str(problem)[:300])
            return list(batch)
        middle = len(batch) // 2
        return _insert(batch[:middle], insert) + _insert(batch[middle:], insert)
    return []


def _keep(path: Path, records: Sequence[Incoming]) -> None:
    """Records for a person to look at; durable before the file that they came in goes."""
    durable_file.append(path, b"".join(_record(item) for item in records))


def _record(item: Incoming) -> bytes:
    payload = _encode(item)
    return HEAD.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload


def _read(fd: int) -> tuple[list[Incoming], int]:
    """The whole records of a file, and how many of its bytes are damaged. A tail that ends too early was torn, which is no damage."""
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
        if following < 0:
            if not _ends_early(data, at):
                damaged += len(data) - at
            break
        skipped += following - at
        at = following
    return records, damaged


def _ends_early(data: bytes, at: int) -> bool:
    """Whether what begins here is a record whose end was never written; it had not been answered for."""
    if len(data) - at < HEAD.size:
        return True
    magic, length, _ = HEAD.unpack_from(data, at)
    return magic == MAGIC and len(data) - at - HEAD.size < length


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


spool = Spool()
