"""What signing in is asked beyond allauth's own steps: when a second factor was seen by the issuer, and whose password still counts."""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.stages import AuthenticateStage
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpRequest

from portal import factors
from portal.models import User
from portal.sso.settings import provider_id

STAGE = "portal.sso.signing_in.LocalFactor"


def _seen(sociallogin: Any) -> bool:
    return sociallogin is not None and bool(sociallogin.account.extra_data.get(factors.SEEN_BY_ISSUER))


class LocalFactor(AuthenticateStage):
    """The second factor that is kept here, unless the issuer has just asked for one of its own."""

    def _should_handle(self, request: HttpRequest) -> bool:
        if _seen((self.login.signal_kwargs or {}).get("sociallogin")):
            return False
        return bool(super()._should_handle(request))


def note_factor(*, request: HttpRequest, sociallogin: Any = None, **_: Any) -> None:
    """Receiver of allauth's `user_logged_in`: this session's second factor, for `portal.factor_gate`."""
    request.session[factors.SEEN_BY_ISSUER] = _seen(sociallogin)


def password_is_off(request: HttpRequest, user: User) -> bool:
    """A superuser's password always counts: it opens the desk where the issuer is away."""
    if settings.OIDC_KEEPS_PASSWORD or not settings.OIDC_ISSUER or user.is_superuser:
        return False
    used = get_authentication_records(request, user)
    if not used or used[-1]["method"] != "password":
        return False
    provider = provider_id(settings.OIDC_ISSUER)
    return bool(SocialAccount.objects.filter(user=user, provider=provider).exists())
