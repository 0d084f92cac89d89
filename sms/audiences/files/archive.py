"""Guards a zipped workbook (XLSX, ODS) before the parser sees it, which would unpack anything and lay any sheet out in memory.

Three ways a small file becomes a huge one: contents that unpack to far more than they say, checked here; one cell at the far corner
of a sheet (the parser fills the rectangle), and one long text shown by a million cells, checked in `layout`. Called by `workbook`.
"""

import zipfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Literal
from zlib import error as zlib_error

from sms.audiences.files.errors import AudienceError
from sms.audiences.files.kinds import not_a_spreadsheet, protected, unreadable
from sms.audiences.files.rows import Limits, amount
from sms.values.problems import ProblemCode
from sms.words import KeptSentence, gettext, gettext_noop

_CHUNK = 1 << 20
_EXPANSION = 25  # unpacked bytes per byte of Limits.bytes; real sheets unpack to 5 to 20 times their size
_RATIO = 200  # of one archive, once it is large enough to matter
_RATIO_FROM = 10_000_000
_MEMBERS = 5_000
_SMALL = 16_000_000  # of what is read in one piece: styles and the list of sheets
_BROKEN = (zipfile.BadZipFile, NotImplementedError, OSError, ValueError)
_OFFICE = {
    "word/document.xml": gettext_noop("a Word document"),
    "ppt/presentation.xml": gettext_noop("a PowerPoint presentation"),
    "index/document.iwa": gettext_noop("an Apple Numbers, Pages or Keynote document"),
    "xl/workbook.bin": gettext_noop("a binary Excel workbook (XLSB)"),
}


_ZIP_HOLDING = KeptSentence(
    gettext_noop(
        "This file is a ZIP archive holding %(file)s. Unpack it and upload the CSV or XLSX file itself."
    )
)
_UNPACKS_TO = KeptSentence(
    gettext_noop(
        "This workbook unpacks to far more than its size (%(most)s is the most), so it was not opened. Save its rows as CSV."
    )
)


class ZippedWorkbook:
    """A zipped workbook that is safe to unpack. `kind` is xlsx or ods."""

    def __init__(self, file: BinaryIO, *, limits: Limits) -> None:
        self._limits = limits
        try:
            self._zip = zipfile.ZipFile(file)
        except _BROKEN:
            raise unreadable() from None
        infos = self._zip.infolist()
        self._names = {info.filename.lower().replace("\\", "/").lstrip("/"): info for info in infos}
        if len(self._names) < len(infos):
            raise unreadable()  # two members of one name: the parser may open the one that was not checked
        self.kind = _kind_of(self._names)
        self._measure()

    def has(self, name: str) -> bool:
        return name.lower() in self._names

    def read(self, name: str) -> bytes:
        info = self._names.get(name.lower())
        if info and info.file_size > _SMALL:
            raise unreadable()
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        info = self._names.get(name.lower())
        if info is None:
            return
        with self._zip.open(info) as member:
            while chunk := member.read(_CHUNK):
                yield chunk

    def _measure(self) -> None:
        """Unpack everything once and count, since what an archive says of itself is whatever its maker wrote."""
        infos = self._zip.infolist()
        if any(info.flag_bits & 1 for info in infos):
            raise protected()
        most = self._limits.bytes * _EXPANSION
        packed = sum(info.compress_size for info in infos)
        if len(infos) > _MEMBERS or sum(info.file_size for info in infos) > most:
            raise _bomb(most)
        total = 0
        try:
            for info in infos:
                total = self._unpacked(info, total, packed=packed, most=most)
        except AudienceError:
            raise  # it is a ValueError too
        except (*_BROKEN, zlib_error, EOFError, RuntimeError):
            raise unreadable() from None

    def _unpacked(self, info: zipfile.ZipInfo, total: int, *, packed: int, most: int) -> int:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise unreadable()
        # zipfile stops at the size that the file claims; the parser does not
        said, info.file_size = info.file_size, most + 1
        try:
            with self._zip.open(info) as member:
                while chunk := member.read(_CHUNK):
                    total += len(chunk)
                    if total > most or total > max(_RATIO_FROM, packed * _RATIO):
                        raise _bomb(most)
        finally:
            info.file_size = said
        return total


def _kind_of(names: Mapping[str, zipfile.ZipInfo]) -> Literal["xlsx", "ods"]:
    if "xl/workbook.xml" in names:
        return "xlsx"
    for name, what in _OFFICE.items():
        if name in names:
            raise not_a_spreadsheet(what)
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    readable = (".csv", ".xlsx", ".xls", ".ods", ".txt")
    inside = (info.filename for name, info in names.items() if name.endswith(readable))
    says = gettext("This file is a ZIP archive. Unpack it and upload the CSV or XLSX file itself.")
    if found := next(inside, ""):
        says = gettext(_ZIP_HOLDING.text) % {"file": found}
    raise AudienceError(ProblemCode.ARCHIVE, says)


def _bomb(most: int) -> AudienceError:
    says = gettext(_UNPACKS_TO.text) % {"most": amount(most)}
    return AudienceError(ProblemCode.ZIP_BOMB, says)
