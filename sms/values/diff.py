"""What changed between two texts, word by word. Pure; called by the template pages."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from sms.values.text import PLACEHOLDER

# a placeholder is one word, and so is each run of spaces
_WORDS = re.compile(rf"{PLACEHOLDER.pattern}|\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class DiffRun:
    kind: Literal["same", "gone", "new"]
    text: str


def changes(old: str, new: str) -> list[DiffRun]:
    """Pieces in reading order: those of kind same and gone make `old`, same and new make `new`."""
    before, after = _words(old), _words(new)
    pieces: list[DiffRun] = []
    for _, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, came = "".join(before[i1:i2]), "".join(after[j1:j2])
        if gone == came:
            pieces.append(DiffRun("same", gone))
            continue
        if gone:
            pieces.append(DiffRun("gone", gone))
        if came:
            pieces.append(DiffRun("new", came))
    return pieces


def _words(text: str) -> list[str]:
    return [match[0] for match in _WORDS.finditer(text)]
