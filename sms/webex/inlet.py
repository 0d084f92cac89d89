"""Requests that others wrote, read into `SendRequest`: tolerant where the provider's own samples are. Called by the partner API.

Accepts what the documents show in one place or another: quoted booleans, numbers where text is meant and the reverse, empty text
for "not given", one number instead of a list, `template.ID`. Unknown fields are ignored. It only reads; whether the result may
be sent is for `rules.validate` to say.
"""

import re
from typing import Any

import msgspec

from sms.webex.rules import WireError
from sms.webex.send_request import SendRequest

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_TEXTS = ("channel", "from", "callbackData", "notifyUrl", "notifyUrlAuthId", "batchId")
_FLAGS = (
    *("shortenLinks", "trackClicks", "allowFallbackURL"),
    *("channelCheckConsent", "channelApplyFrequencyCap"),
)


def decode(raw: bytes) -> SendRequest:
    """Read one body. Raises `WireError`: code 7000 where it is no JSON object, 7003 for a missing field, 7004 for a wrong one."""
    try:
        said: Any = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        raise WireError("$", "Invalid JSON", code="7000") from None
    if not isinstance(said, dict):
        raise WireError("$", "must be a JSON object", code="7000")
    request = _settled(said)
    _mandatory(request)
    try:
        # Strict, because msgspec's own leniency reads the text "null" as nothing, which would lose a contact policy, and a
        # number as a moment.
        return msgspec.convert(request, SendRequest)
    except msgspec.ValidationError as error:
        raise _as_wire_error(str(error)) from None
    except RecursionError:
        raise WireError("$", "is nested too deeply", code="7000") from None


def _mandatory(request: dict[str, Any]) -> None:
    """The two that our structs fill in by themselves and the provider does not."""
    if "channel" not in request:
        raise WireError("channel", "is mandatory", code="7003")
    content = request.get("content")
    if isinstance(content, dict) and "type" not in content:
        raise WireError("content.type", "is mandatory", code="7003")


def _as_wire_error(problem: str) -> WireError:
    at = _PATH.search(problem)
    path = at["path"] if at else ""
    missing = _MISSING.search(problem)
    if missing:
        return WireError(".".join(filter(None, (path, missing["name"]))), "is mandatory", code="7003")
    return WireError(path or "$", _PATH.sub("", problem).lower())


def _settled(said: dict[str, Any]) -> dict[str, Any]:
    """The same request in the one spelling that `SendRequest` has."""
    request = _given(said)
    _textual(request, _TEXTS)
    if isinstance(request.get("to"), list):
        request["to"] = [_destination(entry) for entry in request["to"]]
    if isinstance(request.get("substitutions"), dict):
        request["substitutions"] = _values(request["substitutions"])
    for block, texts in (
        ("content", ("type", "text")),
        ("template", ("id",)),
        ("options", ("domain", "tag1", "tag2")),
        ("contactPolicy", ("contactPolicyGroup",)),
    ):
        if isinstance(request.get(block), dict):
            request[block] = _given(request[block])
            if block == "template" and "ID" in request[block]:
                request[block].setdefault("id", request[block]["ID"])
            _textual(request[block], texts)
            _truthful(request[block])
    _counting(request, "validity")
    if isinstance(request.get("smartlinks"), dict):  # the table calls it an object, the sample shows a list
        request["smartlinks"] = [request["smartlinks"]]
    if isinstance(request.get("smartlinks"), list):
        request["smartlinks"] = [_smartlink(entry) for entry in request["smartlinks"]]
    return request


def _given(block: dict[str, Any]) -> dict[str, Any]:
    """Without what is not given: null, and the empty text that the provider's samples leave in unused fields."""
    return {name: value for name, value in block.items() if value is not None and value != ""}


def _textual(block: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name in block:
            block[name] = _as_text(block[name])


def _truthful(block: dict[str, Any]) -> None:
    for name in _FLAGS:
        if isinstance(block.get(name), str):
            block[name] = {"true": True, "false": False}.get(block[name].lower(), block[name])


def _counting(block: dict[str, Any], name: str) -> None:
    value = block.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        block[name] = int(value)


def _smartlink(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    link = _given(entry)
    for name in ("smartlinkId", "validity"):
        _counting(link, name)
    return link


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _values(substitutions: dict[str, Any]) -> dict[str, Any]:
    return {name: _as_text(value) for name, value in substitutions.items() if value is not None}


def _destination(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    destination = _given(entry)
    numbers = destination.get("msisdn")
    if isinstance(numbers, str | int):
        numbers = [numbers]
    if isinstance(numbers, list):
        destination["msisdn"] = [_as_text(number) for number in numbers]
    if isinstance(destination.get("substitutions"), dict):
        destination["substitutions"] = _values(destination["substitutions"])
    _textual(destination, ("correlationId",))
    return destination
