"""What an XLSX sheet says beside its values: how far it reaches, how its cells are shown, what of it is hidden, which cells have no value.

Read before the parser lays the sheet out in memory, because a few bytes can ask for billions of cells. Called by `workbook`; the same of
an ODS is in `ods_layout`.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape

from sms.audiences.files.archive import ZippedWorkbook
from sms.audiences.files.cells import UNCALCULATED
from sms.audiences.files.choices import LAST_COLUMN, LAST_ROW
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.kinds import unreadable
from sms.audiences.files.rows import Limits
from sms.audiences.files.shown import Show, format_of
from sms.values.problems import ProblemCode
from sms.words import KeptSentence, gettext, gettext_noop, number

_CELLS_PER_ROW = 60  # times Limits.rows: what the parser may lay out, at 24 bytes and more each
_TEXT_PER_BYTE = 25  # times Limits.bytes: characters that all cells together may show
_CARRY = 16 << 20
_NO_VALUE_PER_ROW = 10  # times Limits.rows: cells with an error or a formula that was never calculated

# Atomic, or an unclosed tag of a few dozen characters is tried in millions of ways. A possessive group would do the same, but loses its
# place in Python before 3.11.5, and `<col … hidden="1"/>` was not found there.
ATTRIBUTES = rb"((?>(?:[^<>\"'/]++|\"[^\"<]*+\"|'[^'<]*+'|/(?!>))*))"
# A row, or a cell up to its value. First the way that Excel and most programs write a cell, which takes a third of the time.
_CELL = re.compile(
    rb'(?:<c r="([A-Z]{1,3})(\d{1,7})"(?: s="(\d+)")?(?: t="(\w+)")?'
    rb"|<(?:\w+:)?row\b" + ATTRIBUTES + rb"|<(?:\w+:)?c\b" + ATTRIBUTES + rb")(/?)>"
    rb"(<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?(?:<(?:\w+:)?v\b[^<>]*>([^<]*))?"
)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_COLUMN = re.compile(rb"<(?:\w+:)?col\b" + ATTRIBUTES + rb"/?>")
_OPENING = re.compile(rb"<(?:\w+:)?(?:row|c)\b")
_ATTRIBUTE = re.compile(rb"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_TEXT = re.compile(rb"<(?:\w+:)?(?:(si)\b|t\b[^<>]*>([^<]*))")
_BOOK = "xl/workbook.xml"
_YES = ("1", "true", "on")
_ELEMENT = r"<(?:\w+:)?%s\b([^<>]*)>"


class Marks:
    """Which rows or columns are marked, from 0: one byte each up to the last that a sheet can have, whatever a file asks for."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.flags = bytearray()

    def add(self, first: int, times: int = 1) -> None:
        end = min(first + times, self._most)
        if 0 <= first < end:
            self.flags.extend(bytes(max(end - len(self.flags), 0)))
            self.flags[first:end] = b"\1" * (end - first)

    def remove(self, at: int) -> None:
        self.flags[at] = 0

    def __contains__(self, at: object) -> bool:
        return isinstance(at, int) and 0 <= at < len(self.flags) and bool(self.flags[at])

    def __bool__(self) -> bool:
        return bool(self.flags)

    def __len__(self) -> int:
        return self.flags.count(1)

    def __iter__(self) -> Iterator[int]:
        return (at for at, marked in enumerate(self.flags) if marked)


@dataclass(slots=True)
class Layout:
    """`shows[column]` holds for each row the position in `formats` plus one, 0 where a value is plain. Rows and columns from 0.

    `without_value` is what stands instead of a value: the error that a cell shows, or that its formula was never calculated. `filled` are
    the hidden rows in which something stands. A merge is (top, left, bottom, right).
    """

    formats: list[Show] = field(default_factory=list)
    shows: dict[int, "array[int]"] = field(default_factory=dict)
    without_value: dict[int, dict[int, str]] = field(default_factory=dict)
    hidden_rows: Marks = field(default_factory=lambda: Marks(LAST_ROW))
    hidden_columns: Marks = field(default_factory=lambda: Marks(LAST_COLUMN))
    filled: Marks = field(default_factory=lambda: Marks(LAST_ROW))
    filtered: bool = False
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    errors: int = 0
    uncalculated: int = 0

    def show(self, row: int, column: int, place: int) -> None:
        shows = self.shows.setdefault(column, array("H"))
        if len(shows) <= row < LAST_ROW:
            shows.extend([0] * (row - len(shows) + 1))
        if row < len(shows):
            shows[row] = place

    def put(self, row: int, column: int, instead: str, *, limits: Limits) -> None:
        """What is shown instead of a value. Raises `AudienceError` where there are more of these than rows that can be read."""
        self.without_value.setdefault(row, {})[column] = instead
        self.uncalculated += instead == UNCALCULATED
        self.errors += instead != UNCALCULATED
        if self.errors + self.uncalculated > limits.rows * _NO_VALUE_PER_ROW:
            says = gettext(
                "Most cells of this sheet have no value. Open it in Excel, save it, and upload it again."
            )
            raise AudienceError(ProblemCode.TOO_MANY_CELLS, says)


_TOO_WIDE = KeptSentence(
    gettext_noop(
        "This sheet reaches down to row %(row)s and %(columns)s columns across, more than Textdesk takes. "
        "Remove stray cells far from the table, or save the table alone as CSV."
    )
)


@dataclass(slots=True)
class Extent:
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
                gettext(_TOO_WIDE.text) % {"row": number(self.bottom + 1), "columns": number(self.right + 1)},
            )


class XlsxLayouts:
    def __init__(self, archive: ZippedWorkbook, *, country: str, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._parts = _sheet_parts(archive)
        # a program's file: what Excel will calculate stands as 0 until then
        self._stale = any(
            one.get("fullCalcOnLoad") in _YES for one in _elements(archive.read(_BOOK), "calcPr")
        )
        self._formats, self._by_style = _formats(archive, country)
        self._texts = _text_lengths(archive)

    def __len__(self) -> int:
        return len(self._parts)

    def of(self, index: int) -> Layout:
        """The layout of the sheet at this place in the workbook; raises `AudienceError` where it would burst the memory."""
        if not self._archive.has(self._parts[index]):
            raise unreadable()
        layout, extent, text = Layout(formats=self._formats), Extent(), 0
        most, longest = self._limits.bytes * _TEXT_PER_BYTE, max(self._texts, default=0)
        hidden = layout.hidden_rows.flags  # itself, as this is asked for every cell
        chunks = _around_cells(self._archive.chunks(self._parts[index]), layout)
        for row, column, style, kind, value, formula in _cells(chunks, layout.hidden_rows):
            extent.add(row, column)
            if kind == b"s":
                at = int(value) if value and value.isdigit() and len(value) < 10 else -1
                length = self._texts[at] if 0 <= at < len(self._texts) else longest
                text += length
                if text > most:
                    says = gettext(
                        "The texts of this sheet are too long to be read. Save the recipients alone as CSV or XLSX."
                    )
                    raise AudienceError(ProblemCode.ZIP_BOMB, says)
            elif formula and self._never_calculated(kind, value):
                layout.put(row, column, UNCALCULATED, limits=self._limits)
            elif kind == b"e":
                layout.put(row, column, (value or b"#N/A").decode("ascii", "replace"), limits=self._limits)
            elif show := self._by_style.get(style, 0):
                layout.show(row, column, show)
            if hidden and row in layout.hidden_rows and (length if kind == b"s" else value != b""):
                layout.filled.add(row)
        extent.check(self._limits)
        return layout

    def _never_calculated(self, kind: bytes, value: bytes | None) -> bool:
        """A formula whose text is empty (`str`) has a value all the same."""
        return value is None or (value == b"" and kind != b"str") or (value == b"0" and self._stale)


def _around_cells(chunks: Iterator[bytes], layout: Layout) -> Iterator[bytes]:
    """The same chunks, and on the way what stands before the rows (hidden columns) and after them (a filter)."""
    head, before = bytearray(), b""
    in_head = True
    for chunk in chunks:
        if in_head:
            head += chunk
            if len(head) > _CARRY:
                raise unreadable()
            if (at := head.find(b"sheetData")) >= 0:
                in_head = False
                _hide_columns(_COMMENT.sub(b"", bytes(head[:at])), layout.hidden_columns)
                head.clear()
        layout.filtered = layout.filtered or b"filterColumn" in before + chunk
        before = chunk[-16:]
        yield chunk


def _hide_columns(head: bytes, hidden: Marks) -> None:
    for at, match in enumerate(_COLUMN.finditer(head)):
        attributes = attributes_of(match[1])
        first, last = attributes.get(b"min", b""), attributes.get(b"max", b"")
        if at > LAST_COLUMN or not (first.isdigit() and last.isdigit() and len(first + last) < 20):
            raise unreadable()  # they do not overlap in a real file, so there are not more than columns
        if _is_hidden(attributes, b"width"):
            hidden.add(int(first) - 1, int(last) - int(first) + 1)


def _is_hidden(attributes: Mapping[bytes, bytes], size: bytes) -> bool:
    """By its switch, or because it has no height or width."""
    return attributes.get(b"hidden", b"").decode("ascii", "replace") in _YES or not attributes.get(
        size, b"1"
    ).strip(b"0.")


def _cells(
    chunks: Iterator[bytes], hidden: Marks
) -> Iterator[tuple[int, int, bytes, bytes, bytes | None, bytes | None]]:
    """(row, column, style, type, value, formula) of each cell that is not empty. The value of an inline text is None."""
    row, column = -1, -1
    letters_at: dict[bytes, int] = {}
    for piece in cut(chunks, _last_cell):
        for match in _CELL.finditer(piece):
            letters, number, style, kind, of_row, of_cell, closed, formula, value = match.groups()
            if of_row is not None:
                attributes = attributes_of(of_row)
                numbered = attributes.get(b"r", b"")
                is_number = numbered.isdigit() and len(numbered) < 10
                row, column = int(numbered) - 1 if is_number else row + 1, -1
                if (b"hidden" in attributes or b"ht" in attributes) and _is_hidden(attributes, b"ht"):
                    hidden.add(row)
                continue
            if letters is not None:
                if letters not in letters_at:
                    letters_at[letters] = _position(letters + b"1")[1]
                row, column = int(number) - 1, letters_at[letters]
            else:
                attributes = attributes_of(of_cell)
                style, kind = attributes.get(b"s"), attributes.get(b"t")
                column += 1
                if reference := attributes.get(b"r"):
                    row, column = _position(reference)
            if not closed:
                yield row, column, style or b"0", kind or b"", value, formula


def attributes_of(text: bytes) -> dict[bytes, bytes]:
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(text)}


def _last_cell(piece: bytes) -> int:
    """Where the last cell begins, so that none is divided; looked for near the end first."""
    for start in (max(0, len(piece) - 65_536), 0):
        if found := max((match.start() for match in _OPENING.finditer(piece, start)), default=0):
            return found
    return last_tag(piece)


def last_tag(piece: bytes) -> int:
    return max(piece.rfind(b"<"), 0)


def cut(chunks: Iterator[bytes], place: Callable[[bytes], int]) -> Iterator[bytes]:
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
    for piece in cut(archive.chunks("xl/sharedStrings.xml"), last_tag):
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
    sheets = _elements(archive.read(_BOOK), "sheet")
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
