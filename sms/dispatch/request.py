"""From messages of ours to the provider's request body. The one place where domain words become wire words for sending."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sms import correlation, text
from sms.dispatch.claim import Waiting
from sms.models import AuthKind, Send, Service
from sms.webex import wire
from sms.webex.auth import Jwt, Key

RECEIPTS = (
    "SUBMITTED",
    "DELIVERED",
    "FAILED",
)  # always all of them: a partner's smaller wish is applied when we forward


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that the messages of one send have in common, read once per lease."""

    send_id: int
    service_id: int
    sender: str
    pattern: str  # our own text with its placeholders, empty where the provider's template makes it
    provider_template: str
    options: wire.Options | None
    contact_policy: wire.ContactPolicy | None
    callback_data: str
    notify_url: str
    correlation_key: str
    rules: wire.Rules


def sheet_of(send: Send, *, public_url: str) -> Sheet:
    """Translate a send (with service, sender, template, policy group and domain loaded) for the wire."""
    service, policy, domain = send.service, send.policy_group, send.link_domain
    return Sheet(
        send_id=send.pk,
        service_id=service.pk,
        sender=send.sender.address,
        pattern=send.text,
        provider_template=send.template.provider_template_id if send.template else "",
        options=wire.Options(domain=domain.url, shorten_links=True, track_clicks=True) if domain else None,
        contact_policy=wire.ContactPolicy(
            group=policy.group_id,
            check_consent=policy.check_consent,
            apply_frequency_cap=policy.apply_frequency_cap,
        )
        if policy
        else None,
        callback_data=send.callback_data,
        notify_url=f"{public_url}/receipts/{service.receipt_token}/",
        correlation_key=service.correlation_key,
        rules=wire.Rules(text_limit=service.text_limit, e164_plus=service.e164_plus),
    )


def batches(messages: Iterable[Waiting], *, sheet: Sheet, size: int) -> Iterator[list[Waiting]]:
    """Runs of messages that one request can carry: the same text, or the same pattern in the same encoding.

    A request has one text for all; where they differ the provider substitutes, which needs the values beside the text.
    """
    run: list[Waiting] = []
    shared: object = None
    for message in messages:
        key = _shared(message, sheet) if size > 1 else None
        if run and (len(run) >= size or key != shared):
            yield run
            run = []
        run.append(message)
        shared = key
    if run:
        yield run


def _shared(message: Waiting, sheet: Sheet) -> object:
    if sheet.provider_template:
        return ""
    if message.substitutions and sheet.pattern:
        return (_kind(message.text),)
    return message.text


def body_of(messages: Sequence[Waiting], sheet: Sheet) -> bytes:
    """The JSON of one POST to these messages; raises wire.WireError where the provider's rules forbid it."""
    first = messages[0]
    by_provider = len(messages) > 1 and bool(first.substitutions and sheet.pattern)
    plus = sheet.rules.e164_plus
    to = [
        wire.Destination(
            msisdn=[message.msisdn if plus else message.msisdn.lstrip("+")],
            substitutions=message.substitutions if by_provider or sheet.provider_template else {},
            correlation_id=correlation.write(
                message_id=message.pk, attempt=message.attempt + 1, key=sheet.correlation_key
            ),
        )
        for message in messages
    ]
    written = sheet.pattern if by_provider else first.text
    request = wire.SendRequest(
        from_=sheet.sender,
        to=to,
        content=None if sheet.provider_template else wire.Content(type=_kind(first.text), text=written),
        template=wire.TemplateRef(id=sheet.provider_template) if sheet.provider_template else None,
        options=sheet.options,
        contact_policy=sheet.contact_policy,
        requested_receipts=[*RECEIPTS, "CLICKED"] if sheet.options else list(RECEIPTS),
        callback_data=sheet.callback_data,
        notify_url=sheet.notify_url,
    )
    return wire.encode(request, rules=sheet.rules)


@functools.lru_cache(maxsize=256)
def _kind(written: str) -> Literal["text", "unicode"]:
    """`text` where GSM-7 can carry it, `unicode` where it cannot; the provider does not choose for us."""
    return "text" if text.segments(written).encoding == "gsm7" else "unicode"


@dataclass(frozen=True, slots=True)
class Line:
    """How to reach a service's provider: what a poster thread needs to open a client of its own. Never printed: it holds secrets."""

    base_url: str
    auth_kind: str
    api_key: str = field(repr=False)
    jwt_service_id: str
    jwt_secret: str = field(repr=False)

    def credentials(self) -> Key | Jwt:
        """Fresh ones for each client, since a JWT belongs to one thread. Raises ValueError where they cannot be used."""
        if self.auth_kind == AuthKind.JWT:
            return Jwt(self.jwt_service_id, self.jwt_secret)
        return Key(self.api_key)


def line_of(service: Service) -> Line:
    """Address and credentials, decrypted for this process only."""
    return Line(
        service.provider_url, service.auth_kind, service.api_key, service.jwt_service_id, service.jwt_secret
    )
