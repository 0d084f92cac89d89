"""Pages of a long list, newest first: a page begins after a key, so that its cost does not grow with what was shown before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class KeysetPage:
    """`rows` is one page; `next_key` is the key after which the next one begins, None on the last."""

    rows: Sequence[Any]
    next_key: int | None


def keyset_page(found: Sequence[Any], size: int) -> KeysetPage:
    """A page from up to `size` + 1 rows: the one too many says that there are more."""
    return KeysetPage(found[:size], found[size - 1].pk if len(found) > size else None)
