"""Whose history the database at the other end is: by PostgreSQL's own words, which no dump brings along. SQLite has none.

Some hosted servers keep one word or the other to themselves: what they refuse is unknown, and everything works all the same.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection

_UNKNOWN = "?"
_REFUSED = "insufficient_privilege OR undefined_function OR feature_not_supported"
# a function that may not be called is refused when a statement begins, whether the statement comes to it or not
_FUNCTIONS = (
    f"""
CREATE OR REPLACE FUNCTION sms_server() RETURNS text LANGUAGE plpgsql STABLE AS $server$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN {_REFUSED} THEN
    RETURN '{_UNKNOWN}';
END
$server$
""",  # noqa: S608 - words of ours
    # another after a promotion or a recovery to a moment; a standby, which nobody writes to, does not answer
    f"""
CREATE OR REPLACE FUNCTION sms_timeline() RETURNS text LANGUAGE plpgsql STABLE AS $timeline$
BEGIN
    RETURN CASE WHEN pg_is_in_recovery() THEN '00000000' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END;
EXCEPTION WHEN {_REFUSED} THEN
    RETURN '00000000';
END
$timeline$
""",
)
CLUSTER = "sms_server() || '-' || sms_timeline()"
_TIMELINE = "('x' || sms_timeline())::bit(32)::bigint"
# of the server, of the database in it, and of a table in that: a dump that is restored makes at least the last of them anew
_IDENTITY = (
    "sms_server()"
    " || '-' || (SELECT oid FROM pg_database WHERE datname = current_database())"
    " || '-' || 'sms_epoch'::regclass::oid"
)


@dataclass(frozen=True, slots=True)
class History:
    """`timeline` is 0, and `identity` or a part of it empty or "?", where it is not known."""

    timeline: int = 0
    identity: str = ""

    def is_of_another(self, before: "History") -> bool:
        """Whether what both know of server, database and table differs."""
        pairs = zip(self.identity.split("-"), before.identity.split("-"), strict=False)
        return any(one != other for one, other in pairs if not {one, other} & {"", _UNKNOWN})


def install(connection: Any) -> None:
    """By a migration and after every one; safe to repeat. Does nothing before the tables are made."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('sms_epoch') IS NOT NULL")
        if cursor.fetchone()[0]:
            for function in _FUNCTIONS:
                cursor.execute(function)


def remove(connection: Any) -> None:
    """For undoing the migration."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION IF EXISTS sms_server(), sms_timeline()")


def history() -> History:
    """Of the database as it is now."""
    if connection.vendor != "postgresql":
        return History()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_TIMELINE}, {_IDENTITY}")
        return History(*cursor.fetchone())


def last_and_present() -> tuple[History, History]:
    """As the newest epoch has it, and as it is now, in one statement; the same where there is no epoch, or on SQLite."""
    if connection.vendor != "postgresql":
        return History(), History()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT timeline, identity, {_TIMELINE}, {_IDENTITY} FROM sms_epoch ORDER BY number DESC LIMIT 1"  # noqa: S608 - our own words
        )
        row = cursor.fetchone()
    return (History(*row[:2]), History(*row[2:])) if row else (History(), History())
