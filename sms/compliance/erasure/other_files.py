"""Files under VAR_DIR that other programs put there, such as logs of a shell: searched for the number, and never changed.

Textdesk logs to the standard error stream and writes no log file. What the certificate names, a person deletes.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sms.compliance.erasure.naming import Subject

LONGEST_LINE = 1 << 20  # bytes read at once
# erased by code of their own, or collected from our sources
ELSEWHERE = ("archive", "static", "spool", "inbound")


@dataclass(slots=True)
class FileSearch:
    """How many files were searched, and those that hold the number or cannot be read."""

    files: int = 0
    found: list[str] = field(default_factory=list)


def search(subject: Subject) -> FileSearch:
    """Search the files of this host's folder, packed logs too."""
    searched, folder = FileSearch(), subject.folder
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = path.relative_to(folder).parts
        if inside[0] in ELSEWHERE or path.is_symlink() or not path.is_file() or ".sqlite3" in path.name:
            continue
        searched.files += 1
        try:
            holds = any(subject.mention.found(line.decode("utf-8", "replace")) for line in _lines(path))
        except (OSError, EOFError, zlib.error):
            holds = True
        if holds:
            searched.found.append("/".join(inside))
    return searched


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from iter(partial(file.readline, LONGEST_LINE), b"")
