"""Rows that name the number, looked for by the database: whatever people put between digits is passed over there.

What it finds may be too much (digits that run on) and is looked at again in Python by `sms.values.msisdn.mention`; too little
it never is: text
with characters beyond ASCII comes back as a whole, since digits and signs of every script can be in it. Long tables are walked in windows
of ids, so that no statement is long.
"""

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import F, Max, Min, QuerySet

from sms.compliance.archive import in_values
from sms.compliance.erasure.subject import Subject

WINDOW = 50_000  # ids
BETWEEN = " -()./,_[]\t\n\r"
# how characters beyond ASCII begin where they are not written as they are: JSON of SQLite, bytes of PostgreSQL
ESCAPES: dict[type, tuple[str, ...]] = {models.JSONField: ("\\u",), models.BinaryField: ("\\2", "\\3")}


class _Text(models.Func):
    """A column as text: JSON as it is written, bytes with those beyond ASCII as escapes."""

    output_field = models.TextField()
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS TEXT)", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        source = self.source_expressions[0].output_field
        raw = isinstance(source, models.BinaryField)
        template = "encode(%(expressions)s, 'escape')" if raw else "(%(expressions)s)::text"
        return self.as_sql(compiler, connection, template=template, **extra)


class _WithoutSeparators(models.Func):
    """Text without what people put between digits; in JSON a line's end and a tab are two characters."""

    output_field = models.TextField()
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "%(expressions)s"
        for sign in BETWEEN:
            template = f"REPLACE({template}, char({ord(sign)}), '')"
        return self.as_sql(compiler, connection, template=_unescaped(template), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        signs = "||".join(f"chr({ord(sign)})" for sign in BETWEEN)
        template = _unescaped(f"translate(%(expressions)s, {signs}, '')")
        return self.as_sql(compiler, connection, template=template, **extra)


def _unescaped(template: str) -> str:
    for letter in "nrt":
        template = f"REPLACE({template}, '\\{letter}', '')"
    return template


class _Wide(models.Func):
    """Whether there is anything beyond ASCII in a text; in JSON and in bytes that is an escape."""

    output_field = models.BooleanField()
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(LENGTH(CAST(%(expressions)s AS BLOB)) <> LENGTH(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(octet_length(%(expressions)s) <> char_length(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **extra)


def naming(rows: "QuerySet[Any]", name: str, subject: Subject) -> "QuerySet[Any]":
    """Rows whose column may name it."""
    rows = rows.annotate(said=_Text(F(name))).annotate(bare=_WithoutSeparators(F("said")))
    found = models.Q(bare__contains=subject.mention.national) | models.Q(wide=True)
    for escape in ESCAPES.get(type(rows.model._meta.get_field(name)), ()):
        found |= models.Q(said__contains=escape)
    return rows.annotate(wide=_Wide(F("said"))).filter(found)


def says(value: Any, subject: Subject) -> bool:
    """Whether a value of such a row does name it."""
    if isinstance(value, (bytes, memoryview)):
        return subject.mention.found(bytes(value).decode("utf-8", "replace"))
    if isinstance(value, str):
        return subject.mention.found(value)
    return bool(in_values(value, subject.mention) != value)


def ids_naming(rows: "QuerySet[Any]", name: str, subject: Subject) -> list[Any]:
    """Keys of the rows whose column names it."""
    found = naming(rows, name, subject).values_list("pk", name)
    return [pk for pk, value in found.iterator(chunk_size=1000) if says(value, subject)]


def windows(rows: "QuerySet[Any]", *, newest_first: bool = False) -> "Iterator[QuerySet[Any]]":
    """The rows in pieces; a table whose key is no number is one piece."""
    if not isinstance(rows.model._meta.pk, (models.IntegerField, models.OneToOneField)):
        yield rows
        return
    ends = rows.model._base_manager.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return
    starts = range(ends["first"], ends["last"] + 1, WINDOW)
    for start in reversed(starts) if newest_first else starts:
        yield rows.filter(pk__gte=start, pk__lt=start + WINDOW)
