"""The connection test: is the address right, and are the credentials accepted? No message is sent.

It posts an empty request, which Webex Connect refuses: before it looks at the content where it does not know us, and because of the
content where it does. Called by the settings pages; `client_for` replaces the network in tests.
"""

from collections.abc import Callable

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from sms.catalogue import provider_address
from sms.catalogue.credentials import ProviderConnection, connection_of
from sms.models import Actor, Service
from sms.models.audit import audit
from sms.models.fields import UnreadableSecret
from sms.models.sql.clock import corrected_now
from sms.webex.client import Client
from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled

EMPTY = b"{}"
PATIENCE = 10.0  # seconds; a person waits at the button
_SIGN_IN = frozenset({"7001", "7002"})


class ConnectionVerdict(models.TextChoices):
    WORKS = "works", _("It works: Webex Connect answered and knows this service.")
    CREDENTIALS = (
        "credentials",
        _("Webex Connect refused the credentials. Copy them again from the service's API tab."),
    )
    UNUSABLE = "unusable", _("The stored credentials cannot be used as they are. Type them again.")
    ADDRESS = (
        "address",
        _("A server answered, but not under this address. Check the region, and the base URL."),
    )
    ACCOUNT = "account", _("Webex Connect answered, but does not let this service send from here now.")
    BUSY = "busy", _("Webex Connect asks to be slower, so it did not look. Try again in a minute.")
    UNREACHABLE = (
        "unreachable",
        _("No server answered there. Check the region, the base URL, and this host's way out."),
    )
    SLOW = "slow", _("The answer did not come within ten seconds. Try again in a minute.")
    TROUBLE = "trouble", _("Webex Connect has trouble of its own. Try again in a few minutes.")
    ODD = "odd", _("Something answered, but not as Webex Connect does. Check the base URL.")


def direct(line: ProviderConnection) -> Client:
    dial = provider_address.dial_for(line.base_url)
    return Client(line.base_url, line.credentials(), deadline=PATIENCE, dial=dial)


def probe(
    service: Service, *, client_for: Callable[[ProviderConnection], Client] = direct
) -> tuple[ConnectionVerdict, str]:
    """Ask once; the verdict, and the provider's own words where it said any. Takes up to ten seconds and stores nothing."""
    try:
        client = client_for(connection_of(service))
    except (ValueError, UnreadableSecret) as problem:
        return ConnectionVerdict.UNUSABLE, str(problem)
    with client:
        try:
            client.post(EMPTY)
        except ProviderError as answer:
            return _verdict(answer), "" if isinstance(answer, NotSent) else answer.detail
    return ConnectionVerdict.ODD, ""  # Webex Connect does not accept an empty request


def check_connection(
    service: Service,
    *,
    by: Actor,
    client_for: Callable[[ProviderConnection], Client] = direct,
) -> tuple[ConnectionVerdict, str]:
    """`probe`, stored with the service and in the audit."""
    verdict, words = probe(service, client_for=client_for)
    with transaction.atomic():
        Service.objects.filter(pk=service.pk).update(checked_at=corrected_now(), check_verdict=verdict)
        audit("service.tested", service, by=by, verdict=str(verdict))
    return verdict, words


def _verdict(answer: ProviderError) -> ConnectionVerdict:
    if isinstance(answer, NotSent):
        return ConnectionVerdict.UNREACHABLE
    if isinstance(answer, Throttled):
        return ConnectionVerdict.BUSY
    if isinstance(answer, ServicePaused):
        if answer.status == 401 or answer.code in _SIGN_IN:
            return ConnectionVerdict.CREDENTIALS
        return ConnectionVerdict.ADDRESS if answer.status in (404, 405) else ConnectionVerdict.ACCOUNT
    if isinstance(answer, RequestRefused):
        return ConnectionVerdict.WORKS if answer.code.isdecimal() else ConnectionVerdict.ODD
    if answer.code == "timeout":
        return ConnectionVerdict.SLOW
    return ConnectionVerdict.TROUBLE if answer.status >= 500 else ConnectionVerdict.ODD
