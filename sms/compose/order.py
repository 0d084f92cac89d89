"""What is asked for, and what follows from that alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sms.audiences.files import Audience
from sms.audiences.files.rows import Rows
from sms.catalogue import placeholder_rules, templates
from sms.compose import links, options
from sms.compose.errors import PartnerRequest
from sms.compose.options import DEFAULT_OPTIONS, SendOptions
from sms.compose.placeholders import Sources
from sms.compose.test_sends.rules import TestSend
from sms.models import (
    AudienceVersion,
    ContactPolicyGroup,
    Draft,
    Lane,
    MessageTemplate,
    Resend,
    Sender,
    Service,
    ShortLinkDomain,
    TemplateVersion,
)
from sms.values import text

LARGE = 5_000  # rows: above, an order is checked as a stream, and its messages are written in the background


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. Either `content` or `template`; `due_at` None means now."""

    service: Service
    audience: Rows
    sender: Sender | None = None
    content: str = ""
    template: MessageTemplate | None = None
    language: str = ""  # of the template; empty for its wording without one
    version: TemplateVersion | None = None  # set by `resolved` where it is not given
    name: str = ""
    due_at: datetime | None = None
    expires_at: datetime | None = None
    policy_group: ContactPolicyGroup | None = None
    link_domain: ShortLinkDomain | None = None
    labels: Sequence[str] = ()  # as they were written
    callback_data: str = ""
    source: str = ""
    saved: AudienceVersion | None = None  # where `audience` was read from, if it is in the database
    file_sha256: str = ""  # of the file that it was read from, if it was one
    placeholder_sources: Sources = field(default_factory=dict)
    lane: Lane = Lane.NORMAL
    resend: Resend = Resend.NEVER
    ramp: bool = False
    respect_quiet_hours: bool = True
    client_reference: str = ""
    partner: PartnerRequest | None = None
    draft: Draft | None = None  # that it was made from; its writers do not approve it
    zone: str = ""  # in which `due_at` was meant
    options: SendOptions = DEFAULT_OPTIONS
    test_send: TestSend | None = (
        None  # a test of a draft; `sms.compose.test_sends.rules` says who may get one
    )


@dataclass(frozen=True, slots=True)
class ComposedMessage:
    """One message to be: its text after substitution (empty where the provider's template makes it) and its segments."""

    row: int
    msisdn: str
    text: str
    substitutions: dict[str, str]
    segments: int
    warning: str
    zone: str = ""
    fault: str = ""  # the provider's code for why it fails at once


def is_large(order: Order) -> bool:
    """Whether its rows are too many for one transaction. A partner's request never has so many."""
    audience = order.audience
    return not isinstance(audience, Audience) or (len(audience.recipients) > LARGE and order.partner is None)


def resolved(order: Order) -> Order:
    if order.template is None or order.version is not None:
        return order
    return replace(order, version=templates.published(order.template, order.language))


def text_of(order: Order) -> str:
    """Our own text with its placeholders; empty where the provider's template makes it."""
    if order.version is not None:
        return order.version.text
    return order.template.text if order.template is not None else order.content


def smartlinks_of(order: Order) -> list[list[int]]:
    """[id, minutes]: those that a partner's request names; otherwise those of the catalogue that the text names."""
    if order.partner is not None:
        return [list(pair) for pair in order.partner.options.get("smartlinks", ())]
    return links.smartlinks(order.service, text_of(order))[0]


def rules_by_name(order: Order) -> dict[str, placeholder_rules.Placeholder]:
    """By name, what its template's version says of each placeholder."""
    return (
        {one.name: one for one in placeholder_rules.placeholders_of(order.version)} if order.version else {}
    )


def placeholder_names(order: Order) -> list[str]:
    if order.version is not None:
        return [one.name for one in placeholder_rules.placeholders_of(order.version)]
    if order.template is not None and not order.template.text:
        return [name.strip() for name in order.template.provider_placeholders.split(",") if name.strip()]
    return text.placeholders(text_of(order))


def quiet_hours_of(order: Order) -> str:
    return order.service.quiet_hours if order.respect_quiet_hours else ""


def request_fields(order: Order) -> dict[str, Any]:
    """The fields of a send that its requests to the provider are made of, for `create` and for a plan; the order is `resolved`."""
    return {
        "service": order.service,
        "sender": order.sender,
        "text": text_of(order),
        "template": order.template,
        "template_version": order.version,
        "smartlinks": smartlinks_of(order),
        "policy_group": order.policy_group,
        "link_domain": order.link_domain,
        "expires_at": order.expires_at,
        "callback_data": order.callback_data,
        "options": options.to_stored(order.options, order.partner, order.policy_group, order.link_domain),
    }
