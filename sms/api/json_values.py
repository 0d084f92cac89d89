"""What fills a placeholder, as JSON has it: one rule for `/api/v1` and `/v2/messages`. A number stands as it was written."""

from typing import Any

import msgspec


class Written(str):
    """A number with a point or an exponent, as it was written: as a value, 1.10 is not 1.1."""


def value_text(value: Any) -> str | None:
    """A text, a number or true and false as they stand; None for lists and objects, which are no value. Null is not given."""
    if isinstance(value, dict | list):
        return None
    return str(value) if isinstance(value, str) else msgspec.json.encode(value).decode()


class RepeatedName(ValueError):
    """An object has this name twice."""


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's names and values, for `object_pairs_hook`: decoders take the last of two, and the first would be lost in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatedName(next(name for name in names if names.count(name) > 1))
    return found
