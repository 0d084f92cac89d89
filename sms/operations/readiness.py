"""Whether work could be done now, tried and not asked: for /readyz."""

from collections.abc import Iterator
from pathlib import Path

from django.db import DatabaseError

from sms.models.sql import writable
from sms.models.sql.clock import REFUSED, host_clock
from sms.operations import faults
from sms.operations.own_facts import HOST, can_write

OF_DATABASE = (faults.AWAY, faults.READ_ONLY, faults.LOCKED)
NAME = f"ready {HOST}"[:30]  # of the row that is written: hosts do not wait for each other


def failing(folder: Path) -> Iterator[tuple[str, str]]:
    """What fails, as its short word and a sentence; raises nothing. `folder` is where the spool lies."""
    if not can_write(folder):
        yield faults.VAR_DIR, faults.SAYS[faults.VAR_DIR]
    if word := of_database():
        yield word, faults.SAYS[word]
        if word != faults.READ_ONLY:
            return
    try:
        if abs(skew := host_clock.compare()) > REFUSED:
            yield faults.CLOCK, f"This host's clock differs from the database's by {skew:+.0f} s."
        if says := faults.not_dispatched():
            yield faults.NOT_DISPATCHED, says
        if says := faults.receipts_wait()[0]:
            yield faults.RECEIPTS_WAIT, says
    except DatabaseError as problem:
        yield word_of(problem), faults.SAYS[word_of(problem)]


def of_database() -> str:
    """The word of what keeps rows from being written; empty while they are."""
    try:
        writable.try_to_write(NAME)
    except DatabaseError as problem:
        return word_of(problem)
    return ""


def word_of(problem: DatabaseError) -> str:
    cause = problem.__cause__
    state = getattr(cause, "sqlstate", None) or ""
    lite = getattr(cause, "sqlite_errorname", "")
    if state == "25006" or lite.startswith("SQLITE_READONLY"):
        return faults.READ_ONLY
    if state in ("55P03", "57014") or lite.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return faults.LOCKED
    return faults.AWAY
