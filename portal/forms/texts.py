"""Texts of an address or of a script's post that no form field reads."""

from collections.abc import Mapping

from portal.odd_requests import refuse_too_long


def text_of(given: Mapping[str, str], name: str, *, most: int) -> str:
    """Raises OddParameter where it is longer. What a database cannot keep was refused before."""
    text = given.get(name, "").replace(
        "\r\n", "\n"
    )  # a browser counts a line's end once, and posts it as two
    refuse_too_long(name, text, most=most)
    return text
