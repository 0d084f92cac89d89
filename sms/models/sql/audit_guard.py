"""Triggers that refuse to change or remove audit rows and seals. They stop mistakes and tools; the chain shows if they are removed.

A row may leave only while a permit stands in `sms_auditleave`, which retention writes and takes back in its own transaction. Made by
a migration and again after every one, because SQLite drops a table's triggers when a later migration remakes the table.
"""

from typing import Any

from django.db import connection

ROWS, SEALS, PERMITS = "sms_auditevent", "sms_auditseal", "sms_auditleave"
SENTENCE = "the audit is only ever added to"
_PERMITTED = (
    f"EXISTS (SELECT 1 FROM {PERMITS} p WHERE p.service_slug = OLD.service_slug AND OLD.id <= p.until_id)"  # noqa: S608 - words of ours; values are parameters
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
    """Make the triggers where they are not there as they should be; safe to repeat. Does nothing before the tables are made."""
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
    return not altered(connection)


def altered(connection: Any = connection) -> list[str]:
    """What is not as `install` makes it: triggers that are gone, disabled or others, and more of them, which might drop rows unseen."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FOUND, [[ROWS, SEALS, PERMITS]] * 2)
            wanted = {
                (name, table, f"{kind} {_BODY}")
                for table in (ROWS, SEALS)
                for name, kind in (("audit_guard_rows", 27), ("audit_guard_truncate", 34))
            }
        else:
            cursor.execute(
                "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN (%s, %s, %s)",
                [ROWS, SEALS, PERMITS],
            )
            made = [one for one in _triggers("sqlite") if one.startswith("CREATE")]
            wanted = {(one.split()[2], one.partition(" ON ")[2].split()[0], one) for one in made}
        found = set(cursor.fetchall())
    return sorted({f"{name} of {table}" for name, table, _ in wanted ^ found})


_BODY = _FUNCTION.split("$guard$")[1]
# A trigger for each row before UPDATE or DELETE is of type 27, one before TRUNCATE of 34. With a condition, columns of its own, or not
# enabled for everybody, it refuses less; a rule or a policy may do anything.
_FOUND = """
SELECT t.tgname::text, c.relname::text, concat(t.tgtype, ' ', p.prosrc,
    CASE WHEN t.tgenabled NOT IN ('O', 'A') OR t.tgqual IS NOT NULL OR t.tgattr::text <> '' OR p.proconfig IS NOT NULL
        THEN ' less' END)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND c.relname::text = ANY(%s) AND c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT coalesce(r.rulename::text, 'row security'), c.relname::text, 'not ours'
FROM pg_class c LEFT JOIN pg_rewrite r ON r.ev_class = c.oid
WHERE (r.oid IS NOT NULL OR c.relrowsecurity) AND c.relname::text = ANY(%s) AND c.relnamespace = current_schema()::regnamespace
"""


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
    made = {
        f"audit_guard_{table}_{act}": f"BEFORE {act.upper()} ON {table}"
        for table in (ROWS, SEALS)
        for act in ("update", "delete")
    }
    made[f"audit_guard_{ROWS}_delete"] += f" WHEN NOT {_PERMITTED}"
    return [
        statement
        for name, when in made.items()
        for statement in (f"DROP TRIGGER IF EXISTS {name}", f"CREATE TRIGGER {name} {when} {refuse}")
    ]
