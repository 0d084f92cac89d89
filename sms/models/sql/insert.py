"""Rows straight into a table, for the few places where a request makes many of them or many requests make one each.

The ORM builds a model and compiles a statement every time, which was most of the time of a partner's request. Here the statement's text is
made once; values go through the model's fields as ever. There are no signals on our models, and what is inserted here sends none.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import connection, models

AT_A_TIME = 1000  # rows of one statement: SQLite has a limit of parameters


class StatementBatch:
    """Statements whose outcome is not waited for: PostgreSQL takes them in one text, so that together they cost one journey there."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._values: list[Any] = []

    def add(self, text: str, values: Sequence[Any]) -> None:
        if connection.vendor != "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(text, values)
            return
        self._texts.append(text)
        self._values += values

    def run(self) -> None:
        """Execute what was added, in that order; call it inside their transaction."""
        if self._texts:
            with connection.cursor() as cursor:
                cursor.execute("; ".join(self._texts), self._values)
        self._texts, self._values = [], []


def insert(
    model: type[models.Model],
    columns: tuple[str, ...],
    rows: Sequence[Sequence[Any]],
    *,
    batch: StatementBatch | None = None,
) -> list[int]:
    """Insert rows in this order; returns their keys, or none where they are inserted with `batch`.

    `columns` are attribute names (`send_id`); what they leave out takes the model's default.
    """
    keys: list[int] = []
    many = len(rows) > 1 and connection.vendor == "postgresql"
    for start in range(0, len(rows), AT_A_TIME):
        plan, some = _plan(model, columns, connection.vendor), rows[start : start + AT_A_TIME]
        text, values = (_as_json if many else _as_values)(plan, some)
        if batch is not None:
            batch.add(text, values)
            continue
        with connection.cursor() as cursor:
            own = connection.ops.quote_name(str(model._meta.pk.column))
            cursor.execute(f"{text} RETURNING {own}", values)
            keys += [key for (key,) in cursor.fetchall()]
    return sorted(keys)


def copy(model: type[models.Model], columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows in this order whose keys are not needed: by COPY on PostgreSQL, by `insert` elsewhere."""
    if not rows:
        return
    if connection.vendor != "postgresql":
        insert(model, columns, rows)
        return
    plan = _plan(model, columns, connection.vendor)
    into = plan.head.removeprefix("INSERT INTO ")
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as stream:
        for row in rows:
            stream.write_row([*map(_copied, row), *plan.defaults])


def _copied(value: Any) -> Any:
    """JSON is text there."""
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value


@dataclass(frozen=True, slots=True)
class _Plan:
    head: str
    fields: tuple[Any, ...]  # of the columns that were named
    named: tuple[str, ...]
    defaults: tuple[Any, ...]  # of the others, as the database takes them
    types: str


@functools.cache
def _plan(model: type[models.Model], columns: tuple[str, ...], vendor: str) -> _Plan:
    del vendor  # part of the key
    fields = {field.attname: field for field in model._meta.concrete_fields}
    others = [
        field
        for name, field in fields.items()
        if name not in columns and not isinstance(field, models.AutoField)
    ]
    quote = connection.ops.quote_name
    given = [fields[name] for name in columns]
    names = [quote(str(field.column)) for field in given]
    return _Plan(
        head=f"INSERT INTO {quote(model._meta.db_table)} ({', '.join([*names, *(quote(str(one.column)) for one in others)])})",
        fields=tuple(given),
        named=tuple(names),
        defaults=tuple(field.get_db_prep_save(field.get_default(), connection) for field in others),
        types=", ".join(
            f"{name} {field.db_type(connection)}" for name, field in zip(names, given, strict=True)
        ),
    )


def _as_values(plan: _Plan, rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    one = f"({', '.join(['%s'] * (len(plan.fields) + len(plan.defaults)))})"
    values: list[Any] = []
    for row in rows:
        filled = zip(plan.fields, row, strict=True)
        values += [field.get_db_prep_save(value, connection) for field, value in filled]
        values += plan.defaults
    return f"{plan.head} VALUES {', '.join([one] * len(rows))}", values


def _as_json(plan: _Plan, rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """PostgreSQL's way for many: one text, because a parameter for each value took longer than the inserting."""
    names = [field.attname for field in plan.fields]
    listed = msgspec.json.encode([dict(zip(names, row, strict=True)) for row in rows]).decode()
    defaults = "".join([", %s"] * len(plan.defaults))
    text = (
        f"{plan.head} SELECT {', '.join(f'v.{name}' for name in plan.named)}{defaults}"  # noqa: S608 - words of ours; values are parameters
        f" FROM ROWS FROM (json_to_recordset(%s) AS ({plan.types})) WITH ORDINALITY AS v ORDER BY v.ordinality"
    )
    return text, [*plan.defaults, listed]
