"""A large file or paste into an audience version, a chunk in each transaction.

What the file holds is the same each time it is read, so the next worker reads it again from its beginning and skips as many rows as
are stored: nothing else has to be kept, and a number's first row is known again. Memory holds the parser's state, one chunk, and the
numbers seen.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import F
from msgspec.structs import replace

from sms.audiences.files import (
    AudienceError,
    AudienceReader,
    Limits,
    ReadingChoices,
    Recipient,
    RejectedRow,
    stream,
    stream_pasted,
)
from sms.audiences.files.choices import LEAVE_OUT
from sms.audiences.files.download import ROW
from sms.audiences.files.rows import BLOCK, repeats
from sms.audiences.storage import ChunkWriter, Digest, StoredAudience, cells_of
from sms.compose.background.lease import PreparationLease
from sms.ledger.crash_points import point
from sms.models import AudienceVersion, Preparation, Upload
from sms.models.sql.clock import corrected_now
from sms.values.problems import ProblemCode

Item = Recipient | RejectedRow


def read(found: Preparation, lease: PreparationLease) -> Generator[None]:
    """A step is a chunk, or a chunk's worth of rows that are stored already."""
    versions = AudienceVersion.objects.select_related("upload", "mends").defer(Upload.LIGHT)
    version = versions.get(preparation=found)
    assert version.upload is not None, "a version is read from an upload"
    limits = Limits(**found.cursor["limits"])
    with ExitStack() as stack:
        with lease.kept():  # to fetch and to open a large file takes as long as it takes
            file = stack.enter_context(version.upload.opened())
            try:
                reading = _reading(file, version, found, limits=limits)
            except AudienceError as problem:
                if problem.findings:  # the page shows what there is to choose
                    version.findings = problem.findings.as_json()
                    version.save(update_fields=["findings"])
                raise
            base = version.mends
            if base is None:
                items, total = iter(reading), reading.height or version.upload.size
            else:
                items = _mended(reading, base, allow_duplicates=version.allow_duplicates)
                total = base.recipients + base.rejected
            # rows that were put right are all read before the first
            items = chain(list(islice(items, 1)), items)
        if not found.cursor.get("items"):
            AudienceVersion.objects.filter(pk=version.pk).update(
                headings=base.headings if base else reading.headings,
                column=base.column if base else reading.column[:200],
                findings=base.findings if base else reading.findings.as_json(),
            )
        in_bytes = base is None and not reading.height
        position = file.tell if in_bytes else None
        try:
            yield from _store(items, version, found, lease, total=total, position=position)
        finally:
            reading.close()


def _store(
    items: Iterator[Item],
    version: AudienceVersion,
    found: Preparation,
    lease: PreparationLease,
    *,
    total: int,
    position: Callable[[], int] | None,
) -> Iterator[None]:
    cursor, digest = dict(found.cursor), Digest()
    done = cursor.get("items", 0)
    for start in range(0, done, BLOCK):
        digest.add(_kept(islice(items, min(BLOCK, done - start))))
        with transaction.atomic():
            lease.keep()
        yield
    writer = ChunkWriter(version.pk, place=cursor.get("place", 0))
    while block := list(islice(items, BLOCK)):
        kept = _kept(block)
        digest.add(kept)
        for one in block:
            if isinstance(one, RejectedRow):
                writer.reject(one)
            else:
                writer.add(one)
        done += len(block)
        cursor |= {"items": done, "place": writer.place + 1}
        with transaction.atomic():
            lease.keep(rows=len(block), cursor=cursor, total=total, done=position() if position else done)
            writer.flush()
            AudienceVersion.objects.filter(pk=version.pk).update(
                recipients=F("recipients") + len(kept), rejected=F("rejected") + len(block) - len(kept)
            )
            point("rows_uncommitted")
        point("rows_committed")
        yield
    with transaction.atomic():
        lease.end(Preparation.State.READY)
        AudienceVersion.objects.filter(pk=version.pk).update(digest=str(digest), ready_at=corrected_now())
    yield


def _kept(items: Iterable[Item]) -> list[Recipient]:
    return [one for one in items if isinstance(one, Recipient)]


def _reading(
    file: BinaryIO, version: AudienceVersion, found: Preparation, *, limits: Limits
) -> AudienceReader:
    options: dict[str, Any] = {
        "country": version.country,
        "column": version.asked_column or (version.mends.column if version.mends else None),
        "limits": limits,
        # what a file of corrections does not show stays as it was
        "choices": ReadingChoices(hidden_rows=LEAVE_OUT)
        if version.mends
        else ReadingChoices.of(version.choices),
        # among corrected rows, duplicates of all rows are found below
        "allow_duplicates": version.allow_duplicates or version.mends is not None,
    }
    if found.cursor.get("pasted"):
        return stream_pasted(file.read().decode("utf-8", "replace"), **options)
    return stream(file, name=version.source, **options)


def _mended(reading: AudienceReader, base: AudienceVersion, *, allow_duplicates: bool) -> Iterator[Item]:
    """The rows of `base`, with those of the file in place of the rows whose numbers are in its first column.

    A row without such a number is a new one. What the file leaves out stays as it was, so nothing is lost.
    """
    headings = list(base.headings)
    numbered = next((name for name in reading.headings if name.lower() == ROW), "")
    fresh: dict[int, Item] = {}
    new: list[Item] = []
    for item in reading:
        number, own = _as_of(item, reading, headings, numbered)
        if number:
            fresh[number] = own
        else:
            new.append(own)
    rows_of: dict[int, int] = {}
    last = 0
    for block in StoredAudience(base).blocks():
        rows: list[Item] = [*block.recipients, *block.rejects]
        for one in rows:
            last = max(last, one.row)
            if one.row in fresh:
                continue
            if isinstance(one, Recipient):
                rows_of.setdefault(int(one.msisdn[1:]), one.row)
            yield one
    for number in sorted(fresh):
        yield fresh[number] if allow_duplicates else _once(fresh[number], rows_of, base)
    for row, item in enumerate(new, last + 1):
        added = replace(item, row=row)
        yield added if allow_duplicates else _once(added, rows_of, base)


def _as_of(item: Item, reading: AudienceReader, headings: list[str], numbered: str) -> tuple[int, Item]:
    """The number of the row that it was, and the row with the columns of the audience alone."""
    if isinstance(item, Recipient):
        cells = item.substitutions
        row = _number(cells.get(numbered, ""))
        own = {name: cells[name] for name in headings if name in cells}
        return row, replace(item, row=row or item.row, substitutions=own)
    by_name = dict(zip(reading.headings, item.cells, strict=False))
    row = _number(by_name.get(numbered, ""))
    own_cells = [by_name.get(name, "") for name in headings] if item.cells else []
    return row, replace(item, row=row or item.row, cells=own_cells)


def _number(cell: str) -> int:
    cell = cell.strip()
    return int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 10 else 0


def _once(item: Item, rows_of: dict[int, int], base: AudienceVersion) -> Item:
    if isinstance(item, RejectedRow):
        return item
    first = rows_of.setdefault(int(item.msisdn[1:]), item.row)
    if first == item.row:
        return item
    reason = repeats(first)
    return RejectedRow(
        row=item.row,
        value=item.msisdn,
        code=ProblemCode.DUPLICATE,
        reason=reason,
        cells=cells_of(item, StoredAudience(base)),
    )
