"""What an incoming SMS asks for: to stop, to start again, or for help. Pure reading; it acts on nothing.

A refusal is read generously and an acceptance strictly: a person silenced by mistake can be written to again, the reverse is an
offence. So a text that begins with a stop word, or says "remove me" somewhere, is a refusal that a person should look at (`sure` is
False), while START counts only where nothing else is said.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLES: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("keywords.toml").read_text("utf-8")
)

_KEPT_APART = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "’": "'", "ʼ": "'"}
)
_APOSTROPHES = re.compile(r"(?<=\w)['`´](?=\w)")
_WORDS = re.compile(r"[^\W_]+", re.UNICODE)
_THRICE = re.compile(r"(\w)\1{2,}")
_LONGEST = 2_000  # characters that are looked at; a text message has no more
_STOP_SIGNS = frozenset("🛑⛔🚫✋")


@dataclass(frozen=True, slots=True)
class KeywordReading:
    """`meaning` is stop, start, help or "" for anything else; `sure` is False where a person should read it, too."""

    meaning: str
    sure: bool = True
    word: str = ""


NOTHING = KeywordReading("")


def read(text: str) -> KeywordReading:
    """What this text asks for, whatever its case, accents, punctuation, emoji and (known) language."""
    text = text[:_LONGEST]
    words = _folded(text)
    if not words:
        signs = [char for char in text if char in _STOP_SIGNS]
        return KeywordReading("stop", sure=False, word=signs[0]) if signs else NOTHING
    said = " ".join(words)
    polite = " ".join(word for word in words if word not in _set("courtesies")) or said
    for whole in (said, polite, *_joined(words), _THRICE.sub(r"\1", polite)):
        for meaning in ("stop", "start", "help"):
            if whole in _whole(meaning):
                return KeywordReading(meaning, sure=whole not in _set("doubtful"), word=whole)
    bare = " ".join(word for word in polite.split() if word not in _set("objects"))
    if bare in _whole("stop"):
        return KeywordReading("stop", sure=bare not in _set("weak"), word=bare)
    keywords = [word for word in polite.split() if word in _whole("stop")]
    if keywords and all(word in _ANY_KEYWORD for word in polite.split()):
        # "help stop", "stop start": rather once too often
        return KeywordReading("stop", sure=False, word=keywords[0])
    return _refusal_in(words)


def _refusal_in(words: list[str]) -> KeywordReading:
    """A text that says more than a word, but clearly asks us to stop.

    Our own instruction ("reply STOP to opt out") may be quoted in it: what else is said decides, and where nothing is, the quote.
    """
    said, quoted = _without_quotes(" ".join(words))
    words = said.split()
    if quoted and all(word in _set("courtesies") for word in words):
        return KeywordReading("stop", sure=False, word=quoted)
    if quoted and (left := [word for word in words if word in _set("strong")]):
        return KeywordReading("stop", sure=False, word=left[0])
    for phrase in _PHRASES:
        before, found, _ = f" {said} ".partition(f" {phrase} ")
        if found and before.split()[-1:] != ["not"] and not before.endswith(_NEGATIONS):
            return KeywordReading("stop", sure=False, word=phrase)
    if words[:1] and words[0] in _set("strong") and words[1:2] != ["by"]:
        return KeywordReading("stop", sure=False, word=words[0])
    for phrase in _set("unspaced"):
        if phrase in said.replace(" ", ""):
            return KeywordReading("stop", sure=False, word=phrase)
    return NOTHING


def _without_quotes(said: str) -> tuple[str, str]:
    """The text without our own instructions, the longest cut first, and the first that was found."""
    first = ""
    for phrase in _LONGEST_QUOTED_FIRST:
        while f" {phrase} " in f" {said} ":
            said = " ".join(f" {said} ".replace(f" {phrase} ", " ", 1).split())
            first = first or phrase
    return said, first


def _folded(text: str) -> list[str]:
    """Words without case, accents, marks and signs, so that "Arrêt!!" and "ARRET" are one."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKD", text).translate(_KEPT_APART)
    text = "".join(char for char in text if unicodedata.category(char) not in ("Mn", "Cf", "Me"))
    return _WORDS.findall(_APOSTROPHES.sub("", text))


def _joined(words: list[str]) -> list[str]:
    """ "S T O P" and "S.T.O.P." are words, too."""
    return ["".join(words)] if len(words) > 1 and all(len(word) == 1 for word in words) else []


@cache
def _set(name: str) -> frozenset[str]:
    """A table of `keywords.toml`, its entries folded as what is compared with them."""
    entries = [entry for row in TABLES[name].values() for entry in row.split("|")]
    return frozenset(" ".join(_folded(entry)) for entry in entries) - {""}


@cache
def _whole(meaning: str) -> frozenset[str]:
    if meaning == "stop":
        return _set("strong") | _set("weak") | _set("unspaced")
    return _set(meaning)


_ANY_KEYWORD = _whole("stop") | _whole("help") | _whole("start")
_LONGEST_QUOTED_FIRST = sorted(_set("quoted"), key=len, reverse=True)
_PHRASES = sorted(_set("phrases"))
_NEGATIONS = tuple(f" {word}" for word in sorted(_set("negations")))
