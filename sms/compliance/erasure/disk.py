"""Files of this host: what waits for the database, and whatever lies beside it. The number's digits are overwritten with zeros.

As many bytes stand where the number stood, so that a process that writes on at the end of a log never notices, and no line is lost. What
has checksums or is compressed is written anew and takes the old file's name. The audit's checkpoints are proofs and hold no texts: they
are looked at and never touched. The desk writes its own log to the standard error stream; what a collector made of it is elsewhere.
"""

import contextlib
import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sms.compliance.erasure.subject import Subject
from sms.inbound import optouts, receipts
from sms.inbound.optouts import inbound_spool
from sms.inbound.receipts import spool

PIECE, OVERLAP = 1 << 20, 256
SUFFIX = ".erasing"
ELSEWHERE = ("archive", "static", "spool", "inbound")  # erased by code of their own, or made of our sources
PROOFS = "audit"


@dataclass(slots=True)
class FileSearch:
    """Files that were looked through, those that were changed, and those that name the number still."""

    files: int = 0
    changed: list[str] = field(default_factory=list)
    naming: list[str] = field(default_factory=list)


def bring_in() -> None:
    """What waits comes into the database first, so that it is erased there."""
    receipts.sweep()
    optouts.sweep()


def zeroed(content: bytes, subject: Subject, *, begins: bool = True, ends: bool = True) -> bytes:
    """As many bytes, with zeros for the digits of the number. Of a piece of a file: not what its edges may have cut."""
    text = content.decode("utf-8", "surrogateescape")
    parts, at = list[str](), 0
    for start, end in subject.mention.spans(text):
        if (start == 0 and not begins) or (end == len(text) and not ends):
            continue
        parts += [
            text[at:start],
            "".join("0" * len(one.encode()) if one.isdecimal() else one for one in text[start:end]),
        ]
        at = end
    return "".join([*parts, text[at:]]).encode("utf-8", "surrogateescape") if parts else content


# --- what waits for the database -----------------------------------------------------------------------------------------


def erase_waiting(subject: Subject) -> int:
    """What could not be brought in and waits for a person; returns files changed."""
    changed = 0
    for path, rewritten in _waiting():
        before = path.read_bytes()
        after = rewritten(before, lambda content: zeroed(content, subject))
        if after != before:
            _put(path, after)
            changed += 1
    return changed


def left_waiting(subject: Subject) -> int:
    """Files that hold it."""
    return sum(
        zeroed(content, subject) != content for path, _ in _waiting() for content in (path.read_bytes(),)
    )


def _waiting() -> "Iterator[tuple[Path, Callable[[bytes, Callable[[bytes], bytes]], bytes]]]":
    """Files that no process writes any more, and how each is changed."""
    for folder, rewritten in ((spool.folder, spool.rewritten), (inbound_spool.folder, _plain)):
        if folder is not None and folder.is_dir():
            yield from (
                (path, rewritten)
                for path in sorted(folder.iterdir())
                if path.is_file() and path.suffix not in (".spool", ".taken", ".sms")
            )


def _plain(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return change(content)


def _put(path: Path, content: bytes) -> None:
    """A file of other content under the same name: the whole of one of them is there at any moment."""
    part = path.with_name(path.name + SUFFIX)
    with part.open("wb") as file:
        os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


# --- logs and other leavings ---------------------------------------------------------------------------------------------


def erase_logs(subject: Subject, folder: Path) -> FileSearch:
    """Whatever else lies under the folder of this host's state; most of it names nobody by design."""
    return _look(subject, folder, change=True)


def logs(subject: Subject, folder: Path) -> FileSearch:
    """The same, only looked at."""
    return _look(subject, folder, change=False)


def _look(subject: Subject, folder: Path, *, change: bool) -> FileSearch:
    looked = FileSearch()
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = path.relative_to(folder).parts
        if inside[0] in ELSEWHERE or path.is_symlink() or not path.is_file() or ".sqlite3" in path.name:
            continue
        looked.files += 1
        name = "/".join(inside)
        try:
            if not _names(path, subject):
                continue
            if change and inside[0] != PROOFS and _is_text(path):
                _erase_file(path, subject)
                looked.changed.append(name)
            if _names(path, subject):
                looked.naming.append(name)
        except OSError:  # not ours to read or to write
            looked.naming.append(name)
    return looked


def _is_text(path: Path) -> bool:
    """A log, plain or packed. Zeros in the middle of another program's file, as a database, could break it: a person deletes that."""
    with path.open("rb") as file:
        return path.suffix == ".gz" or b"\0" not in file.read(PIECE)


def _names(path: Path, subject: Subject) -> bool:
    if (whole := _unpacked(path)) is not None:
        return zeroed(whole, subject) != whole
    with path.open("rb") as file:
        return any(after != part for _, part, after in _pieces(file.fileno(), subject))


def _erase_file(path: Path, subject: Subject) -> None:
    if (whole := _unpacked(path)) is not None:
        _put(path, gzip.compress(zeroed(whole, subject)))
        return
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        for at, part, after in _pieces(fd, subject):
            for start in (
                place for place in range(len(part)) if after != part and part[place] != after[place]
            ):
                os.pwrite(fd, after[start : start + 1], at + start)
        os.fsync(fd)
    finally:
        os.close(fd)


def _unpacked(path: Path) -> bytes | None:
    """What a log that was turned over and packed holds; None for every other file."""
    if path.suffix == ".gz":
        with contextlib.suppress(gzip.BadGzipFile, EOFError, zlib.error):
            return gzip.decompress(path.read_bytes())
    return None


def _pieces(fd: int, subject: Subject) -> Iterator[tuple[int, bytes, bytes]]:
    """Where a piece of the file begins, the piece, and the piece without the number."""
    at = 0
    while part := os.pread(fd, PIECE + OVERLAP, at):
        last = len(part) < PIECE + OVERLAP
        yield at, part, zeroed(part, subject, begins=at == 0, ends=last)
        if last:
            return
        at += PIECE
