""" "What we read from your file" in lines: for the compose page, a saved audience and an upload of opt-outs."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms.audiences.files import FileFindings
from sms.audiences.files.choices import INCLUDE
from sms.words import number

ENCODINGS = {"cp1252": "Windows-1252", "utf-8-sig": "UTF-8"}


@dataclass(frozen=True, slots=True)
class FindingLine:
    """`warns` where a person should look twice."""

    label: str
    says: str
    warns: bool = False


def lines_of(found: FileFindings | None) -> list[FindingLine]:
    """Nothing for pasted numbers, which a person sees as they are."""
    return list(_lines(found)) if found is not None and found.kind else []


def _lines(found: FileFindings) -> Iterator[FindingLine]:
    if not found.is_workbook:
        yield FindingLine(_("File"), _text_file(found))
    else:
        yield FindingLine(
            _("Sheet"),
            _sheet(found),
            warns=found.sheet_hidden or not all(one.hidden for one in found.other_sheets),
        )
    if found.column:
        yield FindingLine(_("Headings"), _headings(found), warns=found.rows_above > 0)
        column = {"column": found.column}
        yield FindingLine(_("Numbers"), _("Read from the column “%(column)s”.") % column)
    if found.repeated:
        says = _("%(names)s: several columns have this heading. A number tells the later ones apart.")
        yield FindingLine(_("Headings twice"), says % {"names": _listed(found.repeated)}, warns=True)
    if found.hidden_rows:
        yield FindingLine(_("Hidden rows"), _hidden_rows(found), warns=True)
    if found.hidden_columns:
        says = _("Included: %(names)s.") if found.columns_choice == INCLUDE else _("Left out: %(names)s.")
        yield FindingLine(_("Hidden columns"), says % {"names": _listed(found.hidden_columns)}, warns=True)
    if found.uncalculated:
        yield FindingLine(_("Formulas"), _uncalculated(found.uncalculated), warns=True)
    if found.errors:
        says = ngettext(
            "%(n)s cell shows an error such as #N/A. They count as empty.",
            "%(n)s cells show an error such as #N/A. They count as empty.",
            found.errors,
        )
        yield FindingLine(_("Errors"), says % {"n": number(found.errors)}, warns=True)
    if not found.tells_hidden:
        says = _(
            "This old Excel file does not tell us what is hidden in it. If you filtered it, save it as XLSX and upload that."
        )
        yield FindingLine(_("Hidden rows"), says, warns=True)


def _text_file(found: FileFindings) -> str:
    # Translators: encoding is a name like UTF-8.
    says = {
        ",": _("A text in %(encoding)s, its cells separated by commas."),
        ";": _("A text in %(encoding)s, its cells separated by semicolons."),
        "\t": _("A text in %(encoding)s, its cells separated by tabs."),
        "|": _("A text in %(encoding)s, its cells separated by bars."),
    }.get(found.delimiter, _("A text in %(encoding)s, its cells separated by “%(sign)s”."))
    encoding = ENCODINGS.get(found.encoding, found.encoding.upper())
    return says % {"encoding": encoding, "sign": found.delimiter}


def _sheet(found: FileFindings) -> str:
    sheet = (_("“%(name)s”, which is hidden.") if found.sheet_hidden else _("“%(name)s”.")) % {
        "name": found.sheet
    }
    if not found.other_sheets:
        return sheet
    others = ", ".join(
        (_("“%(name)s” (hidden)") if one.hidden else _("“%(name)s”")) % {"name": one.name}
        for one in found.other_sheets[:10]
    )
    more = len(found.other_sheets) - 10
    if more > 0:
        says = ngettext("Not read: %(sheets)s and %(n)s more.", "Not read: %(sheets)s and %(n)s more.", more)
        return f"{sheet} {says % {'sheets': others, 'n': number(more)}}"
    not_read = _("Not read: %(sheets)s.") % {"sheets": others}
    return f"{sheet} {not_read}"


def _headings(found: FileFindings) -> str:
    if not found.heading_row:
        return _("There are none: the first row is read like the others.")
    row = _("Row %(row)s.") % {"row": number(found.heading_row)}
    if not found.rows_above:
        return row
    above = ngettext(
        "The row above it looks like a title and is not read.",
        "The %(n)s rows above it look like a title and are not read.",
        found.rows_above,
    )
    return f"{row} {above % {'n': number(found.rows_above)}}"


def _uncalculated(cells: int) -> str:
    says = ngettext(
        "%(n)s cell holds a formula that was never calculated, so nothing can be read there.",
        "%(n)s cells hold formulas that were never calculated, so nothing can be read there.",
        cells,
    )
    again = _("Open the file in Excel, save it, and upload it again.")
    return f"{says % {'n': number(cells)}} {again}"


def _hidden_rows(found: FileFindings) -> str:
    count = found.hidden_rows
    # Translators: rows are numbers of rows, like “3, 7, …”.
    if found.filtered:
        says = ngettext(
            "%(n)s row is hidden in the file (row %(rows)s), where a filter is set.",
            "%(n)s rows are hidden in the file (rows %(rows)s), where a filter is set.",
            count,
        )
    else:
        says = ngettext(
            "%(n)s row is hidden in the file (row %(rows)s).",
            "%(n)s rows are hidden in the file (rows %(rows)s).",
            count,
        )
    shown = [number(row) for row in found.first_hidden_rows[:8]]
    rows = ", ".join([*shown, *(["…"] if count > 8 else [])])
    hidden = says % {"n": number(count), "rows": rows}
    if not found.rows_choice:
        choose = ngettext("Choose what becomes of it.", "Choose what becomes of them.", count)
        return f"{hidden} {choose}"
    became = _("Included.") if found.rows_choice == INCLUDE else _("Left out.")
    return f"{hidden} {became}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(_("“%(name)s”") % {"name": name} for name in names)
