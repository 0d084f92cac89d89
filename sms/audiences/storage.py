"""Audiences in the database, a thousand rows at a time: writing them as they are read, and reading them back as compose takes them.

`ChunkWriter` writes the chunks of one version; `StoredAudience` is a version as an audience whose rows stay in the database. Both need the
memory of one chunk.
"""

import hashlib
import zlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

import msgspec

from sms.audiences.files import FileFindings, Recipient, RejectedRow
from sms.audiences.files.findings import findings_of
from sms.audiences.files.rows import BLOCK, DoubtedRow, RowBlock, Rows
from sms.models import AudienceChunk, AudienceVersion
from sms.values.msisdn.kinds import NumberKind


class StoredRow(NamedTuple):
    """A recipient as it is in a chunk, which keeps the numbers beside the rows."""

    row: int
    cells: dict[str, str]
    kind: NumberKind
    doubted: DoubtedRow | None = None


_rows = msgspec.msgpack.Decoder(list[StoredRow])
_rejects = msgspec.msgpack.Decoder(list[RejectedRow])
_encode = msgspec.msgpack.Encoder().encode


class Digest:
    """SHA-256 of numbers and cells in the order of the rows: the same people with the same values, however they came."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, recipients: Iterable[Recipient]) -> None:
        for one in recipients:
            self._hash.update(_encode((one.msisdn, one.substitutions)))

    def __str__(self) -> str:
        return self._hash.hexdigest()


def digest_of(audience: Rows) -> str:
    digest = Digest()
    for block in audience.blocks():
        digest.add(block.recipients)
    return str(digest)


class ChunkWriter:
    """Chunks of one version under way, or of one that is not stored yet (0).

    `place` is that of the next one; the caller commits, and keeps it in its cursor.
    """

    def __init__(self, version_id: int = 0, *, place: int = 0) -> None:
        self.place = place
        self._version_id = version_id
        self._numbers, self._rows, self._rejects = array("Q"), list[StoredRow](), list[RejectedRow]()

    def add(self, one: Recipient) -> None:
        self._numbers.append(int(one.msisdn[1:]))
        self._rows.append(StoredRow(one.row, one.substitutions, one.kind, one.doubted))

    def reject(self, bad: RejectedRow) -> None:
        self._rejects.append(bad)

    @property
    def full(self) -> bool:
        return len(self._rows) + len(self._rejects) >= BLOCK

    def flush(self) -> None:
        if self._rows or self._rejects:
            self.chunk().save(force_insert=True)

    def chunk(self) -> AudienceChunk:
        """What was added since the last one, not stored yet."""
        made = AudienceChunk(
            version_id=self._version_id,
            place=self.place,
            count=len(self._rows),
            numbers=self._numbers.tobytes(),
            rows=packed(self._rows),
            rejected=len(self._rejects),
            rejects=packed(self._rejects) if self._rejects else b"",
        )
        self.place += 1
        self._numbers, self._rows, self._rejects = array("Q"), [], []
        return made


@dataclass(frozen=True)
class StoredAudience:
    """A version as an audience, read chunk by chunk each time it is walked. Of a saved one, the rejects of its upload are not its rows."""

    version: AudienceVersion

    @property
    def headings(self) -> list[str]:
        return list(self.version.headings)

    @property
    def column(self) -> str:
        return self.version.column

    @property
    def findings(self) -> FileFindings | None:
        return findings_of(self.version.findings)

    @cached_property
    def places(self) -> int:
        return AudienceChunk.objects.filter(version=self.version).count()

    def blocks(self) -> Iterator[RowBlock]:
        return self.blocks_from(0)

    def blocks_from(self, place: int) -> Iterator[RowBlock]:
        """The rows of the chunk at `place` and of those after it. Each is asked for by itself, so that no cursor stays open."""
        while (block := self.block(place)) is not None:
            yield block
            place += 1

    def block(self, place: int) -> RowBlock | None:
        found = AudienceChunk.objects.filter(version=self.version, place=place).first()
        if found is None:
            return None
        return RowBlock(recipients_of(found), () if self.version.audience_id else rejects_of(found))


def cells_of(one: Recipient, audience: Rows) -> list[str]:
    """What stands in its row, in the order of the headings."""
    return [
        one.written if name == audience.column else one.substitutions.get(name, "")
        for name in audience.headings
    ]


def packed(rows: object) -> bytes:
    return zlib.compress(_encode(rows), 1)


def rows_of(chunk: AudienceChunk) -> list[StoredRow]:
    return _rows.decode(zlib.decompress(bytes(chunk.rows)))


def numbers_of(chunk: AudienceChunk) -> "array[int]":
    return array("Q", bytes(chunk.numbers))


def recipients_of(chunk: AudienceChunk) -> list[Recipient]:
    return [
        Recipient(
            row=one.row, msisdn=f"+{number}", substitutions=one.cells, kind=one.kind, doubted=one.doubted
        )
        for number, one in zip(numbers_of(chunk), rows_of(chunk), strict=True)
    ]


def every_recipient(version: AudienceVersion) -> Iterator[Recipient]:
    for chunk in version.chunks.order_by("place").iterator(chunk_size=10):
        yield from recipients_of(chunk)


def every_reject(version: AudienceVersion) -> Iterator[RejectedRow]:
    """Of a version that is no saved audience's, which keeps the rejects beside its rows."""
    for chunk in version.chunks.filter(rejected__gt=0).order_by("place").iterator(chunk_size=10):
        yield from rejects_of(chunk)


def rejects_of(holder: AudienceChunk | AudienceVersion) -> list[RejectedRow]:
    """A chunk has those met on the way; the version of a saved audience has all that are kept."""
    return _rejects.decode(zlib.decompress(bytes(holder.rejects))) if holder.rejects else []


def store(audience: Rows, version: AudienceVersion) -> None:
    """All of an audience into a version that has no rows yet; in the caller's transaction."""
    writer, digest = ChunkWriter(version.pk), Digest()
    for block in audience.blocks():
        digest.add(block.recipients)
        rows: list[Recipient | RejectedRow] = [*block.recipients, *block.rejects]
        for one in sorted(rows, key=attrgetter("row")):
            if isinstance(one, RejectedRow):
                writer.reject(one)
                version.rejected += 1
            else:
                writer.add(one)
                version.recipients += 1
            if writer.full:
                writer.flush()
    writer.flush()
    version.digest = str(digest)
    version.save(update_fields=["recipients", "rejected", "digest"])
