"""What an address alone opens (receipts, incoming messages, an invitation, a new password) is not found in the log."""

import re

import pytest
from django.core import mail
from django.test import Client

from portal import addresses, people
from portal.models import User
from tests.support.logs import written_log
from tests.support.people import a_cast
from tests.support.routes import patterns
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
CONSOLE = "django.core.mail.backends.console.EmailBackend"


@pytest.fixture
def cast():
    return a_cast(waiting=True)


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def tokens(cast) -> dict[str, str]:
    """A live one for each route that has one, by the name of the route."""
    invitation = people.invite(cast.service, "new@example.test", ["composer"], by=BY)
    return {
        "receipts": cast.service.receipt_token,
        "inbound": cast.service.receipt_token,
        "invitation": people.token_of(invitation),
        "address_confirm": addresses.ask(cast.users["auditor"], "aud@example.test", by=BY).split("/")[-2],
        "account_reset_password_from_key": reset_key(),
    }


def reset_key() -> str:
    Client().post("/accounts/password/reset/", {"email": "admin@example.test"})
    return re.search(r"/key/([^/]+)/", mail.outbox[-1].body)[1]


def routes(live: dict[str, str]) -> dict[str, str]:
    """The address of each route with a token in it; one that is new here fails until it has a token."""
    found = {
        name: path
        for path, name, _ in patterns()
        if re.search(r"<str:token>|\(\?P<key>", path) and ":" not in name
    }
    return {
        name: "/"
        + re.sub(r"<str:token>|\(\?P<uidb36>.*\(\?P<key>[^)]*\)", lambda _, n=name: live[n], path).strip("^$")
        for name, path in found.items()
    }


def test_no_token_of_any_route_is_written_whatever_is_refused(cast, client):
    live = tokens(cast)
    with written_log("console") as log:
        for name, path in routes(live).items():
            path = path.replace("^", "")
            assert live[name] in path
            for at in (
                path,
                path.rstrip("/"),
                f"/{path}",
                f"{path}more/",
                path.replace("s/", "/", 1),
                path.upper(),
            ):
                for method in ("get", "put", "delete"):
                    getattr(client, method)(at)
            client.post(path, b"x" * 2_000_000, content_type="application/json")
            client.post(path, {"password": "short"})
        lines = log.getvalue()
    assert "Method Not Allowed" in lines
    assert "/receipts/…" in lines
    for token in live.values():
        assert token not in lines
        assert token.upper() not in lines


def test_other_addresses_are_written_whole(cast):
    with written_log("console") as log:
        cast["admin"].get("/s/shop/receipts/rotate/")
        cast["admin"].get("/v2/messages/0b1cc3a4-6c0e-4b6e-9a44-0123456789ab")
        cast["admin"].get("/s/shop/settings/invitations/1/withdraw/")
        lines = log.getvalue()
    assert "/s/shop/receipts/rotate/" in lines
    assert "/s/shop/settings/invitations/1/withdraw/" in lines


def test_without_a_mail_server_no_reset_link_is_made(cast, settings, capsys):
    settings.EMAIL_BACKEND = CONSOLE
    User.objects.filter(email="admin@example.test").update(is_superuser=True)
    page = Client().get("/accounts/password/reset/")
    assert "An admin can set a new password" in " ".join(page.content.decode().split())
    answer = Client().post("/accounts/password/reset/", {"email": "admin@example.test"})
    assert answer.status_code == 200
    written = capsys.readouterr()
    assert "password/reset" not in written.out + written.err


def test_with_a_mail_server_the_link_is_mailed(cast):
    assert Client().post("/accounts/password/reset/", {"email": "admin@example.test"}).status_code == 302
    assert "/accounts/password/reset/key/" in mail.outbox[0].body
