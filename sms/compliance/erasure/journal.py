"""Digests of erased numbers, beside the archives: a restored backup of the database knows nothing of erasures since.

In a folder they are lines of one file. In a bucket, where nothing is appended to, each is an object.
"""

import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sms.compliance.archive import store
from sms.values import durable_file

NAME = "erased.jsonl"
IN_BUCKET = "erased"


def add(slug: str, digest: str, *, at: datetime) -> None:
    """Note one; it is kept when this returns. Raises OSError."""
    path = _path()
    line = json.dumps({"service": slug, "digest": digest, "at": at.isoformat(timespec="seconds")}).encode()
    if store.bucket is not None:
        store.note(f"{IN_BUCKET}/{at:%Y-%m-%dT%H%M%S}-{secrets.token_hex(8)}.jsonl", line + b"\n")
    elif path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable_file.append(path, line + b"\n")


def of(slug: str) -> Iterator[str]:
    """Those of the folder too where there is a bucket: it may have been set later. Raises OSError."""
    path = _path()
    if path is not None and path.exists():
        yield from read(path, slug)
    if store.bucket is not None:
        for note in store.notes(IN_BUCKET):
            yield from _among(note.decode("utf-8", "replace"), slug)


def read(path: Path, slug: str) -> Iterator[str]:
    yield from _among(path.read_text(encoding="utf-8"), slug)


def _among(text: str, slug: str) -> Iterator[str]:
    """Digests of a service in a list; lines that are none, such as a torn last one, are left out."""
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("service") == slug and isinstance(said.get("digest"), str):
            yield said["digest"]


def _path() -> Path | None:
    return None if store.folder is None else store.folder / NAME
