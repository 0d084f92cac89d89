"""Numbering plans: digits after a calling code → a number of some country, by the tables of `phonenumbers`. Pure.

Why not call its `parse` and `is_valid_number`: they take 35 µs a row, most of it spent reading the written form
again and trying the tables of every country twice. Here each territory's tables are compiled once, and the rules
are the library's own (tests/values/test_msisdn.py holds both side by side over every territory). Called by `sms.values.msisdn`.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    REGION_CODE_FOR_NON_GEO_ENTITY,
    PhoneMetadata,
    PhoneNumberDesc,
)

_TERRITORIES = {str(code): regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}
_CODE_OF = {
    region: code
    for code, regions in _TERRITORIES.items()
    for region in regions
    if region != REGION_CODE_FOR_NON_GEO_ENTITY
}
_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)


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
    assigned: dict[int, re.Pattern[str]]  # by length: what the assigned ranges look like
    mobile: dict[int, re.Pattern[str]]  # by length: those of them that mobiles may have

    @property
    def shortest(self) -> int:
        return min(self.lengths)

    @property
    def longest(self) -> int:
        return max(self.lengths)

    def knows(self, number: str) -> bool:
        pattern = self.assigned.get(len(number))
        return pattern is not None and pattern.fullmatch(number) is not None

    def has_mobile(self, number: str) -> bool:
        """Whether `number` is in a range that mobiles may have (in some countries they share one with landlines)."""
        pattern = self.mobile.get(len(number))
        return pattern is not None and pattern.fullmatch(number) is not None

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
        return bare if len(bare) in self.lengths or len(bare) > self.longest else number

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


def can_exist(code: str, number: str) -> bool:
    return len(number) in main_territory(code).lengths


def settled(code: str, digits: str, *, home: Territory) -> tuple[str, Territory | None]:
    """(national number, whose it is) with trunk prefixes taken off; no country's outside assigned ranges.

    A number that is assigned as it stands keeps all its digits. Otherwise prefixes go until nothing changes,
    first by the rules of `home`, then by those of the whole code: so that E.164 reads back as itself.
    """
    number, main = digits, main_territory(code)
    for rules in (home, *(main,) * 8):
        found = owner(code, number)
        if found is not None:
            return number, found
        bare = rules.without_trunk(number)
        if bare == number and rules is main:
            break
        number = bare
    return number, None


def owner(code: str, number: str) -> Territory | None:
    """In whose assigned range `number` is. A territory with leading digits claims all that starts so, assigned or not."""
    # Canada's seven digits 310 xxxx are assigned, but only Canada can dial them
    if not can_exist(code, number):
        return None
    for region in _TERRITORIES[code]:
        candidate = _compiled(code, region)
        if candidate.leading is not None and len(_TERRITORIES[code]) > 1:
            if candidate.leading.match(number):
                return candidate if candidate.knows(number) else None
        elif candidate.knows(number):
            return candidate
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
        assigned=_by_length(general, [getattr(data, kind) for kind in _KINDS]),
        mobile=_by_length(general, [data.mobile]),
    )


def _by_length(general: PhoneNumberDesc, ranges: list[PhoneNumberDesc | None]) -> dict[int, re.Pattern[str]]:
    sources: dict[int, list[str]] = {}
    for each in ranges:
        if each is not None and each.national_number_pattern:
            for length in each.possible_length or general.possible_length:
                if length in general.possible_length:
                    sources.setdefault(length, []).append(each.national_number_pattern)
    overall = f"(?=(?:{general.national_number_pattern})\\Z)"
    return {length: re.compile(f"{overall}(?:{'|'.join(parts)})") for length, parts in sources.items()}


def _pattern(source: str | None) -> re.Pattern[str] | None:
    return re.compile(source) if source else None
