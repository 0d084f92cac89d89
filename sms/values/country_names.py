"""Names of countries and territories, from Unicode's CLDR."""

from collections.abc import Mapping
from functools import cache

from babel import Locale


@cache
def _names(language: str) -> Mapping[str, str]:
    names: Mapping[str, str] = Locale.parse(language).territories
    return names


def country_name(code: str, language: str = "en") -> str:
    """`GB` → `United Kingdom`; what names no country stays as it is."""
    return _names(language).get(code, code)
