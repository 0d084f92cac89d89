"""Middleware: whoever has to have a second factor and has none is told so on every page, and after the days of grace sees only its set-up.

It asks as Django's own LoginRequiredMiddleware does: what opens without signing in (programs' addresses, receipts, static files, health
checks, signing in and out) is never held up, because nobody's session counts there.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from portal import factors

SET_UP = "mfa_index"
# what setting one up needs
OPEN = {
    SET_UP,
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "account_reauthenticate",
    "account_logout",
}
# they open for visitors too, and show people their services, and names of their keys
HELD = {"services", "api_docs", "api_docs_page"}


class SecondFactorGate:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        page = match.view_name if match else ""
        if not getattr(view, "login_required", True) and page not in HELD:
            return None
        user: Any = request.user
        if not user.is_authenticated or request.session.get(factors.SEEN_BY_ISSUER):
            return None
        demand = factors.demand_of(user)
        if demand is None or factors.has_one(user):
            return None
        request.factor_demand = demand  # type: ignore[attr-defined]
        if not demand.is_over or page in OPEN:
            return None
        if request.htmx:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(reverse(SET_UP))
        return redirect(SET_UP)
