"""Workbooks: XLSX and ODS after `archive` and `layout` have looked, XLS as it is. Yields what a person sees in the cells.

The first visible sheet with data counts. Rows are converted one by one; the parser itself holds the sheet (about 70 MB for 100,000
rows). Called by `reading`; the only module that imports the parser.
"""

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, TypeVar

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from sms.audiences.files.archive import ZippedWorkbook
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.kinds import protected, unreadable
from sms.audiences.files.layout import Layout, XlsxLayouts, check_ods
from sms.audiences.files.rows import Limits, Row, Source
from sms.audiences.files.shown import Value, plain
from sms.values.problems import ProblemCode

_T = TypeVar("_T")


def open_workbook(file: BinaryIO, *, kind: Literal["zip", "xls"], country: str, limits: Limits) -> Source:
    """The rows of the first visible sheet that has any. Raises `AudienceError` where there is none, or it is not safe to open."""
    archive = ZippedWorkbook(file, limits=limits) if kind == "zip" else None
    if archive and archive.kind == "ods":
        check_ods(archive, limits=limits)
    file.seek(0)
    workbook = _parsed(lambda: CalamineWorkbook.from_filelike(file))
    sheets = workbook.sheets_metadata
    layouts = None
    if archive and archive.kind == "xlsx":
        layouts = XlsxLayouts(archive, sheets=len(sheets), country=country, limits=limits)
    hidden = ""
    for index, meta in enumerate(sheets):
        if meta.typ != SheetTypeEnum.WorkSheet:
            continue
        if meta.visible != SheetVisibleEnum.Visible:
            hidden = hidden or meta.name
            continue
        layout = layouts.of(index) if layouts else Layout()
        sheet = _parsed(lambda index=index: workbook.get_sheet_by_index(index))  # type: ignore[misc]
        if sheet.start is not None or layout.errors:
            place = meta.name if len(sheets) > 1 else ""
            return Source(rows=_rows(sheet, layout), place=place, height=sheet.height)
    raise AudienceError(
        ProblemCode.EMPTY,
        f"The visible sheets of this workbook are empty; “{hidden}” is hidden. Show it, save, and upload again."
        if hidden
        else "This workbook is empty. Upload one that holds at least one number.",
    )


def rows_of_workbook(content: bytes) -> Iterator[list[str]]:
    """The filled cells of every row of every sheet, hidden ones too. Raises `AudienceError` where it cannot be read."""
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
        if number in layout.errors:
            _put_errors(cells, layout.errors[number])
        yield number + 1, cells
    # Rows below the parser's last hold errors only.
    for row in sorted(row for row in layout.errors if row > number):
        cells = []
        _put_errors(cells, layout.errors[row])
        yield row + 1, cells


def _apply(cells: list[str], column: int, value: Value, show: Callable[[float], str]) -> None:
    if value != "" and not isinstance(value, str | bool | None):
        cells[column] = show(value)  # type: ignore[arg-type]


def _put_errors(cells: list[str], errors: dict[int, str]) -> None:
    for column, error in errors.items():
        cells.extend([""] * (column - len(cells) + 1))
        cells[column] = error
