"""Recovery codes are used once, also by two at once; and whatever a stranger posts as a passkey is one refusal."""

import json
import threading
from base64 import urlsafe_b64encode

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client

from portal.models import User
from sms.models import AuditEvent
from tests.support.factors import PASSWORD, reauthenticated, with_app
from tests.support.pages import text_of
from tests.support.people import a_cast

SIGN_IN, CODE = "/accounts/login/", "/accounts/2fa/authenticate/"
PASSKEY = "/accounts/2fa/passkeys/login/"


def with_password(email: str = "ada@example.test") -> Client:
    """At the second step."""
    client = Client()
    answer = client.post(SIGN_IN, {"login": email, "password": PASSWORD})
    assert answer.headers["Location"] == CODE
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada@example.test", PASSWORD)


def test_a_recovery_code_opens_once(ada):
    first, second = with_app(ada)[:2]
    client = with_password()
    client.post(CODE, {"code": first})
    assert is_in(client)
    again = with_password()
    page = again.post(CODE, {"code": first})
    assert not is_in(again)
    assert "wrong, or it was used already" in text_of(page)
    again.post(CODE, {"code": second})
    assert is_in(again)


def test_few_codes_are_said(ada):
    codes = with_app(ada)
    for code in codes[:6]:
        client = with_password()
        client.post(CODE, {"code": code})
    assert "Few are left" not in text_of(client.get("/accounts/2fa/"))
    client = with_password()
    client.post(CODE, {"code": codes[6]})
    said = text_of(client.get("/accounts/2fa/"))
    assert "3 codes are left" in said
    assert "Few are left" in said


def test_new_codes_end_the_old_ones_and_are_audited(ada, django_capture_on_commit_callbacks):
    codes = with_app(ada)
    client = with_password()
    client.post(CODE, {"code": codes[0]})
    reauthenticated(client)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/accounts/2fa/recovery-codes/generate/").status_code == 302
    assert "Recovery codes" in text_of(client.get("/accounts/2fa/recovery-codes/"))
    other = with_password()
    other.post(CODE, {"code": codes[1]})
    assert not is_in(other)
    assert AuditEvent.objects.filter(act="user.recovery_codes_made").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_use_one_code_at_once_get_in_once():
    ada = User.objects.create_user("ada@example.test", PASSWORD)
    code = with_app(ada)[0]
    clients = [with_password() for _ in range(4)]
    ready = threading.Barrier(len(clients))

    def use(client: Client) -> None:
        ready.wait()
        client.post(CODE, {"code": code})
        connection.close()

    threads = [threading.Thread(target=use, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [is_in(client) for client in clients].count(True) == 1
    assert Authenticator.objects.get(type="recovery_codes").data["used_mask"] == 1


def _text(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


HANDLES = [None, "", "!", "A", 7, [], {}, "x" * 5000, urlsafe_b64encode(b"z" * 60).decode(), _text(1)]
ODD = [
    *("", "null", "[]", "{}", "7", '"text"', "{", '{"response": null}', '{"response": []}'),
    '{"response": {"clientDataJSON": null}}',
    json.dumps({"id": "x", "response": {"clientDataJSON": _text({"origin": "http://127.0.0.1:8000"})}}),
    *(
        json.dumps(
            {
                "id": "AAAA",
                "rawId": "AAAA",
                "type": "public-key",
                "response": {
                    "clientDataJSON": _text(
                        {"type": "webauthn.get", "challenge": "AA", "origin": "http://127.0.0.1:8000"}
                    ),
                    "authenticatorData": "A" * 50,
                    "signature": "AAAA",
                    "userHandle": handle,
                },
                "clientExtensionResults": {},
            }
        )
        for handle in HANDLES
    ),
]


@pytest.mark.parametrize("given", ODD, ids=range(len(ODD)))
def test_what_is_no_passkey_is_refused_at_every_way_in(ada, given):
    with_app(ada)
    visitor = Client()
    visitor.get(PASSKEY, headers={"accept": "application/json"})
    assert visitor.post(PASSKEY, {"credential": given}).status_code == 302
    assert not is_in(visitor)
    second = with_password()
    assert second.post(CODE, {"credential": given}).status_code == 200
    assert not is_in(second)
    signed_in = Client()
    signed_in.force_login(ada)
    assert signed_in.post("/accounts/2fa/passkeys/reauthenticate/", {"credential": given}).status_code == 302
    reauthenticated(signed_in)
    signed_in.get("/accounts/2fa/passkeys/add/")
    assert signed_in.post("/accounts/2fa/passkeys/add/", {"credential": given, "name": "x"}).status_code < 400
    assert not Authenticator.objects.filter(type="webauthn").exists()


@pytest.mark.django_db
def test_nobody_touches_the_passkey_of_another():
    cast = a_cast(waiting=True)
    theirs = Authenticator.objects.create(user=cast.users["approver"], type="webauthn", data={"name": "Key"})
    client = reauthenticated(cast["composer"])
    for act in ("remove", "edit"):
        url = f"/accounts/2fa/passkeys/{theirs.pk}/{act}/"
        assert client.get(url).status_code == 404
        assert client.post(url, {"name": "mine"}).status_code == 404
    assert Authenticator.objects.get(pk=theirs.pk).data == {"name": "Key"}
