"""Middleware: who is not signed in signs in first, and comes back to a page that opens.

What a script of a page asks for, a part of it or a save, is answered with 401: the page stays as it is, says so, and keeps what was typed
(`static/js/session.js`). A press is led back to the page on which it was made, because its own address opens to presses alone. Who was
signed in until now reads on the sign-in page that they were signed out, and where they come back to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from portal.session_ends import POLLED

ENDED = "ended"  # of the sign-in page's address: a session has


class SigningInFirst(LoginRequiredMiddleware):
    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if request.headers.get("HX-Request") or request.headers.get("Sec-Fetch-Dest") == "empty":
            return HttpResponse(_("You were signed out."), status=401, content_type="text/plain")
        match = request.resolver_match
        is_part = match is not None and match.view_name in POLLED
        is_page = request.method in {"GET", "HEAD"} and getattr(view_func, "opens", True) and not is_part
        back = request.get_full_path() if is_page else page_before(request)
        return sign_in_first(request, back)


def sign_in_first(request: HttpRequest, back: str) -> HttpResponse:
    ended = f"?{ENDED}=1" if session_ended(request) or _came_from_inside(request) else ""
    return redirect_to_login(back, f"{resolve_url(settings.LOGIN_URL)}{ended}")


def session_ended(request: HttpRequest) -> bool:
    """Whether the cookie of a request opens no session any more."""
    session: Any = request.session
    return bool(request.COOKIES.get(settings.SESSION_COOKIE_NAME)) and (
        session.is_empty() or SESSION_KEY in session
    )


def _came_from_inside(request: HttpRequest) -> bool:
    """From a page that opens to people alone, whose cookie is gone meanwhile."""
    before = _before(request)
    return before is not None and getattr(before.match.func, "login_required", True)


def page_before(request: HttpRequest) -> str:
    """The address of the page that a request was made from; where that does not open by itself, of the start."""
    before = _before(request)
    if before is None:
        return "/"
    found = before.match
    if (
        not getattr(found.func, "opens", True) or found.view_name in POLLED
    ):  # of a press that was refused, or a part
        return resolve_url("home", service=found.kwargs["service"]) if "service" in found.kwargs else "/"
    return before.address


@dataclass(frozen=True, slots=True)
class PageBefore:
    address: str
    match: ResolverMatch


def _before(request: HttpRequest) -> PageBefore | None:
    before = request.headers.get("Referer", "")
    allowed = {request.get_host()}
    if not url_has_allowed_host_and_scheme(before, allowed, require_https=request.is_secure()):
        return None
    parts = urlsplit(before)
    try:
        match = resolve(parts.path)
    except Resolver404:
        return None
    return PageBefore(f"{parts.path}?{parts.query}" if parts.query else parts.path, match)
