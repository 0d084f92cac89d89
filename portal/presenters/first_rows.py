"""The first rows of an audience as a table: what each column is for, which cells are bad, and which rows can be put right there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext as _

from sms.audiences import storage
from sms.audiences.files import Recipient, RejectedRow
from sms.audiences.files.cells import number_text
from sms.audiences.sample import AudienceSample
from sms.compose import drafts
from sms.compose.resolved_order import ResolvedOrder
from sms.models import AudienceVersion, Draft
from sms.values import msisdn
from sms.values.msisdn.mention import starred
from sms.values.problems import ProblemCode
from sms.words import number as written

GOOD, BAD = 5, 8  # rows that are shown
LOOKED_THROUGH = 20_000  # rows, for the one that a duplicate repeats
COLUMNS = 8  # the numbers and what the text uses come first
# of these no cell is wrong
NOT_OF_A_CELL = {
    *(ProblemCode.OPTED_OUT, ProblemCode.LEFT_OUT, ProblemCode.SENDER_REFUSED),
    *(ProblemCode.COUNTRY_NOT_ALLOWED, ProblemCode.NUMBER_CAP),
}


@dataclass(frozen=True, slots=True)
class RowColumn:
    """`use`: what it is for, in words; empty where the text does not use it. `at`: its place among all headings."""

    at: int
    name: str
    is_number: bool
    use: str


@dataclass(frozen=True, slots=True)
class RowCell:
    column: RowColumn
    value: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class ShownRow:
    """`reason` says why it gets no message; empty where it gets one. `differs`: what another row of the same number has instead."""

    row: int
    cells: Sequence[RowCell]
    reason: str = ""
    differs: str = ""
    mendable: bool = False


@dataclass(frozen=True, slots=True)
class FirstRows:
    columns: Sequence[RowColumn]
    more_columns: int
    rows: Sequence[ShownRow]

    @property
    def mendable(self) -> bool:
        return any(one.mendable for one in self.rows)


def first_rows(
    order: ResolvedOrder,
    of: AudienceSample,
    bad: Sequence[RejectedRow],
    *,
    draft: Draft,
    version: AudienceVersion | None,
) -> FirstRows:
    """`bad` are rows that are known to be left out; those of a large file are in its `version`."""
    columns = _columns(order, of)
    if version is not None and not version.audience_id:
        bad = [*drafts.first_stored_rows(version, BAD)[1], *bad]
    withheld = draft.numbers_withheld or (version is not None and bool(version.audience_id))
    ready = version is None or version.ready_at is not None
    by_row = {one.row: one for one in of.rows}
    left_out = {one.row: one for one in sorted(bad, key=lambda one: one.row)[:BAD]}
    shown = list(columns[:COLUMNS])
    country = draft.country or draft.service.default_country
    rows = [
        _bad_row(one, order, of, shown, by_row, can_mend=ready and not withheld, country=country)
        for one in left_out.values()
    ]
    kept = [one for one in of.rows[: GOOD + BAD] if one.row not in left_out][:GOOD]
    rows += [_good_row(one, of, shown) for one in kept]
    return FirstRows(shown, max(len(columns) - COLUMNS, 0), sorted(rows, key=lambda one: one.row))


def _columns(order: ResolvedOrder, of: AudienceSample) -> list[RowColumn]:
    uses: dict[str, list[str]] = {}
    for one in order.placeholders:
        uses.setdefault(one.heading, []).append(f"$({one.name})")
    columns = [
        RowColumn(at, name, name == of.column, ", ".join(uses.get(name, ())))
        for at, name in enumerate(of.headings)
        if name
    ]
    wanted = sorted(columns, key=lambda one: (not one.is_number, not one.use))[:COLUMNS]
    return [*sorted(wanted, key=lambda one: one.at), *(one for one in columns if one not in wanted)]


def _good_row(one: Recipient, of: AudienceSample, columns: Sequence[RowColumn]) -> ShownRow:
    values = storage.cells_of(one, of)
    return ShownRow(one.row, [RowCell(each, _hidden(values[each.at], one.msisdn, each)) for each in columns])


def _hidden(value: str, number: str, column: RowColumn) -> str:
    return msisdn.mask(value) if column.is_number else starred(value, number)


def _bad_row(
    bad: RejectedRow,
    order: ResolvedOrder,
    of: AudienceSample,
    columns: Sequence[RowColumn],
    by_row: dict[int, Recipient],
    *,
    can_mend: bool,
    country: str,
) -> ShownRow:
    one = by_row.get(bad.row)
    values = drafts.cells_of_reject(bad, one, of)
    mendable = can_mend and bad.code not in NOT_OF_A_CELL
    wrong = next((each.heading for each in order.placeholders if each.name == bad.field), "") or of.column
    number = one.msisdn if one is not None else bad.value
    cells = []
    for column in columns:
        value = values[column.at] if column.at < len(values) else ""
        shown = value if mendable else _hidden(value, number, column)
        cells.append(RowCell(column, shown, bad=column.name == wrong and bad.code not in NOT_OF_A_CELL))
    differs = ""
    if bad.code == ProblemCode.DUPLICATE and can_mend:
        differs = " ".join(_difference(bad, values, of, country))
    return ShownRow(bad.row, cells, bad.reason, differs, mendable)


def differences(rejects: Sequence[RejectedRow], order: ResolvedOrder, draft: Draft) -> dict[int, str]:
    """By the row of each duplicate among `rejects`: what the row that is kept says otherwise. Nothing of rows that are nobody's own."""
    audience, duplicates = order.audience, [one for one in rejects if one.code == ProblemCode.DUPLICATE]
    stored = audience.version if isinstance(audience, storage.StoredAudience) else None
    if draft.numbers_withheld or (stored is not None and stored.audience_id) or not duplicates:
        return {}
    country = draft.country or draft.service.default_country
    wanted = {_number(one, country) for one in duplicates}
    rows = (
        storage.every_recipient(stored) if stored is not None else iter(getattr(audience, "recipients", ()))
    )
    found = tuple(one for one in islice(rows, LOOKED_THROUGH) if one.msisdn in wanted)
    of = AudienceSample(headings=list(audience.headings), column=audience.column, rows=found)
    by_row = {one.row: one for one in found}
    return {
        one.row: " ".join(_difference(one, drafts.cells_of_reject(one, by_row.get(one.row), of), of, country))
        for one in duplicates
    }


def _number(bad: RejectedRow, country: str) -> str:
    """Empty where the cell holds none."""
    try:
        return msisdn.parse(number_text(bad.value), country=country).e164
    except msisdn.BadNumber:
        return ""


def _difference(bad: RejectedRow, values: Sequence[str], of: AudienceSample, country: str) -> Iterator[str]:
    """What the row that is kept says otherwise, as far as that one is among the rows that were read for the page."""
    number = _number(bad, country)
    kept = next((one for one in of.rows if one.msisdn == number and one.row != bad.row), None)
    if kept is None:
        return
    pairs = zip(of.headings, storage.cells_of(kept, of), values, strict=False)
    other = [(name, there, here) for name, there, here in pairs if name != of.column and there != here]
    if not other:
        yield _("Both rows say the same; row %(row)s is sent.") % {"row": written(kept.row)}
        return
    yield _("Row %(row)s is sent. It differs:") % {"row": written(kept.row)}
    for name, there, here in other[:3]:
        # Translators: name is the heading of a column.
        says = _("%(name)s is “%(there)s” there and “%(here)s” here.")
        yield says % {"name": name, "there": _short(there), "here": _short(here)}


def _short(value: str) -> str:
    return value if len(value) <= 30 else f"{value[:29]}…"
