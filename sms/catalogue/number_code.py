"""A code by SMS to a number that a person calls theirs. Posted by itself: it is no send, so that nobody reads the code on a page."""

import uuid
from collections.abc import Callable

from django.utils.translation import gettext as _

from sms.catalogue.caps.rules import CapRules
from sms.catalogue.connection import direct
from sms.catalogue.credentials import ProviderConnection, connection_of
from sms.models import OptOut, Service
from sms.models.fields import UnreadableSecret
from sms.values.msisdn import country_of
from sms.webex import wire
from sms.webex.client import Client
from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled
from sms.webex.send_request import Content, Destination, SendRequest
from sms.words import retold

NOTHING_LEFT = (NotSent, RequestRefused, ServicePaused, Throttled)


class CodeNotSent(RuntimeError):
    """Nothing was sent; the sentence says why, and what to do."""


def post(
    service: Service, number: str, code: str, *, client_for: Callable[[ProviderConnection], Client] = direct
) -> None:
    """Raises CodeNotSent. Takes up to ten seconds; the caller has no transaction open."""
    sender = service.senders.filter(active=True).first()
    if sender is None:
        raise CodeNotSent(
            _("%(service)s has no sender yet, so no code can be sent. Ask an admin to add one.")
            % {"service": service.name}
        )
    if service.paused_at is not None:
        says = _("%(service)s is paused, so no code can be sent. Try again when it goes on.")
        raise CodeNotSent(says % {"service": service.name})
    if why := CapRules.of(service).refusal(country_of(number)):
        raise CodeNotSent(retold(why))
    if OptOut.in_force(service.pk, [number]):
        raise CodeNotSent(_("This number is opted out, so nothing is sent to it. Take another number."))
    spelled = number if service.e164_plus else number.lstrip("+")
    request = SendRequest(
        from_=sender.address,
        to=[Destination(msisdn=[spelled], correlation_id=str(uuid.uuid4()))],
        content=Content(text=_text(code)),
    )
    try:
        with client_for(connection_of(service)) as client:
            client.post(wire.encode(request, rules=wire.Rules(e164_plus=service.e164_plus)))
    except NOTHING_LEFT as problem:
        says = _("Webex Connect did not take the code (%(code)s). Try again later.")
        raise CodeNotSent(says % {"code": problem.code}) from None
    except ProviderError:
        return  # it may be on its way
    except (ValueError, UnreadableSecret):
        says = _("The connection of %(service)s cannot be used. Ask an admin to test it under Set-up.")
        raise CodeNotSent(says % {"service": service.name}) from None


def _text(code: str) -> str:
    says = _(
        "%(code)s is your Textdesk code. If you did not ask for it, another person mistyped their number: ignore it."
    )
    return says % {"code": code}
