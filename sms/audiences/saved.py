"""Saved audiences: storing uploads as versions, reading them back as an `Audience`, finding a number, export.

Rows are read and packed before the transaction begins, so that a large file holds no lock while it is parsed. The versions' tables are
written by nobody else. Called by the audiences pages, the admin, and `sms.compose.drafts`.
"""

import zlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import IntegrityError, models, transaction
from django.db.models import F, Value
from django.utils import timezone

from sms.audiences.files import Audience, AudienceReader, Limits, Recipient, RejectedRow, read_pasted, stream
from sms.audiences.storage import Digest, Row, recipients_of, rows_of
from sms.audiences.storage import packed as packed_rows
from sms.models import Actor, AudienceChunk, AudienceVersion, SavedAudience, SendState, Service
from sms.models.audit import audit
from sms.values.csv import MARK, csv_line

CHUNK = 1000
KEPT_REJECTS = 10_000
_rejects = msgspec.msgpack.Decoder(list[RejectedRow])
TAKEN = "There is an audience named “{name}”. Choose another name, or replace its rows."


class SavedError(ValueError):
    """It cannot be stored as it stands; nothing was. `field` is the form's: name, file or audience."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Packed:
    """An upload, read to its end and packed. About 30 bytes a row in memory."""

    source: str
    country: str
    headings: list[str]
    column: str
    chunks: list[tuple[int, bytes, bytes]]
    rejected: int
    rejects: bytes
    digest: str

    @property
    def recipients(self) -> int:
        """Rows with a usable number."""
        return sum(count for count, _, _ in self.chunks)


def pack_file(file: Any, *, name: str, country: str, column: str | None, limits: Limits) -> Packed:
    """A CSV or workbook, row by row. Raises AudienceError, and SavedError where no row is usable."""
    reading = stream(file, name=name, country=country, column=column, limits=limits)
    return _packed(reading, reading, source=name, country=country)


def pack_pasted(text: str, *, country: str, limits: Limits) -> Packed:
    """Numbers from a box. Raises AudienceError, and SavedError where no row is usable."""
    audience = read_pasted(text, country=country, limits=limits)
    rows: list[Recipient | RejectedRow] = [*audience.recipients, *audience.rejects]
    return _packed(rows, audience, source="pasted numbers", country=country)


def create(
    service: Service, packed: Packed, *, name: str, note: str = "", by: Actor, user: Any
) -> SavedAudience:
    """A new audience with its first version; raises SavedError where the name is taken."""
    try:
        with transaction.atomic():
            saved = SavedAudience.objects.create(service=service, name=name, note=note)
            _add(saved, packed, number=1, user=user)
            audit("audience.created", saved, by=by, recipients=packed.recipients, rejected=packed.rejected)
    except IntegrityError:
        raise SavedError("name", TAKEN.format(name=name)) from None
    return saved


def replace(saved: SavedAudience, packed: Packed, *, by: Actor, user: Any) -> AudienceVersion:
    """A further version, which sends made from now on use. Earlier ones stay as they are."""
    with transaction.atomic():
        locked = SavedAudience.objects.select_for_update().get(pk=saved.pk)
        if locked.archived_at:
            raise SavedError(
                "audience", f"“{locked.name}” is archived. Bring it back before you replace its rows."
            )
        if locked.seed_list and packed.recipients > SavedAudience.LONGEST_SEED_LIST:
            raise SavedError("audience", _too_long(locked.name, packed.recipients))
        last = locked.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = _add(locked, packed, number=last + 1, user=user)
        audit(
            "audience.replaced",
            locked,
            by=by,
            version=version.number,
            recipients=packed.recipients,
            rejected=packed.rejected,
        )
    return version


def mark(saved: SavedAudience, *, seed_list: bool, by: Actor) -> bool:
    """Make it a seed list, whose people get tests of drafts, or no longer one; False where it was that already."""
    with transaction.atomic():
        locked = SavedAudience.objects.select_for_update().get(pk=saved.pk)
        if locked.seed_list == seed_list:
            return False
        people = locked.current.recipients if locked.current is not None else 0
        if seed_list and people > SavedAudience.LONGEST_SEED_LIST:
            raise SavedError("audience", _too_long(locked.name, people))
        SavedAudience.objects.filter(pk=saved.pk).update(seed_list=seed_list)
        audit("audience.made_seed_list" if seed_list else "audience.no_seed_list", locked, by=by)
    return True


def _too_long(name: str, recipients: int) -> str:
    return (
        f"A seed list has {SavedAudience.LONGEST_SEED_LIST} people at most, and “{name}” would have {recipients:,}. "
        "Leave some out, or use a shorter list."
    )


def rename(saved: SavedAudience, *, name: str, note: str, by: Actor) -> None:
    """Another name or note; raises SavedError where the name is taken."""
    try:
        with transaction.atomic():
            SavedAudience.objects.filter(pk=saved.pk).update(name=name, note=note)
            audit("audience.renamed", saved, by=by, named=name)
    except IntegrityError:
        raise SavedError("name", TAKEN.format(name=name)) from None


def archive(saved: SavedAudience, *, by: Actor) -> bool:
    """Take it out of the choices of compose; everything about it stays. False where it was archived already."""
    with transaction.atomic():
        rows = SavedAudience.objects.filter(pk=saved.pk, archived_at=None)
        if not rows.update(archived_at=timezone.now()):
            return False
        audit("audience.archived", saved, by=by)
    return True


def bring_back(saved: SavedAudience, *, by: Actor) -> bool:
    """Undo `archive`; raises SavedError where its name was given to another one meanwhile."""
    try:
        with transaction.atomic():
            rows = SavedAudience.objects.filter(pk=saved.pk, archived_at__isnull=False)
            if not rows.update(archived_at=None):
                return False
            audit("audience.brought_back", saved, by=by)
    except IntegrityError:
        raise SavedError(
            "name",
            f"Another audience is named “{saved.name}” now. Rename that one before you bring this one back.",
        ) from None
    return True


def delete(saved: SavedAudience, *, by: Actor) -> None:
    """For good, rows and history; raises SavedError where a send used it."""
    with transaction.atomic():
        locked = SavedAudience.objects.select_for_update().get(pk=saved.pk)
        if used := uses(locked):
            raise SavedError(
                "audience",
                f"“{locked.name}” was used in {used:,} send{'' if used == 1 else 's'}, whose history names it. "
                "Archive it instead, and erase its rows where they must not be kept.",
            )
        audit("audience.deleted", locked, by=by, named=locked.name)
        AudienceChunk.objects.filter(version__audience=locked).delete()
        locked.delete()


def erase(version: AudienceVersion, *, by: Actor) -> bool:
    """Delete the people of a version; its figures stay. Raises SavedError for the one in use. False where they were gone."""
    with transaction.atomic():
        saved = SavedAudience.objects.select_for_update().get(versions=version)
        if saved.current_id == version.pk and saved.archived_at is None:
            raise SavedError("audience", "These rows are in use. Replace them or archive the audience first.")
        if version.sends.filter(state=SendState.PREPARING).exists():
            raise SavedError(
                "audience",
                "The messages of a send are being written from these rows. Wait until they are there, or cancel the send.",
            )
        rows = AudienceVersion.objects.filter(pk=version.pk, erased_at=None)
        if not rows.update(erased_at=timezone.now(), rejects=b""):
            return False
        AudienceChunk.objects.filter(version=version).delete()
        audit("audience.erased", saved, by=by, version=version.number)
    return True


def uses(saved: SavedAudience) -> int:
    """Sends that were made from any of its versions."""
    return int(saved.versions.aggregate(sends=models.Count("sends"))["sends"])


# --- reading ------------------------------------------------------------------------------------------------------------


def audience_of(version: AudienceVersion) -> Audience:
    """The recipients as compose takes them, row numbers as in the file. Raises SavedError where they were erased."""
    if version.erased_at:
        raise SavedError("audience", "The rows of this audience were erased. Choose another one.")
    recipients = list(_recipients(version))
    return Audience(headings=list(version.headings), column=version.column, recipients=recipients, rejects=[])


def rejects_of(version: AudienceVersion) -> list[RejectedRow]:
    """Rows that were left out at the upload, the first ten thousand."""
    return _rejects.decode(zlib.decompress(bytes(version.rejects))) if version.rejects else []


def export(version: AudienceVersion) -> Iterator[str]:
    """CSV lines: the number first, then the other columns. No cell begins a formula."""
    others = [heading for heading in dict.fromkeys(version.headings) if heading and heading != version.column]
    yield MARK + csv_line(version.column or "number", *others)
    for one in _recipients(version):
        yield csv_line(one.msisdn, *(one.substitutions.get(name, "") for name in others))


@dataclass(frozen=True, slots=True)
class FoundRow:
    """Where a number stands: the row of the file, and what else stands there."""

    version: AudienceVersion
    row: int
    cells: dict[str, str] = field(default_factory=dict)


def find(
    service: Service, msisdn: str, *, saved: SavedAudience | None = None, most: int = 100
) -> list[FoundRow]:
    """The audiences (their current versions) that hold a number, or all versions of one. Two queries."""
    needle = int(msisdn.removeprefix("+")).to_bytes(8, "little")
    chunks = AudienceChunk.objects.select_related("version__audience").annotate(
        at=_Position(F("numbers"), Value(needle, output_field=models.BinaryField()))
    )
    chunks = chunks.filter(at__gt=0, version__audience__service=service)
    chunks = (
        chunks.filter(version__audience=saved)
        if saved
        else chunks.filter(version__current_of__isnull=False, version__audience__archived_at=None)
    )
    found = []
    for chunk in chunks.order_by("version__audience__name", "-version__number", "place")[:most]:
        at = _index(bytes(chunk.numbers), needle)
        if at is not None:
            row, cells, _ = rows_of(chunk)[at]
            found.append(FoundRow(chunk.version, row, cells))
    return found


class _Position(models.Func):
    """Where bytes begin in other bytes, from 1; 0 where they do not."""

    output_field = models.IntegerField()
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="INSTR", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        turned = self.copy()
        turned.set_source_expressions(self.get_source_expressions()[::-1])
        return turned.as_sql(compiler, connection, function="POSITION", arg_joiner=" IN ", **extra)


def _index(numbers: bytes, needle: bytes) -> int | None:
    """Which number of a chunk it is. Bytes of two neighbours may look like it."""
    at = numbers.find(needle)
    while at >= 0 and at % 8:
        at = numbers.find(needle, at + 1)
    return at // 8 if at >= 0 else None


def _recipients(version: AudienceVersion) -> Iterator[Recipient]:
    for chunk in version.chunks.order_by("place").iterator(chunk_size=10):
        yield from recipients_of(chunk)


# --- writing ------------------------------------------------------------------------------------------------------------


def _packed(
    rows: Iterable[Recipient | RejectedRow], of: AudienceReader | Audience, *, source: str, country: str
) -> Packed:
    chunks: list[tuple[int, bytes, bytes]] = []
    numbers, packed = array("Q"), list[Row]()
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
        packed.append((one.row, one.substitutions, one.warning))
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


def _chunk(numbers: "array[int]", rows: list[Row]) -> tuple[int, bytes, bytes]:
    return len(rows), numbers.tobytes(), packed_rows(rows)


def _add(saved: SavedAudience, packed: Packed, *, number: int, user: Any) -> AudienceVersion:
    version = AudienceVersion.objects.create(
        service_id=saved.service_id,
        audience=saved,
        number=number,
        source=packed.source,
        country=packed.country,
        headings=packed.headings,
        column=packed.column,
        recipients=packed.recipients,
        rejected=packed.rejected,
        rejects=packed.rejects,
        digest=packed.digest,
        made_by=user,
    )
    AudienceChunk.objects.bulk_create(
        (
            AudienceChunk(version=version, place=place, count=count, numbers=numbers, rows=rows)
            for place, (count, numbers, rows) in enumerate(packed.chunks)
        ),
        batch_size=50,
    )
    saved.current = version
    saved.save(update_fields=["current"])
    return version
