"""What a database's error means: it is away or not as it should be, another transaction was in the way, or the statement was wrong.

The one place that decides it. Called wherever work waits for the database instead of blaming what it worked on.
"""

import sqlite3

from django.db import Error, InterfaceError, OperationalError

from sms.values.meters import meters

# SQLSTATE: connection exceptions, no room, an operator's act (shutdown, a statement cancelled), the system's own trouble, internal errors
AWAY_CLASSES = frozenset({"08", "53", "57", "58", "XX"})
READ_ONLY = "25006"  # a standby, or a primary that an operator closed
NO_LOCK, CANCELLED = "55P03", "57014"
DAMAGE = frozenset({"XX001", "XX002"})  # a page or an index that cannot be read, while all others can
# rolled back for another's sake (deadlock, serialization), a lock not had in time, a transaction ended because it stood still
IN_THE_WAY = ("40", NO_LOCK, "25P03", "25P04")
# a table, a column or a right that is missing, by a migration or a grant; no value that was given makes these
MISFIT_CLASSES = frozenset({"0A", "3D", "3F", "42"})
_SQLITE_MISFIT = ("no such ", "has no column named ")  # its one code is that of malformed values too
_SQLITE_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SQLITE_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SQLITE_AWAY = _SQLITE_BUSY | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}


def is_away(problem: BaseException) -> bool:
    """Whether the database could not do it, whatever it was asked: not reachable, not writable, full, shutting down.

    PostgreSQL's errors without a code never came from the server: the connection broke, or there was none.
    """
    if not isinstance(problem, Error):
        return False
    if isinstance(problem.__cause__, sqlite3.Error):
        return _sqlite_code(problem) in _SQLITE_AWAY
    state = _sqlstate(problem)
    if state:
        return (state[:2] in AWAY_CLASSES and state not in DAMAGE) or state == READ_ONLY
    return isinstance(problem, OperationalError | InterfaceError)


def is_damage(problem: BaseException) -> bool:
    """Whether something that is stored cannot be read any more: waiting mends nothing, and everything else may go on."""
    return _sqlstate(problem) in DAMAGE or _sqlite_code(problem) in _SQLITE_DAMAGE


def may_be_of_one_alone(problem: BaseException) -> bool:
    """Whether one statement may end so again and again while all others work: it takes too long, or meets what is damaged or locked."""
    state = _sqlstate(problem)
    return state in (NO_LOCK, CANCELLED) or state[:2] == "XX" or is_damage(problem)


def is_of_storage(problem: BaseException) -> bool:
    """Whether the disk below the database fails, or what is stored is damaged: each hour makes the next backup worse."""
    return is_damage(problem) or _sqlstate(problem)[:2] in ("58", "XX")


def is_misfit(problem: BaseException) -> bool:
    """Whether the database is not as this program expects it, until an operator mends that: every such statement would fail."""
    if _sqlite_code(problem) == sqlite3.SQLITE_ERROR:
        return any(words in str(problem) for words in _SQLITE_MISFIT)
    return _sqlstate(problem)[:2] in MISFIT_CLASSES


def is_no_ones_fault(problem: BaseException) -> bool:
    """Whether any other work would have broken off here too, so that none is held or set aside for it."""
    return may_work_again(problem) or is_misfit(problem)


def is_of_the_database(problem: BaseException) -> bool:
    """Whether what was to be stored is not to blame: it waits, however long, and is stored once the database is as it should be."""
    return is_no_ones_fault(problem) or is_damage(problem)


def is_read_only(problem: BaseException) -> bool:
    return _sqlstate(problem) == READ_ONLY or _sqlite_code(problem) == sqlite3.SQLITE_READONLY


def may_work_again(problem: BaseException) -> bool:
    """Whether the same may work in a while: the database is away, or was busy with others (a deadlock, a lock not had in time)."""
    return is_away(problem) or (isinstance(problem, Error) and _sqlstate(problem).startswith(IN_THE_WAY))


def count(problem: Error) -> None:
    """For operators, by the class of its SQLSTATE. Statements of Django's connections are counted by themselves (`sms.operations`)."""
    meters.add("textdesk_database_errors_total", sqlstate=_sqlstate(problem)[:2] or "none")


def waited_in_vain(problem: BaseException) -> bool:
    """Whether a lock was not to be had: PostgreSQL's lock_timeout or statement_timeout, SQLite's busy_timeout."""
    return _sqlite_code(problem) in _SQLITE_BUSY or _sqlstate(problem) in (NO_LOCK, CANCELLED)


def _sqlstate(problem: BaseException) -> str:
    """Django raises an error of its own from the driver's, which has the code."""
    return getattr(problem.__cause__, "sqlstate", None) or ""


def _sqlite_code(problem: BaseException) -> int | None:
    code: int | None = getattr(problem.__cause__, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
