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

import msgspec

from sms.audiences.files import Recipient, RejectedRow
from sms.audiences.files.rows import BLOCK, RowBlock, Rows
from sms.models import AudienceChunk, AudienceVersion

Row = tuple[int, dict[str, str], str]
_Bad = tuple[int, str, str, str, list[str]]
_rows = msgspec.msgpack.Decoder(list[Row])
_bad = msgspec.msgpack.Decoder(list[_Bad])
_encode = msgspec.msgpack.Encoder().encode


class Digest:
    """SHA-256 of numbers and cells in the order of the rows: the same people with the same values, however they came."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, recipients: Iterable[Recipient]) -> None:
        """Add the next ones."""
        for one in recipients:
            self._hash.update(_encode((one.msisdn, one.substitutions)))

    def __str__(self) -> str:
        return self._hash.hexdigest()


def digest_of(audience: Rows) -> str:
    """Of a whole audience."""
    digest = Digest()
    for block in audience.blocks():
        digest.add(block.recipients)
    return str(digest)


class ChunkWriter:
    """Chunks of one version under way. `place` is that of the next one; the caller commits, and keeps it in its cursor."""

    def __init__(self, version_id: int, *, place: int = 0) -> None:
        self.place = place
        self._version_id = version_id
        self._numbers, self._rows, self._bad = array("Q"), list[Row](), list[_Bad]()

    def add(self, one: Recipient) -> None:
        """A recipient."""
        self._numbers.append(int(one.msisdn[1:]))
        self._rows.append((one.row, one.substitutions, one.warning))

    def reject(self, bad: RejectedRow) -> None:
        """A rejected row."""
        self._bad.append((bad.row, bad.value, bad.code, bad.reason, list(bad.cells)))

    @property
    def full(self) -> bool:
        """Whether it holds enough rows for a chunk."""
        return len(self._rows) + len(self._bad) >= BLOCK

    @property
    def pending(self) -> tuple[int, int]:
        """Recipients and rejects that are not inserted yet."""
        return len(self._rows), len(self._bad)

    def flush(self) -> None:
        """Insert what is held as one chunk."""
        if not self._rows and not self._bad:
            return
        AudienceChunk.objects.create(
            version_id=self._version_id,
            place=self.place,
            count=len(self._rows),
            numbers=self._numbers.tobytes(),
            rows=packed(self._rows),
            rejected=len(self._bad),
            rejects=packed(self._bad) if self._bad else b"",
        )
        self.place += 1
        self._numbers, self._rows, self._bad = array("Q"), [], []


@dataclass(frozen=True)
class StoredAudience:
    """A version as an audience, read chunk by chunk each time it is walked. Of a saved one, the rejects of its upload are not its rows."""

    version: AudienceVersion

    @property
    def headings(self) -> list[str]:
        """All columns."""
        return list(self.version.headings)

    @property
    def column(self) -> str:
        """The one with the numbers."""
        return self.version.column

    @cached_property
    def places(self) -> int:
        """How many chunks there are."""
        return AudienceChunk.objects.filter(version=self.version).count()

    def blocks(self) -> Iterator[RowBlock]:
        """All rows."""
        return self.blocks_from(0)

    def blocks_from(self, place: int) -> Iterator[RowBlock]:
        """The rows of the chunk at `place` and of those after it. Each is asked for by itself, so that no cursor stays open."""
        while (block := self.block(place)) is not None:
            yield block
            place += 1

    def block(self, place: int) -> RowBlock | None:
        """One chunk."""
        found = AudienceChunk.objects.filter(version=self.version, place=place).first()
        if found is None:
            return None
        return RowBlock(recipients_of(found), () if self.version.audience_id else rejects_of(found))


def cells_of(one: Recipient, audience: Rows) -> list[str]:
    """What stands in its row, in the order of the headings."""
    return [
        one.msisdn if name == audience.column else one.substitutions.get(name, "")
        for name in audience.headings
    ]


def packed(rows: object) -> bytes:
    """As they lie in a chunk."""
    return zlib.compress(_encode(rows), 1)


def rows_of(chunk: AudienceChunk) -> list[Row]:
    """Row, cells, warning."""
    return _rows.decode(zlib.decompress(bytes(chunk.rows)))


def recipients_of(chunk: AudienceChunk) -> list[Recipient]:
    """The rows with a usable number."""
    numbers = array("Q")
    numbers.frombytes(bytes(chunk.numbers))
    return [
        Recipient(row=row, msisdn=f"+{number}", substitutions=cells, warning=warning)
        for number, (row, cells, warning) in zip(numbers, rows_of(chunk), strict=True)
    ]


def every_recipient(version: AudienceVersion) -> Iterator[Recipient]:
    """All of a version, in the order of its chunks."""
    for chunk in version.chunks.order_by("place").iterator(chunk_size=10):
        yield from recipients_of(chunk)


def rejects_of(chunk: AudienceChunk) -> list[RejectedRow]:
    """The others."""
    if not chunk.rejected:
        return []
    return [
        RejectedRow(row=row, value=value, code=code, reason=reason, cells=cells)
        for row, value, code, reason, cells in _bad.decode(zlib.decompress(bytes(chunk.rejects)))
    ]


def store(audience: Rows, version: AudienceVersion) -> None:
    """All of an audience into a version that has no rows yet; in the caller's transaction."""
    writer, digest = ChunkWriter(version.pk), Digest()
    for block in audience.blocks():
        digest.add(block.recipients)
        for bad in block.rejects:
            writer.reject(bad)
            version.rejected += 1
            if writer.full:
                writer.flush()
        for one in block.recipients:
            writer.add(one)
            version.recipients += 1
            if writer.full:
                writer.flush()
    writer.flush()
    version.digest = str(digest)
    version.save(update_fields=["recipients", "rejected", "digest"])
