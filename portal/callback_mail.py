"""A mail to a service's admins when an endpoint was switched off by itself. The page says so as well; mail may be away."""

from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from portal.models import Membership, Role
from sms.models import CallbackEndpoint

log = structlog.get_logger(__name__)


def on_disabled(*, endpoint: CallbackEndpoint, **signal: Any) -> None:
    """Receiver of `sms.callbacks.endpoint_disabled`."""
    del signal
    service = endpoint.service
    admins = Membership.objects.filter(service=service, role=Role.ADMIN, user__is_active=True)
    addresses = sorted(set(admins.values_list("user__email", flat=True)))
    if not addresses:
        return
    page = f"{settings.PUBLIC_URL}{reverse('callback_endpoint', args=[service.slug, endpoint.pk])}"
    mail = EmailMessage(
        subject=f"Textdesk: callbacks to {endpoint.name} were switched off",
        body=(
            f"Callbacks of {service.name} to {endpoint.name} are not delivered any more.\n\n"
            f"{endpoint.disabled_because}\n\n"
            f"Nothing is lost: they are kept for 30 days. Switch the endpoint on again, and replay what was missed:\n{page}\n"
        ),
        bcc=addresses,
    )
    try:
        mail.send()
    except OSError as problem:
        log.error("callback_mail_not_sent", endpoint=endpoint.pk, error=repr(problem)[:300])
