"""Texts of an address or of a script's post that no form field reads."""

from collections.abc import Mapping


def storable(text: str, *, most: int) -> str:
    """Up to so many characters, without NUL, which PostgreSQL does not keep."""
    return text.replace("\0", "")[:most]


def text_of(given: Mapping[str, str], name: str, *, most: int) -> str:
    return storable(given.get(name, ""), most=most)
