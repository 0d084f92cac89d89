"""Names of countries and territories, from Unicode's CLDR."""

from collections.abc import Mapping
from functools import cache

from babel import Locale, UnknownLocaleError

from sms.words import language


@cache
def _names(language: str) -> Mapping[str, str]:
    try:
        names: Mapping[str, str] = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        return _names("en")
    return names


def country_name(code: str, language: str = "en") -> str:
    """`GB` → `United Kingdom`, for what is stored; what names no country stays as it is."""
    return _names(language).get(code, code)


def country_here(code: str) -> str:
    """The same in the reader's language, for pages."""
    read = language()
    # British English spells a few of them otherwise than what is stored
    return country_name(code, "en" if read.startswith("en") else read)
