"""What a sheet's XML says beside its values: how far it reaches, how its cells are shown, which hold an error.

Read before the parser lays the sheet out in memory, because a few bytes can ask for billions of cells. Called by `workbook`.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape

from sms.audiences.files.archive import ZippedWorkbook
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.kinds import unreadable
from sms.audiences.files.rows import Limits
from sms.audiences.files.shown import Show, format_of
from sms.values.problems import ProblemCode

_CELLS_PER_ROW = 60  # times Limits.rows: what the parser may lay out, at 24 bytes and more each
_TEXT_PER_BYTE = 25  # times Limits.bytes: characters that all cells together may show
_CARRY = 16 << 20

# Possessive, or an unclosed tag of a few dozen characters is tried in millions of ways.
_ATTRIBUTES = rb"((?:[^<>\"'/]++|\"[^\"<]*+\"|'[^'<]*+'|/(?!>))*+)"
# A row, or a cell up to its value. First the way that Excel and most programs write a cell, which takes a third of the time.
_CELL = re.compile(
    rb'(?:<c r="([A-Z]{1,3})(\d{1,7})"(?: s="(\d+)")?(?: t="(\w+)")?'
    rb"|<(?:\w+:)?row\b" + _ATTRIBUTES + rb"|<(?:\w+:)?c\b" + _ATTRIBUTES + rb")(/?)>"
    rb"(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?(?:<(?:\w+:)?v\b[^<>]*>([^<]*))?"
)
_OPENING = re.compile(rb"<(?:\w+:)?(?:row|c)\b")
_ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_TEXT = re.compile(rb"<(?:\w+:)?(?:(si)\b|t\b[^<>]*>([^<]*))")
_ELEMENT = r"<(?:\w+:)?%s\b([^<>]*)>"
_ODS_TAG = re.compile(rb"<(/?)table:(table-row|table-cell|covered-table-cell|table)(?=[\s/>])([^<>]*?)(/?)>")


@dataclass(slots=True)
class Layout:
    """`shows[column]` holds for each row the position in `formats` plus one, 0 where a value is plain. Rows and columns from 0."""

    formats: list[Show] = field(default_factory=list)
    shows: dict[int, "array[int]"] = field(default_factory=dict)
    errors: dict[int, dict[int, str]] = field(default_factory=dict)

    def show(self, row: int, column: int, place: int) -> None:
        shows = self.shows.setdefault(column, array("H"))
        if len(shows) <= row < 1 << 20:  # no sheet has more rows
            shows.extend([0] * (row - len(shows) + 1))
        if row < len(shows):
            shows[row] = place


@dataclass(slots=True)
class _Extent:
    top: int = 1 << 40
    left: int = 1 << 40
    bottom: int = -1
    right: int = -1

    def add(self, row: int, column: int) -> None:
        # Comparisons, not min and max: this runs for every cell.
        if row > self.bottom:
            self.bottom = row
        if row < self.top:
            self.top = row
        if column > self.right:
            self.right = column
        if column < self.left:
            self.left = column

    def check(self, limits: Limits) -> None:
        if self.bottom < 0:
            return
        if (self.bottom - self.top + 1) * (self.right - self.left + 1) > limits.rows * _CELLS_PER_ROW:
            raise AudienceError(
                ProblemCode.TOO_MANY_CELLS,
                f"This sheet reaches down to row {self.bottom + 1:,} and {self.right + 1:,} columns across, more than Textdesk takes. "
                "Remove stray cells far from the table, or save the table alone as CSV.",
            )


class XlsxLayouts:
    def __init__(self, archive: ZippedWorkbook, *, sheets: int, country: str, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._parts = _sheet_parts(archive)
        if len(self._parts) != sheets:
            raise unreadable()  # the parser sees other sheets than were looked at here
        self._formats, self._by_style = _formats(archive, country)
        self._texts = _text_lengths(archive)

    def of(self, index: int) -> Layout:
        """The layout of the sheet at this place in the workbook; raises `AudienceError` where it would burst the memory."""
        if not self._archive.has(self._parts[index]):
            raise unreadable()
        layout, extent, text = Layout(formats=self._formats), _Extent(), 0
        most, longest = self._limits.bytes * _TEXT_PER_BYTE, max(self._texts, default=0)
        for row, column, style, kind, value in _cells(self._archive.chunks(self._parts[index])):
            extent.add(row, column)
            if kind == b"s":
                at = int(value) if value.isdigit() else -1
                text += self._texts[at] if 0 <= at < len(self._texts) else longest
                if text > most:
                    says = "The texts of this sheet are too long to be read. Save the recipients alone as CSV or XLSX."
                    raise AudienceError(ProblemCode.ZIP_BOMB, says)
            elif kind == b"e":
                layout.errors.setdefault(row, {})[column] = value.decode("ascii", "replace") or "#N/A"
            elif show := self._by_style.get(style, 0):
                layout.show(row, column, show)
        extent.check(self._limits)
        return layout


def _cells(chunks: Iterator[bytes]) -> Iterator[tuple[int, int, bytes, bytes, bytes]]:
    """(row, column, style, type, value) of each cell that is not empty."""
    row, column = -1, -1
    letters_at: dict[bytes, int] = {}
    for piece in _cut(chunks, _last_cell):
        for match in _CELL.finditer(piece):
            letters, number, style, kind, of_row, of_cell, closed, value = match.groups()
            if of_row is not None:
                numbered = _attributes(of_row).get(b"r", b"")
                row, column = int(numbered) - 1 if numbered.isdigit() else row + 1, -1
                continue
            if letters is not None:
                if letters not in letters_at:
                    letters_at[letters] = _position(letters + b"1")[1]
                row, column = int(number) - 1, letters_at[letters]
            else:
                attributes = _attributes(of_cell)
                style, kind = attributes.get(b"s"), attributes.get(b"t")
                column += 1
                if reference := attributes.get(b"r"):
                    row, column = _position(reference)
            if not closed:
                yield row, column, style or b"0", kind or b"", value or b""


def _attributes(text: bytes) -> dict[bytes, bytes]:
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(text)}


def _last_cell(piece: bytes) -> int:
    """Where the last cell begins, so that none is divided; looked for near the end first."""
    for start in (max(0, len(piece) - 65_536), 0):
        if found := max((match.start() for match in _OPENING.finditer(piece, start)), default=0):
            return found
    return _last_tag(piece)


def _last_tag(piece: bytes) -> int:
    return max(piece.rfind(b"<"), 0)


def _cut(chunks: Iterator[bytes], place: Callable[[bytes], int]) -> Iterator[bytes]:
    """The chunks cut again, at a place of each; what is behind it goes with the next one."""
    rest = b""
    for chunk in chunks:
        piece = rest + chunk
        cut = place(piece)
        if len(piece) - cut > _CARRY:
            raise unreadable()
        rest = piece[cut:]
        yield piece[:cut]
    yield rest


def _position(reference: bytes) -> tuple[int, int]:
    """B12 as (11, 1)."""
    letters = reference.rstrip(b"0123456789")
    column = 0
    for letter in letters.upper():
        column = column * 26 + letter - 64
    try:
        return int(reference[len(letters) :]) - 1, column - 1
    except ValueError:
        raise unreadable() from None


def _text_lengths(archive: ZippedWorkbook) -> "array[int]":
    lengths = array("L")
    for piece in _cut(archive.chunks("xl/sharedStrings.xml"), _last_tag):
        for begins, text in _TEXT.findall(piece):
            if begins:
                lengths.append(0)
            elif lengths:
                lengths[-1] += len(text)
    return lengths


def _sheet_parts(archive: ZippedWorkbook) -> list[str]:
    targets = {}
    for attributes in _elements(archive.read("xl/_rels/workbook.xml.rels"), "Relationship"):
        target = attributes.get("Target", "").lstrip("/")
        targets[attributes.get("Id", "")] = target if target.startswith("xl/") else f"xl/{target}"
    sheets = _elements(archive.read("xl/workbook.xml"), "sheet")
    ids = (next((value for name, value in sheet.items() if name.endswith(":id")), "") for sheet in sheets)
    return [targets.get(one, "") for one in ids]


def _formats(archive: ZippedWorkbook, country: str) -> tuple[list[Show], Mapping[bytes, int]]:
    """The formats that change how a value looks, and for each style (as written in a cell) its place among them from 1."""
    styles = archive.read("xl/styles.xml")
    named = _elements(styles, "numFmt")
    codes = {one.get("numFmtId", ""): one.get("formatCode", "") for one in named}
    formats: list[Show] = []
    by_style: dict[bytes, int] = {}
    places: dict[str, int] = {}
    begin, end = styles.find(b"cellXfs"), styles.rfind(b"cellXfs")
    for style, attributes in enumerate(_elements(styles[begin:end], "xf")):
        number = attributes.get("numFmtId", "0")
        if number not in places:
            code = unescape(codes.get(number, ""))
            show = format_of(int(number) if number.isdigit() else 0, code, country=country)
            formats += [show] if show else []
            places[number] = len(formats) if show else 0
        if places[number]:
            by_style[str(style).encode()] = places[number]
    return formats, by_style


def _elements(xml: bytes, name: str) -> list[dict[str, str]]:
    text = re.sub(r"<!--.*?-->", "", xml.decode("utf-8", "replace"), flags=re.DOTALL)
    pairs = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
    return [
        {key: double or single for key, double, single in pairs.findall(inside)}
        for inside in re.findall(_ELEMENT % name, text)
    ]


def check_ods(archive: ZippedWorkbook, *, limits: Limits) -> None:
    row = column = 0
    rows = 1
    extent = _Extent()
    for piece in _cut(archive.chunks("content.xml"), _last_tag):
        for closing, name, inside, empty in _ODS_TAG.findall(piece):
            if closing:
                row += rows if name == b"table-row" else 0
                continue
            repeated = dict(re.findall(rb"table:number-(rows|columns)-repeated=[\"'](\d{1,9})", inside))
            if name == b"table":
                row, extent = 0, _Extent()
            elif name == b"table-row":
                rows, column = int(repeated.get(b"rows", 1)), 0
                row += rows if empty else 0
            else:
                times = int(repeated.get(b"columns", 1))
                if not empty or b"value" in inside:
                    extent.add(row, column)
                    extent.add(row + rows - 1, column + times - 1)
                    extent.check(limits)
                column += times
