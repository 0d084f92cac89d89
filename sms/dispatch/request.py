"""From messages of ours to the provider's request body. The one place where domain words become wire words for sending."""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sms.dispatch.claim import ClaimedMessage
from sms.models import InlineValues, LengthUnit, LinkFields, Send, SendOptions
from sms.models.sql.clock import corrected_now
from sms.values import correlation_id, text
from sms.webex import wire
from sms.webex.limits import AHEAD

_NAMES = [one.name for one in SendOptions.fields()]
# `notify_url` is our own receipt address: a partner's is for what we pass on
_AS_ASKED = [name for name in _NAMES if name in wire.SendRequest.__struct_fields__ and name != "notify_url"]
_ODD = re.compile(r"\$[({]")  # a text or value in which the provider might see a placeholder of its own
_OF_LINKS = [name for name in _NAMES if name in wire.Options.__struct_fields__]


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """All that the messages of one send have in common, read once per lease.

    `pattern` is our own text with its placeholders renamed p1, p2 …, since names that people write are not what every provider takes,
    for the provider to fill in; empty where that is not proved for this tenant, or where the provider's template makes the text.
    `names` are what these are called in the text.
    """

    send_id: int
    service_id: int
    sender: str
    inline: InlineValues | None
    pattern: str
    names: tuple[str, ...]
    provider_template: str
    options: wire.Options | None
    contact_policy: wire.ContactPolicy | None
    notify_url: str
    correlation_key: str
    expire_at: datetime | None
    rules: wire.Rules
    smartlinks: tuple[wire.SmartlinkOptions, ...] = ()
    approvers: int = 0  # where not 0, each slice is compared with what was approved before it is worked on
    receipts: tuple[str, ...] = ()
    as_asked: dict[str, Any] = field(default_factory=dict)  # options that are fields of the request


def template_of(send: Send, *, public_url: str) -> RequestTemplate:
    """Translate a send (with service, sender, template, policy group and domain loaded) for the wire."""
    service, policy, domain = send.service, send.policy_group, send.link_domain
    # as it was when the send was made; a template may have moved on since
    made_from = send.template_version or send.template
    options = None
    if domain and (asked := _link_options(send)):
        options = wire.Options(domain=domain.url, **asked)
    names = tuple(text.placeholders(send.text))
    # what the provider fills in is not encoded where it stands in a link
    asks = service.batch_size > 1 and names and not text.fills_links(send.text)
    inline = service.fills_inline if asks else None
    pattern = ""
    if inline is not None:
        shorter = {name: inline.placeholder(_short(index)) for index, name in enumerate(names)}
        pattern = text.render(send.text, substitutions=shorter)
        if service.length_of(pattern) > service.text_limit:
            inline, pattern = None, ""  # whether the limit is for the text before or after is not documented
    return RequestTemplate(
        send_id=send.pk,
        service_id=service.pk,
        sender=send.sender.address,
        inline=inline,
        pattern=pattern,
        names=names,
        provider_template=made_from.provider_template_id if made_from else "",
        options=options,
        contact_policy=wire.ContactPolicy(
            group=policy.group_id,
            check_consent=bool(send.checks_consent),
            apply_frequency_cap=bool(send.applies_frequency_cap),
        )
        if policy
        else None,
        notify_url=f"{public_url}/receipts/{service.receipt_token}/",
        correlation_key=service.correlation_key,
        # the provider holds messages too, so a late one must die there as well. It takes no expiry beyond AHEAD; a run is much
        # shorter, so the next one sends it
        expire_at=send.expires_at
        if send.expires_at and send.validity is None and send.expires_at < corrected_now() + AHEAD
        else None,
        rules=wire.Rules(
            text_limit=service.text_limit,
            utf16=service.length_unit == LengthUnit.UTF16,
            e164_plus=service.e164_plus,
        ),
        smartlinks=tuple(
            wire.SmartlinkOptions(smartlink_id=link, validity=validity) for link, validity in send.smartlinks
        ),
        approvers=send.approvers,
        receipts=tuple(send.requested_receipts.names),
        as_asked=_as_asked(send),
    )


def _as_asked(send: Send) -> dict[str, Any]:
    asked = {name: getattr(send, name) for name in _AS_ASKED}
    asked["notify_url_auth_id"] = asked["notify_url_auth_id"] or send.service.notify_url_auth_id
    return asked


def _link_options(send: Send) -> dict[str, Any]:
    """What a send asks for, with the rest of the six where the tenant may want them all; empty where it asks for nothing.

    The two switches are off at the provider where they are left out; the rest is written as it was given.
    """
    asked = {name: value for name in _OF_LINKS if (value := getattr(send, name)) not in (None, "")}
    asked = {name: value for name, value in asked.items() if value or name == "allow_fallback_url"}
    if not asked or send.service.link_fields == LinkFields.GIVEN:
        return asked
    off = dict.fromkeys(("shorten_links", "track_clicks", "allow_fallback_url"), False)
    return off | {"tag1": send.service.link_tag1, "tag2": send.service.link_tag2} | asked


def _short(index: int) -> str:
    return f"p{index + 1}"


def batches(
    messages: Iterable[ClaimedMessage], *, template: RequestTemplate, size: int
) -> Iterator[list[ClaimedMessage]]:
    """Runs of messages that one request can carry: the same text, or the same pattern in the same encoding.

    A request has one text for all. Where they differ the provider would have to fill in the values, which it is only asked to
    where the tenant probe has proved that it does: otherwise phones might read `Hi $(p1)!`.
    """
    run: list[ClaimedMessage] = []
    shared: object = None
    for message in messages:
        key = _shared(message, template) if size > 1 else None
        if run and (len(run) >= size or key != shared):
            yield run
            run = []
        run.append(message)
        shared = key
    if run:
        yield run


def _shared(message: ClaimedMessage, template: RequestTemplate) -> object:
    if template.provider_template:
        return ""
    if _filled_by_provider(message, template) and not _ODD.search(message.text):
        return (_kind(message.text),)
    return message.text


def body_of(messages: Sequence[ClaimedMessage], template: RequestTemplate) -> bytes:
    """The JSON of one POST to these messages; raises wire.WireError where the provider's rules forbid it."""
    first = messages[0]
    by_provider = template.inline is not None and any(one.text != first.text for one in messages)
    plus = template.rules.e164_plus
    to = [
        wire.Destination(
            msisdn=[message.msisdn if plus else message.msisdn.lstrip("+")],
            substitutions=_values(message, template, by_provider=by_provider),
            correlation_id=correlation_id.write(
                message_id=message.pk, attempt=message.attempt + 1, key=template.correlation_key
            ),
        )
        for message in messages
    ]
    written = template.pattern if by_provider else first.text
    request = wire.SendRequest(
        from_=template.sender,
        to=to,
        content=None if template.provider_template else wire.Content(type=_kind(first.text), text=written),
        template=wire.TemplateRef(id=template.provider_template) if template.provider_template else None,
        options=template.options,
        contact_policy=template.contact_policy,
        expire_at=template.expire_at,
        smartlinks=list(template.smartlinks),
        requested_receipts=list(template.receipts),
        notify_url=template.notify_url,
        **template.as_asked,
    )
    braces = by_provider and template.inline == InlineValues.BRACES
    return wire.encode(request, rules=replace(template.rules, braces=True) if braces else template.rules)


def _values(message: ClaimedMessage, template: RequestTemplate, *, by_provider: bool) -> dict[str, str]:
    if template.provider_template or not message.substitutions:
        return message.substitutions
    # what no placeholder of ours takes is passed on as a partner gave it
    others = {name: value for name, value in message.substitutions.items() if name not in template.names}
    if not by_provider:
        return others
    return others | {_short(index): message.substitutions[name] for index, name in enumerate(template.names)}


def _filled_by_provider(message: ClaimedMessage, template: RequestTemplate) -> bool:
    """Whether its values are there to be filled into the pattern."""
    return bool(template.pattern) and all(name in message.substitutions for name in template.names)


@functools.lru_cache(maxsize=256)
def _kind(written: str) -> Literal["text", "unicode"]:
    """`text` where GSM-7 can carry it, `unicode` where it cannot; the provider does not choose for us."""
    return "text" if text.segments(written).encoding == "gsm7" else "unicode"
