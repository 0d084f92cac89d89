"""Archive files: written once, synced, read block by block, replaced as a whole. Knows bytes and keys, no messages.

A file is MAGIC, a line of JSON for a person who finds it, and blocks in a row. Each block is AES-256-GCM with the file's own key;
its place in the file is part of what is authenticated, so that no block can be exchanged for another. Where a block begins is in the
manifest (`sms.models.archive`).
"""

import base64
import contextlib
import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sms.values import durable_file

MAGIC = b"textdesk archive 1\n"
NONCE = 12
SUFFIX = ".tda"


class ArchiveError(RuntimeError):
    """An archive that cannot be read; the text says which, and what to do. One root, so that a page catches all of it."""


class Missing(ArchiveError):
    """Its file is not where it should be."""


class Damaged(ArchiveError):
    """Its file is there and does not hold what was written."""


@dataclass(frozen=True, slots=True)
class Placed:
    offset: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class WrittenArchive:
    blocks: list[Placed]
    sha256: str
    size: int


def new_key() -> str:
    """256 random bits for one file, as text."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def new_name(slug: str, *, month: str) -> str:
    """A name that no file has: folder of the service, month of the run, and chance."""
    return f"{slug}/{month}-{secrets.token_hex(8)}{SUFFIX}"


@dataclass(slots=True)
class Store:
    """The folder of all archives. Several hosts share one by a shared path."""

    folder: Path | None = None

    def write(
        self, name: str, blocks: Iterable[bytes], *, key: str, about: dict[str, object]
    ) -> WrittenArchive:
        """Encrypt the blocks into a new file; returns once file and name are on the disk. Raises ArchiveError where they are not."""
        path, box = self._path(name), AESGCM(base64.b64decode(key))
        head = MAGIC + json.dumps(about, sort_keys=True).encode() + b"\n"
        placed, whole, at = list[Placed](), hashlib.sha256(head), len(head)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with durable_file.created(path) as file:
                file.write(head)
                for number, block in enumerate(blocks):
                    nonce = secrets.token_bytes(NONCE)
                    sealed = nonce + box.encrypt(nonce, block, _place(name, number))
                    file.write(sealed)
                    whole.update(sealed)
                    placed.append(Placed(at, len(sealed), hashlib.sha256(sealed).hexdigest()))
                    at += len(sealed)
            durable_file.sync_folder(path.parent.parent)
        except OSError as problem:
            raise ArchiveError(
                f"The archive file {name} cannot be written ({problem.strerror}). Make room, or make ARCHIVE_DIR writable."
            ) from None
        return WrittenArchive(placed, whole.hexdigest(), at)

    def read(self, name: str, number: int, placed: Placed, *, key: str) -> bytes:
        """One block, decrypted. Raises Missing or Damaged."""
        try:
            with self._path(name).open("rb") as file:
                file.seek(placed.offset)
                sealed = file.read(placed.length)
        except OSError as problem:
            raise _missing(name, problem) from None
        if len(sealed) != placed.length or hashlib.sha256(sealed).hexdigest() != placed.sha256:
            raise Damaged(f"Block {number} of the archive file {name} is not as it was written. {WAY_OUT}")
        try:
            box = AESGCM(base64.b64decode(key))
            return box.decrypt(sealed[:NONCE], sealed[NONCE:], _place(name, number))
        except (InvalidTag, ValueError):
            raise Damaged(
                f"Block {number} of the archive file {name} does not open with its key. {WAY_OUT}"
            ) from None

    def digest(self, name: str) -> tuple[str, int]:
        """SHA-256 and size of a whole file. Raises Missing."""
        found, size = hashlib.sha256(), 0
        try:
            with self._path(name).open("rb") as file:
                while part := file.read(1 << 20):
                    found.update(part)
                    size += len(part)
        except OSError as problem:
            raise _missing(name, problem) from None
        return found.hexdigest(), size

    def remove(self, name: str) -> None:
        """Delete a file, if it is there; raises ArchiveError where it stays."""
        try:
            with contextlib.suppress(FileNotFoundError):
                self._path(name).unlink()
        except OSError as problem:
            raise ArchiveError(
                f"The archive file {name} cannot be deleted ({problem.strerror}). Make ARCHIVE_DIR writable for this user."
            ) from None

    def names(self) -> Iterator[str]:
        if self.folder is not None and self.folder.is_dir():
            for path in sorted(self.folder.rglob(f"*{SUFFIX}")):
                yield path.relative_to(self.folder).as_posix()

    def _path(self, name: str) -> Path:
        if self.folder is None:
            raise ArchiveError("No folder is set for archives. Set ARCHIVE_DIR.")
        return self.folder / name


WAY_OUT = "Put the file back from a backup, and run manage.py verify_archives."


def _missing(name: str, problem: OSError) -> Missing:
    return Missing(
        f"The archive file {name} cannot be read here ({problem.strerror}). Where there are several hosts, ARCHIVE_DIR must lead "
        "all of them to the same folder; otherwise put the file back from a backup."
    )


def _place(name: str, number: int) -> bytes:
    return f"{name}#{number}".encode()


store = Store()
