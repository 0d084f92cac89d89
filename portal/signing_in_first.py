"""Middleware: who is not signed in signs in first, and comes back to a page that opens.

What a script of a page asks for, a part of it or a save, is answered with 401: the page stays as it is, says so, and keeps what was typed
(`static/js/session.js`). A press is led back to the page on which it was made, because its own address opens to presses alone.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

from portal.session_ends import POLLED


class SigningInFirst(LoginRequiredMiddleware):
    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if request.headers.get("HX-Request") or request.headers.get("Sec-Fetch-Dest") == "empty":
            return HttpResponse("You were signed out.", status=401, content_type="text/plain")
        match = request.resolver_match
        is_part = match is not None and match.view_name in POLLED
        is_page = request.method in {"GET", "HEAD"} and getattr(view_func, "opens", True) and not is_part
        back = request.get_full_path() if is_page else page_before(request)
        login_url: Any = settings.LOGIN_URL
        return redirect_to_login(back, resolve_url(login_url))


def page_before(request: HttpRequest) -> str:
    """The address of the page that a request was made from; where that does not open by itself, of the start."""
    before = request.headers.get("Referer", "")
    allowed = {request.get_host()}
    if not url_has_allowed_host_and_scheme(before, allowed, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(before)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return "/"
    if (
        not getattr(found.func, "opens", True) or found.view_name in POLLED
    ):  # of a press that was refused, or a part
        return resolve_url("home", service=found.kwargs["service"]) if "service" in found.kwargs else "/"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
