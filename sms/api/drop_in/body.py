"""The one reader of the provider's request body: JSON → `DropInRequest`, or `DropInRefused` with the provider's code and the parameter.

Undocumented fields are taken and named in the reply (`unused`), and values may have any spelling of the provider's samples
(`fields`): real clients send all of that. Nothing here knows our catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import BooleanField

from sms.api.drop_in import fields, unused
from sms.api.drop_in.errors import DropInRefused, bad_sender, invalid, missing, no_json, refused, too_many
from sms.api.drop_in.fields import Block
from sms.api.drop_in.smartlinks import smartlinks_of
from sms.api.drop_in.unused import Notice, notice
from sms.api.json_values import Written
from sms.models import SendOptions
from sms.models.callback import LONGEST_CORRELATION_ID
from sms.values import unstorable
from sms.values.problems import ProblemCode
from sms.values.text import UNSTORABLE
from sms.webex import send_request as wire
from sms.webex.addresses import bare_sender, is_sender
from sms.webex.limits import LONGEST_VALIDITY, MOST_DESTINATIONS, RECEIPTS
from sms.webex.values import without_bom

WIRE_NAMES = {one.name: one.encode_name for one in msgspec.structs.fields(wire.SendRequest)}
LINK_NAMES = {one.name: one.encode_name for one in msgspec.structs.fields(wire.Options)}
LONGEST_REFERENCE = 100
LONGEST_TEXT = 20_000

_decode = msgspec.json.Decoder(float_hook=Written).decode


@dataclass(frozen=True, slots=True)
class DropInDestination:
    """One number, as it was written."""

    number: str
    values: dict[str, str]
    correlation_id: str


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """The contact policy that was asked for: at least one of the two checks."""

    group: str
    consent: bool
    cap: bool


@dataclass(frozen=True, slots=True)
class DropInRequest:
    """A whole request. Either `text` or `template`."""

    sender: str
    destinations: list[DropInDestination]
    text: str
    template: str
    content_type: str
    send_at: datetime | None
    expire_at: datetime | None  # also of a validity
    validity: int | None
    receipts: list[str]
    passed_on: dict[str, Any]  # options by our names
    ours: dict[str, Any]  # options that the provider has no name for, as `/api/v1` writes them
    domain: str  # of short links, as it was written
    policy: PolicyOptions | None
    smartlinks: dict[int, int]  # minutes by id
    client_reference: str
    notices: list[Notice] = field(default_factory=list)


def decode(body: bytes) -> Block:
    """Raises DropInRefused where it is no JSON object."""
    body = without_bom(body)
    try:
        data = _decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        if name := unstorable.unstorable_field(body):
            raise invalid(name, unstorable.SAYS) from None
        raise no_json() from None
    if not isinstance(data, dict):
        raise no_json()
    return data


def read(data: Block, *, now: datetime) -> DropInRequest:
    """Raises DropInRefused for the first thing that is wrong."""
    channel = fields.given(data, "channel")
    if not channel:
        raise missing("channel")
    if channel != "sms":
        raise invalid("channel")
    sender = _sender(data)
    content, template = fields.block(data, "content"), fields.block(data, "template")
    if content is None and template is None:
        raise missing("content")
    if content is not None and template is not None:
        raise invalid("template")
    template_id = "" if template is None else _template_id(template)
    text = "" if content is None else _content(content)
    destinations = _destinations(data)
    options, policy = fields.block(data, "options"), _policy(data)
    send_at, expire_at, validity = _times(data, now)
    notices = unused.unknown_fields(data)
    return DropInRequest(
        sender=sender,
        destinations=destinations,
        text=text,
        template=template_id,
        content_type=content["type"] if content else "",
        send_at=send_at,
        expire_at=expire_at,
        validity=validity,
        client_reference=_up_to(LONGEST_REFERENCE, data, "clientReference"),
        receipts=_receipts(data),
        passed_on=_as_written(data, WIRE_NAMES, notices)
        | _as_written(options or {}, LINK_NAMES, notices, "options."),
        ours={
            name: value for name, value in (fields.block(data, "textdesk") or {}).items() if value is not None
        },
        domain=_domain(options),
        policy=policy,
        smartlinks=smartlinks_of(data, text, notices),
        notices=notices,
    )


def _up_to(longest: int, data: Block, name: str) -> str:
    text = fields.text(data, name)
    if len(text) > longest:
        raise invalid(name, f"{longest} characters are allowed")
    return text


def _as_written(
    block: Block, names: Mapping[str, str], notices: list[Notice], inside: str = ""
) -> dict[str, Any]:
    """Options that have a name in the provider's body; a flag that is not given is off there."""
    found: dict[str, Any] = {}
    for option in SendOptions.fields():
        name = names.get(option.name)
        if name is None or option.name == "validity":  # counted from the request, in `_times`
            continue
        if isinstance(option, BooleanField):
            given = fields.given(block, name) is not None
            found[option.name] = fields.flag(block, name) if given or not option.null else None
            continue
        if option.name == "notify_url" and block.get(name).__class__ is int:  # no number is an address
            raise invalid(inside + name)
        value = fields.text(block, name, inside + name)
        value = value if option.name == "callback_data" else value.strip()
        try:
            found |= {option.name: option.clean(value, None)} if value else {}
        except ValidationError as problem:
            if option.name != "notify_url_auth_id":  # it signs in to nothing then; the provider takes it
                raise invalid(inside + name, problem.messages[0]) from None
            notices.append(notice(name, f"It was not used. {problem.messages[0]}"))
    return found


def _sender(data: Block) -> str:
    sender = fields.text(data, "from")
    if not sender:
        raise missing("from")
    bare = bare_sender(sender)
    if not is_sender(bare):
        raise bad_sender()
    return bare


def _template_id(template: Block) -> str:
    # the samples write `id`, the description of the parameter writes `ID`
    name = fields.text(template, "id", "template.id") or fields.text(template, "ID", "template.id")
    if not name:
        raise missing("template.id")
    return name


def _content(content: Block) -> str:
    kind = content.get("type")
    if not kind:
        raise missing("content.type")
    if kind not in ("text", "unicode"):
        raise DropInRefused("7126", "Invalid content type")
    text = fields.text(content, "text", "content.text")
    if not text.strip():
        raise missing("content.text")
    if (
        len(text) > LONGEST_TEXT
    ):  # with its placeholders; what it may have without them is the service's to say
        raise refused(ProblemCode.TEXT_TOO_LONG, "content.text")
    return text


def _destinations(data: Block) -> list[DropInDestination]:
    to = fields.given(data, "to")
    if to is None or to == []:
        raise missing("to")
    if not isinstance(to, list):
        raise invalid("to")
    if len(to) > MOST_DESTINATIONS:
        raise too_many()
    shared = fields.substitutions(data)
    found: list[DropInDestination] = []
    for entry in to:
        if not isinstance(entry, dict):
            raise invalid("to")
        own = fields.substitutions(entry)
        values = shared | own if own else shared
        correlation = _up_to(LONGEST_CORRELATION_ID, entry, "correlationId")
        found += [DropInDestination(number, values, correlation) for number in _numbers(entry)]
        if len(found) > MOST_DESTINATIONS:
            raise too_many()
    return found


def _numbers(entry: Block) -> list[str]:
    numbers = fields.given(entry, "msisdn")
    if numbers is None or numbers == []:
        raise missing("msisdn")
    given = numbers if isinstance(numbers, list) else [numbers]
    if any(one is None or one == "" for one in given):
        raise missing("msisdn")
    written = [fields.as_text(one) for one in given]
    if None in written:
        raise invalid("msisdn")
    return [number.replace("\0", "") for number in written if number]


def _domain(options: Block | None) -> str:
    if options is None:
        return ""
    domain = fields.given(options, "domain")
    if domain is None:
        raise missing("options.domain")
    if not isinstance(domain, str) or UNSTORABLE.search(domain):
        raise invalid("options.domain")
    return domain


def _policy(data: Block) -> PolicyOptions | None:
    policy = fields.block(data, "contactPolicy")
    if policy is None:
        return None
    found = PolicyOptions(
        group=fields.text(policy, "contactPolicyGroup"),
        consent=fields.flag(policy, "channelCheckConsent"),
        cap=fields.flag(policy, "channelApplyFrequencyCap"),
    )
    if not (found.consent or found.cap):
        raise invalid("contactPolicy")
    if not found.group:
        raise missing("contactPolicyGroup")
    return found


def _receipts(data: Block) -> list[str]:
    wanted = fields.given(data, "requestedReceipts")
    if wanted is None:
        return []
    if not isinstance(wanted, list) or not all(isinstance(one, str) and one in RECEIPTS for one in wanted):
        raise invalid("requestedReceipts")
    return sorted(set(wanted))


def _times(data: Block, now: datetime) -> tuple[datetime | None, datetime | None, int | None]:
    """When to send, when to expire, and the validity that this comes of. A sendAt that has passed means now; an expiry before the
    message is refused."""
    send_at, expire_at = fields.moment(data, "sendAt", now), fields.moment(data, "expireAt", now)
    if send_at is not None and send_at <= now:
        send_at = None
    validity = fields.given(data, "validity")
    if validity is None:
        if expire_at is not None and expire_at <= (send_at or now):
            raise invalid("expireAt")
        return send_at, expire_at, None
    if expire_at is not None:
        raise invalid("validity")
    seconds = fields.count(validity, "validity")
    if seconds > LONGEST_VALIDITY:
        raise invalid("validity")
    return send_at, (send_at or now) + timedelta(seconds=seconds), seconds
