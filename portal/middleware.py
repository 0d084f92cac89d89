"""The caller's address, response headers of every page, the time zone that a page is shown in, and the page of a wrong method."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.utils import timezone

from portal.access import services_of
from sms.api.authentication import address_of
from sms.guard import watching
from sms.values import time_zones

GetResponse = Callable[[HttpRequest], HttpResponse]


class CallersAddress:
    """Behind our own proxy the caller is the last address that the proxy noted: the audit and the limit on sign-ins go by it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META["REMOTE_ADDR"] = address_of(request)
        return self.get_response(request)


class WatchedGuards:
    """What guards approval is not made weaker by a request without being held back (`sms.guard`)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with watching():
            return self.get_response(request)


class SecurityHeaders:
    """Content-Security-Policy from `SECURE_CSP` (Django 6's name; this class goes when we are there), and no-store for people's pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        rules = settings.SECURE_CSP.items()
        self.policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in rules)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            # some pages show a key, a secret or a whole number, once
            response.headers.setdefault("Cache-Control", "no-store")
        ended = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if ended is not None and ended["max-age"] == 0:
            # what the person saw leaves the browser with the session, what its back button keeps included
            response.headers["Clear-Site-Data"] = '"cache"'
        return response


class ViewersZone:
    """Show times in the viewer's own zone; pages of a service fall back to the service's (see `portal.access`),
    those of the own account and the admin to that of all services that the viewer sees, where it is one."""

    OF_NO_SERVICE = ("/accounts/", "/admin/")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        name = getattr(user, "time_zone", "")
        if (
            user is not None
            and user.is_authenticated
            and not name
            and request.path.startswith(self.OF_NO_SERVICE)
        ):
            zones = list(services_of(user).order_by().values_list("time_zone", flat=True).distinct()[:2])
            name = zones[0] if len(zones) == 1 else ""
        if not name:
            return self.get_response(request)
        with timezone.override(zoneinfo.ZoneInfo(time_zones.or_utc(name))):
            return self.get_response(request)


class NotAllowedPages:
    """A person who opens the address of a button gets a page that says so, not an empty one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if isinstance(response, HttpResponseNotAllowed) and user is not None and user.is_authenticated:
            response.content = render_to_string("405.html", request=request)
        return response
