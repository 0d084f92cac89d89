"""Archive files: written once, read block by block, replaced as a whole. Knows bytes and keys, no messages.

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
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.translation import gettext_noop

from sms.compliance.archive.places import AT_ONCE, ArchiveFolder
from sms.words import KeptSentence

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


class _Chunks(File):
    """What a storage saves, made while it is written."""

    def __init__(self, made: Iterator[bytes]) -> None:
        super().__init__(None)
        self._made = made

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        return self._made


@dataclass(slots=True)
class Store:
    """The place of all archives, which several hosts share: a bucket where one is set, or else a folder."""

    folder: Path | None = None
    bucket: Storage | None = None

    def write(
        self, name: str, blocks: Iterable[bytes], *, key: str, about: dict[str, object]
    ) -> WrittenArchive:
        """Encrypt the blocks into a new file; returns once file and name are stored. Raises ArchiveError where they are not."""
        storage, box = self.storage, AESGCM(base64.b64decode(key))
        head = MAGIC + json.dumps(about, sort_keys=True).encode() + b"\n"
        placed, whole, at = list[Placed](), hashlib.sha256(head), len(head)

        def sealed_blocks() -> Iterator[bytes]:
            nonlocal at
            yield head
            for number, block in enumerate(blocks):
                nonce = secrets.token_bytes(NONCE)
                sealed = nonce + box.encrypt(nonce, block, _place(name, number))
                whole.update(sealed)
                placed.append(Placed(at, len(sealed), hashlib.sha256(sealed).hexdigest()))
                at += len(sealed)
                yield sealed

        try:
            storage.save(name, _Chunks(sealed_blocks()))
        except OSError as problem:
            raise ArchiveError(NOT_WRITTEN(file=name, why=_why(problem), place=self._called)) from None
        return WrittenArchive(placed, whole.hexdigest(), at)

    def read(self, name: str, number: int, placed: Placed, *, key: str) -> bytes:
        """One block, decrypted. Raises Missing or Damaged."""
        try:
            with self.storage.open(name) as file:
                file.seek(placed.offset)
                sealed = file.read(placed.length)
        except OSError as problem:
            raise self._missing(name, problem) from None
        if len(sealed) != placed.length or hashlib.sha256(sealed).hexdigest() != placed.sha256:
            raise Damaged(NOT_AS_WRITTEN(block=number, file=name))
        try:
            box = AESGCM(base64.b64decode(key))
            return box.decrypt(sealed[:NONCE], sealed[NONCE:], _place(name, number))
        except (InvalidTag, ValueError):
            raise Damaged(DOES_NOT_OPEN(block=number, file=name)) from None

    def digest(self, name: str) -> tuple[str, int]:
        """SHA-256 and size of a whole file. Raises Missing."""
        found, size = hashlib.sha256(), 0
        try:
            with self.storage.open(name) as file:
                while part := file.read(AT_ONCE):
                    found.update(part)
                    size += len(part)
        except OSError as problem:
            raise self._missing(name, problem) from None
        return found.hexdigest(), size

    def remove(self, name: str) -> None:
        """Delete a file, if it is there; raises ArchiveError where it stays."""
        try:
            with contextlib.suppress(FileNotFoundError):
                self.storage.delete(name)
        except OSError as problem:
            raise ArchiveError(NOT_DELETED(file=name, why=_why(problem), place=self._called)) from None

    def names(self) -> Iterator[str]:
        if self.bucket is not None or (self.folder is not None and self.folder.is_dir()):
            yield from sorted(name for name in self._below("") if name.endswith(SUFFIX))

    def _below(self, folder: str) -> Iterator[str]:
        folders, files = self.storage.listdir(folder)
        yield from (f"{folder}{name}" for name in files)
        for one in folders:
            yield from self._below(f"{folder}{one}/")

    def note(self, name: str, content: bytes) -> None:
        """Keep a small file in the bucket, beside the archives. Raises OSError."""
        self.storage.save(name, ContentFile(content))

    def notes(self, folder: str) -> Iterator[bytes]:
        for name in sorted(self._below(f"{folder}/")):
            with self.storage.open(name) as file:
                yield file.read()

    @property
    def storage(self) -> Storage:
        if self.bucket is not None:
            return self.bucket
        if self.folder is None:
            raise ArchiveError(NO_FOLDER)
        return ArchiveFolder(self.folder)

    @property
    def _called(self) -> str:
        return "ARCHIVE_DIR" if self.bucket is None else gettext_noop("the bucket of STORAGE_URL")

    def _missing(self, name: str, problem: OSError) -> Missing:
        says = NOT_IN_BUCKET if self.bucket else NOT_IN_FOLDER
        return Missing(says(file=name, why=_why(problem)))


# In English whoever looks, since reports have them; pages retell them.
NOT_WRITTEN = KeptSentence(
    gettext_noop(
        "The archive file %(file)s cannot be written (%(why)s). Make room, or make %(place)s writable."
    )
)
NOT_AS_WRITTEN = KeptSentence(
    gettext_noop(
        "Block %(block)s of the archive file %(file)s is not as it was written. "
        "Put the file back from a backup, and run manage.py verify_archives."
    )
)
DOES_NOT_OPEN = KeptSentence(
    gettext_noop(
        "Block %(block)s of the archive file %(file)s does not open with its key. "
        "Put the file back from a backup, and run manage.py verify_archives."
    )
)
NOT_READ = KeptSentence(
    gettext_noop(
        "Block %(block)s of the archive file %(file)s cannot be read: %(problem)s. "
        "Put the file back from a backup, and run manage.py verify_archives."
    )
)
NOT_DELETED = KeptSentence(
    gettext_noop(
        "The archive file %(file)s cannot be deleted (%(why)s). Make %(place)s writable for this user."
    )
)
NO_FOLDER = gettext_noop("No folder is set for archives. Set ARCHIVE_DIR.")
NOT_IN_BUCKET = KeptSentence(
    gettext_noop("The archive file %(file)s cannot be read here (%(why)s). Put the file back from a backup.")
)
NOT_IN_FOLDER = KeptSentence(
    gettext_noop(
        "The archive file %(file)s cannot be read here (%(why)s). Where there are several hosts, ARCHIVE_DIR must lead "
        "all of them to the same folder; otherwise put the file back from a backup."
    )
)


def _why(problem: OSError) -> str:
    return problem.strerror or str(problem)


def _place(name: str, number: int) -> bytes:
    return f"{name}#{number}".encode()


store = Store()
