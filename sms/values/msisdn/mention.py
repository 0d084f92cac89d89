"""Numbers as people and programs write them inside of other text: one that is known, found and taken out (for retention and erasure); and
whatever looks like a number, hidden (for log lines and what people write into the audit), rather a figure too many. Pure.

Knows the spellings that `sms.values.msisdn.parse` reads: with + or 00, national with and without its zero, groups apart by spaces, dots,
dashes, slashes and brackets, the digits of every script.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import Any

from sms.values.msisdn.plan import calling_code

GONE = "•••"
Change = Callable[[str], str]
# the last ones stand in links, where values are percent-encoded (`sms.values.link_values`)
_UNSEEN = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
BETWEEN = rf"(?:[\s()\[\]{{}}.,/_\\'~\-‐-―\u2212·{_UNSEEN}]|%(?:20|28|29|5B|5D|0A|C2%A0)){{0,4}}"
_SHORTEST = 5  # digits of a national number that can be distinguished from any other figure

# What may stand between digits, written as one sign each and as long as it was: patterns of it compile in a tenth of the time
_SIGN, _ENCODED_SIGN = "\ue000", "\ue001"
_ONE_SIGN = re.compile(rf"[\s()\[\]{{}}.,/_\\'~\-‐-―\u2212·{_UNSEEN}]")
_SIGNS = {ord(char): _SIGN for char in [*_ONE_SIGN.findall("".join(map(chr, range(0x3001)))), "\ufeff"]}
_ENCODED = re.compile(r"%(?:20|28|29|5B|5D|0A|C2%A0)")
_BETWEEN_SIGNS = f"(?:{_SIGN}|{_ENCODED_SIGN}{{3}}(?:{_ENCODED_SIGN}{{3}})?){{0,4}}"
_ONLY_DIGITS = re.compile("[^0-9]+")

# of `masked`
_WITHIN = r"[ \u00a0()./-]{0,3}"
_RUN = r"(?:(?<![A-Za-z0-9-])|(?<=%2B))\+?\d{7,}(?![\w-])"  # no piece of a UUID, a digest or an identifier
# as people write them: nine digits and more in groups that begin with +, 0 or an area code in brackets
_GROUPS = rf"(?<![\w.:-])(?:\+|\(?0|\(\d{{2,4}}\))(?:{_WITHIN}\d){{8,15}}(?![\w:])"
_AMERICAN = r"(?<![\w.-])\d{3}[-. ]\d{3}[-. ]\d{4}(?![\w-])"
_LIKE_A_NUMBER = re.compile(f"{_GROUPS}|{_AMERICAN}|{_RUN}")
OWN_DIGITS = 7  # by which what cannot be read as a number is known in another text
FEWEST = 7
LARGE = 10**9  # an integer of so many digits is no id of ours


class Mention:
    def __init__(self, e164: str) -> None:
        self.e164 = e164
        self.digits = e164.removeprefix("+")
        self.code = calling_code(self.digits)
        self.national = self.digits[len(self.code) :]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        spread = _BETWEEN_SIGNS.join(self.national)
        zero = f"(?:{_SIGN}?0{_SIGN}?{_BETWEEN_SIGNS})?"  # often in brackets
        whole = rf"(?:\+|00)?{_BETWEEN_SIGNS}{_BETWEEN_SIGNS.join(self.code)}{_BETWEEN_SIGNS}{zero}{spread}"
        alone = rf"(?<![0-9])0?{_BETWEEN_SIGNS}{spread}(?![0-9])"
        return re.compile(whole if len(self.national) < _SHORTEST else f"{whole}|{alone}")

    def _places(self, text: str) -> Iterator[re.Match[str]]:
        """Most texts do not name their person: no pattern is compiled for those."""
        signs = _signs(text)
        if self.national not in _ONLY_DIGITS.sub("", signs):
            return iter(())
        return self._pattern.finditer(signs)

    def found(self, text: str) -> bool:
        return any(True for _ in self._places(text))

    def without(self, text: str, *, put: str = GONE) -> str:
        return self.replaced(text, lambda _: put)

    def starred(self, text: str) -> str:
        """For shoulders: the number without its middle, as long as before and of the same alphabet, so that no segment moves."""
        return self.replaced(text, _stars)

    def replaced(self, text: str, number: Change, between: Change = str) -> str:
        """The text with the number, wherever it stands, and what is around it changed."""
        parts, at = list[str](), 0
        for found in self._places(text):
            parts += [between(text[at : found.start()]), number(text[found.start() : found.end()])]
            at = found.end()
        return "".join([*parts, between(text[at:])])


def _stars(number: str) -> str:
    places = [place for place, char in enumerate(number) if char.isdigit()]
    hide = set(places[3:-2])
    return "".join("*" if place in hide else char for place, char in enumerate(number))


def starred(text: str, e164: str) -> str:
    """A text about one recipient, for the screen; what is no number of theirs stays as it is."""
    return Mention(e164).starred(text) if text and e164.startswith("+") else text


def of_record(text: str, e164: str) -> str:
    """What was received or sent about one recipient, for the screen: their number starred, and hidden whatever else looks like one."""
    said = starred(text, e164)
    try:
        values = json.loads(said)
    except ValueError:
        return masked(said)
    return json.dumps(masked_values(values), indent=2, ensure_ascii=False)


def _signs(text: str) -> str:
    """As long as the text."""
    plain = latin(text)
    if "%" in plain:
        plain = _ENCODED.sub(lambda found: _ENCODED_SIGN * len(found[0]), plain)
    return plain.translate(_SIGNS)


def latin(text: str) -> str:
    """The same text, as long, with the digits of every script in ASCII."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.digit(char)) if not char.isascii() and char.isdecimal() else char for char in text
    )


def has_end_of(written: str, text: str) -> bool:
    """Whether the last digits of what may be no number stand in the text, however either is written."""
    digits = "".join(filter(str.isdigit, written))[-OWN_DIGITS:]
    return len(digits) == OWN_DIGITS and digits in "".join(filter(str.isdigit, text))


def masked(text: str, *, put: str = "", but: Collection[str] = ()) -> str:
    """`447700900123` → `44•••23`, and so with +44 7700 900 123; or `put` in its place. `but` are numbers, as digits, that stay."""

    def changed(found: re.Match[str]) -> str:
        if but and _ONLY_DIGITS.sub("", found[0]) in but:
            return found[0]
        return put or hide(found[0])

    return _LIKE_A_NUMBER.sub(changed, text)


def numbers_like(text: str) -> list[str]:
    """What looks like a number in a text, as it is written there."""
    return [found[0] for found in _LIKE_A_NUMBER.finditer(text)]


def hide(number: str) -> str:
    digits = [char for char in number if char.isdigit()]
    plus = "+" if number.startswith("+") else ""
    return f"{plus}{''.join(digits[:2])}•••{''.join(digits[-2:])}" if len(digits) >= FEWEST else number


def masked_values(values: Any) -> Any:
    """The same at any depth of what is logged or recorded; large integers too."""
    if isinstance(values, str):
        return masked(values)
    if isinstance(values, dict):
        return {masked_values(key): masked_values(value) for key, value in values.items()}
    if isinstance(values, list):
        return [masked_values(value) for value in values]
    if isinstance(values, tuple):
        return tuple(masked_values(value) for value in values)
    if isinstance(values, int) and abs(values) >= LARGE:
        return masked(str(values))
    return values
