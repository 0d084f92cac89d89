"""From what a partner asked for to an order: its words looked up in the service's catalogue, its numbers read, its options kept."""

import functools
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q

from sms import models
from sms.api.drop_in.body import LINK_NAMES, WIRE_NAMES, DropInDestination, DropInRequest
from sms.api.drop_in.errors import DropInRefused, bad_sender, invalid, refused
from sms.api.drop_in.unused import notice
from sms.api.v1 import option_fields
from sms.api.v1.bodies import Strict
from sms.audiences.files import Audience, Recipient, RejectedRow
from sms.catalogue import key_policies
from sms.compose.errors import ComposeError, PartnerRequest, RepeatedReference, RowsRefused
from sms.compose.options import asking_for
from sms.compose.order import Order
from sms.compose.spending import CapRefused
from sms.models import ALL_RECEIPTS, USUAL_RECEIPTS, ApiKey, Lane, Receipts, SendOptions, Service
from sms.models.sql.insert import StatementBatch
from sms.values.msisdn import BadNumber, Msisdn, parse
from sms.values.problems import ProblemCode, ProblemError
from sms.webex import send_request as wire
from sms.webex.addresses import MSISDN

CAPPED = ("7020", "You have reached the maximum transaction limit")
URGENT_UP_TO = 10  # destinations: a code or an alarm, which must not wait behind a campaign
MOST_KNOWN = 100
PARAMETERS = {
    **{name: f"textdesk.{name}" for name in option_fields.PLAIN},
    **{name: f"options.{called}" for name, called in LINK_NAMES.items()},
    **{one.name: f"contactPolicy.{one.encode_name}" for one in msgspec.structs.fields(wire.ContactPolicy)},
    **WIRE_NAMES,
    "policy_group": "contactPolicy.contactPolicyGroup",
    "link_domain": "options.domain",
    "receipts": "requestedReceipts",
    "expires_at": "expireAt",
    "text": "content.text",
    "sender": "from",
    "audience": "to",
    "template": "template.id",
    "client_reference": "clientReference",
}
"""The parameter of a request by the field of a problem, among them every option."""

Known = dict[tuple[type, str], Any]

_HOST = re.compile(r"(?:https?://)?([^/]+)/?")


class OwnOptions(Strict, option_fields.WithOptions):
    """`textdesk` in a body: options that the provider has no word for."""

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        return {name: found[name] for name in found if PARAMETERS[name].startswith("textdesk.")}


def order_of(
    asked: DropInRequest,
    *,
    key: ApiKey,
    known: Known,
    reference: UUID,
    on_stored: Callable[[Sequence[int], StatementBatch], None],
    on_not_called: Callable[[str], None],
    now: datetime,
) -> Order:
    """Raises DropInRefused where the catalogue has no such thing. `known` holds what requests of a moment ago found there.

    `on_not_called` is told why receipts cannot be passed on, unless the key wants such a request refused.
    """
    service = key.service
    find = functools.partial(_lookup, known, service)
    by, wrong = ("name", "provider_template_id"), refused(ProblemCode.NOT_USABLE, "template.id")
    return Order(
        service=service,
        audience=_audience(asked.destinations),
        sender=find(models.Sender, asked.sender, "address", otherwise=bad_sender()),
        content=asked.text,
        template=find(models.MessageTemplate, asked.template, *by, otherwise=wrong)
        if asked.template
        else None,
        due_at=asked.send_at,
        source=f"API: {key.name}",
        client_reference=asked.client_reference,
        values_as_given=True,
        partner=PartnerRequest(
            reference=reference,
            smartlinks=asked.smartlinks,
            content_type=asked.content_type,
            values_of=lambda row: asked.destinations[row - 1].values,
            on_stored=on_stored,
            on_not_called=None if key.needs_notify_url else on_not_called,
        ),
        transactional=key_policies.is_transactional(key),
        key=key,
        options=key_policies.complete(
            _options(asked, service, known),
            key,
            given=asked.ours,
            due_at=asked.send_at,
            receipts=USUAL_RECEIPTS,  # of which the partner gets those that it asked for
            now=now,
        ),
    )


def refusal_of(problem: ComposeError) -> DropInRefused:
    """What `compose` would not take, in the provider's words and with ours behind them."""
    if isinstance(problem, CapRefused):
        wait = {"Retry-After": str(problem.seconds_left)}
        return DropInRefused(*CAPPED, str(problem), status=429, headers=wait)
    first = problem.problems[0]
    name, says = PARAMETERS.get(first.field, first.field), first.text
    if isinstance(problem, RowsRefused):
        bad = problem.rejects[0]
        says = f"destination {bad.row}: {bad.reason}"
        name = "content.text" if first.code == ProblemCode.TEXT_TOO_LONG else "substitutions"
    elif first.code == ProblemCode.MISSING_VALUE:
        name = "substitutions"
    return refused(first.code, name, says, status=409 if isinstance(problem, RepeatedReference) else 400)


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
        number = _number(one.number)
        if isinstance(number, Msisdn):
            recipients.append(
                Recipient(row=row, msisdn=number.e164, substitutions=one.values, kind=number.kind)
            )
        else:
            bad = RejectedRow(row=row, value=one.number[:60], code=number.code, reason=str(number))
            rejects.append(bad)
    return Audience(headings=["", *headings], column="", recipients=recipients, rejects=rejects)


def _number(written: str) -> Msisdn | ProblemError:
    """The number, or why it is none. Always with its country code, as on the provider's wire."""
    if MSISDN.fullmatch(written) is None:  # it may be as long as a whole body, so it is not remembered
        if isinstance(several := _parsed(written), BadNumber) and several.code == ProblemCode.TWO_NUMBERS:
            return several
        says = "This is no number in E.164 form: country code and number, 7 to 15 digits."
        return BadNumber(ProblemCode.NOT_A_NUMBER, says)
    return parsed(written)


@functools.lru_cache(maxsize=4096)
def parsed(written: str) -> Msisdn | ProblemError:
    return _parsed(written)


def _parsed(written: str) -> Msisdn | ProblemError:
    try:
        return parse(f"+{written.removeprefix('+')}")
    except BadNumber as problem:
        return problem


def _lookup(
    known: Known, service: Service, model: Any, called: str, *by: str, otherwise: DropInRefused | None
) -> Any:
    """The thing of which one of these fields says this; raises `otherwise` where there is none.

    It may be what was found a moment ago; what was not found is looked for again, so that it can be used as soon as it is there.
    """
    if (model, called) in known:
        return known[model, called]
    where = Q(**dict.fromkeys(by, called), _connector=Q.OR)
    found = model.objects.filter(where, service=service, active=True).order_by("pk").first()
    if found is not None:
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[model, called] = found
    elif otherwise is not None:
        raise otherwise
    return found


def _domain(asked: DropInRequest, service: Service, known: Known) -> models.ShortLinkDomain | None:
    """Options that shorten nothing need no domain of ours."""
    if not asked.domain:
        return None
    match = _HOST.fullmatch(asked.domain)
    if match is None:
        raise invalid("options.domain")
    needed = asked.passed_on["shorten_links"] or asked.passed_on["track_clicks"]
    wrong = invalid("options.domain", "this service has no such short-link domain") if needed else None
    found: models.ShortLinkDomain | None = _lookup(
        known, service, models.ShortLinkDomain, match[1], "host__iexact", otherwise=wrong
    )
    if found is None:
        says = "They shorten nothing, and this service has no such short-link domain, so they were not used."
        asked.notices.append(notice("options", says))
    return found


def _options(asked: DropInRequest, service: Service, known: Known) -> SendOptions:
    policy = asked.policy
    wrong = invalid("contactPolicyGroup", "this service has no such group")
    return asking_for(
        **_ours(asked),
        **asked.passed_on,
        policy_group=policy
        and _lookup(
            known, service, models.ContactPolicyGroup, policy.group, "name", "group_id", otherwise=wrong
        ),
        check_consent=policy.consent if policy else None,
        apply_frequency_cap=policy.cap if policy else None,
        link_domain=_domain(asked, service, known),
        receipts=Receipts.of(asked.receipts) or ALL_RECEIPTS,
        expires_at=asked.expire_at,
        validity=asked.validity,
    )


def _ours(asked: DropInRequest) -> dict[str, Any]:
    usual = Lane.URGENT if len(asked.destinations) <= URGENT_UP_TO else Lane.NORMAL
    if not asked.ours:
        return {"lane": usual}
    given = OwnOptions(data=asked.ours, partial=True)
    if not given.is_valid():
        name, says = next(iter(given.errors.items()))
        raise invalid(f"textdesk.{name}", str(says[0]))
    return {"lane": usual} | given.validated_data
