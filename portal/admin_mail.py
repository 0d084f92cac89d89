"""The mail to admins when fewer people have to have a second factor. Sent at once and to all of them: it is about how people sign in."""

from collections.abc import Iterable

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.models import FactorRule, Membership, Role, User
from sms.models import Service
from sms.values.mail_subject import one_line
from sms.words import in_language, number

log = structlog.get_logger(__name__)


def factor_rules_loosened(
    service: Service | None, *, by: str, before: list[FactorRule], after: list[FactorRule]
) -> None:
    """To every admin whom the rule was about: the one who loosened it is not the only one to know."""
    page = (
        reverse("settings_second_factor", args=[service.slug]) if service else reverse("desk_second_factor")
    )
    readers = _admins_and_owners(service)
    for language in sorted(set(readers.values())):
        with in_language(language):
            subject = (
                _("Textdesk: fewer people of %(service)s have to have a second factor")
                % {"service": service.name}
                if service
                else _("Textdesk: fewer people of the whole desk have to have a second factor")
            )
            says = _(
                "%(person)s changed who has to have a second factor, or how long people get in without one.\n\nBefore: %(before)s\n"
                "Now: %(after)s\n\nIf you did not expect it, ask them, and set it back:"
            )
            facts = {"person": by, "before": _in_words(before), "after": _in_words(after)}
            _mail(sorted(one for one in readers if readers[one] == language), subject, says % facts, page)


def _in_words(rules: Iterable[FactorRule]) -> str:
    said = [
        ngettext("%(who)s, after %(n)s day", "%(who)s, after %(n)s days", one.grace_days)
        % {"who": one, "n": number(one.grace_days)}
        for one in rules
    ]
    return "; ".join(said) or _("nobody")


def _admins_and_owners(service: Service | None) -> dict[str, str]:
    """Of a service, or of every one: the language of each address."""
    admins = Membership.objects.filter(role=Role.ADMIN, user__is_active=True)
    if service is not None:
        admins = admins.filter(service=service)
    owners = User.objects.filter(is_superuser=True, is_active=True)
    return dict(admins.values_list("user__email", "user__language")) | dict(
        owners.values_list("email", "language")
    )


def _mail(addresses: list[str], subject: str, says: str, page: str) -> None:
    try:
        EmailMessage(
            subject=one_line(subject), body=f"{says}\n{settings.PUBLIC_URL}{page}\n", bcc=addresses
        ).send()
    except OSError as problem:
        log.error("admin_mail_not_sent", subject=subject, error=repr(problem)[:300])
