"""Files that cannot be read as recipients, by the code that each is refused with."""

import io
import zipfile

from tests.support.spreadsheets import Sheet, xlsx

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _zip(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in members.items():
            made.writestr(name, text)
    return content.getvalue()


BY_CODE = {
    "not_a_spreadsheet": b"%PDF-1.7 nothing",
    "archive": _zip(**{"people.csv": b"mobile\n+447700900001\n"}),
    "unreadable": b"PK\x03\x04 and then nothing",
    "protected": _OLE + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le"),
    "zip_bomb": _zip(**{"xl/workbook.xml": b" " * 40_000_000}),
    "empty": b"\n\n",
    "no_column": b"Name,Town\nAda,Leeds\n",
    "hidden_rows": xlsx(Sheet([("mobile",), ("+447700900001",), ("+447700900002",)], hidden_rows=(2,))),
    "heading_row": b"Office,+447700900001\nName,Mobile\nAda,+447700900002\n",
    "broken_quotes": b'"mobile,name\n+447700900001,Ada\n',
}
