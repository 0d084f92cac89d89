"""Whether work could be done now, tried and not asked: for /readyz."""

from collections.abc import Iterator
from pathlib import Path

from django.db import Error

from sms.models.sql import writable
from sms.models.sql.clock import REFUSED, host_clock
from sms.models.sql.trouble import is_read_only, waited_in_vain
from sms.operations import faults
from sms.operations.own_facts import can_write

OF_DATABASE = (faults.AWAY, faults.READ_ONLY, faults.LOCKED)


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
        if says := faults.restored()[0]:
            yield faults.RESTORED, says
        if says := faults.not_dispatched():
            yield faults.NOT_DISPATCHED, says
        if says := faults.receipts_wait()[0]:
            yield faults.RECEIPTS_WAIT, says
    except Error as problem:
        yield word_of(problem), faults.SAYS[word_of(problem)]


def of_database() -> str:
    """The word of what keeps rows from being written; empty while they are."""
    try:
        writable.try_to_write(writable.FOR_SENDS, by="ready")
    except Error as problem:
        return word_of(problem)
    return ""


def word_of(problem: Error) -> str:
    if is_read_only(problem):
        return faults.READ_ONLY
    return faults.LOCKED if waited_in_vain(problem) else faults.AWAY
