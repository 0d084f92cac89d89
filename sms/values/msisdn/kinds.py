"""The kinds of numbers, and what is said of those that may be no handset of the person that is meant. Pure.

A row has one kind; a send names the kinds that it leaves out (`leave_out` of `sms.models.send_options`).
"""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sms.words import gettext, gettext_noop, ngettext, number


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
            if name not in DOUBTFUL.names:
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
        words = _WORDS.get(self)
        return gettext(words.label) if words else str(self.name).replace("_", " ").capitalize()

    @property
    def warning(self) -> str:
        """What is said of one number, in English: it is stored of rows that are left out. Nothing where there is no doubt."""
        return _WARNINGS.get(self.value, "")

    def of_rows(self, count: int) -> str:
        """What is said of so many numbers of one kind."""
        return _WORDS[self].rows(count) % {"n": number(count)}


@dataclass(frozen=True, slots=True)
class KindWords:
    """In English: `label` of a choice, and `one` of a number, as it is stored of a rejected row. `rows` is said of so many numbers."""

    label: str
    one: str
    rows: Callable[[int], str]


# of the kinds that may be no handset of the person that is meant
_WORDS = {
    NumberKind.LANDLINE: KindWords(
        label=gettext_noop("Landlines"),
        one=gettext_noop("It looks like a landline, and most landlines get no text."),
        rows=lambda n: ngettext(
            "%(n)s number looks like a landline; most landlines get no text.",
            "%(n)s numbers look like landlines; most landlines get no text.",
            n,
        ),
    ),
    NumberKind.FREE: KindWords(
        label=gettext_noop("Free-call numbers"),
        one=gettext_noop("It is a number that is free to call, such as 0800; texts to it rarely arrive."),
        rows=lambda n: ngettext(
            "%(n)s number is free to call, such as 0800; texts to it rarely arrive.",
            "%(n)s numbers are free to call, such as 0800; texts to them rarely arrive.",
            n,
        ),
    ),
    NumberKind.SPECIAL: KindWords(
        label=gettext_noop("Special services"),
        one=gettext_noop(
            "It belongs to a special service, such as internet telephony or shared cost; texts rarely arrive."
        ),
        rows=lambda n: ngettext(
            "%(n)s number belongs to a special service, such as internet telephony or shared cost; texts rarely arrive.",
            "%(n)s numbers belong to special services, such as internet telephony or shared cost; texts rarely arrive.",
            n,
        ),
    ),
    NumberKind.MACHINE: KindWords(
        label=gettext_noop("Machines"),
        one=gettext_noop("It belongs to a machine, such as a meter or an alarm, and not to a person."),
        rows=lambda n: ngettext(
            "%(n)s number belongs to a machine, such as a meter or an alarm, and not to a person.",
            "%(n)s numbers belong to machines, such as a meter or an alarm, and not to a person.",
            n,
        ),
    ),
    NumberKind.UNASSIGNED: KindWords(
        label=gettext_noop("Numbers in no known range"),
        one=gettext_noop("This number is in no range that is assigned today; it may not exist."),
        rows=lambda n: ngettext(
            "%(n)s number is in no range that is assigned today; it may not exist.",
            "%(n)s numbers are in no range that is assigned today; they may not exist.",
            n,
        ),
    ),
    NumberKind.OUTDATED: KindWords(
        label=gettext_noop("Numbers in an old form"),
        one=gettext_noop(
            "It has the form from before the country made its mobile numbers longer, so it may be out of date."
        ),
        rows=lambda n: ngettext(
            "%(n)s number has the form from before the country made its mobile numbers longer; we put in the digit that it lacks.",
            "%(n)s numbers have the form from before the country made its mobile numbers longer; we put in the digit that it lacks.",
            n,
        ),
    ),
    NumberKind.ABROAD: KindWords(
        label=gettext_noop("Numbers abroad without +"),
        one=gettext_noop(
            "It has no +, and fits another country than the one that is set. A digit may be wrong. "
            "If it is meant, write it with + and its country code."
        ),
        rows=lambda n: ngettext(
            "%(n)s number fits another country only, and has no +; a digit may be wrong.",
            "%(n)s numbers fit another country only, and have no +; a digit may be wrong.",
            n,
        ),
    ),
}
DOUBTFUL = NumberKind(sum(_WORDS))
BY_SPELLING = (NumberKind.OUTDATED, NumberKind.ABROAD)  # written otherwise the same number is beyond doubt
USUALLY_LEFT_OUT = NumberKind.ABROAD  # a stranger could be meant
TEXTABLE = (NumberKind.MOBILE, NumberKind.MOBILE_OR_LANDLINE)  # a set would hash each in Python
_WARNINGS = {kind.value: words.one for kind, words in _WORDS.items()}
