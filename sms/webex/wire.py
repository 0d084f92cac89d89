"""Requests to `POST /v2/messages` as typed structs, and their encoding. Called by dispatch, the flight plan and the partner API.

Field names are ours in Python and the provider's on the wire; fields left at their default are left out. What may be in them is
checked by `rules.validate`, which `encode` always calls: nothing leaves that the documents say would be refused. Reading a
request that somebody else wrote is `inlet`. Sources: the seed's "Body Parameters", reference §3.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec

from sms.webex.rules import DEFAULT, Rules, WireError, validate

__all__ = [
    "ContactPolicy",
    "Content",
    "Destination",
    "Options",
    "Rules",
    "SendRequest",
    "Smartlink",
    "TemplateRef",
    "WireError",
    "encode",
    "stamp",
    "validate",
]


class Destination(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"correlation_id": "correlationId"}
):
    """One entry of `to`. Ours hold one number each, so that each number has a correlation id and substitutions of its own."""

    msisdn: list[str]
    substitutions: dict[str, str] = {}
    correlation_id: str = ""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The text itself. `type` is `text` (GSM-7) or `unicode`; the caller decides, the provider does not detect it."""

    type: str = "text"
    text: str


class TemplateRef(msgspec.Struct, frozen=True, kw_only=True):
    """A template that lives at the provider, by its id there."""

    id: str


class Options(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "shorten_links": "shortenLinks",
        "track_clicks": "trackClicks",
        "allow_fallback_url": "allowFallbackURL",
    },
):
    """What to do with links. `domain` is the short-link domain with its scheme, and mandatory whenever there are options."""

    shorten_links: bool = False
    track_clicks: bool = False
    domain: str = ""
    tag1: str = ""
    tag2: str = ""
    allow_fallback_url: bool = False


class Smartlink(msgspec.Struct, frozen=True, kw_only=True, rename={"smartlink_id": "smartlinkId"}):
    """A link made in the provider's console, stood for by `{{smartlink_<id>}}` in the text. `validity` is in minutes."""

    smartlink_id: int
    validity: int


class ContactPolicy(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "group": "contactPolicyGroup",
        "check_consent": "channelCheckConsent",
        "apply_frequency_cap": "channelApplyFrequencyCap",
    },
):
    """Checks of the provider's Contact Policy app before it sends. At least one of the two must be asked for."""

    group: str = ""
    check_consent: bool = False
    apply_frequency_cap: bool = False


class SendRequest(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_": "from",
        "requested_receipts": "requestedReceipts",
        "send_at": "sendAt",
        "expire_at": "expireAt",
        "callback_data": "callbackData",
        "notify_url": "notifyUrl",
        "notify_url_auth_id": "notifyUrlAuthId",
        "contact_policy": "contactPolicy",
        "batch_id": "batchId",
    },
):
    """One request body. `validity` is in seconds (on the wire a text); moments are aware, and written in UTC to the millisecond.

    The fields stand in the order in which they are written.
    """

    # A factory, because a plain default would be left out of the body, and the field is mandatory.
    channel: str = msgspec.field(default_factory=lambda: "sms")
    from_: str
    to: list[Destination]
    substitutions: dict[str, str] = {}
    content: Content | None = None
    template: TemplateRef | None = None
    options: Options | None = None
    smartlinks: list[Smartlink] = []
    requested_receipts: list[str] = []
    send_at: dt.datetime | None = None
    expire_at: dt.datetime | None = None
    validity: int | str | None = None
    callback_data: str = ""
    notify_url: str = ""
    notify_url_auth_id: str = ""
    contact_policy: ContactPolicy | None = None
    batch_id: str = ""


_ENCODE = msgspec.json.Encoder().encode


def encode(request: SendRequest, *, rules: Rules = DEFAULT) -> bytes:
    """The body to post, compact UTF-8. Raises `WireError` where a rule does not hold, so that nothing doubtful leaves."""
    validate(request, rules=rules)
    spelled = _spelled(request)
    try:
        return _ENCODE(msgspec.structs.replace(request, **spelled) if spelled else request)
    except UnicodeEncodeError as error:
        half = error.object
        field = next(path for path, text in _texts(msgspec.to_builtins(request)) if text == half)
        raise WireError(field, f"half a character (U+{ord(half[error.start]):04X}) cannot be sent") from None


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
    if request.options is not None and request.options.allow_fallback_url:
        # The one flag that the documents type as a string, not as a boolean (reference §3.1).
        fields["options"] = msgspec.structs.replace(request.options, allow_fallback_url="true")
    return fields
