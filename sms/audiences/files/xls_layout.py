"""What an XLS says beside its values: what is hidden in each sheet, and which cells show an error. Called by `workbook`.

The records are those of Excel 5 to 2003: a kind and a length of two bytes each, then the data.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from sms.audiences.files.errors import AudienceError
from sms.audiences.files.kinds import unreadable
from sms.audiences.files.layout import Extent, Layout
from sms.audiences.files.old_container import EndlessChain, workbook_stream
from sms.audiences.files.rows import Limits

_BEGIN, _END, _SHEET = 0x0809, 0x000A, 0x0085
_ROW, _COLUMNS, _FILTERED, _REACH = 0x0208, 0x007D, 0x009B, 0x0200
_LAST_ROW, _LAST_COLUMN = 1 << 16, 1 << 8
_FORMULA, _ERROR, _SEVERAL = 0x0006, 0x0205, 0x00BD
_CELLS = {_FORMULA, _ERROR, _SEVERAL, 0x0203, 0x0204, 0x00D6, 0x00FD, 0x027E}
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


class OldExcelLayouts:
    """All sheets are looked at, since the parser lays all of them out. Raises `AudienceError` where that would burst the memory.

    Where the file is not as it should be, nothing is known of what is hidden in it; whether it can be read is the parser's to say.
    """

    def __init__(self, file: BinaryIO, *, limits: Limits) -> None:
        self._limits = limits
        self._layouts: list[Layout] = []
        file.seek(0)
        try:
            self._stream = workbook_stream(file.read())
            begins = [struct.unpack_from("<I", data)[0] for kind, data in self._records(0) if kind == _SHEET]
            self._layouts = [self._read(begin) for begin in begins]
        except EndlessChain:
            raise unreadable() from None
        except AudienceError:
            raise  # it is a ValueError too
        except (ValueError, LookupError, struct.error):
            return

    def __len__(self) -> int:
        return len(self._layouts)

    def of(self, index: int) -> Layout:
        return self._layouts[index]

    def _read(self, begin: int) -> Layout:
        layout, extent = Layout(), Extent()
        for kind, data in self._records(begin):
            if kind in _CELLS:
                row, column = struct.unpack_from("<HH", data)
                extent.add(row, column)
                layout.filled.add(row)
                if kind in (_ERROR, _FORMULA) and (error := _error(kind, data)):
                    layout.put(row, column, error, limits=self._limits)
            elif kind == _ROW:
                row, switches = struct.unpack_from("<H10xH", data)
                if switches & 0x20:
                    layout.hidden_rows.add(row)
            elif kind == _COLUMNS:
                first, last, width, _, switches = struct.unpack_from("<5H", data)
                if switches & 1 or not width:
                    layout.hidden_columns.add(first, max(last - first + 1, 0))
            elif kind == _FILTERED:
                layout.filtered = True
            elif kind == _REACH and not _is_possible(data):
                raise unreadable()
        extent.check(self._limits)
        # rows may be described behind their cells, so what of them is filled is known last
        for row in [row for row in layout.filled if row not in layout.hidden_rows]:
            layout.filled.remove(row)
        return layout

    def _records(self, at: int) -> Iterator[tuple[int, bytes]]:
        """From the beginning of a part to its end; charts within it have beginnings and ends of their own."""
        depth = 0
        while at + 4 <= len(self._stream):
            kind, length = struct.unpack_from("<HH", self._stream, at)
            depth += (kind == _BEGIN) - (kind == _END)
            if depth <= 0:
                return
            if depth == 1:
                yield kind, self._stream[at + 4 : at + 4 + length]
            at += 4 + length


def _error(kind: int, data: bytes) -> str:
    """What a cell shows instead of a value, if it is an error."""
    code = -1
    if kind == _ERROR and data[7]:
        code = data[6]
    elif kind == _FORMULA and data[12:14] == b"\xff\xff" and data[6] == 2:
        code = data[8]
    return _ERRORS.get(code, "#VALUE!") if code >= 0 else ""


def _is_possible(reach: bytes) -> bool:
    """Whether a sheet says of itself that it is no larger than a sheet can be: the parser makes room for as much."""
    if len(reach) < 14:
        return True  # of Excel 5, with too few bits for more
    _, rows, _, columns = struct.unpack_from("<IIHH", reach)
    return bool(rows <= _LAST_ROW and columns <= _LAST_COLUMN)
