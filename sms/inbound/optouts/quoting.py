"""What a person says of their own, without our text that they quote: phones write reactions as `Liked “Sale. Reply STOP to end”`.

Called by `keywords`. Phrases of phones are in `keywords.toml`; whatever language they are in, what stands in our last message to that
person is ours.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import islice

from sms.inbound.optouts.folding import table, words_of

_OPENS, _CLOSES = "[\"“”„‟«»‹›「『‘‚]|''", "[\"”“‟»«›‹」』]|’(?!\\w)|''"
_OPENING = re.compile(rf"(?:{_OPENS})\s*")
_CLOSING = re.compile(_CLOSES)
_QUOTED = re.compile(rf"(?:{_OPENS})(.{{8,}}?)(?:{_CLOSES})", re.DOTALL)
_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
_OWN_WORDS = 6  # words that a phone puts before a quotation at most
_WHOLE = 4  # words from which a quotation is more than the word that is meant


@dataclass(frozen=True, slots=True)
class OwnWords:
    """`text` is what the person says. `quotes`: a part was taken out that may be theirs after all."""

    text: str
    quotes: bool = False


def own_words(text: str, *, ours: str = "") -> OwnWords:
    """`ours` is our last message to the person, "" where it is not known."""
    if _is_reaction(text):
        return OwnWords("")
    mail_like = _LINE.sub("", text)
    if mail_like.strip() and mail_like != text:
        text = mail_like
    known = " ".join(words_of(ours))
    left = _without(text, known) if known else text
    if left != text:
        return OwnWords(left)
    opening = _OPENING.search(text)
    if opening and len(words_of(text[opening.end() :])) >= _WHOLE:
        before = text[: opening.start()]
        if (
            before.strip()
            and len(words_of(before)) <= _OWN_WORDS
            and not _behind(text, opening.end()).strip()
        ):
            return OwnWords(before, quotes=True)
    return OwnWords(text)


def _is_reaction(text: str) -> bool:
    for opening in islice(_OPENING.finditer(text), _OWN_WORDS):
        before, behind = text[: opening.start()], _behind(text, opening.end())
        around = " ".join(words_of(f"{before} {behind}"))
        if around in table("reactions") or (not around and _has_emoji(before)):
            return True
        if not before.strip() and " ".join(words_of(behind)).startswith(tuple(table("reactions_behind"))):
            return True
    return False


def _behind(text: str, start: int) -> str:
    """What stands behind the last quotation mark; nothing where the quotation goes on to the end."""
    ends = [closing.end() for closing in _CLOSING.finditer(text, start)]
    return text[ends[-1] :] if ends else ""


def _has_emoji(text: str) -> bool:
    return any(unicodedata.category(char) in ("So", "Sk") and char not in STOP_SIGNS for char in text)


STOP_SIGNS = frozenset("🛑⛔🚫✋")


def _without(text: str, known: str) -> str:
    """Without quotations that stand in our message, and without the whole of it."""

    def kept(match: re.Match[str]) -> str:
        words = " ".join(words_of(match[1].rstrip(" .…")))
        return " " if words and f" {words} " in f" {known} " else match[0]

    left = _QUOTED.sub(kept, text)
    cut = " ".join(words_of(left))
    if len(known.split()) >= _WHOLE and f" {known} " in f" {cut} ":
        left = f" {cut} ".replace(f" {known} ", " ").strip()
    return left
