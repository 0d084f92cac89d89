"""What fills a placeholder, as JSON has it: one rule for `/api/v1` and `/v2/messages`. A number stands as it was written."""

import json
from typing import Any

import msgspec


class Written(str):
    """A number with a point or an exponent, as it was written: as a value, 1.10 is not 1.1."""


def value_text(value: Any) -> str | None:
    """A text, a number or true and false as they stand; None for lists and objects, which are no value. Null is not given."""
    if isinstance(value, dict | list):
        return None
    return str(value) if isinstance(value, str) else msgspec.json.encode(value).decode()


class _Repeated(Exception):
    """An object has this name twice."""


def repeated_name(body: bytes) -> str | None:
    """A name that an object of a JSON body has twice: decoders take the last value, and the first would be lost in silence. `body` can
    be decoded."""
    try:
        json.loads(body, object_pairs_hook=_once_each, parse_int=str, parse_float=str)
    except _Repeated as problem:
        return str(problem)
    except (ValueError, RecursionError):  # what only the other decoder takes
        return None
    return None


def _once_each(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Repeated(next(name for name in names if names.count(name) > 1))
