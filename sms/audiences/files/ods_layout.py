"""What an ODS says beside its values, of each of its sheets: how far it reaches, what is hidden, merged or without a value.

Read before the parser lays the sheets out in memory, as `layout` does for XLSX. Called by `workbook`.
"""

import re
from dataclasses import dataclass, field

from sms.audiences.files.archive import ZippedWorkbook
from sms.audiences.files.cells import ERRORS, UNCALCULATED
from sms.audiences.files.layout import ATTRIBUTES, Extent, Layout, attributes_of, cut, last_tag
from sms.audiences.files.rows import Limits

_NAMES = rb"table(?:-row|-column|-cell)?|covered-table-cell|table-(?:row|column)-group"
# A cell with the text behind it, which is what an error shows.
_TAG = re.compile(
    rb"<(/?)table:(" + _NAMES + rb")(?=[\s/>])" + ATTRIBUTES + rb"(/?)>(?:\s*<text:p\b[^<>]*>([^<]*))?"
)
_MOST_MERGES = 10_000


class OdsLayouts:
    """All sheets are looked at, since the parser lays all of them out. Raises `AudienceError`."""

    def __init__(self, archive: ZippedWorkbook, *, limits: Limits) -> None:
        self._limits = limits
        self._sheets: list[_OdsSheet] = []
        self._depth = 0  # of tables: the cells of one within a cell are laid out too
        for piece in cut(archive.chunks("content.xml"), last_tag):
            for closing, name, inside, empty, text in _TAG.findall(piece):
                if name == b"table":
                    self._table(opens=not closing, empty=bool(empty))
                elif self._sheets:
                    self._tag(name, inside, opens=not closing, empty=bool(empty), text=text)

    def __len__(self) -> int:
        return len(self._sheets)

    def of(self, index: int) -> Layout:
        return self._sheets[index].layout

    def _table(self, *, opens: bool, empty: bool) -> None:
        if opens and self._depth == 0:
            self._sheets.append(_OdsSheet())
        if not empty:
            self._depth += 1 if opens else -1

    def _tag(self, name: bytes, inside: bytes, *, opens: bool, empty: bool, text: bytes) -> None:
        sheet = self._sheets[-1]
        if not opens:
            sheet.close(name)
            return
        attributes = attributes_of(inside)
        if name == b"table-column":
            sheet.columns(_times(attributes, b"columns"), attributes)
        elif name in _GROUPS:
            if not empty:
                sheet.group(name, attributes)
        elif name == b"table-row":
            sheet.begin_row(_times(attributes, b"rows"), attributes)
            if empty:
                sheet.close(name)
        else:
            sheet.cell(attributes, empty=empty, text=text, limits=self._limits)


_GROUPS = (b"table-row-group", b"table-column-group")


@dataclass(slots=True)
class _OdsSheet:
    """Where the reading stands in a sheet. `times` is how often the present row is repeated."""

    layout: Layout = field(default_factory=Layout)
    extent: Extent = field(default_factory=Extent)
    row: int = 0
    times: int = 1
    column: int = 0  # of the next cell
    described: int = 0  # of the next column's description
    groups: list[bool] = field(
        default_factory=list
    )  # open groups of rows or columns: whether each is folded away

    def columns(self, times: int, attributes: dict[bytes, bytes]) -> None:
        if _is_hidden(attributes) or any(self.groups):
            self.layout.hidden_columns.add(self.described, times)
        self.described += times

    def group(self, name: bytes, attributes: dict[bytes, bytes]) -> None:
        self.groups.append(attributes.get(b"table:display") == b"false")

    def begin_row(self, times: int, attributes: dict[bytes, bytes]) -> None:
        self.times, self.column = times, 0
        if _is_hidden(attributes) or any(self.groups):
            self.layout.hidden_rows.add(self.row, times)
            self.layout.filtered |= attributes.get(b"table:visibility") == b"filter"

    def close(self, name: bytes) -> None:
        if name == b"table-row":
            self.row += self.times
            self.times = 1
        elif name in _GROUPS and self.groups:
            self.groups.pop()

    def cell(self, attributes: dict[bytes, bytes], *, empty: bool, text: bytes, limits: Limits) -> None:
        times = _times(attributes, b"columns")
        formula = b"table:formula" in attributes
        valued = any(name.endswith((b"value", b"value-type")) for name in attributes)
        if not empty or valued or formula:
            self.extent.add(self.row, self.column)
            self.extent.add(self.row + self.times - 1, self.column + times - 1)
            self.extent.check(limits)
            if self.layout.hidden_rows and (valued or text) and self.row in self.layout.hidden_rows:
                self.layout.filled.add(self.row, self.times)
            shown = text.decode("utf-8", "replace")
            if attributes.get(b"calcext:value-type") == b"error" or (formula and shown in ERRORS):
                self._put(shown if shown in ERRORS else "#VALUE!", times, limits)
            elif formula and not valued and not text:
                self._put(UNCALCULATED, times, limits)
            self._merge(attributes)
        self.column += times

    def _put(self, instead: str, times: int, limits: Limits) -> None:
        for row in range(self.row, self.row + self.times):
            for column in range(self.column, self.column + times):
                self.layout.put(row, column, instead, limits=limits)

    def _merge(self, attributes: dict[bytes, bytes]) -> None:
        wide, high = (
            _number(attributes.get(b"table:number-%s-spanned" % one, b"")) for one in (b"columns", b"rows")
        )
        if (wide > 1 or high > 1) and len(self.layout.merges) < _MOST_MERGES:
            corner = (self.row + high - 1, self.column + wide - 1)
            self.layout.merges.append((self.row, self.column, *corner))


def _is_hidden(attributes: dict[bytes, bytes]) -> bool:
    return attributes.get(b"table:visibility") in (b"collapse", b"filter")


def _times(attributes: dict[bytes, bytes], what: bytes) -> int:
    return _number(attributes.get(b"table:number-%s-repeated" % what, b""))


def _number(written: bytes) -> int:
    """At least 1. No sheet has as many rows or columns as nine digits say."""
    return max(int(written), 1) if written.isdigit() and len(written) < 10 else 1
