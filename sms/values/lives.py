"""Numbers for what follows a restore, told from the time at which it was noticed.

A backup may be restored twice. What the first restored copy used is known to nobody by then, perhaps not even to a file, so only a clock
can lead past it: a later copy begins higher than an earlier one can have come. Pure.
"""

from datetime import UTC, datetime

from sms.words import gettext

START = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS_A_MILLISECOND = 100  # more than any server writes; a cursor holds them for ever
OF_A_COPY = 1_000_000  # no message is tried so often


def first_attempt(at: datetime) -> int:
    """One a second: an attempt of a message takes longer. Fits into an integer of 32 bits until 2094."""
    return int((at - START).total_seconds())


def first_event(at: datetime) -> int:
    """The id of an event, which nobody sees but in a cursor, and cursors have to grow."""
    return int((at - START).total_seconds() * 1000) * EVENTS_A_MILLISECOND


def words_of(attempt: int) -> str:
    """For people."""
    if attempt < OF_A_COPY:
        return gettext("Attempt %(number)s") % {"number": attempt}
    return gettext("Attempt after a restore")
