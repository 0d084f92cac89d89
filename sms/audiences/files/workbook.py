"""Workbooks: XLSX and ODS after `archive` and `layout` have looked, XLS as it is. Yields what a person sees in the cells.

The first visible sheet with data counts. Rows are converted one by one; the parser itself holds the sheet (about 70 MB for 100,000
rows). Called by `reading`; the only module that imports the parser.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Literal, TypeVar

from python_calamine import (
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from sms.audiences.files.archive import ZippedWorkbook
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.findings import NAMED, SHEETS, FileFindings, OtherSheet
from sms.audiences.files.kinds import protected, unreadable
from sms.audiences.files.layout import Layout, XlsxLayouts
from sms.audiences.files.ods_layout import OdsLayouts
from sms.audiences.files.rows import Limits, Row, Source, shortened
from sms.audiences.files.shown import Value, plain
from sms.audiences.files.xls_layout import OldExcelLayouts
from sms.values.problems import ProblemCode
from sms.values.text import match_key
from sms.words import KeptSentence, gettext, gettext_noop

_T = TypeVar("_T")


def open_workbook(
    file: BinaryIO, *, kind: Literal["zip", "xls"], country: str, limits: Limits, sheet: str = ""
) -> Source:
    """The rows of the first visible sheet that has any, or of the one that is named. Raises `AudienceError` where it cannot be read."""
    archive = ZippedWorkbook(file, limits=limits) if kind == "zip" else None
    layouts = _layouts(archive, file, country=country, limits=limits)
    file.seek(0)
    workbook = _parsed(lambda: CalamineWorkbook.from_filelike(file))
    metas = workbook.sheets_metadata
    same_sheets = len(layouts) == len(metas)
    if archive and not same_sheets:
        raise unreadable()  # the parser sees other sheets than were looked at here
    visible = [index for index, meta in enumerate(metas) if meta.visible == SheetVisibleEnum.Visible]
    for index in [_named(metas, sheet)] if sheet else visible:
        if metas[index].typ != SheetTypeEnum.WorkSheet:
            continue
        known = layouts.of(index) if same_sheets else None
        layout = known or Layout()
        found = _parsed(lambda index=index: workbook.get_sheet_by_index(index))  # type: ignore[misc]
        if found.start is not None or layout.without_value:
            merges = [(*corner, *other) for corner, other in found.merged_cell_ranges or ()]
            return Source(
                rows=_rows(found, layout),
                place=metas[index].name if len(metas) > 1 else "",
                height=found.height,
                hidden_rows=layout.hidden_rows,
                hidden_columns=layout.hidden_columns,
                merges=merges or layout.merges,
                findings=_findings(
                    metas, index, layout, kind=archive.kind if archive else kind, known=known is not None
                ),
            )
    raise _all_empty(metas, sheet)


_NO_SHEET = KeptSentence(
    gettext_noop(
        "There is no sheet “%(sheet)s” in this workbook. Its sheets are: %(sheets)s. Choose one of them."
    )
)
_SHEET_EMPTY = KeptSentence(gettext_noop("The sheet “%(sheet)s” is empty. Choose another one."))
_FILLED_HIDDEN = KeptSentence(
    gettext_noop(
        "The visible sheets of this workbook are empty; “%(sheet)s” is hidden. Show it, save, and upload again."
    )
)


def _layouts(
    archive: ZippedWorkbook | None, file: BinaryIO, *, country: str, limits: Limits
) -> XlsxLayouts | OdsLayouts | OldExcelLayouts:
    if archive is None:
        return OldExcelLayouts(file, limits=limits)
    if archive.kind == "ods":
        return OdsLayouts(archive, limits=limits)
    return XlsxLayouts(archive, country=country, limits=limits)


def _named(metas: Sequence[SheetMetadata], sheet: str) -> int:
    for same in (str, match_key):
        for index, meta in enumerate(metas):
            if same(meta.name) == same(sheet) and meta.typ == SheetTypeEnum.WorkSheet:
                return index
    names = ", ".join(f"“{meta.name}”" for meta in metas[:SHEETS] if meta.typ == SheetTypeEnum.WorkSheet)
    says = gettext(_NO_SHEET.text) % {"sheet": shortened(sheet), "sheets": names}
    raise AudienceError(ProblemCode.INVALID_CHOICE, says, field="sheet")


def _findings(
    metas: Sequence[SheetMetadata], index: int, layout: Layout, *, kind: str, known: bool
) -> FileFindings:
    others = [
        OtherSheet(meta.name, hidden=meta.visible != SheetVisibleEnum.Visible)
        for at, meta in enumerate(metas[: SHEETS + 1])
        if at != index and meta.typ == SheetTypeEnum.WorkSheet
    ]
    hidden = [row + 1 for row in layout.filled]
    return FileFindings(
        kind=kind.upper(),
        sheet=metas[index].name,
        sheet_hidden=metas[index].visible != SheetVisibleEnum.Visible,
        other_sheets=tuple(others[:SHEETS]),
        hidden_rows=len(hidden),
        first_hidden_rows=tuple(hidden[:NAMED]),
        filtered=layout.filtered,
        uncalculated=layout.uncalculated,
        errors=layout.errors,
        tells_hidden=known,
    )


def _all_empty(metas: Sequence[SheetMetadata], sheet: str) -> AudienceError:
    if sheet:
        says = gettext(_SHEET_EMPTY.text) % {"sheet": shortened(sheet)}
        return AudienceError(ProblemCode.EMPTY, says, field="sheet")
    hidden = next((meta.name for meta in metas if meta.visible != SheetVisibleEnum.Visible), "")
    return AudienceError(
        ProblemCode.EMPTY,
        gettext(_FILLED_HIDDEN.text) % {"sheet": hidden}
        if hidden
        else gettext("This workbook is empty. Upload one that holds at least one number."),
    )


def rows_of_workbook(content: bytes) -> Iterator[list[str]]:
    """The filled cells of every row of every sheet, hidden ones too. Raises `AudienceError` where it cannot be read."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        OldExcelLayouts(io.BytesIO(content), limits=Limits())  # refuses what the parser would not survive
    workbook = _parsed(lambda: CalamineWorkbook.from_filelike(io.BytesIO(content)))
    for index in range(len(workbook.sheets_metadata)):
        sheet = _parsed(lambda index=index: workbook.get_sheet_by_index(index))  # type: ignore[misc]
        for values in sheet.iter_rows():
            yield [value if type(value) is str else plain(value) for value in values if value != ""]


def _parsed(parse: Callable[[], _T]) -> _T:
    """The parser's answer, or a sentence: whatever it thinks of a damaged file, a panic in its native code included."""
    try:
        return parse()
    except PasswordError:
        raise protected() from None
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic is no Exception
        if "assword" in str(error) or "ncrypt" in str(error):
            raise protected() from None
        raise unreadable() from None


def _rows(sheet: CalamineSheet, layout: Layout) -> Iterator[Row]:
    # The parser gives the empty rows above the table, but not the empty columns left of it.
    left = sheet.start[1] if sheet.start else 0
    padding = [""] * left
    formats, shows = layout.formats, sorted(layout.shows.items())
    number = -1
    for number, values in enumerate(sheet.iter_rows()):
        cells = padding + [value if type(value) is str else plain(value) for value in values]
        if "\0" in "".join(
            cells
        ):  # no database keeps it: a character that cannot be read, so that nobody gets a text without it
            cells = [cell.replace("\0", "\ufffd") for cell in cells]
        for column, places in shows:
            if number < len(places) and (place := places[number]):
                _apply(cells, column, values[column - left], formats[place - 1])
        if number in layout.without_value:
            _put_instead(cells, layout.without_value[number])
        yield number + 1, cells
    # Rows below the parser's last hold no values.
    for row in sorted(row for row in layout.without_value if row > number):
        cells = []
        _put_instead(cells, layout.without_value[row])
        yield row + 1, cells


def _apply(cells: list[str], column: int, value: Value, show: Callable[[float], str]) -> None:
    if value != "" and not isinstance(value, str | bool | None):
        cells[column] = show(value)  # type: ignore[arg-type]


def _put_instead(cells: list[str], without_value: dict[int, str]) -> None:
    for column, instead in without_value.items():
        cells.extend([""] * (column - len(cells) + 1))
        cells[column] = instead
