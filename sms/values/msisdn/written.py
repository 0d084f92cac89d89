"""What people and programs write for a number → its digits. Pure; called by `sms.values.msisdn.parse` alone.

Knows spaces, dashes, brackets, the digits of every script, what Excel does to long numbers, and what else a cell
can hold. Knows no country: whether the digits are a number is `plan`.
"""

import re
import unicodedata
from typing import NamedTuple

from sms.values.problems import ProblemCode, ProblemError
from sms.words import KeptSentence, gettext_noop

# Stored of rejected rows, so in English; pages tell them in the reader's language (`retold`).
NONE = gettext_noop("There is no number here.")
TOO_MANY_DIGITS = KeptSentence(gettext_noop("It has %(count)s digits; the longest number there is has 15."))
QUANTITY = gettext_noop("It is a quantity with a decimal part, not a number to send to.")
SHORTENED = gettext_noop(
    "Excel shortened this number and its last digits are lost. Format the column as text and export it again."
)
ENDLESS = KeptSentence(gettext_noop("It holds %(count)s characters, too many for a number."))
NO_DIGIT = gettext_noop("There is no digit in it, so it is not a number.")
LETTERS = gettext_noop("There are letters in it, so it is not a number to send to.")
ODD_SIGNS = gettext_noop("There are signs in it that no number has.")
SEVERAL = gettext_noop("There is more than one number in it; give each a row of its own.")

# Longer than any way to write a number, and short enough that a 5 MB cell costs nothing.
_LONGEST = 200

_PLAIN = re.compile(r"\+?[0-9]+")
_FORMULA = re.compile(r'=\s*"(.*)"', re.DOTALL)
_LABEL = re.compile(r"(?:tel|telephone|phone|mobile|mob|cell|sms|callto)\b[\s.]*:?\s*", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\+?([0-9]+)(?:[.,]([0-9]*))?\s*[eE]\s*\+?([0-9]{1,3})")
_FLOAT = re.compile(r"(\+?[0-9]{7,})[.,]([0-9]{1,2})")
# Also with separators before it, since no group of a number is a lone 0 after a point.
_POINT_ZERO = re.compile(r"((?:[^0-9]*[0-9]){7,})[.,]0")
_THOUSANDS = re.compile(r"\+?[0-9]{1,3}(?:,[0-9]{3}){2,}(?:\.0{1,2})?|\+?[0-9]{1,3}(?:\.[0-9]{3}){2,},0{1,2}")
_NUMBER = re.compile(r"""[\s()\[\]{}'"~_./\\-]*(\+[\s+]*)?([0-9\s()\[\]{}'"~_./\\-]*)(\+?)\s*""")
# The trunk zero that some write behind the country code: +44 (0)7700.
_BRACKETED_ZERO = re.compile(r"[(\[{]\s*0\s*[)\]}]")
# Seven digits and more with what may stand between those of one number: a comma, a slash, a plus, a word or two spaces end it.
_ONE_NUMBER = re.compile(r"\d(?:[ ()\[\]._~'-]?[ ()\[\]._~'-]?\d){6,}")
_GROUP = re.compile(r"\d+")

_LOOKS_LIKE = {
    ord(char): plain
    for plain, chars in {
        "-": "\u2043\u2212\u30fc\u02d7",  # hyphen bullet, minus, the long-vowel mark of Japanese keyboards
        "+": "\u207a\ufb29\u2795",
        ".": "\u00b7\u2022\u2027\u2219\u22c5\u30fb\u066b\u3002",
        ",": "\u066c\u3001",
        "/": "\u2044\u2215",
        "'": "\u2018\u2019\u201b\u02bc\u2032`\u00b4",
        '"': "\u201c\u201d\u201e\u2033",
        "(": "\u2768\u3010\u3014",
        ")": "\u2769\u3011\u3015",
        "~": "\u223c\u301c",
        " ": "\u2800\u3164\u260e\u260f\u2706\U0001f4de\U0001f4f1\U0001f4f2\U0001f4f3",  # blanks, drawn telephones
    }.items()
    for char in chars
}


class BadNumber(ProblemError):
    """This is no number that a text could reach. The sentence never repeats the cell, so it may be logged."""


class WrittenNumber(NamedTuple):
    digits: str
    plus: bool
    with_zero: str = ""  # the digits with the zero of "(0)" kept, if there was one; `digits` is without


def read(raw: str) -> WrittenNumber:
    """The digits that `raw` writes, or `BadNumber` if it writes something else."""
    # Nearly every row of nearly every file.
    if len(raw) <= _LONGEST and _PLAIN.fullmatch(raw):
        return WrittenNumber(digits=raw.lstrip("+"), plus=raw[0] == "+")
    text = _cleaned(raw)
    if not text:
        raise BadNumber(ProblemCode.EMPTY, NONE)
    if len(text) > _LONGEST:
        raise _endless(len(text))
    text = _without_spreadsheet(text)
    match = _NUMBER.fullmatch(text)
    if not match or not any(char.isdigit() for char in match[2]) or (match[1] and match[3]):
        raise _unreadable(text)
    return _grouped(match[2], plus=bool(match[1] or match[3]))


def _grouped(text: str, *, plus: bool) -> WrittenNumber:
    digits = _only_digits(text)
    if len(digits) > 15 and (several := _several(text)):
        raise several
    if len(digits) > 20:
        raise BadNumber(ProblemCode.TOO_LONG, TOO_MANY_DIGITS(count=len(digits)))
    zero = _BRACKETED_ZERO.search(text)
    if zero and (before := _only_digits(text[: zero.start()])):
        return WrittenNumber(digits=before + _only_digits(text[zero.end() :]), plus=plus, with_zero=digits)
    return WrittenNumber(digits=digits, plus=plus)


def _cleaned(raw: str) -> str:
    """`raw` in ASCII as far as a number goes: digits, dashes, spaces and signs of every script; invisible ones gone."""
    text = raw.strip()
    # Refused before the work, not cut: what is left of a cut could be another person's number.
    if len(text) > 10 * _LONGEST:
        raise _endless(len(text))
    text = "".join(map(_plain, text)) if not text.isascii() or not text.isprintable() else text
    text = text.strip(" \t\r\n'\"`,;")
    if formula := _FORMULA.fullmatch(text + '"' if text.startswith("=") else text):
        # ="0770…" keeps Excel from reading a number; the quotation mark at its end is stripped with the others above.
        text = formula[1].strip()
    label = _LABEL.match(text)
    return text[label.end() :].strip() if label else text


def _plain(char: str) -> str:
    if " " <= char <= "~":
        return char if char != "`" else "'"
    if ord(char) in _LOOKS_LIKE:
        return _LOOKS_LIKE[ord(char)]
    if "\uff01" <= char <= "\uff5e":
        return chr(ord(char) - 0xFEE0)
    match unicodedata.category(char):
        case "Nd":
            return str(unicodedata.decimal(char))
        case "Pd":
            return "-"
        case "Zs" | "Zl" | "Zp":
            return " "
        case "Cc":
            return char if char in "\n\r" else " " if char.isspace() else ""
        case "Cf" | "Mn" | "Me":
            # Direction marks, joiners, byte order marks, and what makes a keycap of a digit.
            return ""
        case _:
            return char


def _without_spreadsheet(text: str) -> str:
    """`text` as it was before a spreadsheet took it for a quantity."""
    if match := _SCIENTIFIC.fullmatch(text):
        return _whole(match[1].lstrip("0"), match[2] or "", exponent=int(match[3]))
    if match := _FLOAT.fullmatch(text):
        if match[2].strip("0"):
            raise BadNumber(ProblemCode.NOT_A_NUMBER, QUANTITY)
        return match[1]
    if match := _POINT_ZERO.fullmatch(text):
        return match[1]
    if _THOUSANDS.fullmatch(text):
        return re.sub(r"[.,]0{1,2}$", "", text).replace(",", "").replace(".", "")
    return text


def _whole(whole: str, fraction: str, *, exponent: int) -> str:
    """The digits of whole.fraction × 10^exponent, provided that every one of them is written."""
    if len(fraction) < exponent:
        # 4.477E+11 may have been any of a hundred million numbers. Filling up with zeros would text a stranger.
        raise BadNumber(ProblemCode.SHORTENED, SHORTENED)
    if fraction[exponent:].strip("0"):
        raise BadNumber(ProblemCode.NOT_A_NUMBER, QUANTITY)
    return whole + fraction[:exponent]


def _endless(length: int) -> BadNumber:
    return BadNumber(ProblemCode.NOT_A_NUMBER, ENDLESS(count=length))


def _unreadable(text: str) -> BadNumber:
    if several := _several(text):
        return several
    if not any(char.isdigit() for char in text):
        return BadNumber(ProblemCode.NOT_A_NUMBER, NO_DIGIT)
    if any(char.isalpha() for char in text):
        return BadNumber(ProblemCode.NOT_A_NUMBER, LETTERS)
    return BadNumber(ProblemCode.NOT_A_NUMBER, ODD_SIGNS)


def _several(text: str) -> BadNumber | None:
    """Where two numbers share a cell; also behind each other, when both are written in the same groups."""
    groups = [len(one) for one in _GROUP.findall(text)]
    half = len(groups) // 2
    alike = groups[:half] == groups[half:] and sum(groups[:half]) >= 7
    if not alike and len(_ONE_NUMBER.findall(text)) < 2:
        return None
    return BadNumber(ProblemCode.TWO_NUMBERS, SEVERAL)


def _only_digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)
