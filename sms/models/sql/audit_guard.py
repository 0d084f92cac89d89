"""Triggers that refuse to change or remove audit rows and seals. They stop mistakes and tools; the chain shows if they are removed.

A row may leave only while a permit stands in `sms_auditleave`, which retention writes and takes back in its own transaction. Made by
a migration and again after every one, because SQLite drops a table's triggers when a later migration remakes the table.
"""

from typing import Any

from django.db import connection

ROWS, SEALS, PERMITS = "sms_auditevent", "sms_auditseal", "sms_auditleave"
SENTENCE = "the audit is only ever added to"
_PERMITTED = (
    f"EXISTS (SELECT 1 FROM {PERMITS} p WHERE p.service_slug = OLD.service_slug AND OLD.id <= p.until_id)"  # noqa: S608
)
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION sms_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = '{ROWS}' THEN
        IF {_PERMITTED} THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '{SENTENCE} (% of %)', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$guard$
"""


def install(connection: Any) -> None:
    """Make the triggers where they are not there; safe to repeat. Does nothing before the tables are made."""
    with connection.cursor() as cursor:
        names = set(connection.introspection.table_names(cursor))
        if not {ROWS, SEALS, PERMITS} <= names or installed(connection):
            return
        if connection.vendor == "postgresql":
            cursor.execute(_FUNCTION)
        for statement in _triggers(connection.vendor):
            cursor.execute(statement)


def remove(connection: Any) -> None:
    """Take them away: for undoing the migration, and for tests that empty every table."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS sms_audit_guard() CASCADE")
            return
        for table in (ROWS, SEALS):
            for act in ("update", "delete"):
                cursor.execute(f"DROP TRIGGER IF EXISTS audit_guard_{table}_{act}")


def installed(connection: Any = connection) -> bool:
    """Whether all of them are there and enabled."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE t.tgname LIKE 'audit_guard_%%' AND t.tgenabled IN ('O', 'A') AND c.relname IN (%s, %s)"
                " AND c.relnamespace = current_schema()::regnamespace",
                [ROWS, SEALS],
            )
        else:
            cursor.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit_guard_%%'"
            )
        return bool(cursor.fetchone() == (4,))


def _triggers(vendor: str) -> list[str]:
    if vendor == "postgresql":
        return [
            statement
            for table in (ROWS, SEALS)
            for statement in (
                f"DROP TRIGGER IF EXISTS audit_guard_rows ON {table}",
                f"DROP TRIGGER IF EXISTS audit_guard_truncate ON {table}",
                f"CREATE TRIGGER audit_guard_rows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION sms_audit_guard()",
                f"CREATE TRIGGER audit_guard_truncate BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION sms_audit_guard()",
            )
        ]
    refuse = f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
    return [
        *(
            f"CREATE TRIGGER IF NOT EXISTS audit_guard_{table}_update BEFORE UPDATE ON {table} {refuse}"
            for table in (ROWS, SEALS)
        ),
        f"CREATE TRIGGER IF NOT EXISTS audit_guard_{SEALS}_delete BEFORE DELETE ON {SEALS} {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS audit_guard_{ROWS}_delete BEFORE DELETE ON {ROWS} WHEN NOT {_PERMITTED} {refuse}",
    ]
