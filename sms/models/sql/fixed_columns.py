"""Triggers that refuse to change what decides whether a send is simulated: nothing that was made with a test key can become real.

Made by a migration and again after every one, because SQLite drops a table's triggers when a later migration remakes the table.
"""

from typing import Any

FIXED = {"sms_send": "simulated", "sms_slice": "simulated", "sms_apikey": "is_test"}
_FUNCTION = """
CREATE OR REPLACE FUNCTION sms_fixed_column() RETURNS trigger LANGUAGE plpgsql AS $fixed$
BEGIN
    RAISE EXCEPTION '% of % is fixed when it is made', TG_ARGV[0], TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$fixed$
"""


def install(connection: Any) -> None:
    """Make the triggers that are missing; safe to repeat. Does nothing before the tables are made."""
    with connection.cursor() as cursor:
        if not FIXED.keys() <= set(connection.introspection.table_names(cursor)):
            return
        postgresql = connection.vendor == "postgresql"
        catalogue = "pg_trigger" if postgresql else "sqlite_master"
        name = "tgname::text" if postgresql else "name"
        cursor.execute(f"SELECT {name} FROM {catalogue} WHERE {name} LIKE 'fixed_column_of_%'")  # noqa: S608 - words of ours
        there = {row[0] for row in cursor.fetchall()}
        if postgresql:
            cursor.execute(_FUNCTION)
        for table, column in FIXED.items():
            if _name(table) not in there:
                cursor.execute(_trigger(table, column, postgresql=postgresql))


def remove(connection: Any) -> None:
    """For undoing the migration."""
    with connection.cursor() as cursor:
        for table in FIXED:
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {_name(table)}{on}")
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS sms_fixed_column()")


def _name(table: str) -> str:
    return f"fixed_column_of_{table}"


def _trigger(table: str, column: str, *, postgresql: bool) -> str:
    """Called only by a statement that names the column, and only for a row in which it would become another."""
    begin = f"CREATE TRIGGER {_name(table)} BEFORE UPDATE OF {column} ON {table} FOR EACH ROW"
    if postgresql:
        return f"{begin} WHEN (OLD.{column} IS DISTINCT FROM NEW.{column}) EXECUTE FUNCTION sms_fixed_column('{column}')"
    refuse = f"SELECT RAISE(ABORT, '{column} of {table} is fixed when it is made')"
    return f"{begin} WHEN OLD.{column} <> NEW.{column} BEGIN {refuse}; END"
