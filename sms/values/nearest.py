"""Which of the possible words somebody may have meant. Pure. Called where a wrong one is refused."""

from collections.abc import Iterable
from difflib import SequenceMatcher

MOST = 20
_LONGEST = 100  # characters that are compared


def nearest(written: object, possible: Iterable[str], *, most: int = MOST) -> tuple[str, ...]:
    """The possible words, the likeliest first; no more than `most`."""
    asked = SequenceMatcher(
        b=str(written)[:_LONGEST].casefold()
    )  # its second text is the one that is looked into once

    def likeness(word: str) -> float:
        asked.set_seq1(word[:_LONGEST].casefold())
        return asked.ratio()

    return tuple(sorted(possible, key=likeness, reverse=True)[:most])
