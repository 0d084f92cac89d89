"""The GSM 7-bit default alphabet of 3GPP TS 23.038, and what to write instead of the rest. Pure.

Knows single characters only: counting segments and judging a character by its neighbours is `sms.values.text`,
which is the one caller. National language shift tables are left out on purpose: Webex Connect sends the
default alphabet or UCS-2, nothing between (reference/webex-connect §12).
"""

import re
import unicodedata
from functools import lru_cache

# One septet each, in the order of the standard's table from 0x00 to 0x7F. 0x1B, the escape, is left out: it
# announces an extension character and is never text.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# Two septets each: the escape and one more.
EXTENSION = "\f^{}\\[~]|€"

ALPHABET = frozenset(BASIC + EXTENSION)
FOREIGN = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]")
EXTENDED = re.compile(f"[{re.escape(EXTENSION)}]")

# Marks that sit on the letter before them and can be left off it. U+0338, the stroke that turns = into "not
# equal", is no accent: without it the text would say the opposite.
ACCENTS = frozenset(map(chr, range(0x0300, 0x0370))) - {"\u0338"}

# Takes no room on a screen: joiners, marks of direction, byte order mark, soft hyphen, selectors, tags.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef]"
)
# Also removed: control characters other than line breaks and the tab (Word and databases leave them behind).
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")

# Cyrillic and Greek letters that look like a Latin one. They come in with text that was copied or typed on another
# keyboard; one of them makes a whole message Unicode, and it cannot be seen which.
LOOKALIKES = dict(
    zip(
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421"
        "\u0422\u0423\u0425\u0405\u0406\u0408\u04ae\u04c0\u051a\u051c"
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04af\u04bb\u04cf\u0501\u051b\u051d"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a"
        "\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03f2"
        "\u03f3\u03f9\u037f",
        "ABEKMHOPCTYXSIJYIQWaeopcyxsijyhldqwABEZHIKMNOPTYXovcjCJ",
        strict=True,
    )
)

# Emoji which Unicode also decomposes into letters; a suggestion would lose the picture.
_PICTURES = frozenset("\u2139\u24c2\u3297\u3299")

_EXPLICIT = LOOKALIKES | {
    char: plain
    for plain, chars in {
        # Quotation marks, primes, accents standing alone, letters some keyboards have for an apostrophe.
        "'": "\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\u02b9\u02bb"
        "\u02bc\u02bd\u02c8\u02ca\u02cb\u00b4`\u05f3\u055a\ua78c",
        '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u02ba\u02dd\u02ee\u301d\u301e\u301f\u05f4",
        # Hyphens, dashes, the minus sign, and the marks people use to start a line of a list.
        "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u2043\u2e3a\u2e3b\ufe58\ufe63\u05be"
        "\u00af\u203e\u2022\u2023\u2219\u25cf\u25cb\u25e6\u25aa\u25ab\u25a0\u25a1\u25b8"
        "\u25b9\u25ba\u25c6\u25c7\u2756\u27a2\uf0b7",
        ".": "\u00b7\u2027\u2024\u02d9\u22c5",
        ",": "\u00b8\u066b\u066c",
        "*": "\u2217\u2605\u2606\u2736\u273b",
        "/": "\u2044\u2215\u00f7",
        "\\": "\u2216\u29f5",
        "|": "\u00a6\u01c0\u2223\u2758",
        "!": "\u01c3",
        ":": "\u02d0\u2236\u05c3",
        "~": "\u02dc\u223c\u2248\u301c",
        "^": "\u02c6\u2038\u02c4",
        "_": "\u2017",
        "<": "\u02c2\u27e8\u2329",
        ">": "\u02c3\u27e9\u232a",
        " ": "\t\u1680\u2800",
        "\n": "\x0b\x85\u2028\u2029",
        # Signs.
        "(C)": "\u00a9",
        "(R)": "\u00ae",
        "(TM)": "\u2122",
        "(SM)": "\u2120",
        "(P)": "\u2117",
        "+/-": "\u00b1",
        "!=": "\u2260",
        "<=": "\u2264\u2a7d",
        ">=": "\u2265\u2a7e",
        "->": "\u2192",
        "<-": "\u2190",
        "=>": "\u21d2",
        "<->": "\u27f7",
        "x": "\u00d7\u2715\u2a2f",
        "u": "\u00b5",
        "\u0394": "\u2206",
        "\u03a0": "\u220f",
        "\u03a3": "\u2211",
        # Money: the code of ISO 4217 where no single letter would do.
        "c": "\u00a2",
        "£": "\u20a4",
        "Rs": "\u20a8\u20b9",
        "RUB": "\u20bd",
        "UAH": "\u20b4",
        "TRY": "\u20ba",
        "KRW": "\u20a9",
        "ILS": "\u20aa",
        "NGN": "\u20a6",
        "VND": "\u20ab",
        "PHP": "\u20b1",
        "THB": "\u0e3f",
        # Letters that Unicode does not take apart.
        "AE": "\u01e2\u01fc",
        "ae": "\u01e3\u01fd",
        "OE": "\u0152",
        "oe": "\u0153",
        "SS": "\u1e9e",
        "Th": "\u00de",
        "th": "\u00fe",
        "D": "\u00d0\u0110\u0189",
        "d": "\u00f0\u0111\u0256",
        "L": "\u0141\u023d",
        "l": "\u0142\u019a",
        "H": "\u0126",
        "h": "\u0127",
        "T": "\u0166",
        "t": "\u0167",
        "B": "\u0243",
        "b": "\u0180",
        "G": "\u01e4",
        "g": "\u01e5\u0261",
        "Z": "\u01b5",
        "z": "\u01b6",
        "N": "\u014a",
        "n": "\u014b\u0149",
        "i": "\u0131\u0269",
        "I": "\u0197",
        "k": "\u0138",
        "E": "\u018f",
        "e": "\u0259\u01dd",
        "f": "\u0192",
        "ss": "\u1e9f",
    }.items()
    for char in chars
}


@lru_cache(maxsize=8192)
def replacement(char: str) -> str | None:
    """What to write for `char` so that it fits: other characters, "" to leave it out, None to keep it.

    None for emoji, for CJK and for every other script that Latin letters would only transliterate.
    """
    if char in ALPHABET:
        return char
    if char in _EXPLICIT:
        return _EXPLICIT[char]
    if INVISIBLE.match(char) or _CONTROL.match(char) or char in ACCENTS:
        return ""
    if char in _PICTURES or "\U0001f100" <= char <= "\U0001faff":
        return None
    return _decomposed(char)


def compatibility(char: str) -> str:
    """Unicode's word for the kind of variant `char` is: "super", "fraction", "wide", …; "" for none."""
    tag = unicodedata.decomposition(char).partition(">")[0]
    return tag[1:] if tag.startswith("<") else ""


def _decomposed(char: str) -> str | None:
    """The parts Unicode takes `char` apart into, one step at a time.

    One step, because a-ring-acute must become the a-ring that GSM-7 has, not a bare a.
    """
    points = unicodedata.decomposition(char).split()
    if points and points[0].startswith("<"):
        del points[0]
    # A space with an accent on it is how Unicode spells an accent standing alone: a space is not the same.
    if not points or (points[0] == "0020" and len(points) > 1):
        return None
    parts = [replacement(chr(int(point, 16))) for point in points]
    if not parts[0] or None in parts:
        return None
    return "".join(part for part in parts if part)
