"""What is in a saved audience: its rows, its rejects, its export, and where a number is in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import BinaryField, F, Value
from django.utils.translation import gettext as _

from sms.audiences.errors import SavedError
from sms.audiences.files import Audience
from sms.audiences.files.findings import findings_of
from sms.audiences.storage import every_recipient, rows_of
from sms.models import AudienceChunk, AudienceVersion, SavedAudience, Service
from sms.models.sql.text_search import Position
from sms.values.csv import MARK, csv_line
from sms.values.problems import ProblemCode


def audience_of(version: AudienceVersion) -> Audience:
    """The recipients as compose takes them, row numbers as in the file. Raises SavedError where they were erased."""
    if version.erased_at:
        says = _("The rows of this audience were erased. Choose another one.")
        raise SavedError(ProblemCode.ERASED, says, field="audience")
    recipients = list(every_recipient(version))
    return Audience(list(version.headings), version.column, recipients, [], findings_of(version.findings))


def export(version: AudienceVersion) -> Iterator[str]:
    """CSV lines: the number first, then the other columns. No cell begins a formula."""
    others = [heading for heading in dict.fromkeys(version.headings) if heading and heading != version.column]
    yield MARK + csv_line(version.column or "number", *others)
    for one in every_recipient(version):
        yield csv_line(one.written, *(one.substitutions.get(name, "") for name in others))


@dataclass(frozen=True, slots=True)
class FoundRow:
    """Where a number is: the row of the file, and its other cells."""

    version: AudienceVersion
    row: int
    cells: dict[str, str] = field(default_factory=dict)


def find(
    service: Service, msisdn: str, *, saved: SavedAudience | None = None, most: int = 100
) -> list[FoundRow]:
    """The audiences (their current versions) that hold a number, or all versions of one. Two queries."""
    needle = int(msisdn.removeprefix("+")).to_bytes(8, "little")
    begins = Position(F("numbers"), Value(needle, output_field=BinaryField()))
    chunks = AudienceChunk.objects.select_related("version__audience").annotate(at=begins)
    in_use = {"version__current_of__isnull": False, "version__audience__archived_at": None}
    where = {"version__audience": saved} if saved else in_use
    chunks = chunks.filter(at__gt=0, version__audience__service=service, **where)
    found = []
    for chunk in chunks.order_by("version__audience__name", "-version__number", "place")[:most]:
        at = _index(bytes(chunk.numbers), needle)
        if at is not None:
            row = rows_of(chunk)[at]
            found.append(FoundRow(chunk.version, row.row, row.cells))
    return found


def _index(numbers: bytes, needle: bytes) -> int | None:
    """Its place among the numbers of a chunk, each of 8 bytes; bytes of two neighbours may look like it."""
    at = numbers.find(needle)
    while at >= 0 and at % 8:
        at = numbers.find(needle, at + 1)
    return at // 8 if at >= 0 else None
