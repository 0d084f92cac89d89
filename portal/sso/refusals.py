"""Why single sign-on let nobody in: a page in plain words and a row in the audit, and nothing of what the issuer sent in either."""

from typing import Any

import jwt
import requests
import structlog
from allauth.socialaccount.internal.statekit import STATES_SESSION_KEY
from allauth.socialaccount.providers.base.constants import AuthError
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop

from portal.models import User
from portal.sso.refusal_words import WORDS
from sms.models import Actor
from sms.models.audit import audit

log = structlog.get_logger(__name__)
CLOCK = (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError, jwt.InvalidIssuedAtError)


class SsoRefused(Exception):
    """`code` is one of WORDS; `user` is who it is about, where that is known."""

    def __init__(self, code: str, *, email: str = "", user: User | None = None) -> None:
        super().__init__(code)
        self.code, self.email, self.user = code, email, user


def page(request: HttpRequest, refused: SsoRefused) -> HttpResponse:
    address = str(request.META.get("REMOTE_ADDR") or "")
    visitor = Actor("visitor", "", gettext_noop("Unknown person"), "page", address[:45])
    by = Actor.person(refused.user, address=address) if refused.user else visitor
    # of a browser that began no sign-in since the last refusal nothing is kept: strangers would fill the audit
    began = request.session.pop(STATES_SESSION_KEY, None) is not None
    if began or refused.user or refused.code != "state_lost":
        details: dict[str, Any] = {"step": "single sign-on", "why": refused.code}
        audit("user.sign_in_refused", refused.user, by=by, noun="user", **details)
    words = WORDS[refused.code]
    context = {
        "title": words.title,
        "says": words.says % {"email": refused.email},
        "again": words.again,
        "code": refused.code,
    }
    return render(request, "account/sso_refused.html", context, status=403)


def of_answer(given: str | None, exception: Exception | None) -> SsoRefused:
    """What an error of the issuer, of the network or of its token means. Only its kind is logged: it may quote a secret."""
    if given == AuthError.CANCELLED:
        return SsoRefused("cancelled")
    if exception is None:
        return SsoRefused("refused")
    log.warning(
        "single_sign_on_failed", error=type(exception).__name__, cause=type(exception.__cause__).__name__
    )
    if isinstance(exception, requests.HTTPError) and exception.response is not None:
        return SsoRefused("wrong_client" if exception.response.status_code in (401, 403) else "away")
    if isinstance(exception, requests.RequestException):
        return SsoRefused("away")
    if isinstance(exception.__cause__, CLOCK):
        return SsoRefused("clock")
    if isinstance(exception.__cause__, jwt.InvalidIssuerError | jwt.InvalidAudienceError):
        return SsoRefused("wrong_issuer")
    if isinstance(exception, OAuth2Error):
        said = str(exception)
        if "invalid_client" in said or "unauthorized_client" in said:
            return SsoRefused("wrong_client")
        if "invalid_grant" in said:
            return SsoRefused("state_lost")
    return SsoRefused("refused")
