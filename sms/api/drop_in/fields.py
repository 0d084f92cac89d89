"""The values of a partner's body, read as tolerantly as the provider's own samples are written. Called by `body`.

Null and empty text are as good as left out, booleans may be quoted in any case, and numbers may stand for text and the reverse.
"""

import re
from datetime import UTC, datetime
from typing import Any

from sms.api.drop_in.errors import invalid
from sms.api.json_values import value_text
from sms.values.text import UNSTORABLE
from sms.webex.limits import AHEAD

Block = dict[str, Any]
LONGEST_NAME = 2000  # of a placeholder: names are remembered while they are compared
LONGEST_VALUES = 20_000  # characters with their names: those for all destinations are stored and posted with each of a thousand


_FLAGS = {"true": True, "false": False}
_COUNT = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def given(data: Block, name: str) -> Any:
    """The value of a field; None where it is null or the empty text that the samples leave in unused fields."""
    value = data.get(name)
    return None if value == "" else value


def block(data: Block, name: str) -> Block | None:
    value = given(data, name)
    if value is not None and not isinstance(value, dict):
        raise invalid(name)
    return value


def text(data: Block, name: str, called: str = "") -> str:
    """A text or a whole number, empty where it is not given. `called` is its name in a refusal."""
    value = given(data, name)
    if value is None:
        return ""
    written = as_text(value)
    if written is None or UNSTORABLE.search(written):
        raise invalid(called or name)
    return written


def as_text(value: Any) -> str | None:
    """None where it is neither a text nor a whole number."""
    if value.__class__ is int:
        return str(value)
    return value if value.__class__ is str else None


def flag(data: Block, name: str) -> bool:
    value = given(data, name)
    if isinstance(value, str):
        value = _FLAGS.get(value.lower(), value)
    if value is not None and not isinstance(value, bool):
        raise invalid(name)
    return bool(value)


def count(value: Any, called: str) -> int:
    """A whole number from 1, of up to nine digits."""
    written = as_text(value)
    if written is None or not _COUNT.fullmatch(written) or int(written) < 1:
        raise invalid(called)
    return int(written)


def substitutions(data: Block) -> dict[str, str]:
    """By placeholder, for which nothing but its bare name will do. One that is null is not given; other values than texts stand as
    JSON has them."""
    read = {}
    for name, value in (block(data, "substitutions") or {}).items():
        if value is None:
            continue
        written = value_text(value)
        if written is None:
            raise invalid("substitutions", f"{name[:60]} is a list or an object. Write a text.")
        if not name or name.startswith("$("):
            says = f"{name[:60]!r} is no name of a placeholder. Write name for $(name)."
            raise invalid("substitutions", says)
        if len(name) > LONGEST_NAME or UNSTORABLE.search(written + name):
            raise invalid("substitutions")
        read[name] = written
    if sum(map(len, read)) + sum(map(len, read.values())) > LONGEST_VALUES:
        raise invalid("substitutions", f"names and values have {LONGEST_VALUES:,} characters at most")
    return read


def moment(data: Block, name: str, now: datetime) -> datetime | None:
    """In UTC, which also holds where no zone is given; at most 7 days ahead."""
    value = given(data, name)
    if value is None:
        return None
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise invalid(name)
    try:
        when = datetime.fromisoformat(value)
        when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(name) from None
    if when > now + AHEAD:
        raise invalid(name)
    return when
