"""Mails to a service's admins about what went wrong by itself. The pages say so as well; mail may be away."""

from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from portal.models import Membership, Role, User
from sms.catalogue.caps.standing import CapStanding
from sms.models import AuditCheck, CallbackEndpoint, DomainState, Service, ShortLinkDomain
from sms.values.mail_subject import one_line

log = structlog.get_logger(__name__)

ALARMING = (DomainState.BROKEN, DomainState.DEGRADED)


def on_endpoint_disabled(*, endpoint: CallbackEndpoint, **_: Any) -> None:
    """Receiver of `sms.callbacks.endpoint_disabled`."""
    service = endpoint.service
    _mail_admins(
        service,
        f"Textdesk: callbacks to {endpoint.name} were switched off",
        f"Callbacks of {service.name} to {endpoint.name} are not delivered any more.\n\n"
        f"{endpoint.disabled_because}\n\n"
        "Nothing is lost: they are kept for 30 days. Switch the endpoint on again, and replay what was missed:",
        reverse("callback_endpoint", args=[service.slug, endpoint.pk]),
    )


def on_domain_changed(*, domain: ShortLinkDomain, old: DomainState, **_: Any) -> None:
    """Receiver of `sms.catalogue.domains.state_changed`: to the worse, and back to health from there."""
    recovered = domain.state == DomainState.HEALTHY and old in ALARMING
    if domain.state not in ALARMING and not recovered:
        return
    broken = domain.state == DomainState.BROKEN
    stops = "Sends that shorten links on it are refused until then.\n\n" if broken else ""
    _mail_admins(
        domain.service,
        f"Textdesk: the short-link domain {domain.host} is {domain.get_state_display().lower()}"
        + (" again" if recovered else ""),
        f"{domain.says}\n\n{stops}It is looked at every hour. What was seen, and a button to look now:",
        reverse("link_domain", args=[domain.service.slug, domain.pk]),
    )


def on_cap_near(*, service: Service, standing: CapStanding, **_: Any) -> None:
    """Receiver of `sms.catalogue.caps.notices.cap_near`: once a day for each cap that comes near, and once if it is reached."""
    state = "is reached" if standing.reached else "comes near"
    then = (
        "What goes beyond it is refused until then."
        if standing.reached
        else "What would go beyond it is refused."
    )
    _mail_admins(
        service,
        f"Textdesk: a spend cap of {service.name} {state}",
        f"{standing.sentence} {then}\n\nIf you do not know why so much is sent, revoke the key or pause the service. "
        "What was taken today, and where an admin can raise it:",
        reverse("settings_caps", args=[service.slug]),
    )


def factor_rules_loosened(service: Service | None, *, by: str, before: str, after: str) -> None:
    """To every admin whom the rule was about: the one who loosened it is not the only one to know."""
    of = service.name if service else "the whole desk"
    page = (
        reverse("settings_second_factor", args=[service.slug]) if service else reverse("desk_second_factor")
    )
    _mail(
        _admins_and_owners(service),
        f"Textdesk: fewer people of {of} have to have a second factor",
        f"{by} changed who has to have a second factor, or how long people get in without one.\n\nBefore: {before}\nNow: {after}\n\n"
        "If you did not expect it, ask them, and set it back:",
        page,
    )


def on_audit_broken(*, check: AuditCheck, **_: Any) -> None:
    """Receiver of `sms.compliance.audit.does_not_hold`: to every admin and superuser, when a check finds something new."""
    _mail(
        _admins_and_owners(None),
        "Textdesk: the audit does not stand as it was written",
        f"The check of {check.at:%-d %B %Y, %H:%M} UTC on {check.host} found:\n\n{check.findings}\n\n"
        "Keep the database as it is, and find out who could write to it. What was seen, and a button to look again:",
        reverse("installation_audit_list"),
    )


def _admins_and_owners(service: Service | None) -> list[str]:
    """Of a service, or of every one."""
    admins = Membership.objects.filter(role=Role.ADMIN, user__is_active=True)
    if service is not None:
        admins = admins.filter(service=service)
    owners = User.objects.filter(is_superuser=True, is_active=True)
    return sorted({*admins.values_list("user__email", flat=True), *owners.values_list("email", flat=True)})


def _mail_admins(service: Service, subject: str, says: str, page: str) -> None:
    admins = Membership.objects.filter(service=service, role=Role.ADMIN, user__is_active=True)
    _mail(sorted(set(admins.values_list("user__email", flat=True))), subject, says, page)


def _mail(addresses: list[str], subject: str, says: str, page: str) -> None:
    if not addresses:
        return
    try:
        EmailMessage(
            subject=one_line(subject), body=f"{says}\n{settings.PUBLIC_URL}{page}\n", bcc=addresses
        ).send()
    except OSError as problem:
        log.error("admin_mail_not_sent", subject=subject, error=repr(problem)[:300])
