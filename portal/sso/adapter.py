"""allauth's settings in code for single sign-on: who gets in is decided in `portal.sso.matching`, and what fails is a page of ours."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from portal.sso import matching, refusals


class InvitedOnly(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """allauth has looked for (issuer, subject); whoever is found here is signed in."""
        try:
            user, account = matching.person_of(
                sociallogin.account,
                sociallogin.claims,
                address=str(request.META.get("REMOTE_ADDR") or ""),
            )
        except refusals.SsoRefused as refused:
            raise ImmediateHttpResponse(refusals.page(request, refused)) from None
        sociallogin.user, sociallogin.account = user, account

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        lost = exception is None and "state_id" in (extra_context or {})
        refused = refusals.SsoRefused("state_lost") if lost else refusals.of_answer(error, exception)
        raise ImmediateHttpResponse(refusals.page(request, refused))
