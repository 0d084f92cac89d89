"""A body's bytes as a JSON object. Refuses what a strict JSON reader of the provider's platform (Java) refuses, not what Python's does."""

import json
import re
from collections.abc import Iterator
from typing import Any

from sms.webex.sandbox.fields import FIELDS
from sms.webex.sandbox.http_server import Request, Response
from sms.webex.sandbox.refusals import SandboxRefused, invalid
from sms.webex.sandbox.switches import Switches

LARGEST = 5 * 1024 * 1024  # bytes; that there is a limit is documented (7022), where it lies is not
LONGEST_NUMBER = 1000  # digits

_TYPE = re.compile(rb"application/json\s*(?:;\s*charset\s*=\s*\"?(?:utf-8|us-ascii)\"?\s*)?;?", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("a number too long")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field twice")
    return found


_DECODE = {
    "7000": json.JSONDecoder(object_pairs_hook=_once, parse_constant=_constant, parse_int=_whole).decode,
    "last": json.JSONDecoder(parse_constant=_constant, parse_int=_whole).decode,
}


def not_json(request: Request, switches: Switches) -> Response | None:
    """The answer to a body that its header says is something else or that is too large; None for others."""
    if request.too_large:
        raise _too_large()
    if _TYPE.fullmatch(request.headers.get(b"content-type", b"")) or switches.other_content_type == "take":
        return None
    if switches.other_content_type == "7000":
        raise _invalid_json()
    return Response(415)


def _too_large() -> SandboxRefused:
    return SandboxRefused("7022", "JSON size exceeded")


def _invalid_json() -> SandboxRefused:
    return SandboxRefused("7000", "Invalid JSON")


def read(body: bytes, switches: Switches) -> dict[str, Any]:
    """The object, or :class:`SandboxRefused`."""
    if len(body) > LARGEST:
        raise _too_large()
    try:
        # Decoded here because `json` would guess UTF-16 and UTF-32, which JSON between systems must not be (RFC 8259).
        data = _DECODE[switches.field_twice](body.removeprefix(_BOM).decode())
    except (ValueError, RecursionError):
        raise _invalid_json() from None
    if not isinstance(data, dict):
        raise _invalid_json()
    if switches.unwritable_text == "7004" and _SUSPECT.search(body):
        for name, text in _texts(data):
            if _UNWRITABLE.search(text):
                raise invalid(name)
    return data


def _texts(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text in a field that is looked at, with the field's name as refusals write it."""
    todo = [(name, data[name]) for name in data.keys() & FIELDS[""]]
    while todo:
        name, value = todo.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            todo += [(name, one) for one in value]
        elif isinstance(value, dict):
            known = FIELDS.get(name, frozenset())
            before = "" if name in ("to", "contactPolicy") else f"{name}."
            todo += [(before + key if key in known else name, one) for key, one in value.items()]
            todo += [(name, key) for key in value]
