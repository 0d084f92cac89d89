"""What sort of file the bytes are. The name is not asked: a CSV called .xlsx, and the other way round, is everyday.

Only looks; `delimited`, `archive` and `workbook` read. Called by `reading`.
"""

from typing import BinaryIO, Literal

from sms.audiences.files.errors import AudienceError
from sms.values.csv import MARK
from sms.values.problems import ProblemCode
from sms.words import KeptSentence, gettext, gettext_noop

Kind = Literal["text", "zip", "xls"]

# Translators: kind is what it is instead, such as “a PDF”
_NO_SPREADSHEET = KeptSentence(
    gettext_noop(
        "This file is not a spreadsheet: it is %(kind)s. "
        "Open it in Excel or another spreadsheet, save it as CSV or XLSX, and upload that."
    )
)

# First bytes of what people upload by mistake.
_FOREIGN = {
    b"%PDF": gettext_noop("a PDF"),
    b"\x89PNG": gettext_noop("a PNG image"),
    b"\xff\xd8\xff": gettext_noop("a JPEG image"),
    b"GIF8": gettext_noop("a GIF image"),
    b"{\\rtf": gettext_noop("an RTF document"),
    b"\x1f\x8b": gettext_noop("a gzip archive"),
    b"BZh": gettext_noop("a bzip2 archive"),
    b"7z\xbc\xaf": gettext_noop("a 7-Zip archive"),
    b"Rar!": gettext_noop("a RAR archive"),
    b"PAR1": gettext_noop("a Parquet file"),
    b"SQLite format 3": gettext_noop("a database"),
    b"\x00\x01\x00\x00Standard": gettext_noop("an Access database"),
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def not_a_spreadsheet(what: str) -> AudienceError:
    says = gettext(_NO_SPREADSHEET.text) % {"kind": gettext(what)}
    return AudienceError(ProblemCode.NOT_A_SPREADSHEET, says)


def protected() -> AudienceError:
    says = gettext(
        "This workbook is protected with a password. Open it, save a copy without the password, and upload the copy."
    )
    return AudienceError(ProblemCode.PROTECTED, says)


def unreadable() -> AudienceError:
    says = gettext(
        "This workbook cannot be read; it may be damaged. Open it in a spreadsheet, save it again as XLSX or CSV, and upload that."
    )
    return AudienceError(ProblemCode.UNREADABLE, says)


def kind_of(file: BinaryIO) -> Kind:
    """`text`, `zip` or `xls` by content, or `AudienceError` where it is plainly something else. Leaves the file at its start."""
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    if not head.strip(b"\x00\r\n\t "):
        says = gettext("This file is empty. Upload one that holds at least one number.")
        raise AudienceError(ProblemCode.EMPTY, says)
    if head.startswith(_ZIP):
        return "zip"
    if head.startswith(_OLE):
        _refuse_other_ole(file)
        return "xls"
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise not_a_spreadsheet(what)
    return "text"


def _refuse_other_ole(file: BinaryIO) -> None:
    """Microsoft's old container holds XLS, Word, Outlook, and every encrypted XLSX. Its directory names are UTF-16."""
    content = file.read()
    file.seek(0)
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise protected()
    if "Workbook".encode("utf-16-le") in content or "Book\0".encode("utf-16-le") in content:
        return
    is_word = "WordDocument".encode("utf-16-le") in content
    other = gettext_noop("another Microsoft Office file")
    raise not_a_spreadsheet(gettext_noop("an old Word document") if is_word else other)


def refuse_other_text(head: str) -> None:
    """`AudienceError` where the beginning of a decoded file is no table: a web page, JSON, or bytes that are no text at all."""
    start = head.lstrip(MARK + "\0 \t\r\n")[:1000].lower()
    if start.startswith(
        ("<!doctype", "<html", "<head", "<body", "<table", "<meta", "<style", "<script", "<!--")
    ):
        raise not_a_spreadsheet(gettext_noop("a web page with a spreadsheet's name"))
    if start.startswith(("<?xml", "<workbook")):
        raise not_a_spreadsheet(gettext_noop("an XML document"))
    if start.startswith(('{"', "{\n", "{\r", '[{"', "[\n", "[\r", "[{\n", "[{\r")):
        raise not_a_spreadsheet("JSON")
    strange = sum(1 for char in head if char < " " and char not in "\t\r\n\0\x0b\x0c\x1a")
    if strange * 50 > len(head) or head.count("\0") * 5 > len(head):
        raise not_a_spreadsheet(gettext_noop("a file of bytes that are not text"))
