"""What a text costs and what fills its placeholders: encoding, segments, culprits, placeholders, values. Pure.

    segments(text)      how many billable parts, in which encoding
    culprits(text)      the characters that make it Unicode, each with what could stand there instead
    to_gsm7(text)       all of those taken at once
    placeholders(text)  the names in $(name)
    render(text, …)     the text with a row's values in them
    filled(text, …)     the same in pieces, and placeholders without a value stay
    breaks(text)        where its segments end

Segments and culprits judge a text as it stands, so give them the rendered one: a value can change both. The
provider segments after it has shortened links, which only it can count. Called by the composer (page,
API, command), by dispatch and by the pages that show a text; the alphabet itself is `sms.values.gsm7`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sms.values import gsm7, link_values

Encoding = Literal["gsm7", "ucs2"]

# (alone, each of several): a text of several segments loses 48 bits of each to the header that joins them.
_GSM7_ROOM = (160, 153)
_UCS2_ROOM = (70, 67)

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
# A name may have brackets in pairs, as headings do: "Amount (GBP)". No step back and the limits keep a text full of "$(" linear.
LONGEST_NAME = 200
_OF_NAME = r"[^()$\r\n]|\$(?!\()"
_BRACKETED = rf"\((?>(?:{_OF_NAME}|\((?>(?:{_OF_NAME}){{0,200}})\)){{0,200}})\)"
PLACEHOLDER = re.compile(rf"\$\(((?>(?:{_OF_NAME}|{_BRACKETED}){{1,{LONGEST_NAME}}}))\)")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # no database keeps them
_UNSPOKEN = re.compile("[\\s_\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff-]+")
_COMPOSABLE = re.compile(f"[A-Za-z][{''.join(sorted(gsm7.ACCENTS))}]+")
_SCRIPT_LETTER = re.compile("[\u0370-\u03ff\u0400-\u052f\u1f00-\u1fff]")

# What makes a keycap of the digit before it; without the selector it would be another picture.
_KEYCAP = "\ufe0f\u20e3"


@dataclass(frozen=True, slots=True)
class TextLength:
    """What a text takes on the air. Units are septets in GSM-7, UTF-16 code units in UCS-2."""

    encoding: Encoding
    count: int  # billable parts; 0 for an empty text
    units: int  # of the text itself, without what a segment leaves unused because a pair would not fit
    room: int  # units still free in the last segment


@dataclass(frozen=True, slots=True)
class Culprit:
    char: str
    index: int  # position in the string, counted in code points
    name: str
    suggestion: str  # GSM-7 characters that could stand there instead; "" if there are none
    remove: bool = False  # it can simply go: zero-width or stray control characters, accents on no letter


class MissingSubstitution(ValueError):
    """A placeholder has no value. `name` is the placeholder as the text spells it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The text uses $({name}), but there is no value for it.")
        self.name = name


def segments(text: str) -> TextLength:
    """Encoding and billable segments of `text`: 160/153 in GSM-7, 70/67 in UCS-2 (3GPP TS 23.038, 23.040)."""
    if gsm7.FOREIGN.search(text):
        return _packed(text, encoding="ucs2", pairs=_ASTRAL, room=_UCS2_ROOM)
    return _packed(text, encoding="gsm7", pairs=gsm7.EXTENDED, room=_GSM7_ROOM)


def line_breaks(text: str) -> str:
    """Each line break as the one character that it is counted as; text boxes and Windows write two."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def is_gsm7(text: str) -> bool:
    return not gsm7.FOREIGN.search(text)


def _packed(text: str, *, encoding: Encoding, pairs: re.Pattern[str], room: tuple[int, int]) -> TextLength:
    """Segments of a text in which `pairs` are the characters of two units.

    A pair is never split (escape and character, high and low surrogate): where only one unit is left, it
    stays empty. So only the pairs have to be looked at, not every character.
    """
    alone, each = room
    starts = [match.start() for match in pairs.finditer(text)]
    units = len(text) + len(starts)
    if units <= alone:
        return TextLength(encoding=encoding, count=1 if text else 0, units=units, room=alone - units)
    shift = 0
    for start in starts:
        if (start + shift) % each == each - 1:
            shift += 1
        shift += 1
    filled = len(text) + shift
    count = -(-filled // each)
    return TextLength(encoding=encoding, count=count, units=units, room=count * each - filled)


def breaks(text: str) -> list[int]:
    """Positions (in code points) at which a further segment begins; one fewer than `segments` counts."""
    foreign = gsm7.FOREIGN.search(text)
    pairs, (alone, each) = (_ASTRAL, _UCS2_ROOM) if foreign else (gsm7.EXTENDED, _GSM7_ROOM)
    wide = {match.start() for match in pairs.finditer(text)}
    if len(text) + len(wide) <= alone:
        return []
    found, used = [], 0
    for index in range(len(text)):
        size = 2 if index in wide else 1
        if used + size > each:
            found.append(index)
            used = 0
        used += size
    return found


def culprits(text: str) -> list[Culprit]:
    """Every character of `text` that GSM-7 does not have, in order. Empty exactly when the encoding is GSM-7.

    What stands in a placeholder's name gets no suggestion, since a renamed placeholder finds no value.
    """
    return list(_examined(text)) if gsm7.FOREIGN.search(text) else []


def to_gsm7(text: str) -> str:
    """`text` with every suggestion of `culprits` taken. Still UCS-2 with an emoji or another script in it."""
    if not gsm7.FOREIGN.search(text):
        return text
    # First put letter and accent together where they came apart: GSM-7 has é, but not the accent alone.
    text = _outside_placeholders(text)
    pieces: list[str] = []
    end = 0
    for culprit in _examined(text):
        if culprit.suggestion or culprit.remove:
            pieces += text[end : culprit.index], culprit.suggestion
            end = culprit.index + 1
    return "".join(pieces) + text[end:]


def placeholders(text: str) -> list[str]:
    """The names in `$(name)`, in order, once each; spellings that mean the same value count as one."""
    names: dict[str, str] = {}
    for name in _pieces(text)[1::2]:
        names.setdefault(match_key(name), name)
    return list(names.values())


def literals(text: str) -> tuple[str, ...]:
    """What stands between its placeholders."""
    return _pieces(text)[::2]


@lru_cache(maxsize=4096)
def match_key(name: str) -> str:
    """The form in which placeholder and column names are compared: First Name = first_name = FIRST-NAME."""
    key = name
    # More than once where folding, composing and leaving out make room for each other ("E¨"); hardly ever thrice.
    while (folded := _folded(key)) != key and folded:
        key = folded
    return key.strip()


def render(text: str, *, substitutions: Mapping[str, str]) -> str:
    """`text` with each placeholder replaced by its value; `MissingSubstitution` at the first without.

    A name spelled exactly wins, then one with the same `match_key`. Values go in as they are: one that reads
    like a placeholder is not filled again, or a recipient's data could pull in another column. In a link they are percent-encoded.
    `{{smartlink_ID}}` is the provider's and left alone.
    """
    pieces = _pieces(text)
    if len(pieces) == 1:
        return text
    rendered, links = list(pieces), _near_links(text)
    by_key: dict[str, str] | None = None
    for at in range(1, len(pieces), 2):
        name = pieces[at]
        value = substitutions.get(name)
        if value is None:
            if by_key is None:
                by_key = {match_key(key): substitutions[key] for key in reversed(list(substitutions))}
            value = by_key.get(match_key(name))
            if value is None:
                raise MissingSubstitution(name)
        rendered[at] = _fitted(value, rendered, at) if at in links else value
    return "".join(rendered)


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A part of a filled text. `name` is the placeholder it stands for, empty for our own words; `value` is None where it has none."""

    text: str
    name: str = ""
    value: str | None = ""


def filled(text: str, *, substitutions: Mapping[str, str]) -> list[TextPiece]:
    """Like `render`, in pieces, to show what came from where. A placeholder without a value, or with an empty one, stays as written."""
    pieces, links = _pieces(text), _near_links(text)
    by_key = {match_key(key): substitutions[key] for key in reversed(list(substitutions))}
    found: list[TextPiece] = []
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            found += [TextPiece(piece)] if piece else []
            continue
        value = substitutions.get(piece, by_key.get(match_key(piece))) or None
        if value is not None and at in links:
            value = _fitted(value, [one.text for one in found], len(found))
        found.append(TextPiece(value if value is not None else f"$({piece})", piece, value))
    return found


@lru_cache(maxsize=256)
def _pieces(text: str) -> tuple[str, ...]:
    """Literal, name, literal, name, …, literal. Kept, since one text is rendered for every row."""
    pieces: list[str] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        name = match[1].strip()
        if name:
            pieces += text[end : match.start()], name
            end = match.end()
    return (*pieces, text[end:])


@lru_cache(maxsize=256)
def _near_links(text: str) -> frozenset[int]:
    """The pieces whose values may stand in a link, where one is open or a value right before could open it."""
    pieces = _pieces(text)
    near, run = [], ""
    for at in range(1, len(pieces), 2):
        run = link_values.tail_of(run + pieces[at - 1])
        if "\0" in run or link_values.part_at_end(run):
            near.append(at)
        run += "\0"  # stands for the value
    return frozenset(near)


def fills_links(text: str) -> bool:
    """Whether a value may stand in a link, so that it is written otherwise there than elsewhere."""
    return bool(_near_links(text))


def _fitted(value: str, before: list[str], at: int) -> str:
    """The value as it can stand after what is filled `before` it, up to the piece `at`."""
    tail = ""
    for piece in reversed(before[:at]):
        longer = piece + tail
        tail = link_values.tail_of(longer)
        if len(tail) < len(longer):
            break
    part = link_values.part_at_end(tail)
    return link_values.in_link(value, part) if part else value


def _folded(name: str) -> str:
    composed = unicodedata.normalize("NFKC", name).casefold()
    return _UNSPOKEN.sub("", unicodedata.normalize("NFKC", composed))


def _outside_placeholders(text: str) -> str:
    """Letters and their accents composed, but not in the names of placeholders."""
    return re.sub(
        f"{PLACEHOLDER.pattern}|{_COMPOSABLE.pattern}",
        lambda match: match[0] if match[1] else unicodedata.normalize("NFC", match[0]),
        text,
    )


def _examined(text: str) -> Iterator[Culprit]:
    """The culprits, each judged with its neighbours.

    `written` is the last character of what is kept or suggested so far; `foreign` says that the character
    before has no replacement and so keeps its joiners and accents (an emoji family, an Indic cluster).
    """
    names = [range(*match.span()) for match in PLACEHOLDER.finditer(text)]
    script = _in_another_script(text, names)
    written, foreign, end = "", False, 0
    for match in gsm7.FOREIGN.finditer(text):
        index, char = match.start(), match[0]
        if index > end:
            written, foreign = text[index - 1], False
        end = index + 1
        suggestion = gsm7.replacement(char)
        letter = unicodedata.normalize("NFD", char)[0]
        if any(index in span for span in names) or (script and _SCRIPT_LETTER.match(letter)):
            suggestion = None
        elif suggestion == "":
            if (foreign and not char.isspace() and ord(char) > 0x9F) or text.startswith(_KEYCAP, index):
                suggestion = None
        elif suggestion:
            suggestion = _apart(char, suggestion, written)
        if suggestion is None:
            foreign = True
        elif suggestion:
            written, foreign = suggestion[-1], False
        gone = suggestion == ""
        yield Culprit(char, index, _name(char), suggestion or "", remove=gone)


def _apart(char: str, suggestion: str, written: str) -> str | None:
    """Keeps a digit from running into the one before it: 1½ is not 11/2, and 10² is not 102."""
    if not (written.isdigit() and suggestion[0].isdigit()):
        return suggestion
    match gsm7.compatibility(char):
        case "fraction":
            return f" {suggestion}"
        case "super":
            return f"^{suggestion}"
        case "wide" | "font":
            return suggestion
        case _:
            return None


def _in_another_script(text: str, names: list[range]) -> bool:
    """Whether Greek or Cyrillic is really written here, so that its look-alike letters are no strays."""
    return any(
        gsm7.replacement(match[0]) is None and not any(match.start() in span for span in names)
        for match in _SCRIPT_LETTER.finditer(text)
        if match[0].isalpha()
    )


def _name(char: str) -> str:
    return unicodedata.name(char, "") or (
        f"CONTROL CHARACTER U+{ord(char):04X}" if unicodedata.category(char) == "Cc" else f"U+{ord(char):04X}"
    )
