"""The way to the organisation's sign-in and back. Each failure is a page with the way out (`portal.sso.refusals`)."""

from typing import Any

import requests
from allauth.account.utils import get_next_redirect_url
from allauth.core.ratelimit import consume_or_429
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from portal.sso.issuer import Issuer, ReturnFromIssuer
from portal.sso.refusals import SsoRefused, of_answer, page

# what reading an answer can raise that is not in its form: allauth takes the issuer's JSON as it comes
MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponseBase:
    """A page that leads on by itself: a form's answer may not lead to another site (CSP form-action), and stays a page of ours."""
    if not settings.OIDC_ISSUER:
        raise Http404
    if request.method != "POST":  # an address that was kept; a link alone signs nobody in
        return redirect("account_login")
    if limited := consume_or_429(request, action="single_sign_on"):
        return limited
    try:
        provider: Any = Issuer(request).get_provider()
        to = provider.leave(request, next_url=get_next_redirect_url(request))
    except SsoRefused as refused:
        return page(request, refused)
    except (requests.RequestException, OAuth2Error, *MALFORMED) as problem:
        return page(request, of_answer(None, _as_away(problem)))
    return render(request, "account/sso_leaving.html", {"to": to})


@login_not_required
@require_GET
def callback(request: HttpRequest) -> HttpResponseBase:
    if not settings.OIDC_ISSUER:
        raise Http404
    try:
        answer: HttpResponse = ReturnFromIssuer.adapter_view(Issuer(request))(request)
    except SsoRefused as refused:
        return page(request, refused)
    except (requests.RequestException, OAuth2Error, *MALFORMED) as problem:
        return page(request, of_answer(None, _as_away(problem)))
    return answer


def _as_away(problem: Exception) -> Exception:
    """An answer that is no description of an issuer, or no JSON at all, is as good as none."""
    expected = isinstance(problem, requests.RequestException | OAuth2Error)
    return problem if expected else requests.RequestException(type(problem).__name__)
