"""Crash points: named places of the protocol at which a fault test may kill this very process.

`TEXTDESK_CRASH_AT=name` or `name:nth` in the environment makes the nth passage of `point("name")` a SIGKILL: nothing is flushed, closed
or rolled back by us, as in a power cut. Unset, `point` is an empty function. Read once, at import.
"""

import itertools
import os
import signal
from collections.abc import Callable
from typing import Literal, get_args

Name = Literal[
    "claimed",  # leased and committed, nothing armed
    "before_arm",  # inside the arming transaction, before the fence
    "armed_uncommitted",  # marked posting, not committed
    "armed",  # marked posting and committed, not handed over
    "before_post",  # a poster has it, no byte has left
    "mid_post",  # the request's bytes are sent, no reply read
    "after_post",  # the reply is read, the ledger does not know
    "before_record",  # answers collected, the recording transaction not begun
    "record_uncommitted",  # recorded, not committed
    "recorded",  # committed
    "before_finish",  # about to give the slice back
    "finished",  # given back
    "swept",  # a dead dispatcher's messages settled, not committed
    "folded",  # receipts applied, not committed
]
# the same for what leaves the ledger, for large audiences and for a restored copy, in processes of their own
Elsewhere = Literal[
    "archive_named",  # an archive's file is named and committed, not written
    "archive_written",  # the file is on the disk, the manifest not committed
    "archive_listed",  # the manifest is committed, no message has left the ledger
    "archive_moving",  # a block's messages are deleted, not committed
    "archive_moved",  # one block's messages have left
    "archive_swapped",  # a rewritten file counts, the old one is still there
    "erasing",  # one place of an erasure is done, the next not begun
    "rows_uncommitted",  # a chunk of a file is written, not committed
    "rows_committed",
    "messages_uncommitted",  # a chunk's messages are written, not committed
    "messages_committed",
    "opening",  # all messages are there and covered by slices, not committed
    "check_uncommitted",  # the figures so far are written, not committed
    "check_committed",
    "check_ending",  # the figures of all rows are written, not committed
    "settling_uncommitted",  # a chunk of a restored copy's messages is settled, not committed
    "settling_committed",
    "settled_uncommitted",  # a restored copy counts as settled, not committed
]
NAMES: tuple[Name, ...] = get_args(Name)
Place = Name | Elsewhere
PLACES: tuple[Place, ...] = (*NAMES, *get_args(Elsewhere))
VARIABLE = "TEXTDESK_CRASH_AT"
Point = Callable[[Place], None]


def _pass(_name: Place) -> None:
    """Nothing happens here."""


def chosen(setting: str, *, die: Callable[[], None]) -> Point:
    """The `point` of a setting: `""`, `"armed"` or `"armed:3"`. Raises ValueError where it names no point or no number."""
    if not setting:
        return _pass
    wanted, _, count = setting.partition(":")
    if wanted not in PLACES or (count and (not count.isdecimal() or int(count) < 1)):
        raise ValueError(
            f"{VARIABLE} is {setting!r}; it should be one of {', '.join(PLACES)}, and :number for a later passage."
        )
    nth, passages = int(count or 1), itertools.count(1)  # one step of it is atomic, and posters are threads

    def point(name: Place) -> None:
        if name not in PLACES:
            raise ValueError(f"There is no crash point {name!r}.")
        if name == wanted and next(passages) == nth:
            die()

    return point


point: Point = chosen(os.environ.get(VARIABLE, ""), die=lambda: os.kill(os.getpid(), signal.SIGKILL))
