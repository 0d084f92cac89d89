"""Who is meant: every form in which people, programs and networks write a number, read into E.164, and E.164 shown to people. Pure.

    written.py     what stands in the cell → its digits
    plan.py        digits → a number of some country's plan and its kind, or why not
    rewriting.py   forms that the plan has left behind, or that only networks write
    kinds.py       what is said of numbers that may be no handset of the person
    hidden.py      what stands where a number stood that must not be kept
    mention.py     a number found in, and taken out of, other text; whatever looks like one, hidden there
    cells.py       cells for somebody who must not have numbers

Says whether a number can exist, what its range is for, never whether it is in use. `parse` is for what people and programs write,
`certain` for one number that is acted upon at once, `sender` for what a network reports.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import phonenumbers

from sms.values.msisdn import plan
from sms.values.msisdn.kinds import TEXTABLE, NumberKind
from sms.values.msisdn.rewriting import (
    BY_NETWORKS,
    SPELLED_TWICE,
    WITH_THE_CODE,
    is_outdated,
    other_spelling,
    rewritten,
)
from sms.values.msisdn.written import TOO_MANY_DIGITS, BadNumber, WrittenNumber, read
from sms.values.problems import ProblemCode
from sms.words import KeptSentence, gettext_noop

_E164_DIGITS = 15
_SHORTEST_ABROAD = 8  # with its country code; fewer digits are a number that was cut off
# Stored of rejected rows, so in English; pages tell them in the reader's language (`retold`).
_PREMIUM = gettext_noop(
    "It is a premium-rate number, and no text is sent to those. Give the person's mobile number."
)
_UNKNOWN_COUNTRY = KeptSentence(
    gettext_noop("The country “%(country)s” is not known; use a code such as GB.")
)
_NO_COUNTRY_CODE = gettext_noop("This number has no country code. Write it with +, or choose the country.")
_TOO_FEW = KeptSentence(
    gettext_noop("It has only %(count)s digits; a number with its country code has more.")
)
_NO_SUCH_CODE = KeptSentence(gettext_noop("No country has a code that starts like +%(digits)s."))
# Translators: where is the country code of a number, like +44.
_NO_AREA = KeptSentence(
    gettext_noop("It has only %(count)s digits after %(where)s; its area code is missing.")
)
_LACKING = KeptSentence(
    gettext_noop("It has only %(count)s digits after %(where)s; at least %(least)s are needed.")
)
_TOO_LONG = KeptSentence(
    gettext_noop("It has %(count)s digits after %(where)s; at most %(most)s are possible.")
)
_NO_SUCH_LENGTH = KeptSentence(
    gettext_noop("No number in %(where)s has %(count)s digits after the country code.")
)
# Translators: problem is a whole sentence that says what is wrong with a number.
_MAY_BE_ABROAD = KeptSentence(
    gettext_noop("%(problem)s If it is a number abroad, write it with + and its country code.")
)


@dataclass(frozen=True, slots=True)
class Msisdn:
    e164: str  # with its plus: "+447700900123"
    country: str  # ISO 3166 code of its plan, "" for calling codes of no country (+800, satellites)
    kind: NumberKind

    @property
    def warning(self) -> str:
        """A sentence where it may be no handset of the person that is meant, "" otherwise."""
        return self.kind.warning


class DigitReading(NamedTuple):
    """One way to take digits: what follows the calling code, whose trunk prefixes apply, and what was written to say so."""

    code: str
    digits: str
    home: plan.Territory
    ways: tuple[str, ...] = ("", WITH_THE_CODE)
    doubtful: bool = False  # nothing says that it is a number abroad, but that it fits no better here


def parse(raw: str, *, country: str = "") -> Msisdn:
    """The number that `raw` writes; one without a country code is read as one of `country` (ISO 3166, "" for none).

    Raises `BadNumber`, and nothing else, on any string. What it returns parses to itself.

    Digits alone can be read in more than one way ("447700900123"): national comes before international, but a
    mobile before a landline before a number in no assigned range. Of another country than `country` they are taken
    only as a mobile, and then are of the kind `ABROAD`: a digit too many makes strangers there of one in five numbers.
    """
    written = read(raw)
    assigned: Msisdn | None = None
    possible: Msisdn | None = None
    for reading in _readings(written, country):
        code = reading.code
        found = plan.settled(code, reading.digits, home=reading.home)
        if len(code) + len(found.number) > _E164_DIGITS:
            continue
        if found.kind is None:
            meant = (rewritten(code, digits, ways=reading.ways) for digits in (found.number, reading.digits))
            found = next((one for one in meant if one), found)
        if found.kind in TEXTABLE:
            assert found.owner is not None
            kind = found.kind
            if reading.doubtful:
                kind = NumberKind.ABROAD
            elif is_outdated(code, found.number):
                kind = NumberKind.OUTDATED
            return Msisdn(f"+{code}{found.number}", found.owner.country, kind)
        if reading.doubtful:
            continue
        if found.owner is not None and found.kind is not None:
            assigned = assigned or Msisdn(f"+{code}{found.number}", found.owner.country, found.kind)
        elif possible is None and plan.could_be_a_mobile(code, found.number):
            country_of_code = plan.main_territory(code).country
            possible = Msisdn(f"+{code}{found.number}", country_of_code, NumberKind.UNASSIGNED)
    number = assigned or possible
    if number is None:
        raise _refusal(written, country)
    if number.kind == NumberKind.PREMIUM:
        raise BadNumber(ProblemCode.PREMIUM, _PREMIUM)
    return number


def certain(raw: str, *, country: str = "") -> str:
    """E.164 of one number that is acted upon at once, so that nobody is asked: what could be a stranger's is refused, too."""
    found = parse(raw, country=country)
    if found.kind == NumberKind.ABROAD:
        raise BadNumber(ProblemCode.NO_COUNTRY, found.warning)
    return found.e164


def sender(raw: str, *, country: str = "") -> str:
    """E.164 of the handset that a network names, in the form in which lists have it; "" for no number.

    Networks give the country code, and it is written to us whatever its range says, so nothing that has the form of a number is
    refused. One that begins with 0 has no country code: it is read as people write those of `country`.
    """
    try:
        digits = read(raw).digits.removeprefix("00")
        if digits.startswith("0"):
            return certain(digits, country=country)
    except BadNumber:
        return ""
    code = plan.calling_code(digits)
    if not code or len(digits) > _E164_DIGITS:
        return f"+{digits}" if digits and len(digits) <= _E164_DIGITS else ""
    rest = digits[len(code) :]
    meant = rewritten(code, rest, ways=("", WITH_THE_CODE, BY_NETWORKS))
    found = plan.settled(code, rest, home=plan.main_territory(code))
    if found.kind not in TEXTABLE and meant is not None:
        found = meant
    return f"+{code}{found.number}"


def spellings(e164: str) -> tuple[str, ...]:
    """E.164 of one handset in each form that lists and networks use, the given one first: Argentina's mobiles have a 9 or not."""
    if not e164.startswith(SPELLED_TWICE):
        return (e164,)
    code = plan.calling_code(e164[1:])
    other = other_spelling(code, e164[1 + len(code) :])
    return (e164, f"+{code}{other}") if other else (e164,)


def country_of(e164: str) -> str:
    """ISO 3166 code of a number in E.164 as `parse` finds it, "" for anything else; in about two microseconds."""
    digits = e164[1:]
    code = plan.calling_code(digits) if e164[:1] == "+" else ""
    if not code:
        return ""
    found = plan.assigned(code, digits[len(code) :])
    return ((found and found.owner) or plan.main_territory(code)).country


def mask(e164: str) -> str:
    """For logs and shoulders: "+44 7700 ••• 123". At least three digits are hidden; not a number: all of it is."""
    code = plan.calling_code(e164[1:]) if e164.startswith("+") else ""
    if not code or not e164[1:].isdecimal():
        return "•••"
    rest = e164[1 + len(code) :]
    tail = min(3, max(0, len(rest) - 3))
    head = min(4, max(0, len(rest) - 3 - tail))
    shown = [f"+{code}", rest[:head], "•••", rest[len(rest) - tail :] if tail else ""]
    return " ".join(part for part in shown if part)


def pretty(e164: str) -> str:
    """In the groups its country writes: "+44 7700 900123". Anything that is not a number is given back unchanged."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    # The library may take a trunk digit off that is part of the number; then the groups are not worth a wrong digit.
    return shown if _digits(shown) == _digits(e164) else e164


def _readings(written: WrittenNumber, country: str) -> Iterator[DigitReading]:
    """The likeliest first."""
    home = plan.territory(country)
    digits = written.digits
    if written.plus:
        abroad, doubtful = digits.removeprefix("00"), False
        # No calling code starts with 0, so "+0770…" can only be a national number with a plus too many.
        if abroad.startswith("0") and home:
            yield DigitReading(home.code, abroad, home)
    else:
        if home and not digits.startswith("00"):
            yield DigitReading(home.code, digits, home, ways=("",))
        if home and (after := home.after_exit_code(digits)):
            yield from _abroad(after, doubtful=_zero_too_many(digits, home) or _two_exits(digits, after))
        abroad, doubtful = digits.removeprefix("00"), home is not None
        if home and digits.startswith("00"):
            doubtful = _zero_too_many(digits, home)
        elif home and digits.startswith(home.code):
            doubtful = False
    yield from _abroad(abroad, doubtful=doubtful)
    if written.with_zero:
        # Italy keeps the zero of +39 (0)6, the rest of the world drops it: tried last, and it counts if assigned.
        yield from _abroad(written.with_zero.removeprefix("00"), doubtful=doubtful)


def _zero_too_many(digits: str, home: plan.Territory) -> bool:
    """Whether what dials abroad may as well be a mobile of the country itself with a second zero: 00 151 … in Germany."""
    return plan.settled(home.code, digits[1:], home=home).kind in TEXTABLE


def _two_exits(digits: str, after: str) -> bool:
    """Whether behind 00, which dials abroad nearly anywhere, there is another mobile than behind the code of the country: Korea's 002."""
    rest = digits.removeprefix("00")
    if rest in (digits, after) or not (code := plan.calling_code(rest)):
        return False
    return plan.settled(code, rest[len(code) :], home=plan.main_territory(code)).kind in TEXTABLE


def _abroad(digits: str, *, doubtful: bool) -> Iterator[DigitReading]:
    if code := plan.calling_code(digits):
        yield DigitReading(code, digits[len(code) :], plan.main_territory(code), doubtful=doubtful)


def _refusal(written: WrittenNumber, country: str) -> BadNumber:
    digits, home = written.digits, plan.territory(country)
    national = not written.plus and not digits.startswith("00")
    if national and not home and 7 <= len(digits) <= _E164_DIGITS:
        if country.strip():
            says = _UNKNOWN_COUNTRY(country=country.strip()[:20])
            return BadNumber(ProblemCode.NO_COUNTRY, says)
        return BadNumber(ProblemCode.NO_COUNTRY, _NO_COUNTRY_CODE)
    if not national or not home:
        digits = digits.removeprefix("00")
        if len(digits) > _E164_DIGITS:
            return BadNumber(ProblemCode.TOO_LONG, TOO_MANY_DIGITS(count=len(digits)))
        code = plan.calling_code(digits)
        if not code:
            if len(digits) < (4 if written.plus else 7):
                return BadNumber(ProblemCode.TOO_SHORT, _TOO_FEW(count=len(digits)))
            return BadNumber(ProblemCode.IMPOSSIBLE, _NO_SUCH_CODE(digits=digits[:3]))
        return BadNumber(*_misfit(plan.main_territory(code), digits[len(code) :]))
    may_be_abroad = _SHORTEST_ABROAD <= len(digits) <= _E164_DIGITS and plan.calling_code(digits)
    problem, says = _misfit(home, digits)
    return BadNumber(problem, _MAY_BE_ABROAD(problem=says) if may_be_abroad else says)


def _misfit(home: plan.Territory, digits: str) -> tuple[ProblemCode, str]:
    """By the lengths of mobiles: a number of another length counts only where its range is known."""
    count = len(home.without_any_trunk(plan.settled(home.code, digits, home=home).number))
    where, lengths = f"+{home.code}", plan.mobile_lengths(home.code)
    if count < min(lengths):
        if count in home.local:
            return ProblemCode.TOO_SHORT, _NO_AREA(count=count, where=where)
        return ProblemCode.TOO_SHORT, _LACKING(count=count, where=where, least=min(lengths))
    if count > max(lengths) or len(home.code) + count > _E164_DIGITS:
        return ProblemCode.TOO_LONG, _TOO_LONG(count=count, where=where, most=max(lengths))
    return ProblemCode.IMPOSSIBLE, _NO_SUCH_LENGTH(where=where, count=count)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
