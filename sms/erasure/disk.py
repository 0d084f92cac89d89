"""Files of this host: what waits for the database, and whether logs are as free of numbers as they are made to be."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sms import optout, receipts
from sms.erasure.subject import Subject
from sms.optout import shelf
from sms.receipts import spool

WAITING = (spool, shelf)
OVERWRITE = b"0"
NOT_LOGS = ("archive", "static", "audit", "spool", "inbound")
LARGEST = 2_000_000_000


@dataclass(slots=True)
class Looked:
    """Files that were looked through, and those that name the number."""

    files: int = 0
    naming: list[str] = field(default_factory=list)


def bring_in() -> None:
    """What waits comes into the database first, so that it is erased there."""
    receipts.sweep()
    optout.sweep()


def erase_waiting(subject: Subject) -> int:
    """What could not be brought in and waits for a person: the number's digits are overwritten with zeros. Returns files changed."""
    changed = 0
    for path in _waiting():
        content = path.read_bytes()
        after = content
        for needle in subject.needles:
            after = after.replace(needle, OVERWRITE * len(needle))
        if after == content:
            continue
        part = path.with_suffix(".erasing")
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        changed += 1
    return changed


def left_waiting(subject: Subject) -> int:
    """Files that hold it."""
    return sum(any(needle in path.read_bytes() for needle in subject.needles) for path in _waiting())


def _waiting() -> Iterator[Path]:
    for place in WAITING:
        folder = place.folder
        if folder is not None and folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".spool")


def logs(subject: Subject, folder: Path) -> Looked:
    """Log files and other leavings under a folder: numbers are masked in them by design, and this proves it or says where not."""
    looked = Looked()
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = path.relative_to(folder).parts
        if (
            inside[0] in NOT_LOGS
            or not path.is_file()
            or ".sqlite3" in path.name
            or path.stat().st_size > LARGEST
        ):
            continue
        looked.files += 1
        if _holds(path, subject.needles):
            looked.naming.append("/".join(inside))
    return looked


def _holds(path: Path, needles: tuple[bytes, ...]) -> bool:
    longest, before = max(map(len, needles)), b""
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            if any(needle in before + part for needle in needles):
                return True
            before = part[-longest:]
    return False
