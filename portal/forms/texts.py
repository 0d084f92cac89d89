"""Texts of an address or of a script's post that no form field reads."""

from collections.abc import Mapping

from portal.odd_requests import refuse_too_long
from sms.values.text import line_breaks


def text_of(given: Mapping[str, str], name: str, *, most: int) -> str:
    """Raises OddParameter where it is longer. What a database cannot keep was refused before."""
    text = line_breaks(given.get(name, ""))
    refuse_too_long(name, text, most=most)
    return text
