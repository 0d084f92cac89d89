"""What an incoming SMS asks for: to stop, to start again, or for help. Pure reading; it acts on nothing.

A refusal is read generously and an acceptance strictly: a person silenced by mistake can be written to again, the reverse is an
offence. So a text that begins with a stop word, or says "remove me" somewhere, is a refusal that a person should look at (`sure` is
False), while START counts only where nothing else is said.
"""

import re
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from sms.inbound.optouts.folding import table, words_of
from sms.inbound.optouts.quoting import STOP_SIGNS, own_words

_THRICE = re.compile(r"(\w)\1{2,}")
_LONGEST = 2_000  # characters that are looked at; a text message has no more
_SENTENCE = re.compile(r"[.!?;:,…。！？、，؟،؛।\n\r()–—|/]+|\s-+\s")
_ASKS = frozenset("when where which how does did what".split())
_APART = 3  # words between two that belong together
_ALIKE = 0.85
_SHORT = 8  # words of a text that can end in the word that is meant


@dataclass(frozen=True, slots=True)
class KeywordReading:
    """`meaning` is stop, maybe (a refusal is likely, and a person decides), start, help, or "" for anything else; `sure` is False
    where a person should read it."""

    meaning: str
    sure: bool = True
    word: str = ""


NOTHING = KeywordReading("")


def read(text: str, *, ours: str = "") -> KeywordReading:
    """What this text asks for, whatever its case, accents, punctuation, emoji and (known) language.

    `ours` is our last message to the person: what they quote of it, they do not say.
    """
    whole = text[:_LONGEST]
    own = own_words(whole, ours=ours)
    found = _read(own.text)
    if own.quotes and found.meaning not in ("stop", "maybe"):
        quoted = _read(whole)
        return replace(quoted, meaning="maybe", sure=False) if quoted.meaning == "stop" else found
    return found


def _read(text: str) -> KeywordReading:
    words = words_of(text)
    if not words:
        signs = [char for char in text if char in STOP_SIGNS]
        return KeywordReading("stop", sure=False, word=signs[0]) if signs else NOTHING
    said = " ".join(words)
    polite = _polite(words) or said
    for whole in (said, polite, *_joined(words), _THRICE.sub(r"\1", polite)):
        for meaning in ("stop", "start", "help"):
            if whole in _whole(meaning):
                return KeywordReading(meaning, sure=whole not in table("doubtful"), word=whole)
    bare = " ".join(word for word in polite.split() if word not in table("objects"))
    if bare in _whole("stop"):
        return KeywordReading("stop", sure=bare not in table("weak"), word=bare)
    keywords = [word for word in polite.split() if word in _whole("stop")]
    if keywords and all(word in _ANY_KEYWORD for word in polite.split()):
        # "help stop", "stop start": rather once too often
        return KeywordReading("stop", sure=False, word=keywords[0])
    if word := _refusal_in(words):
        return KeywordReading("stop", sure=False, word=word)
    if word := _at_the_end(text, words):
        asked = text.rstrip().endswith(("?", "？", "؟"))  # "What happens if I reply STOP?"
        return KeywordReading("maybe" if asked else "stop", sure=False, word=word)
    if word := _likely_in(text, words):
        return KeywordReading("maybe", sure=False, word=word)
    return NOTHING


def _refusal_in(words: list[str]) -> str:
    """The words by which a text that says more than one clearly asks us to stop.

    Our own instruction ("reply STOP to opt out") may be quoted in it: what else is said decides, and where nothing is, the quote.
    """
    said, quoted = _without_quotes(" ".join(words))
    words = said.split()
    if quoted and not _polite(words):
        return quoted
    if quoted and (left := [word for word in words if word in table("strong")]):
        return left[0]
    for phrase in _PHRASES:
        before, found, _ = f" {said} ".partition(f" {phrase} ")
        if found and before.split()[-1:] != ["not"] and not before.endswith(_NEGATIONS):
            return phrase
    if word := _paired(words, "removing", "mine") or _paired(words, "ceasing", "contacting", behind=1):
        return word
    if word := next((word for word in words if _is_misspelled(word)), ""):
        return word
    if words[:1] and words[0] in table("strong") and not _is_ordinary(words, 0):
        return words[0]
    return _inside(said, "unspaced")


def _paired(words: list[str], first: str, second: str, *, behind: int = _APART) -> str:
    """A phrase of the one table near one of the other; with at most so many words between where it stands `behind` that.

    Not where it is turned around: "please don't remove my name".
    """
    others = [(at, at + phrase.count(" ") + 1) for phrase in table(second) for at in _places(words, phrase)]
    for phrase in table(first):
        for at in _places(words, phrase) if others else ():
            end = at + phrase.count(" ") + 1
            near = any(0 <= start - end <= _APART or 0 <= at - stop <= behind for start, stop in others)
            if near and not f" {' '.join(words[:at])}".endswith((" not", *_NEGATIONS)):
                return phrase
    return ""


def _is_misspelled(word: str) -> bool:
    """One of the many spellings of "unsubscribe"."""
    if word in table("strong") or not word.startswith("un"):
        return False
    return SequenceMatcher(None, word, "unsubscribe").ratio() > _ALIKE


def _places(words: list[str], phrase: str) -> list[int]:
    part = phrase.split()
    return [at for at, word in enumerate(words) if word == part[0] and words[at : at + len(part)] == part]


def _at_the_end(text: str, words: list[str]) -> str:
    """A stop word behind other words, in a sentence of its own, in capitals, or as the last of a few: "Wrong number, stop"."""
    sentences = [some for part in _SENTENCE.split(text) if (some := words_of(part))]
    last = _polite(sentences[-1])
    if len(sentences) > 1 and last in table("closing") | table("strong") | table("last"):
        return last
    written, closing = text.split(), words[-1]
    if closing not in table("last") or len(words) < 2:
        return ""
    shouted = [word for word in written if any(map(str.isalpha, word))]
    if shouted and shouted[-1].isupper() and not all(map(str.isupper, shouted)):
        return "" if words[-2:-1] == ["bus"] else closing
    ordinary = _is_ordinary(words, len(words) - 1) or _ASKS.intersection(words)
    return "" if ordinary or len(words) > _SHORT else closing


def _likely_in(text: str, words: list[str]) -> str:
    """What a person should look at, without more being done."""
    said = _without_quotes(" ".join(words))[0]
    words = said.split()
    for phrase in _LIKELY:
        before, found, _ = f" {said} ".partition(f" {phrase} ")
        if found and not before.endswith(_NEGATIONS):
            return phrase
    for at, word in enumerate(words):
        if word in table("strong") and not _is_ordinary(words, at):
            return word
    sentences = [some for part in _SENTENCE.split(text) if (some := words_of(part))]
    if len(sentences) > 1 and _polite(sentences[-1]) in table("weak"):
        return sentences[-1][0]
    return _inside(said, "likely_unspaced") or next((char for char in text if char in STOP_SIGNS), "")


def _inside(said: str, name: str) -> str:
    """A phrase of scripts that put no space between words, or do it as they like."""
    joined = said.replace(" ", "")
    return next((phrase for phrase in table(name) if phrase.replace(" ", "") in joined), "")


def _is_ordinary(words: list[str], at: int) -> bool:
    """Whether its neighbours make it another word: a bus stop, stop by, don't stop."""
    before, behind = words[at - 1 : at] if at else [], words[at + 1 : at + 2]
    return bool(
        table("ordinary_before").intersection(before) or table("ordinary_behind").intersection(behind)
    )


def _polite(words: list[str]) -> str:
    """Without the words that change nothing."""
    return " ".join(word for word in words if word not in table("courtesies"))


def _without_quotes(said: str) -> tuple[str, str]:
    """The text without our own instructions, the longest cut first, and the first that was found."""
    first = ""
    for phrase in _LONGEST_QUOTED_FIRST:
        while f" {phrase} " in f" {said} ":
            said = " ".join(f" {said} ".replace(f" {phrase} ", " ", 1).split())
            first = first or phrase
    return said, first


def _joined(words: list[str]) -> list[str]:
    """ "S T O P" and "S.T.O.P." are words, too."""
    return ["".join(words)] if len(words) > 1 and all(len(word) == 1 for word in words) else []


def _whole(meaning: str) -> frozenset[str]:
    return _STOP if meaning == "stop" else table(meaning)


_STOP = table("strong") | table("weak") | table("unspaced")
_ANY_KEYWORD = _STOP | table("help") | table("start")
_LONGEST_QUOTED_FIRST = sorted(table("quoted"), key=len, reverse=True)
_PHRASES, _LIKELY = sorted(table("phrases")), sorted(table("likely"))
_NEGATIONS = tuple(f" {word}" for word in sorted(table("negations")))
