"""Functions of a column's text by which a number is searched for, however it is written. Called by erasure."""

from typing import Any

from django.db import models

BETWEEN = " -()./,_[]\t\n\r"


class AsText(models.Func):
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


class WithoutSeparators(models.Func):
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


class BeyondAscii(models.Func):
    """Whether there is anything beyond ASCII in a text; in JSON and in bytes that is an escape."""

    output_field = models.BooleanField()
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(LENGTH(CAST(%(expressions)s AS BLOB)) <> LENGTH(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(octet_length(%(expressions)s) <> char_length(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **extra)
