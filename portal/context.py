"""What every template knows: the service the page belongs to, what the viewer may do there, and their other services."""

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal import factors, passkeys
from portal.access import services_of
from sms import notices
from sms.compose.approval import queries
from sms.values import time_zones


def viewer(request: HttpRequest) -> dict[str, Any]:
    """Template context; one query for the switcher, one for unread notices, one for approvers, none for visitors."""
    user = getattr(request, "user", None)
    signing_in = {"passkeys_possible": passkeys.are_possible(), "few_codes": factors.FEW_CODES}
    signing_in["has_sso"] = bool(settings.OIDC_ISSUER)
    if user is None or not user.is_authenticated:
        return {"zone": timezone.get_current_timezone_name(), **signing_in}
    service = getattr(request, "service", None)
    may: frozenset[str] = getattr(request, "may", frozenset())
    return {
        **signing_in,
        "service": service,
        "services": services_of(user),
        "may": may,
        "to_answer": queries.waiting_for(service, user) if service and "approve" in may else 0,
        "unread": SimpleLazyObject(partial(notices.unread, user)),
        "factor": getattr(request, "factor_demand", None),
        "zone": timezone.get_current_timezone_name(),
        "unknown_zone": _unknown(user.time_zone or (service.time_zone if service else "")),
    }


def _unknown(zone: str) -> str:
    return zone if zone and not time_zones.here(zone) else ""
