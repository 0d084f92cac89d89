"""A temporary table of this connection with what the ledger adds to the facts, as rows of `FactDelta`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

from sms.models.fact import FIGURES, NAMED
from sms.models.sql.facts import dialect
from sms.models.sql.facts.from_messages import COLUMNS, of_messages

TABLE = "facts_of_the_ledger"


@contextmanager
def ledger_table() -> Iterator[None]:
    """The table, empty, until the block ends."""
    dialect.prepare_large_sums()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(f"""
            CREATE TEMPORARY TABLE {TABLE} (
                measure varchar(8), word varchar(12), code varchar(10), bucket int, send_id bigint, service_id bigint,
                quarter int, country varchar(2), carrier varchar(20),
                messages bigint, amount bigint, amount_of bigint, billed bigint, billed_of bigint
            )
        """)
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


def add_messages(first_id: int, last_id: int, *, into: str = TABLE) -> None:
    """What messages between two ids add."""
    with connection.cursor() as cursor:
        values = [first_id, last_id, first_id, last_id]
        cursor.execute(f"INSERT INTO {into} ({COLUMNS}) {of_messages()}", values)


def add_deleted() -> None:
    """What messages that are deleted had added."""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} ({COLUMNS}) SELECT {COLUMNS} FROM sms_keptfact")


def add_rows(rows: Sequence[Sequence[Any]]) -> None:
    """Rows of NAMED and FIGURES."""
    marks = ", ".join(["%s"] * len(NAMED + FIGURES))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {TABLE} ({COLUMNS}) VALUES ({marks})", rows)
