"""The people of a service who may do an act there: whom a colleague can ask to look. Called by pages with comments."""

from portal.access import ACTS
from portal.models import User
from sms.models import Service


def who_may(act: str, service: Service, *, without: User | None = None) -> list[User]:
    """By their roles in the service, in order of their addresses; superusers without a role in it are not colleagues."""
    members = User.objects.filter(
        is_active=True, memberships__service=service, memberships__role__in=ACTS[act]
    )
    found = members.distinct().order_by("email")
    return list(found.exclude(pk=without.pk) if without is not None else found)
