"""JSON values of any type, read into ours without ever failing. Shared by all that reads what the provider posts or answers."""

import codecs
import datetime as dt
from typing import Any

import msgspec

from sms.webex import lenient


def without_bom(raw: bytes) -> bytes:
    """JSON without the mark that some senders put before it and no decoder takes."""
    return raw.removeprefix(codecs.BOM_UTF8)


def decoded(raw: bytes) -> Any:
    """Any JSON that came from outside, slightly broken or not. Raises ValueError and RecursionError."""
    try:
        return msgspec.json.decode(without_bom(raw))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return lenient.decoded(raw)


def text(value: Any) -> str:
    """Text without NUL, which PostgreSQL cannot hold; whole numbers as digits; anything else as nothing."""
    if value.__class__ is str:
        return value.replace("\x00", "") if "\x00" in value else value
    return str(value) if value.__class__ is int else ""


def number(raw: str) -> str:
    """Our form of an MSISDN: with `+`. The provider leaves it out unless the tenant has +E.164."""
    digits = raw.strip()
    return f"+{digits}" if digits.isascii() and digits.isdigit() else digits


def count(value: Any) -> int | None:
    """A count of segments, 1..999, sent as text or number."""
    digits = text(value)
    plain = len(digits) <= 3 and digits.isascii() and digits.isdigit()
    return int(digits) or None if plain else None


def moment(value: Any) -> dt.datetime | None:
    """An ISO-8601 moment with the offset that came, UTC where none did; None for anything else and for years out of this age."""
    if value.__class__ is not str:
        return None
    try:
        when = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    if not 2000 <= when.year < 2200:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=dt.UTC)
