"""A number as people and programs write it inside of other text: found, and taken out. Pure; called by retention and erasure.

Knows the spellings that `sms.values.msisdn.parse` reads: with + or 00, national with and without its zero, groups apart by
spaces, dots, dashes,
slashes and brackets, the digits of every script.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property

from sms.values.msisdn.plan import calling_code

GONE = "•••"
_BETWEEN = r"[\s()\[\].,/_\-‐-―\u00a0\u2007\u202f·]{0,3}"
_SHORTEST = 5  # digits of a national number that can be distinguished from any other figure


class Mention:
    def __init__(self, e164: str) -> None:
        self.e164 = e164
        self.digits = e164.removeprefix("+")
        self.code = calling_code(self.digits)
        self.national = self.digits[len(self.code) :]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        spread = _BETWEEN.join(self.national)
        whole = rf"(?:\+|00)?{_BETWEEN}{_BETWEEN.join(self.code)}{_BETWEEN}(?:\(?0\)?{_BETWEEN})?{spread}"
        alone = rf"(?<!\d)0?{_BETWEEN}{spread}(?!\d)"
        return re.compile(whole if len(self.national) < _SHORTEST else f"{whole}|{alone}")

    def found(self, text: str) -> bool:
        return bool(self._pattern.search(_latin(text)))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        return (found.span() for found in self._pattern.finditer(_latin(text)))

    def without(self, text: str, *, put: str = GONE) -> str:
        plain, parts, at = _latin(text), list[str](), 0
        for found in self._pattern.finditer(plain):
            parts += [text[at : found.start()], put]
            at = found.end()
        return "".join([*parts, text[at:]]) if parts else text


def _latin(text: str) -> str:
    """The same text, as long, with the digits of every script in ASCII."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.digit(char)) if not char.isascii() and char.isdecimal() else char for char in text
    )
