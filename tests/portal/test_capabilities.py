"""What an address alone opens (receipts, incoming messages, an invitation, a new password) is not found in the log."""

import json
import logging
import re

import pytest
import structlog
from django.core import mail
from django.test import Client
from django.urls import path

from portal import addresses, people, secret_routes
from portal.logs import without_keys
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
    found = {name: path for path, name, _ in patterns() if secret_routes.opens_something(path)}
    return {
        name: "/"
        + re.sub(r"<str:token>|\(\?P<uidb36>.*\(\?P<key>[^)]*\)", lambda _, n=name: live[n], path).strip("^$")
        for name, path in found.items()
    }


def test_no_token_of_any_route_is_written_whatever_is_refused(cast, client):
    live = tokens(cast)
    with written_log("console") as log:
        for name, at_first in routes(live).items():
            path = at_first.replace("^", "")
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
        cast["admin"].get("/s/shop/inbound/1/retry/")
        lines = log.getvalue()
    assert "/s/shop/receipts/rotate/" in lines
    assert "/s/shop/inbound/1/retry/" in lines


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


def test_a_new_route_is_cut_the_day_it_is_written(monkeypatch):
    node = type("Node", (), {"url_patterns": [path("things/<slug:kind>/<str:key>/", lambda _: None)]})
    monkeypatch.setattr(secret_routes, "get_resolver", lambda: node)
    secret_routes._compiled.cache_clear()
    try:
        assert (
            without_keys("GET /things/a-kind-of-thing/abcdefghijkl/more") == "GET /things/…/abcdefghijkl/more"
        )
    finally:
        monkeypatch.undo()
        secret_routes._compiled.cache_clear()


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("/services/?q=Ann+Lee&page=2", "/services/?q=…&page=…"),
        ("/accounts/login/?next=/invitations/abcdefghijklmnop/", "/accounts/login/?next=…"),
        ("at /x%2Finvitations%2Fabcdefghijklmnop%2F and on", "at /x%2Finvitations%2F…%2F and on"),
        (
            "Client error '404' for url 'https://hooks.example/T0/B1/secret?x=1'",
            "Client error '404' for url 'https://hooks.example/…'",
        ),
        ("https://desk.example/ is up", "https://desk.example/ is up"),
        ("//receipts//abcdefghijklmnop/", "//receipts//…/"),
    ],
)
def test_what_is_cut_wherever_it_stands(written, left):
    assert without_keys(written) == left


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_traceback_and_the_servers_own_access_log_hold_no_key(cast, style):
    live = tokens(cast)
    with written_log(style) as log:
        logging.getLogger("granian.access").info(
            '%(addr)s "%(path)s?%(query_string)s"',
            {"addr": "x", "path": "/receipts/" + live["receipts"] + "/", "query_string": "code=hunter22"},
        )
        try:
            raise ValueError(
                f"no room for /invitations/{live['invitation']}/ from https://desk.example/x?key=hunter22"
            )
        except ValueError:
            logging.getLogger("django.request").exception("broke")
        structlog.get_logger("sms").info("kept", of={"paths": [f"/inbound/{live['inbound']}/"]})
        lines = log.getvalue()
    assert "/receipts/…" in lines.replace("\\u2026", "…")
    assert "Traceback" in lines
    assert not [one for one in (*live.values(), "hunter22") if one in lines]


def test_the_access_log_is_one_line_for_each_request_with_the_same_cuts(cast, settings):
    settings.ACCESS_LOG = True
    live = tokens(cast)
    with written_log("json") as log:
        client = Client()
        client.force_login(cast.users["admin"])
        client.get("/s/shop/messages/?q=07700900123")
        client.get(f"/invitations/{live['invitation']}/")
        Client().post(f"/receipts/{live['receipts']}/", b"{}", content_type="application/json")
        found = [json.loads(line) for line in log.getvalue().splitlines()]
    lines = [one for one in found if one.get("event") == "request"]
    assert [one["path"] for one in lines] == ["/s/shop/messages/?q=…", "/invitations/…/", "/receipts/…/"]
    assert lines[0]["person"] == cast.users["admin"].pk and lines[0]["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("method", "at"),
    [("get", "/s/shop/settings/"), ("post", "/s/shop/calendar/"), ("get", "/s/shop/messages/?q=%00")],
)
def test_what_is_refused_is_one_line_without_a_traceback(cast, method, at):
    with written_log("json") as log:
        answer = getattr(cast["composer"], method)(at)
    assert 400 <= answer.status_code < 500
    (line,) = [one for one in map(json.loads, log.getvalue().splitlines()) if "person" in one]
    assert line["person"] == (None if "%00" in at else cast.users["composer"].pk), (
        "refused before it is asked who it is"
    )
    assert not [key for key in line if "exc" in key]
