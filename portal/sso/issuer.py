"""The issuer, stricter than allauth's own: an answer counts for the one sign-in that asked (nonce), from the issuer that is set up."""

import secrets
from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from portal import factors
from portal.sso.refusals import SsoRefused
from portal.sso.settings import on_loopback, provider_id

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Issuer(OpenIDConnectOAuth2Adapter):
    """Asked anew at each sign-in, so that a change of its keys or addresses counts at once."""

    def __init__(self, request: HttpRequest, provider: str = "") -> None:
        super().__init__(request, provider or provider_id(settings.OIDC_ISSUER))
        self.state: dict[str, Any] = {}

    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_openid_config"):
            config = super().openid_config
            if not isinstance(config, dict) or not all(config.get(name) for name in ENDPOINTS):
                raise requests.RequestException("this is no issuer's description")
            if str(config.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER:
                raise SsoRefused("wrong_issuer")
            for name in (*ENDPOINTS, "userinfo_endpoint"):
                url = str(config.get(name) or "https:")
                if urlsplit(url).scheme != "https" and not settings.DEBUG and not on_loopback(url):
                    raise SsoRefused("wrong_issuer")
        found: dict[str, Any] = self._openid_config
        return found

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Whichever host the request names."""
        return f"{settings.PUBLIC_URL}{reverse('sso_callback')}"

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """With its signature and its times, which allauth does not look at where the token came from the issuer directly."""
        self.did_fetch_access_token = False
        found: dict[str, Any] = super()._decode_id_token(app, id_token)
        return found

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> Any:
        id_token = kwargs["response"].get("id_token")
        if not id_token:
            raise OAuth2Error("no id_token came")
        claims = self._decode_id_token(app, id_token)
        asked = self.state.get("nonce", "")
        if not asked or not secrets.compare_digest(str(claims.get("nonce", "")).encode(), asked.encode()):
            raise SsoRefused("state_lost")
        if (
            isinstance(claims.get("aud"), list)
            and len(claims["aud"]) > 1
            and claims.get("azp") != app.client_id
        ):
            raise SsoRefused("wrong_issuer")
        if self.openid_config.get("userinfo_endpoint"):
            claims = _merged(claims, self._fetch_user_info(token.token))
        login = self.get_provider().sociallogin_from_response(request, claims)
        login.claims = claims
        # what is kept of them; names, addresses and groups are read anew each time
        login.account.extra_data = {factors.SEEN_BY_ISSUER: saw_second_factor(claims)}
        return login


def _merged(claims: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
    """What the id_token says counts before what the userinfo address adds, which must be about the same subject (OIDC Core 5.3.2)."""
    if info.get("sub") != claims["sub"]:
        raise SsoRefused("wrong_issuer")
    if "email" in claims and str(info.get("email", "")).lower() != str(claims["email"]).lower():
        info = {name: value for name, value in info.items() if name not in ("email_verified", "xms_edov")}
    return info | claims


def saw_second_factor(claims: dict[str, Any]) -> bool:
    """Only where the issuer says so: `amr` has `mfa` (RFC 8176), or `acr` is one that the operator named."""
    amr = claims.get("amr")
    named = isinstance(amr, list) and "mfa" in amr
    return named or str(claims.get("acr", "")) in settings.OIDC_ACR_VALUES


class IssuerProvider(OpenIDConnectProvider):
    oauth2_adapter_class = Issuer
    supports_token_authentication = False

    def leave(self, request: HttpRequest, *, next_url: str | None) -> str:
        """The address at the issuer that signs the visitor in; what its answer must fit is in the session."""
        nonce = secrets.token_urlsafe(24)
        config = self.get_oauth2_adapter(request).openid_config
        scope = self.get_scope()
        if settings.OIDC_ROLE_CLAIM in config.get("scopes_supported", ()):
            scope.append(settings.OIDC_ROLE_CLAIM)
        asked = {"nonce": nonce}
        if settings.OIDC_ACR_VALUES:
            asked["acr_values"] = " ".join(settings.OIDC_ACR_VALUES)
        answer: HttpResponse = self.redirect(
            request, process="login", next_url=next_url, scope=scope, auth_params=asked, nonce=nonce
        )
        return answer.headers["Location"]


class ReturnFromIssuer(OAuth2CallbackView):
    """allauth's, which tells its adapter nothing of what the sign-in began with."""

    adapter: Issuer

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, answer = super()._get_state(request, provider)
        self.adapter.state = state or {}
        return state, answer
