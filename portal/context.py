"""What every template knows: the service the page belongs to, what the viewer may do there, and their other services."""

from functools import partial
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal import factors, passkeys
from portal.access import may as acts_of
from portal.access import services_of
from portal.models import User
from portal.navigation import DESK, OWN, Navigation, alone
from portal.signing_in_first import page_before
from sms import notices
from sms.compose.approval import queries
from sms.models import Service
from sms.values import time_zones


def viewer(request: HttpRequest) -> dict[str, Any]:
    """Template context; one query for the switcher, one for unread notices, one for approvers, none for visitors."""
    user = getattr(request, "user", None)
    signing_in = {"passkeys_possible": passkeys.are_possible(), "few_codes": factors.FEW_CODES}
    signing_in["has_sso"] = bool(settings.OIDC_ISSUER)
    if user is None or not user.is_authenticated:
        return {"zone": timezone.get_current_timezone_name(), "frame": "base_plain.html", **signing_in}
    service = getattr(request, "service", None)
    may: frozenset[str] = getattr(request, "may", frozenset())
    mine = services_of(user)  # asked once, for the switcher and for whose navigation it is
    return {
        **signing_in,
        "frame": "base.html",  # of pages that say what was refused
        "came_from": SimpleLazyObject(partial(page_before, request)),
        "service": service,
        "services": mine,
        "navigation": SimpleLazyObject(partial(_navigation, request, mine)),
        "own_place": request.path.startswith("/accounts/"),
        "own_pages": SimpleLazyObject(partial(alone, OWN, request.path)),
        "desk_pages": SimpleLazyObject(partial(alone, DESK, request.path)),
        "may": may,
        "to_answer": queries.waiting_for(service, user) if service and "approve" in may else 0,
        "unread": SimpleLazyObject(partial(notices.unread, user)),
        "factor": getattr(request, "factor_demand", None),
        "zone": timezone.get_current_timezone_name(),
        "unknown_zone": _unknown(user.time_zone or (service.time_zone if service else "")),
    }


def _navigation(request: HttpRequest, mine: "QuerySet[Service]") -> Navigation:
    """Of the page's service; on a page of no service, of the viewer's only one."""
    user = cast("User", request.user)
    service: Service | None = getattr(request, "service", None)
    if service is not None:
        held: frozenset[str] = request.may  # type: ignore[attr-defined]
        return Navigation(service, held, request.path, getattr(request, "place", ""))
    match = request.resolver_match
    slug = (
        match.kwargs.get("service") if match else None
    )  # of an address that was refused before its service was found
    only = list(mine.filter(slug=slug) if slug else mine)
    if len(only) != 1:
        return Navigation(None, frozenset(), request.path)
    return Navigation(only[0], acts_of(user, only[0]), request.path)


def _unknown(zone: str) -> str:
    return zone if zone and not time_zones.here(zone) else ""
