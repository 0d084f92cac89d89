"""From what a partner asked for to an order: its words looked up in the service's catalogue, its numbers read, its options kept."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from sms.api.drop_in.errors import DropInRefused, bad_sender, bad_template, invalid, missing, too_long
from sms.api.drop_in.requests import DropInDestination, DropInRequest
from sms.audiences.files import Audience, Recipient, RejectedRow
from sms.compose.errors import ComposeError, PartnerRequest, ProblemCode, RepeatedReference, RowsRefused
from sms.compose.order import Order
from sms.models import (
    ApiKey,
    ContactPolicyGroup,
    Lane,
    MessageTemplate,
    Send,
    Sender,
    Service,
    ShortLinkDomain,
)
from sms.models.sql.insert import StatementBatch
from sms.values.msisdn import BadNumber, parse

URGENT_UP_TO = 10  # destinations: a code or an alarm, which must not wait behind a campaign
MOST_KNOWN = 100
PARAMETERS = {
    "text": "content.text",
    "sender": "from",
    "audience": "to",
    "send_at": "sendAt",
    "expires_at": "expireAt",
    "link_domain": "options.domain",
}
"""The provider's parameter by the field of a problem."""

Known = dict[tuple[type, str], Any]

_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")
_HOST = re.compile(r"(?:https?://)?([^/]+)/?")


def order_of(
    asked: DropInRequest,
    *,
    key: ApiKey,
    known: Known,
    reference: UUID,
    on_stored: Callable[[Send, Sequence[int], StatementBatch], None],
) -> Order:
    """Raises DropInRefused where the catalogue has no such thing. `known` holds what requests of a moment ago found there."""
    service = key.service
    return Order(
        service=service,
        audience=_audience(asked.destinations),
        sender=_sender(asked, service, known),
        content=asked.text,
        template=_template(asked, service, known),
        due_at=asked.send_at,
        expires_at=asked.expire_at,
        policy_group=_group(asked, service, known),
        link_domain=_domain(asked, service, known),
        source=f"API: {key.name}",
        lane=Lane.URGENT if len(asked.destinations) <= URGENT_UP_TO else Lane.NORMAL,
        client_reference=asked.client_reference,
        partner=PartnerRequest(reference=reference, options=_options(asked), on_stored=on_stored),
    )


def refusal_of(problem: ComposeError) -> DropInRefused:
    """What `compose` would not take, in the provider's words and with ours behind them."""
    if isinstance(problem, RepeatedReference):
        return DropInRefused("7004", f"Invalid parameter - clientReference: {problem}", status=409)
    first = problem.problems[0]
    name, says = PARAMETERS.get(first.field, first.field), first.text
    if isinstance(problem, RowsRefused):
        bad = problem.rejects[0]
        name, says = "substitutions", f"destination {bad.row}: {bad.reason}"
    match first.code:
        case ProblemCode.TEXT_TOO_LONG:
            return too_long()
        case ProblemCode.MISSING_VALUE:
            return missing(f"substitutions: {says}")
    return invalid(name, says)


def _audience(destinations: list[DropInDestination]) -> Audience:
    """Every number once for each time it stands there, like the provider; rows count from 1."""
    recipients: list[Recipient] = []
    rejects: list[RejectedRow] = []
    headings: dict[str, None] = {}
    seen: dict[int, None] = {}  # most destinations share one mapping
    for row, one in enumerate(destinations, start=1):
        if id(one.values) not in seen:
            seen[id(one.values)] = None
            headings.update(dict.fromkeys(one.values))
        number, why = _number(one.number)
        if number:
            recipients.append(Recipient(row=row, msisdn=number, substitutions=one.values))
        else:
            rejects.append(RejectedRow(row=row, value=one.number[:60], code="bad_number", reason=why))
    return Audience(headings=["", *headings], column="", recipients=recipients, rejects=rejects)


@functools.lru_cache(maxsize=4096)
def _number(written: str) -> tuple[str, str]:
    """E.164, or why it is none. Always with its country code, as on the provider's wire."""
    match = _NUMBER.fullmatch(written)
    if match is None:
        return "", "This is no number in E.164 form: country code and number, 7 to 15 digits."
    try:
        return parse(f"+{match[1]}").e164, ""
    except BadNumber as problem:
        return "", str(problem)


def _lookup(known: Known, service: Service, model: Any, called: str, where: Q) -> Any:
    """What was found a moment ago; what was not found is looked for again, so that it can be used as soon as it is there."""
    found = known.get((model, called))
    if found is None:
        found = model.objects.filter(where, service=service, active=True).order_by("pk").first()
        if found is not None:
            if len(known) >= MOST_KNOWN:
                known.clear()
            known[model, called] = found
    return found


def _sender(asked: DropInRequest, service: Service, known: Known) -> Sender:
    address = asked.sender.removeprefix("+")
    found: Sender | None = _lookup(known, service, Sender, address, Q(address=address))
    if found is None:
        raise bad_sender()
    return found


def _template(asked: DropInRequest, service: Service, known: Known) -> MessageTemplate | None:
    if not asked.template:
        return None
    named = Q(name=asked.template) | Q(provider_template_id=asked.template)
    found: MessageTemplate | None = _lookup(known, service, MessageTemplate, asked.template, named)
    if found is None:
        raise bad_template()
    return found


def _group(asked: DropInRequest, service: Service, known: Known) -> ContactPolicyGroup | None:
    if asked.policy is None:
        return None
    named = Q(name=asked.policy.group) | Q(group_id=asked.policy.group)
    found: ContactPolicyGroup | None = _lookup(known, service, ContactPolicyGroup, asked.policy.group, named)
    if found is None:
        raise invalid("contactPolicyGroup", "this service has no such group")
    return found


def _domain(asked: DropInRequest, service: Service, known: Known) -> ShortLinkDomain | None:
    """Options that shorten nothing need no domain of ours."""
    links = asked.links
    if links is None:
        return None
    match = _HOST.fullmatch(links.domain)
    if match is None:
        raise invalid("options.domain")
    if not (links.shorten or links.track):
        return None
    found: ShortLinkDomain | None = _lookup(
        known, service, ShortLinkDomain, match[1], Q(host__iexact=match[1])
    )
    if found is None:
        raise invalid("options.domain", "this service has no such short-link domain")
    return found


def _options(asked: DropInRequest) -> dict[str, Any]:
    """What dispatch needs beyond the send's own fields, and what GET says again."""
    options: dict[str, Any] = {"type": asked.kind} if asked.kind else {}
    if asked.receipts:
        options["requestedReceipts"] = asked.receipts
    if asked.callback_data:
        options["callbackData"] = asked.callback_data
    if asked.notify_url:
        options["notifyUrl"] = asked.notify_url
    if asked.smartlinks:
        options["smartlinks"] = list(asked.smartlinks.items())
    if asked.policy is not None:
        options["contactPolicy"] = {"consent": asked.policy.consent, "cap": asked.policy.cap}
    if asked.links is not None:
        options["options"] = {
            "domain": asked.links.domain,
            "shortenLinks": asked.links.shorten,
            "trackClicks": asked.links.track,
            "allowFallbackURL": asked.links.fallback,
            "tag1": asked.links.tag1,
            "tag2": asked.links.tag2,
        }
    return options
