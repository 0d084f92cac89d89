"""What every template knows: the service the page belongs to, what the viewer may do there, and their other services."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from portal.access import services_of


def desk(request: HttpRequest) -> dict[str, Any]:
    """Template context; one query for the switcher, none for visitors."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"zone": timezone.get_current_timezone_name()}
    service = getattr(request, "service", None)
    return {
        "service": service,
        "services": services_of(user),
        "may": getattr(request, "may", frozenset()),
        "zone": timezone.get_current_timezone_name(),
    }
