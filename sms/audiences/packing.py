"""An upload for a saved audience, read to its end and packed before the transaction begins, so that no lock is held while it is parsed."""

import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from sms.audiences.errors import SavedError
from sms.audiences.files import Audience, AudienceReader, Limits, Recipient, RejectedRow, read_pasted, stream
from sms.audiences.storage import Digest, StoredRow
from sms.audiences.storage import packed as packed_rows

CHUNK = 1000
KEPT_REJECTS = 10_000


@dataclass(frozen=True, slots=True)
class PackedChunk:
    """Rows as an `AudienceChunk` keeps them."""

    count: int
    numbers: bytes
    rows: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """An upload, read to its end and packed. About 30 bytes a row in memory."""

    source: str
    country: str
    headings: list[str]
    column: str
    chunks: list[PackedChunk]
    rejected: int
    rejects: bytes
    digest: str

    @property
    def recipients(self) -> int:
        return sum(chunk.count for chunk in self.chunks)


def pack_file(file: Any, *, name: str, country: str, column: str | None, limits: Limits) -> Packed:
    """A CSV or workbook, row by row. Raises AudienceError, and SavedError where no row is usable."""
    reading = stream(file, name=name, country=country, column=column, limits=limits)
    return _packed(reading, reading, source=name, country=country)


def pack_pasted(text: str, *, country: str, limits: Limits) -> Packed:
    """Numbers from a box. Raises AudienceError, and SavedError where no row is usable."""
    audience = read_pasted(text, country=country, limits=limits)
    rows: list[Recipient | RejectedRow] = [*audience.recipients, *audience.rejects]
    return _packed(rows, audience, source="pasted numbers", country=country)


def _packed(
    rows: Iterable[Recipient | RejectedRow], of: AudienceReader | Audience, *, source: str, country: str
) -> Packed:
    chunks: list[PackedChunk] = []
    numbers, packed = array("Q"), list[StoredRow]()
    rejects: list[RejectedRow] = []
    rejected, digest = 0, Digest()
    for one in rows:
        if isinstance(one, RejectedRow):
            rejected += 1
            if rejected <= KEPT_REJECTS:
                rejects.append(one)
            continue
        digest.add((one,))
        numbers.append(int(one.msisdn[1:]))
        packed.append(StoredRow(one.row, one.substitutions, one.warning))
        if len(packed) == CHUNK:
            chunks.append(_chunk(numbers, packed))
            numbers, packed = array("Q"), []
    if packed:
        chunks.append(_chunk(numbers, packed))
    if not chunks:
        why = f" Row {rejects[0].row}: {rejects[0].reason}" if rejects else ""
        raise SavedError("file", f"There is no usable number in it.{why}")
    return Packed(
        source=source[-200:],
        country=country,
        headings=list(of.headings),
        column=of.column[:200],
        chunks=chunks,
        rejected=rejected,
        rejects=zlib.compress(msgspec.msgpack.encode(rejects)) if rejects else b"",
        digest=str(digest),
    )


def _chunk(numbers: "array[int]", rows: list[StoredRow]) -> PackedChunk:
    return PackedChunk(len(rows), numbers.tobytes(), packed_rows(rows))
