"""Sentences in the reader's language, with its numbers, dates and lists.

Which language that is, is settled where a page or a mail begins (`portal.languages`); everything else speaks English. What is written
down (the audit, reasons, archives, answers of the API) is written in English by a `KeptSentence`, and `retold` says it in the reader's
language when a page shows it. Below all rooms, and of use without Django's settings, as the sandbox runs: there it is English too.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.apps import apps
from django.utils import dateformat, formats, translation

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ENGLISH = "en-gb"
_END = re.compile(r"(?<=[.!?…:]) ")  # of a sentence


def in_language(language: str) -> translation.override:
    """What a person reads who is not at a page, such as a mail: `with in_language(person.language)`. Empty is English."""
    return translation.override(language or ENGLISH)


def language() -> str:
    """`en-gb`, `fr`: the reader's."""
    return (translation.get_language() or ENGLISH) if apps.ready else ENGLISH


@contextmanager
def in_english() -> Iterator[None]:
    """For what is stored, or compared with what is stored, of sentences that pages say as well."""
    if not apps.ready:
        yield
        return
    with in_language(ENGLISH):
        yield


def gettext(text: str) -> str:
    return translation.gettext(text) if apps.ready else text


def ngettext(one: str, many: str, count: int) -> str:
    if apps.ready:
        return translation.ngettext(one, many, count)
    return one if count == 1 else many


def gettext_noop(text: str) -> str:
    """Marks a text for the catalogues; whoever shows it translates it."""
    return text


def number(count: float | Decimal) -> str:
    """`1,200`; in French `1 200`."""
    return formats.number_format(count, use_l10n=True, force_grouping=True) if apps.ready else f"{count:,}"


def moment(at: datetime | date | time, how: str) -> str:
    """A day or time in a format of Django's `date` filter, which the language may order otherwise: `j F Y` → `3 December 2026`."""
    how = gettext(how)
    return formats.time_format(at, how) if isinstance(at, time) else dateformat.format(at, how)


def listed(things: "Iterable[StrOrPromise]") -> str:
    """`a, b and c`."""
    *before, last = [str(one) for one in things] or [""]
    if not before:
        return last
    return gettext("%(others)s and %(last)s") % {"others": gettext(", ").join(before), "last": last}


class KeptSentence:
    """A sentence that is stored: `SAYS = KeptSentence(gettext_noop("Stopped by %(who)s."))`, then `SAYS(who=…)` is English."""

    known: ClassVar[list["KeptSentence"]] = []

    def __init__(self, text: str) -> None:
        self.text = text
        parts = re.split(r"%\((\w+)\)s", text)
        self._literals, self._names = [part.replace("%%", "%") for part in parts[::2]], parts[1::2]
        self.said = sum(map(len, self._literals))  # characters that are always there
        self.known.append(self)

    def __call__(self, **facts: object) -> str:
        return self.text % facts

    def read(self, kept: str) -> dict[str, str] | None:
        """What it was filled with, where `kept` is this sentence. In one go over the text: people write what is read here."""
        first, *others = self._literals
        if not others:
            return {} if kept == first else None
        if not kept.startswith(first) or not kept.endswith(others[-1]):
            return None
        facts, at = dict[str, str](), len(first)
        for place, (name, literal) in enumerate(zip(self._names, others, strict=True), 1):
            end = len(kept) - len(literal) if place == len(others) else kept.find(literal, at)
            if end < at or facts.setdefault(name, kept[at:end]) != kept[at:end]:
                return None
            at = end + len(literal)
        return facts


def retold(kept: str) -> str:
    """A stored text in the reader's language, sentence by sentence; what is none of ours, such as a person's own words, as it stands."""
    if not kept or not apps.ready or (translation.get_language() or ENGLISH) == ENGLISH:
        return kept
    whole = _known(kept) if "\n" in kept else None
    return "\n".join(_line_retold(line) for line in kept.split("\n")) if whole is None else whole


def _line_retold(line: str) -> str:
    sentences = _END.split(line)
    said, at = list[str](), 0
    while at < len(sentences):
        for end in range(len(sentences), at, -1):
            known = _known(" ".join(sentences[at:end]))
            if known is not None or end == at + 1:
                said.append(sentences[at] if known is None else known)
                at = end
                break
    return " ".join(said)


def _known(kept: str) -> str | None:
    whole = translation.gettext(kept) if kept else kept
    if whole != kept:
        return whole
    lines = "\n" in kept
    fitting = [
        (one, facts)
        for one in KeptSentence.known
        if lines <= ("\n" in one.text) and (facts := one.read(kept)) is not None
    ]
    if not fitting:
        return None
    sentence, facts = max(fitting, key=lambda one: one[0].said)
    # a single word may be a name, and is none of ours
    told = {name: retold(fact) if " " in fact else fact for name, fact in facts.items()}
    return translation.gettext(sentence.text) % told
