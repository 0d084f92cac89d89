"""The one reader of the provider's request body: JSON → `DropInRequest`, or `DropInRefused` with the provider's code and the parameter.

Undocumented fields are ignored, and values may have any spelling of the provider's samples (`fields`): real clients send all
of that. Nothing here knows our catalogue.
"""

import re
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sms.api.drop_in import fields
from sms.api.drop_in.errors import DropInRefused, bad_sender, invalid, missing, no_json, too_many
from sms.api.drop_in.fields import Block
from sms.api.drop_in.requests import DropInDestination, DropInRequest, LinkOptions, PolicyOptions
from sms.values.link_lengths import SMARTLINK
from sms.webex.limits import LONGEST_CALLBACK_DATA, LONGEST_VALIDITY, MOST_DESTINATIONS, RECEIPTS, TAG
from sms.webex.values import without_bom

LONGEST_CORRELATION = 200
LONGEST_REFERENCE = 100

_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


def read(body: bytes, *, now: datetime) -> DropInRequest:
    """Raises DropInRefused for the first thing that is wrong."""
    try:
        data = msgspec.json.decode(without_bom(body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise no_json() from None
    if not isinstance(data, dict):
        raise no_json()
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
    links, policy = _links(data), _policy(data)
    send_at, expire_at = _times(data, now)
    return DropInRequest(
        sender=sender,
        destinations=destinations,
        kind="" if content is None else content["type"],
        text=text,
        template=template_id,
        send_at=send_at,
        expire_at=expire_at,
        callback_data=_up_to(LONGEST_CALLBACK_DATA, data, "callbackData"),
        client_reference=_up_to(LONGEST_REFERENCE, data, "clientReference"),
        receipts=_receipts(data),
        notify_url=fields.text(data, "notifyUrl").strip(),
        links=links,
        policy=policy,
        smartlinks=_smartlinks(data, text),
    )


def _up_to(longest: int, data: Block, name: str) -> str:
    text = fields.text(data, name)
    if len(text) > longest:
        raise invalid(name, f"{longest} characters are allowed")
    return text


def _sender(data: Block) -> str:
    sender = fields.text(data, "from")
    if not sender:
        raise missing("from")
    if not _SENDER.fullmatch(sender):
        raise bad_sender()
    return sender


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
        correlation = _up_to(LONGEST_CORRELATION, entry, "correlationId")
        found += [DropInDestination(number, values, correlation) for number in _numbers(entry)]
        if len(found) > MOST_DESTINATIONS:
            raise too_many()
    return found


def _numbers(entry: Block) -> list[str]:
    numbers = fields.given(entry, "msisdn")
    if numbers is None or numbers == []:
        raise missing("msisdn")
    written = [fields.as_text(one) for one in (numbers if isinstance(numbers, list) else [numbers])]
    if not all(written):
        raise invalid("msisdn")
    return [number.replace("\0", "") for number in written if number]


def _links(data: Block) -> LinkOptions | None:
    options = fields.block(data, "options")
    if options is None:
        return None
    domain = fields.given(options, "domain")
    if not isinstance(domain, str):
        raise invalid("options.domain")
    tags = {name: fields.text(options, name, f"options.{name}") for name in ("tag1", "tag2")}
    for name, tag in tags.items():
        if tag and not TAG.fullmatch(tag):
            raise invalid(f"options.{name}")
    return LinkOptions(
        domain=domain,
        shorten=fields.flag(options, "shortenLinks"),
        track=fields.flag(options, "trackClicks"),
        fallback=fields.flag(options, "allowFallbackURL"),
        **tags,
    )


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
        raise invalid("contactPolicyGroup")
    return found


def _receipts(data: Block) -> list[str]:
    wanted = fields.given(data, "requestedReceipts")
    if wanted is None:
        return []
    if not isinstance(wanted, list) or not all(isinstance(one, str) and one in RECEIPTS for one in wanted):
        raise invalid("requestedReceipts")
    return sorted(set(wanted))


def _smartlinks(data: Block, text: str) -> dict[int, int]:
    """Those that stand in the text: an entry without a token does nothing, a token without an entry would be sent as it is."""
    entries: Any = fields.given(data, "smartlinks")
    if isinstance(entries, dict):  # the table of parameters calls it an object, the sample shows a list
        entries = [entries]
    if not isinstance(entries, list | None):
        raise invalid("smartlinks")
    listed: dict[int, int] = {}
    for entry in entries or ():
        if not isinstance(entry, dict):
            raise invalid("smartlinks")
        link = _smartlink_field(entry, "smartlinkId")
        listed[link] = _smartlink_field(entry, "validity")
    wanted = {int(link) for link in SMARTLINK.findall(text)}
    if wanted - listed.keys():
        raise invalid("smartlinks")
    return {link: minutes for link, minutes in listed.items() if link in wanted}


def _smartlink_field(entry: Block, name: str) -> int:
    value = fields.given(entry, name)
    if value is None:
        raise missing(f"smartlinks.{name}")
    return fields.count(value, f"smartlinks.{name}")


def _times(data: Block, now: datetime) -> tuple[datetime | None, datetime | None]:
    """When to send and when to expire. A sendAt that has passed means now; an expiry before the message is refused."""
    send_at, expire_at = fields.moment(data, "sendAt", now), fields.moment(data, "expireAt", now)
    if send_at is not None and send_at <= now:
        send_at = None
    validity = fields.given(data, "validity")
    if validity is None:
        if expire_at is not None and expire_at <= (send_at or now):
            raise invalid("expireAt")
        return send_at, expire_at
    if expire_at is not None:
        raise invalid("validity")
    seconds = fields.count(validity, "validity")
    if seconds > LONGEST_VALIDITY:
        raise invalid("validity")
    return send_at, (send_at or now) + timedelta(seconds=seconds)
