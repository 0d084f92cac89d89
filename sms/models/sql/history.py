"""Whose history the database at the other end is: by PostgreSQL's own words, which no dump brings along. SQLite has none."""

from dataclasses import dataclass

from django.db import connection

# another after a promotion or a recovery to a moment
_TIMELINE = (
    # a standby, which nobody writes to, does not answer
    "('x' || CASE WHEN pg_is_in_recovery() THEN '0' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END)::bit(32)::bigint"
)
# of the server, of the database in it, and of a table in that: a dump that is restored makes at least the last of them anew
_IDENTITY = (
    "(SELECT system_identifier FROM pg_control_system())"
    " || '-' || (SELECT oid FROM pg_database WHERE datname = current_database())"
    " || '-' || 'sms_epoch'::regclass::oid"
)


@dataclass(frozen=True, slots=True)
class History:
    """`timeline` is 0, and `identity` empty, where it is not known."""

    timeline: int = 0
    identity: str = ""


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
