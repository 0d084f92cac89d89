"""Requests to `POST /v2/messages` as typed structs. `rules` says what may be in them, `wire` encodes them.

Field names are ours in Python and the provider's on the wire; fields left at their default are left out. Sources: the seed's
"Body Parameters", reference §3.
"""

import datetime as dt

import msgspec


class Destination(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
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


class Options(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What to do with links. `domain` is the short-link domain with its scheme, and mandatory whenever there are options.

    None is not given; False is, and is written.
    """

    shorten_links: bool | None = None
    track_clicks: bool | None = None
    domain: str = ""
    tag1: str = ""
    tag2: str = ""
    allow_fallback_url: bool | None = msgspec.field(default=None, name="allowFallbackURL")


class SmartlinkOptions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A link made in the provider's console, stood for by `{{smartlink_<id>}}` in the text. `validity` is in minutes."""

    smartlink_id: int
    validity: int


class ContactPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Checks of the provider's Contact Policy app before it sends. At least one of the two must be asked for."""

    group: str = msgspec.field(default="", name="contactPolicyGroup")
    check_consent: bool = msgspec.field(default=False, name="channelCheckConsent")
    apply_frequency_cap: bool = msgspec.field(default=False, name="channelApplyFrequencyCap")


class SendRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One request body. `validity` is in seconds (on the wire a text); moments are aware, and written in UTC to the millisecond.

    The fields stand in the order in which they are written.
    """

    # A factory, because a plain default would be left out of the body, and the field is mandatory.
    channel: str = msgspec.field(default_factory=lambda: "sms")
    from_: str = msgspec.field(name="from")
    to: list[Destination]
    substitutions: dict[str, str] = {}
    content: Content | None = None
    template: TemplateRef | None = None
    options: Options | None = None
    smartlinks: list[SmartlinkOptions] = []
    requested_receipts: list[str] = []
    send_at: dt.datetime | None = None
    expire_at: dt.datetime | None = None
    validity: int | str | None = None
    callback_data: str = ""
    notify_url: str = ""
    notify_url_auth_id: str = ""
    contact_policy: ContactPolicy | None = None
    batch_id: str = ""
