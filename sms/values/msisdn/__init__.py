"""Recipients' numbers: every form that people write, read into E.164, and E.164 shown to people. Pure.

    written.py   what stands in the cell → its digits
    plan.py      digits → a number of some country's plan, or why not
    hidden.py    what stands where a number stood that must not be kept
    mention.py   a number found in, and taken out of, other text; whatever looks like one, hidden there

Says whether a number can exist and whether its range is assigned, never whether it is in use. Called
by the audience reader for every row, by the API and the pages for single numbers, and by logs for `mask`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers

from sms.values.msisdn import plan
from sms.values.msisdn.written import BadNumber, WrittenNumber, read
from sms.values.problems import ProblemCode

_E164_DIGITS = 15
_UNASSIGNED = "This number is in no range that is assigned today; it may not exist."


@dataclass(frozen=True, slots=True)
class Msisdn:
    e164: str  # with its plus: "+447700900123"
    country: str  # ISO 3166 code of its plan, "" for calling codes of no country (+800, satellites)
    warning: str  # a sentence when its range is not assigned, "" otherwise


def parse(raw: str, *, country: str = "") -> Msisdn:
    """The number that `raw` writes; one without a country code is read as one of `country` (ISO 3166, "" for none).

    Raises `BadNumber`, and nothing else, on any string. What it returns parses to itself.

    Digits alone can be read in more than one way ("447700900123"): national comes before international, but a
    mobile before a landline before a number in no assigned range.
    """
    written = read(raw)
    assigned: Msisdn | None = None
    possible: Msisdn | None = None
    for code, digits, home in _readings(written, country):
        number, owner = plan.settled(code, digits, home=home)
        if len(code) + len(number) > _E164_DIGITS:
            continue
        if owner is not None:
            if owner.has_mobile(number):
                return Msisdn(e164=f"+{code}{number}", country=owner.country, warning="")
            assigned = assigned or Msisdn(e164=f"+{code}{number}", country=owner.country, warning="")
        elif possible is None and plan.can_exist(code, number):
            country_of_code = plan.main_territory(code).country
            possible = Msisdn(e164=f"+{code}{number}", country=country_of_code, warning=_UNASSIGNED)
    found = assigned or possible
    if found is None:
        raise _refusal(written, country)
    return found


def country_of(e164: str) -> str:
    """ISO 3166 code of a number in E.164 as `parse` finds it, "" for anything else; in about two microseconds."""
    digits = e164[1:]
    code = plan.calling_code(digits) if e164[:1] == "+" else ""
    if not code:
        return ""
    return (plan.owner(code, digits[len(code) :]) or plan.main_territory(code)).country


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


def _readings(written: WrittenNumber, country: str) -> Iterator[tuple[str, str, plan.Territory]]:
    """(calling code, digits after it, whose trunk prefix applies), the likeliest first."""
    home = plan.territory(country)
    digits = written.digits
    if written.plus:
        abroad = digits.removeprefix("00")
        # No calling code starts with 0, so "+0770…" can only be a national number with a plus too many.
        if abroad.startswith("0") and home:
            yield home.code, abroad, home
    else:
        if home and not digits.startswith("00"):
            yield home.code, digits, home
        if home and (after := home.after_exit_code(digits)):
            yield from _abroad(after)
        abroad = digits.removeprefix("00")
    yield from _abroad(abroad)
    if written.with_zero:
        # Italy keeps the zero of +39 (0)6, the rest of the world drops it: tried last, and it counts if assigned.
        yield from _abroad(written.with_zero.removeprefix("00"))


def _abroad(digits: str) -> Iterator[tuple[str, str, plan.Territory]]:
    if code := plan.calling_code(digits):
        yield code, digits[len(code) :], plan.main_territory(code)


def _refusal(written: WrittenNumber, country: str) -> BadNumber:
    digits, home = written.digits, plan.territory(country)
    national = not written.plus and not digits.startswith("00")
    if national and not home and 7 <= len(digits) <= _E164_DIGITS:
        if country.strip():
            says = f"The country “{country.strip()[:20]}” is not known; use a code such as GB."
            return BadNumber(ProblemCode.NO_COUNTRY, says)
        says = "This number has no country code. Write it with +, or choose the country."
        return BadNumber(ProblemCode.NO_COUNTRY, says)
    if not national or not home:
        digits = digits.removeprefix("00")
        if len(digits) > _E164_DIGITS:
            says = f"It has {len(digits)} digits; the longest number there is has 15."
            return BadNumber(ProblemCode.TOO_LONG, says)
        code = plan.calling_code(digits)
        if not code:
            if len(digits) < (4 if written.plus else 7):
                says = f"It has only {len(digits)} digits; a number with its country code has more."
                return BadNumber(ProblemCode.TOO_SHORT, says)
            return BadNumber(ProblemCode.IMPOSSIBLE, f"No country has a code that starts like +{digits[:3]}.")
        home, digits = plan.main_territory(code), digits[len(code) :]
    return _misfit(home, digits)


def _misfit(home: plan.Territory, digits: str) -> BadNumber:
    number, _ = plan.settled(home.code, digits, home=home)
    where = f"+{home.code}"
    if len(number) < home.shortest or len(number) in home.local:
        lack = (
            "its area code is missing"
            if len(number) in home.local
            else f"at least {home.shortest} are needed"
        )
        return BadNumber(ProblemCode.TOO_SHORT, f"It has only {len(number)} digits after {where}; {lack}.")
    if len(number) > home.longest or len(home.code) + len(number) > _E164_DIGITS:
        says = f"It has {len(number)} digits after {where}; at most {home.longest} are possible."
        return BadNumber(ProblemCode.TOO_LONG, says)
    says = f"No number in {where} has {len(number)} digits after the country code."
    return BadNumber(ProblemCode.IMPOSSIBLE, says)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
