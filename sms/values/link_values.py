"""Values inside of links: where a text has one open, and a value as it can stand there (RFC 3986). Pure; called by `text`.

A space would end the link on the phone, and an & or # in a value would be read as part of the address.
"""

import re
from enum import Enum
from urllib.parse import quote

_WORD = re.compile(r"[^\s<>\"]*\Z")  # what a link can have of its own, up to the end
_BEGINS = re.compile(r"https?://|(?<![\w.@-])www\.", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w.@-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/?[^?\s]*\?(?=\S*=)", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9\-._~*,/:@]*")
_ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_LONGEST = 2_000  # characters that are looked back over


class LinkPart(Enum):
    """Where in a link something stands, by the signs that a value keeps there: those that divide the parts of an address mean
    something before the question mark, where a value can be a piece of the address, and are data after it."""

    ADDRESS = "-._~*,/:@?&=+;"
    QUERY = "-._~*,/:@"


def tail_of(text: str) -> str:
    """The end of a text, as far as it can belong to a link that goes on."""
    word = _WORD.search(text, max(0, len(text) - _LONGEST))
    return word[0] if word else ""


def part_at_end(tail: str) -> LinkPart | None:
    """The part of a link in which this tail ends; None where it does not end in one."""
    begins = _BEGINS.search(tail)
    if begins is None:
        return LinkPart.QUERY if _BARE.search(tail) else None
    rest = tail[begins.end() :]
    return LinkPart.QUERY if "?" in rest or "#" in rest else LinkPart.ADDRESS


def in_link(value: str, part: LinkPart) -> str:
    """Percent-encoded where it has to be. One that is encoded already, as its percent signs show, stays so."""
    if _PLAIN.fullmatch(value):
        return value
    safe = part.value + ("%" if _ENCODED.fullmatch(value) else "")
    return quote(value, safe=safe, errors="replace")
