"""Numbering plans: digits after a calling code → a number of some country, by the tables of `phonenumbers`. Pure.

Why not call its `parse` and `is_valid_number`: they take 35 µs a row, most of it spent reading the written form
again and trying the tables of every country twice. Here each territory's tables are compiled once, and the rules
are the library's own (tests/values/test_msisdn.py holds both side by side over every territory). Called by `sms.values.msisdn`.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    REGION_CODE_FOR_NON_GEO_ENTITY,
    PhoneMetadata,
    PhoneNumberDesc,
)

from sms.values.msisdn.kinds import NumberKind

_TERRITORIES = {str(code): regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}
_CODE_OF = {
    region: code
    for code, regions in _TERRITORIES.items()
    for region in regions
    if region != REGION_CODE_FOR_NON_GEO_ENTITY
}
# In the order in which the library asks: a number can be in ranges of two kinds.
_KINDS = {
    NumberKind.PREMIUM: ("premium_rate",),
    NumberKind.FREE: ("toll_free",),
    NumberKind.SPECIAL: ("shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"),
    NumberKind.MOBILE: ("mobile",),
    NumberKind.LANDLINE: ("fixed_line",),
}
_MACHINES = {
    code: re.compile(source)
    for code, source in tomllib.loads(Path(__file__).with_name("rewriting.toml").read_text(encoding="utf-8"))[
        "machines"
    ].items()
}


@dataclass(frozen=True, slots=True, eq=False)
class Territory:
    """The part of a numbering plan that is one country's, ready to match."""

    code: str  # calling code without the plus
    country: str  # ISO 3166, "" for codes that belong to no country
    general: re.Pattern[str]
    lengths: frozenset[int]
    local: frozenset[int]  # lengths that are dialled within an area only: too short to be reached from abroad
    trunk: re.Pattern[str] | None
    trunk_rule: str
    exit_code: re.Pattern[str] | None
    leading: re.Pattern[str] | None  # where several countries share the code: how this one's numbers start
    assigned: dict[
        int, re.Pattern[str]
    ]  # by length: what the assigned ranges look like, a group for each kind

    def kind_of(self, number: str) -> NumberKind | None:
        """By the range that `number` is in, None where it is in none that is assigned."""
        pattern = self.assigned.get(len(number))
        match = pattern.fullmatch(number) if pattern is not None else None
        return _BY_GROUP[match.lastgroup] if match and match.lastgroup else None

    def without_trunk(self, number: str) -> str:
        """`number` without what is dialled before it inside the country (0 in most, 8 or 1 in some, carrier codes)."""
        match = self.trunk.match(number) if self.trunk else None
        if not match or not match.end():
            return number
        if self.trunk_rule and match.lastindex and match[match.re.groups] is not None:
            bare = match.expand(self.trunk_rule) + number[match.end() :]
        else:
            bare = number[match.end() :]
        if self.general.fullmatch(number) and not self.general.fullmatch(bare):
            return number
        return bare if len(bare) in self.lengths or len(bare) > max(self.lengths) else number

    def without_any_trunk(self, number: str) -> str:
        """For counting the digits of what is no number: also where too few are left for one."""
        match = self.trunk.match(number) if self.trunk and not self.general.fullmatch(number) else None
        return number[match.end() :] if match else number

    def after_exit_code(self, digits: str) -> str:
        """What follows the digits that dial abroad from here (011 in the US, 0011 in Australia); "" if they do not."""
        match = self.exit_code.match(digits) if self.exit_code else None
        return digits[match.end() :] if match else ""


def calling_code(digits: str) -> str:
    """The calling code that `digits` start with, "" if none does. No code is the start of another."""
    for length in (2, 1, 3):
        if digits[:length] in _TERRITORIES:
            return digits[:length]
    return ""


@lru_cache(maxsize=512)
def territory(country: str) -> Territory | None:
    """The territory of an ISO 3166 code in any case (UK is taken for GB), None for any other string."""
    region = country.strip().upper()
    region = "GB" if region == "UK" else region
    code = _CODE_OF.get(region)
    return _compiled(code, region) if code else None


def main_territory(code: str) -> Territory:
    """The territory whose rules hold for the whole calling code (US for +1, GB for +44)."""
    return _compiled(code, _TERRITORIES[code][0])


@cache
def mobile_lengths(code: str) -> frozenset[int]:
    """Digits after the calling code of the mobiles there, of any number where the library knows no mobiles."""
    found: set[int] = set()
    for region in _TERRITORIES[code]:
        data = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
        if data is not None and data.mobile is not None and data.general_desc is not None:
            lengths = data.mobile.possible_length or data.general_desc.possible_length
            found.update(length for length in lengths if length > 0)
    return frozenset(found) or main_territory(code).lengths


def could_be_a_mobile(code: str, number: str) -> bool:
    """Outside of assigned ranges: as long as mobiles there, and beginning as numbers there do, which 06… in France does not."""
    fits = main_territory(code).general.fullmatch(number) is not None
    return fits and len(number) in mobile_lengths(code)


class SettledNumber(NamedTuple):
    """Digits after the calling code, whose they are, and what; None outside of assigned ranges."""

    number: str
    owner: Territory | None = None
    kind: NumberKind | None = None


def settled(code: str, digits: str, *, home: Territory) -> SettledNumber:
    """The national number with trunk prefixes taken off.

    A number that is assigned as it stands keeps all its digits. Otherwise prefixes go until nothing changes,
    first by the rules of `home`, then by those of the whole code: so that E.164 reads back as itself.
    """
    number, main, machines = digits, main_territory(code), _MACHINES.get(code)
    for rules in (home, *(main,) * 8):
        if machines is not None and machines.fullmatch(number):
            return SettledNumber(number, main, NumberKind.MACHINE)
        if (found := assigned(code, number)) is not None:
            return found
        bare = rules.without_trunk(number)
        if bare == number and rules is main:
            break
        number = bare
    return SettledNumber(number)


def assigned(code: str, number: str) -> SettledNumber | None:
    """In whose range `number` is, as it stands. A territory with leading digits claims all that starts so."""
    regions = _TERRITORIES[code]
    # Canada's seven digits 310 xxxx are assigned, but only Canada can dial them
    if len(number) not in _compiled(code, regions[0]).lengths:
        return None
    for region in regions:
        candidate = _compiled(code, region)
        claims = candidate.leading is not None and len(regions) > 1
        if claims and not candidate.leading.match(number):  # type: ignore[union-attr]
            continue
        if (kind := candidate.kind_of(number)) is not None:
            return SettledNumber(number, candidate, kind)
        if claims:
            break
    return None


@cache
def _compiled(code: str, region: str) -> Territory:
    """The library's tables for one territory; the first of a country costs some milliseconds."""
    data = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    # the library's two tables disagree: cannot be, and is tested
    if data is None or data.general_desc is None:
        raise LookupError(f"phonenumbers has no data for +{code} {region}")
    general = data.general_desc
    return Territory(
        code=code,
        country="" if region == REGION_CODE_FOR_NON_GEO_ENTITY else region,
        general=re.compile(general.national_number_pattern or ""),
        lengths=frozenset(general.possible_length),
        local=frozenset(general.possible_length_local_only),
        trunk=_pattern(data.national_prefix_for_parsing),
        trunk_rule=data.national_prefix_transform_rule or "",
        exit_code=_pattern(data.international_prefix),
        leading=_pattern(data.leading_digits),
        assigned=_by_length(data, general),
    )


_BY_GROUP = {str(kind.name): kind for kind in NumberKind}


def _by_length(data: PhoneMetadata, general: PhoneNumberDesc) -> dict[int, re.Pattern[str]]:
    overall = f"(?=(?:{general.national_number_pattern})\\Z)"
    made = {}
    for length in general.possible_length:
        ranges = {kind: _ranges(data, names, length) for kind, names in _KINDS.items()}
        mobile, fixed = ranges[NumberKind.MOBILE], ranges[NumberKind.LANDLINE]
        if mobile and mobile == fixed:
            ranges |= {NumberKind.MOBILE: "", NumberKind.LANDLINE: "", NumberKind.MOBILE_OR_LANDLINE: mobile}
        elif mobile and fixed:
            ranges[NumberKind.MOBILE] = f"(?!(?:{fixed})\\Z)(?:{mobile})"
            ranges[NumberKind.MOBILE_OR_LANDLINE] = f"(?=(?:{fixed})\\Z)(?:{mobile})"
            ranges[NumberKind.LANDLINE] = ranges.pop(
                NumberKind.LANDLINE
            )  # asked last: what is both is not a landline alone
        groups = [f"(?P<{kind.name}>{source})" for kind, source in ranges.items() if source]
        if groups:
            made[length] = re.compile(f"{overall}(?:{'|'.join(groups)})")
    return made


def _ranges(data: PhoneMetadata, names: tuple[str, ...], length: int) -> str:
    """What `length` digits of these kinds look like, "" for none."""
    found = [getattr(data, name) for name in names]
    return "|".join(
        one.national_number_pattern
        for one in found
        if one is not None
        and one.national_number_pattern
        and (not one.possible_length or length in one.possible_length)
    )


def _pattern(source: str | None) -> re.Pattern[str] | None:
    return re.compile(source) if source else None
