"""A number looked for in every byte that there is: each column of each table, unpacked where it is packed, archives, and files."""

import contextlib
import io
import zipfile
import zlib
from pathlib import Path

from django.db import connection

from sms import archive


def cells():
    """(table.column, bytes) of every cell that is no number or moment."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("sqlite_"):
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    if isinstance(value, str):
                        yield f"{table}.{name}", value.encode()
                    elif isinstance(value, (bytes, memoryview)):
                        yield f"{table}.{name}", bytes(value)
                    elif isinstance(value, (dict, list)):
                        yield f"{table}.{name}", repr(value).encode()


def unpacked(content: bytes):
    """The bytes, and what they hold if they are packed."""
    yield content
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(content)
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            yield from (book.read(one) for one in book.infolist())


def bare(content: bytes) -> bytes:
    return content.translate(None, b" -()./")


def found(number: str, service, *folders: Path) -> list[str]:
    """Where a number (E.164) still is, in any spelling."""
    national = number[3:].encode()
    packed = int(number[1:]).to_bytes(8, "little")
    places = [
        name
        for name, content in cells()
        if any(national in bare(one) or packed in one for one in unpacked(content))
    ]
    places += [f"archived {row.id}" for row in archive.every(service) if national in bare(repr(row).encode())]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and national in bare(path.read_bytes()):
                places.append(str(path))
    return places
