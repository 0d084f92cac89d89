"""What a text weighs: GSM 03.38, segments, placeholders, and the links in it."""

import re

from sms.webex.sandbox.switches import Switches

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM_ALL = _GSM | _EXTENDED
_LINK = re.compile(r"https://[^\s<>\"]+")
_TOKENS = {
    "parentheses": re.compile(r"\$\(([^()$]+)\)"),
    "braces": re.compile(r"\$\{([^{}$]+)\}"),
    "both": re.compile(r"\$(?:\(([^()$]+)\)|\{([^{}$]+)\})"),
}


def fill(text: str, values: dict[str, str], style: str, *, blank: bool) -> tuple[str, bool]:
    """Put values in place of placeholders; also whether one had no value, which stays as it is, or goes if ``blank``."""
    gap = False

    def value(match: re.Match[str]) -> str:
        nonlocal gap
        name = match[match.lastindex or 1]
        if name in values:
            return values[name]
        gap = True
        return "" if blank else match[0]

    return _TOKENS[style].sub(value, text), gap


def characters(text: str, switches: Switches) -> int:
    """How long a text is against a documented limit: a character outside Unicode's first plane is one, or two as Java counts."""
    if switches.characters == "utf16" and not text.isascii():
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text)


def fits_gsm(text: str) -> bool:
    return (text.isascii() and "`" not in text and text.isprintable()) or _GSM_ALL.issuperset(text)


def in_gsm(text: str) -> str:
    """The text with a question mark for each character that GSM 03.38 lacks."""
    return "".join(one if one in _GSM_ALL else "?" for one in text)


def segments(text: str, *, unicode: bool) -> int:
    """How many SMS a text takes. Text that GSM 03.38 cannot write is counted as Unicode whatever its type."""
    if unicode or not fits_gsm(text):
        if len(text) * 2 <= 70:
            return 1
        return _parts([2 if one > "\uffff" else 1 for one in text], 70, 67)
    if len(text) <= 80 or (len(text) <= 160 and _EXTENDED.isdisjoint(text)):
        return 1
    return _parts([2 if one in _EXTENDED else 1 for one in text], 160, 153)


def _parts(widths: list[int], single: int, multiple: int) -> int:
    """Fill parts in order; a character of two units is never split between two parts."""
    if sum(widths) <= single:
        return 1
    count, room = 1, multiple
    for width in widths:
        if width > room:
            count, room = count + 1, multiple
        room -= width
    return count


def links(text: str) -> list[tuple[int, int, str]]:
    """The https links of a text with their places, without the punctuation that ends a sentence."""
    found = []
    for match in _LINK.finditer(text):
        url = match[0].rstrip(".,;:!?'")
        if url.endswith(")") and "(" not in url:
            url = url.rstrip(")")
        found.append((match.start(), match.start() + len(url), url))
    return found
