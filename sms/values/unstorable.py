"""Where in a JSON body that no decoder takes the text stands that no database keeps. Pure. Called by the readers of partners' bodies."""

import json
from collections.abc import Iterator
from typing import Any

from sms.values.text import UNSTORABLE

SAYS = "A text holds half of an emoji or NUL, which no database keeps. Send whole characters."
_SHOWN = 60


def unstorable_field(raw: bytes) -> str:
    """Its path, as `recipients[3].number`; "" where there is none, or something else is wrong with the body."""
    try:
        whole = json.loads(raw.decode("utf-8", "surrogatepass"), strict=False)
    except (ValueError, RecursionError):
        return ""
    return next(_paths(whole), "")


def _paths(whole: Any) -> Iterator[str]:
    waiting: list[tuple[str, Any]] = [("", whole)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if UNSTORABLE.search(value):
                yield path or "body"
        elif isinstance(value, list):
            waiting += [(f"{path}[{at}]", one) for at, one in reversed(list(enumerate(value)))]
        elif isinstance(value, dict):
            for name, one in reversed(value.items()):
                shown = UNSTORABLE.sub("\ufffd", name)[:_SHOWN]
                here = f"{path}.{shown}" if path else shown
                waiting += [(here, one), (here, name)]
