"""Functions of a column by which a number is searched for: in a text, however it is written, or among the bytes of others."""

from collections.abc import Iterable
from typing import Any

from django.db import models

BETWEEN = " -()./,_[]\t\n\r"


class _OfText(models.Func):
    """A function with a template for each database."""

    arity = 1
    sqlite = postgresql = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template=self.sqlite, **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template=self.postgresql, **extra)


class AsText(_OfText):
    """A column as text: JSON as it is written, bytes with those beyond ASCII as escapes."""

    output_field = models.TextField()
    sqlite = "CAST(%(expressions)s AS TEXT)"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        raw = isinstance(self.source_expressions[0].output_field, models.BinaryField)
        template = "encode(%(expressions)s, 'escape')" if raw else "(%(expressions)s)::text"
        return self.as_sql(compiler, connection, template=template, **extra)


def _replaced(template: str, signs: Iterable[str]) -> str:
    for sign in signs:
        template = f"REPLACE({template}, {sign}, '')"
    return template


_ESCAPED = [f"'\\{letter}'" for letter in "nrt"]
_IN_LINKS = ("20", "28", "29", "5B", "5D", "0A")  # as a link has spaces, brackets and a line's end


class WithoutSeparators(_OfText):
    """Text without what people put between digits; in JSON a line's end and a tab are two characters, in links some are three."""

    output_field = models.TextField()
    sqlite = _replaced(
        _replaced("%(expressions)s", [f"char(37)||'{code}'" for code in _IN_LINKS]),
        [*(f"char({ord(sign)})" for sign in BETWEEN), *_ESCAPED],
    )
    _plain = _replaced("%(expressions)s", [f"chr(37)||'{code}'" for code in _IN_LINKS])
    _between = "||".join(f"chr({ord(sign)})" for sign in BETWEEN)
    postgresql = _replaced(f"translate({_plain}, {_between}, '')", _ESCAPED)


class BeyondAscii(_OfText):
    """Whether there is anything beyond ASCII in a text; in JSON and in bytes that is an escape."""

    output_field = models.BooleanField()
    sqlite = "(LENGTH(CAST(%(expressions)s AS BLOB)) <> LENGTH(%(expressions)s))"
    postgresql = "(octet_length(%(expressions)s) <> char_length(%(expressions)s))"


class Position(models.Func):
    """Where bytes begin in other bytes, from 1; 0 where they do not occur."""

    output_field = models.IntegerField()
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="INSTR", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        turned = self.copy()
        turned.set_source_expressions(self.get_source_expressions()[::-1])
        return turned.as_sql(compiler, connection, function="POSITION", arg_joiner=" IN ", **extra)
