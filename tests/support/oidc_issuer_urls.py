"""The addresses of the issuer in `tests.support.oidc_issuer`, and what it claims of people. Loaded by its process alone."""

import json
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider.oauth2_validators import OAuth2Validator


class Claims(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self, request):
        known = json.loads(settings.PEOPLE_FILE.read_text())
        return known.get(request.user.username, {})

    def get_id_token_dictionary(self, token, token_handler, request):
        claims, expires = super().get_id_token_dictionary(token, token_handler, request)
        skew = claims.pop("_skew", 0)
        if skew:
            claims["exp"] += skew
            claims["iat"] = claims["exp"] - 3600
        return claims | claims.pop("_token", {}), expires + timedelta(seconds=skew)


urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("sign-in/", LoginView.as_view()),
]
