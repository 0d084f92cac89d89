"""The OIDC_* variables, read by `portal.settings`, and what allauth is told of them."""

import hashlib
import ipaddress
from typing import Any
from urllib.parse import urlsplit

from portal.env import WrongVariable


def on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked(issuer: str, client_id: str, client_secret: str, *, debug: bool) -> None:
    """Raises WrongVariable. The three stand together, and nothing secret goes over plain http but to this very machine."""
    given = {"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": client_id, "OIDC_CLIENT_SECRET": client_secret}
    missing = [name for name, value in given.items() if not value]
    if missing and len(missing) < len(given):
        there = next(name for name, value in given.items() if value)
        raise WrongVariable(
            f"{there} is set, and {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not. Single sign-on needs all three; "
            "leave all of them empty where there is none."
        )
    if not issuer:
        return
    if urlsplit(issuer).query or urlsplit(issuer).fragment or "/.well-known/" in issuer:
        says = "it should be the issuer alone, without /.well-known/…, ? or #."
        raise WrongVariable(f"OIDC_ISSUER is {issuer!r}; {says}")
    if not issuer.startswith("https://") and not debug and not on_loopback(issuer):
        raise WrongVariable(
            f"OIDC_ISSUER is {issuer!r}; it should begin with https://. Plain http is for an issuer on this very machine (or DEBUG)."
        )


def provider_id(issuer: str) -> str:
    """People are bound to an issuer and a subject. Another issuer is another provider, or its subjects would be people of this one."""
    return f"oidc-{hashlib.sha256(issuer.encode()).hexdigest()[:24]}"


def providers(issuer: str, client_id: str, client_secret: str) -> dict[str, Any]:
    """SOCIALACCOUNT_PROVIDERS."""
    app = {
        "provider_id": provider_id(issuer),
        "name": "Single sign-on",
        "client_id": client_id,
        "secret": client_secret,
        "settings": {"server_url": issuer},
    }
    return {
        "openid_connect": {
            "provider_class": "portal.sso.issuer.IssuerProvider",
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [app] if issuer else [],
        }
    }
