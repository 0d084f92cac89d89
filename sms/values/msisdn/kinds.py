"""The kinds of numbers, and what is said of those that may be no handset of the person that is meant. Pure.

A row has one kind; a send names the kinds that it leaves out (`leave_out` of `sms.models.send_options`). The words are in `kinds.toml`.
"""

import enum
import tomllib
from collections.abc import Iterable
from pathlib import Path

from sms.values.problems import one_or_many


class NumberKind(enum.IntFlag):
    """By the ranges of the numbering plan. `MOBILE_OR_LANDLINE`: the country does not tell the two apart."""

    MOBILE = 1
    MOBILE_OR_LANDLINE = 2
    LANDLINE = 4
    FREE = 8
    PREMIUM = 16
    SPECIAL = 32
    MACHINE = 64
    UNASSIGNED = 128
    OUTDATED = 256
    ABROAD = 512

    @classmethod
    def of(cls, names: Iterable[str]) -> "NumberKind":
        """Raises KeyError for a name that is none of a doubtful kind."""
        found = cls(0)
        for name in names:
            if name not in _WORDS:
                raise KeyError(name)
            found |= cls[name.upper()]
        return found

    @property
    def names(self) -> list[str]:
        return [str(one.name).lower() for one in self]

    def __str__(self) -> str:
        return ", ".join(one.label for one in self)

    @property
    def label(self) -> str:
        """Of one kind, for a choice."""
        name = str(self.name).lower()
        return _WORDS[name]["label"] if name in _WORDS else name.replace("_", " ").capitalize()

    @property
    def warning(self) -> str:
        """What is said of one number; nothing where there is no doubt."""
        return _WARNINGS.get(self.value, "")

    def of_rows(self, count: int) -> str:
        """What is said of so many numbers of one kind."""
        said = one_or_many(_WORDS[str(self.name).lower()]["rows"], count)
        return f"{count:,} number{'' if count == 1 else 's'} {said}."


_WORDS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8")
)
DOUBTFUL = NumberKind.of(_WORDS)
BY_SPELLING = (NumberKind.OUTDATED, NumberKind.ABROAD)  # written otherwise the same number is beyond doubt
USUALLY_LEFT_OUT = NumberKind.ABROAD  # a stranger could be meant
TEXTABLE = (NumberKind.MOBILE, NumberKind.MOBILE_OR_LANDLINE)  # a set would hash each in Python
_WARNINGS = {kind.value: _WORDS[str(kind.name).lower()]["one"] for kind in DOUBTFUL}
