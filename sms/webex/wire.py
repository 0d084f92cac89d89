"""The encoding of requests to `POST /v2/messages`. Called by dispatch and the flight plan.

What may be in a request is checked by `rules.validate`, which `encode` always calls: nothing leaves that the documents say would be
refused.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec

from sms.webex.rules import DEFAULT, Rules, WireError, validate
from sms.webex.send_request import (
    ContactPolicy,
    Content,
    Destination,
    Options,
    SendRequest,
    SmartlinkOptions,
    TemplateRef,
)
from sms.words import KeptSentence, gettext_noop

_ENCODE = msgspec.json.Encoder().encode
_HALF = KeptSentence(gettext_noop("half a character (%(code)s) cannot be sent"))


def encode(request: SendRequest, *, rules: Rules = DEFAULT) -> bytes:
    """The body to post, compact UTF-8. Raises `WireError` where a rule does not hold, so that nothing doubtful leaves."""
    validate(request, rules=rules)
    spelled = _spelled(request)
    try:
        body = _ENCODE(msgspec.structs.replace(request, **spelled) if spelled else request)
        if rb"\u0000" in body:  # rarely, and then a text may just write these characters
            _refuse_nul(request)
        return body
    except UnicodeEncodeError as error:
        half = error.object
        field = next(path for path, text in _texts(msgspec.to_builtins(request)) if text == half)
        raise WireError(field, _HALF(code=f"U+{ord(half[error.start]):04X}")) from None


def _refuse_nul(request: SendRequest) -> None:
    """NUL has no place in an SMS, and what the provider makes of one is not documented."""
    for path, text in _texts(msgspec.to_builtins(request)):
        if "\0" in text:
            raise WireError(path, gettext_noop("the character NUL (U+0000) cannot be sent"))


def _texts(said: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a request with its path on the wire; a name of a substitution has the path of the whole."""
    if isinstance(said, str):
        yield path, said
    elif isinstance(said, dict):
        for name, value in said.items():
            yield path, name
            yield from _texts(value, f"{path}.{name}" if path else name)
    elif isinstance(said, list):
        for index, value in enumerate(said):
            yield from _texts(value, f"{path}[{index}]")


def stamp(moment: dt.datetime) -> str:
    """An aware moment as the seed writes it: `2024-09-26T13:47:18.000Z`."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _spelled(request: SendRequest) -> dict[str, Any]:
    """Fields whose spelling on the wire is not that of their type. Most messages have none, and pay nothing."""
    fields: dict[str, Any] = {}
    if request.send_at is not None:
        fields["send_at"] = stamp(request.send_at)
    if request.expire_at is not None:
        fields["expire_at"] = stamp(request.expire_at)
    if request.validity is not None:
        fields["validity"] = str(request.validity)
    if request.options is not None and request.options.allow_fallback_url is not None:
        # The one flag that the documents type as a string, not as a boolean (reference §3.1).
        spelled = "true" if request.options.allow_fallback_url else "false"
        fields["options"] = msgspec.structs.replace(request.options, allow_fallback_url=spelled)
    return fields
