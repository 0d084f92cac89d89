"""Expressions and session settings that PostgreSQL and SQLite spell in different ways."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from sms.models.fact import QUARTER
from sms.models.sql.session import do_not_wait_for_disk, on_postgresql
from sms.values.histogram import EDGES, bucket


def _on_postgresql() -> bool:
    return connection.vendor == "postgresql"


def quarter_of(moment: str) -> str:
    """Quarters of an hour since 1970, UTC."""
    if _on_postgresql():
        return f"floor(extract(epoch FROM {moment}) / {QUARTER})::int"
    return f"CAST(strftime('%%s', {moment}) AS integer) / {QUARTER}"


def latest_of(first: str, second: str) -> str:
    return f"{'greatest' if _on_postgresql() else 'max'}({first}, {second})"


def bucket_of(end: str, start: str) -> str:
    """The bucket of a duration, as `sms.values.histogram.bucket`. On SQLite call `register_functions` first."""
    if _on_postgresql():
        edges = ",".join(map(str, EDGES))
        return f"width_bucket(floor(extract(epoch FROM ({end}) - ({start})) * 1000)::bigint, ARRAY[{edges}]::bigint[])"
    return f"fact_bucket({end}, {start})"


def register_functions() -> None:
    """Give SQLite the function that `bucket_of` calls there."""
    if not _on_postgresql():
        connection.ensure_connection()
        connection.connection.create_function("fact_bucket", 2, _bucket, deterministic=True)


def _bucket(end: str, start: str) -> int:
    return bucket(datetime.fromisoformat(end), datetime.fromisoformat(start))


def true_if(condition: str) -> str:
    """A boolean column's value."""
    true, false = ("true", "false") if _on_postgresql() else ("1", "0")
    return f"CASE WHEN {condition} THEN {true} ELSE {false} END"


def joined_words(column: str) -> str:
    """Aggregate words with commas, sorted as Python sorts them; on SQLite in the order of the rows."""
    if _on_postgresql():
        return f"""string_agg({column}, ',' ORDER BY {column} COLLATE "C")"""
    return f"group_concat({column}, ',')"


# A statement of a process that was killed goes on to its end otherwise, and the rows that it locked are waited for. Not every system that
# PostgreSQL runs on can tell.
_END_WITH_THE_CLIENT = """
DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '5s', true); EXCEPTION WHEN OTHERS THEN NULL; END $$
"""


@contextmanager
def snapshot() -> Iterator[None]:
    """A transaction whose every statement sees the same rows: on PostgreSQL by its isolation; on SQLite there is one writer."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            on_postgresql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        do_not_wait_for_disk()  # after a crash the deltas are there again
        on_postgresql(_END_WITH_THE_CLIENT)
        register_functions()
        yield


def prepare_large_sums() -> None:
    """Settings of this transaction for sums over hundreds of thousands of rows."""
    on_postgresql("SET LOCAL work_mem = '64MB'")  # sums of a step are made in memory
    # the planner takes every row for a group of its own and sorts them by six texts, which is three times as long as hashing
    on_postgresql("SET LOCAL enable_sort = off")


def analyze(table: str) -> None:
    """Let the planner count a table that was empty until now."""
    on_postgresql(f"ANALYZE {table}")


def empty(table: str) -> None:
    """Remove all rows of a temporary table at once, since dead rows are read too."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}" if _on_postgresql() else f"DELETE FROM {table}")
