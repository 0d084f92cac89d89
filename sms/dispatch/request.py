"""From messages of ours to the provider's request body. The one place where domain words become wire words for sending."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.utils import timezone

from sms.compose import options as compose_options
from sms.dispatch.claim import ClaimedMessage
from sms.models import Send
from sms.values import correlation_id, text
from sms.webex import wire

FAR = timedelta(
    days=7
)  # further ahead the provider takes no expiry; a run is much shorter, so the next one sends it


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """All that the messages of one send have in common, read once per lease."""

    send_id: int
    service_id: int
    sender: str
    pattern: str  # our own text with its placeholders renamed p1, p2 …; empty where the provider's template makes it
    names: tuple[
        str, ...
    ]  # what p1, p2 … are called in the text: names that people write are not what every provider takes
    provider_template: str
    options: wire.Options | None
    contact_policy: wire.ContactPolicy | None
    callback_data: str
    notify_url: str
    correlation_key: str
    expire_at: datetime | None
    rules: wire.Rules
    smartlinks: tuple[wire.SmartlinkOptions, ...] = ()
    approvers: int = 0  # where not 0, each slice is compared with what was approved before it is worked on
    receipts: tuple[str, ...] = ()
    validity: int | None = None  # seconds, in place of `expire_at`


def template_of(send: Send, *, public_url: str) -> RequestTemplate:
    """Translate a send (with service, sender, template, policy group and domain loaded) for the wire."""
    service, policy, domain = send.service, send.policy_group, send.link_domain
    checks = send.options.get("contactPolicy", {})
    names = tuple(text.placeholders(send.text))
    options = _options(domain.url, send.options.get("options")) if domain else None
    shorter = {name: f"$({_short(index)})" for index, name in enumerate(names)}
    return RequestTemplate(
        send_id=send.pk,
        service_id=service.pk,
        sender=send.sender.address,
        pattern=text.render(send.text, substitutions=shorter),
        names=names,
        provider_template=_provider_template(send),
        options=options,
        contact_policy=wire.ContactPolicy(
            group=policy.group_id,
            check_consent=checks.get("consent", policy.check_consent),
            apply_frequency_cap=checks.get("cap", policy.apply_frequency_cap),
        )
        if policy
        else None,
        callback_data=send.callback_data,
        notify_url=f"{public_url}/receipts/{service.receipt_token}/",
        correlation_key=service.correlation_key,
        # the provider holds messages too, so a late one must die there as well
        expire_at=send.expires_at if send.expires_at and send.expires_at < timezone.now() + FAR else None,
        rules=wire.Rules(text_limit=service.text_limit, e164_plus=service.e164_plus),
        smartlinks=tuple(
            wire.SmartlinkOptions(smartlink_id=link, validity=minutes) for link, minutes in send.smartlinks
        ),
        approvers=send.approvers,
        # of a partner's messages always all: what it asks for (requestedReceipts) is applied when we forward
        receipts=tuple(compose_options.requested_receipts(send.options, clicks=_clicks(options))),
        validity=send.options.get("validity"),
    )


def _options(domain: str, asked: Mapping[str, Any] | None) -> wire.Options:
    """A partner says what to do with links; otherwise they are shortened and their clicks counted."""
    if asked is None:
        return wire.Options(domain=domain, shorten_links=True, track_clicks=True)
    return wire.Options(
        domain=domain,
        shorten_links=asked["shortenLinks"],
        track_clicks=asked["trackClicks"],
        tag1=asked["tag1"],
        tag2=asked["tag2"],
        allow_fallback_url=asked["allowFallbackURL"],
    )


def _provider_template(send: Send) -> str:
    """As it was when the send was made; a template may have moved on since."""
    made_from = send.template_version or send.template
    return made_from.provider_template_id if made_from else ""


def _short(index: int) -> str:
    return f"p{index + 1}"


def batches(
    messages: Iterable[ClaimedMessage], *, template: RequestTemplate, size: int
) -> Iterator[list[ClaimedMessage]]:
    """Runs of messages that one request can carry: the same text, or the same pattern in the same encoding.

    A request has one text for all; where they differ the provider substitutes, which needs the values beside the text.
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
    if message.substitutions and template.pattern:
        return (_kind(message.text),)
    return message.text


def body_of(messages: Sequence[ClaimedMessage], template: RequestTemplate) -> bytes:
    """The JSON of one POST to these messages; raises wire.WireError where the provider's rules forbid it."""
    first = messages[0]
    by_provider = len(messages) > 1 and bool(first.substitutions and template.pattern)
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
        validity=template.validity,
        smartlinks=list(template.smartlinks),
        requested_receipts=list(template.receipts),
        callback_data=template.callback_data,
        notify_url=template.notify_url,
    )
    return wire.encode(request, rules=template.rules)


def _clicks(options: wire.Options | None) -> bool:
    return options is not None and options.shorten_links and options.track_clicks


def _values(message: ClaimedMessage, template: RequestTemplate, *, by_provider: bool) -> dict[str, str]:
    if template.provider_template:
        return message.substitutions
    if not by_provider:
        return {}
    return {_short(index): message.substitutions[name] for index, name in enumerate(template.names)}


@functools.lru_cache(maxsize=256)
def _kind(written: str) -> Literal["text", "unicode"]:
    """`text` where GSM-7 can carry it, `unicode` where it cannot; the provider does not choose for us."""
    return "text" if text.segments(written).encoding == "gsm7" else "unicode"
