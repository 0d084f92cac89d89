"""A number looked for in every byte that there is: each column of each table, unpacked where it is packed, archives, and files."""

import contextlib
import io
import zipfile
import zlib
from pathlib import Path

from django.apps import apps
from django.db import connection

from sms.compliance import archive
from sms.compliance.personal_columns import declared
from sms.values.msisdn.mention import Mention


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
    if content[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(content)):  # random bytes may begin so, too
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            yield from (book.read(one) for one in book.infolist())


def columns_with(number: str) -> set[str]:
    """The inventory's columns that name a number (E.164), `sms.Message.text`; packed ones by what they hold."""
    tables = {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
    }
    named = set()
    for place, content in cells():
        table, _, column = place.partition(".")
        if table in tables and any(_says(number, one) for one in unpacked(content)):
            model = tables[table]
            name = next(field.name for field in model._meta.concrete_fields if field.column == column)
            named.add(f"{model._meta.label}.{name}")
    for model, personal in declared():
        says = personal.unpacked
        if says and any(Mention(number).found(says(row)) for row in model._base_manager.all()):
            named |= {f"{model._meta.label}.{name}" for name in ("packed", *personal.packed)}
    return named


def _says(number: str, content: bytes) -> bool:
    packed = int(number[1:]).to_bytes(8, "little")
    return packed in content or Mention(number).national.encode() in bare(content)


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
