"""The way of a person through single sign-on: the desk by Django's client, the issuer by one that keeps its cookies."""

import html
import re
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.test import Client

from portal.sso import settings as sso
from tests.support import oidc_issuer

LEAVE, BACK = "/accounts/sso/", "/accounts/sso/callback/"


def set_up(settings, issuer: str, *, secret: str = oidc_issuer.SECRET, **more: Any) -> None:
    settings.OIDC_ISSUER = issuer
    settings.SOCIALACCOUNT_PROVIDERS = sso.providers(issuer, oidc_issuer.CLIENT, secret)
    for name, value in more.items():
        setattr(settings, name, value)


def leaves(client: Client, **fields: str) -> str:
    """The address at the issuer."""
    page = client.post(LEAVE, fields)
    assert page.status_code == 200, page.content
    return str(page.context["to"])


def at_the_issuer(to: str, who: str, *, cancel: bool = False) -> str:
    """Signs in there, and returns path and query of the address that leads back."""
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(to)
        signed_in = {"username": who, "password": oidc_issuer.PASSWORD}
        page = browser.post(str(page.url), data=_hidden(page.text) | signed_in)
        fields = _hidden(page.text)
        assert "code_challenge" in fields, page.text
        pressed = {} if cancel else {"allow": "Authorize"}
        answer = browser.post(str(page.url), data=fields | pressed, follow_redirects=False)
    back = urlsplit(answer.headers["location"])
    assert back.path == BACK
    return f"{back.path}?{back.query}"


def _hidden(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in fields}


def signs_in(client: Client, who: str = "ada", **fields: str) -> Any:
    """The desk's answer to who comes back."""
    return client.get(at_the_issuer(leaves(client, **fields), who))


def code_of(answer: Any) -> str:
    """Why nobody was let in."""
    found = re.search(r'data-code="(\w+)"', answer.content.decode())
    return found[1] if found else ""


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session
