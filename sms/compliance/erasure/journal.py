"""Digests of erased numbers, in a file beside the archives: a restored backup of the database knows nothing of erasures since."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sms.compliance.archive import store
from sms.values import durable_file

NAME = "erased.jsonl"


def add(slug: str, digest: str, *, at: datetime) -> None:
    """Note one; it is on the disk when this returns. Raises OSError."""
    path = _path()
    if path is None:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps({"service": slug, "digest": digest, "at": at.isoformat(timespec="seconds")})
    durable_file.append(path, line.encode() + b"\n")


def of(slug: str) -> Iterator[str]:
    path = _path()
    if path is not None and path.exists():
        yield from read(path, slug)


def read(path: Path, slug: str) -> Iterator[str]:
    """Digests of a service in a list; lines that are none, such as a torn last one, are left out."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("service") == slug and isinstance(said.get("digest"), str):
            yield said["digest"]


def _path() -> Path | None:
    return None if store.folder is None else store.folder / NAME
