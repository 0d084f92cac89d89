"""The JWT of a service at `/v2/messages`: what opens, what does not, and whose limits count."""

import base64
import hmac
import json
import time

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from sms.catalogue import api_keys
from sms.models import ApiKey, AuditEvent, Send, Service
from sms.webex.auth import Jwt
from tests.support.drop_in import body
from tests.support.partners import a_key, a_partner_service
from tests.support.sends import BY

pytestmark = pytest.mark.django_db

ID, SECRET = "SVC-TEST-0001", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
RAW = base64.b64decode(SECRET)
HS256 = {"alg": "HS256", "typ": "JWT"}


def segment(claims: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def token(header: object = HS256, *, key: bytes = RAW, digest: str = "sha256", **claims: object) -> str:
    """`iat` and `exp` are seconds from now where they are whole numbers."""
    given = {"iss": ID, "iat": 0} | claims
    now = int(time.time())
    given |= {name: now + one for name, one in given.items() if name in ("iat", "exp") and type(one) is int}
    signed = f"{segment(header)}.{segment({name: one for name, one in given.items() if one is not ...})}"
    proof = base64.urlsafe_b64encode(hmac.digest(key, signed.encode(), digest)).rstrip(b"=").decode()
    return f"{signed}.{proof}"


def send(bearer: str, **headers: str):
    raw = json.dumps(body()).encode()
    given = {"Authorization": f"Bearer {bearer}"} | headers
    return Client().post("/v2/messages", raw, content_type="application/json", headers=given)


@pytest.fixture
def service():
    return a_partner_service(jwt_service_id=ID, jwt_secret=SECRET)


@pytest.fixture
def key(service) -> ApiKey:
    return api_keys.make(service, name="Old system", scopes=["send", "read"], by=BY, takes_jwt=True)[0]


def test_what_our_own_client_mints_for_webex_connect_opens_and_reads(key):
    bearer = Jwt(ID, SECRET).token(int(time.time()))
    answer = send(bearer)
    assert answer.status_code == 201, answer.content
    path = f"/v2/messages/{answer.json()['messageId']}"
    assert Client().get(path, headers={"Authorization": f"Bearer {bearer}"}).status_code == 200
    assert AuditEvent.objects.get(act="send.created").actor_label == "Old system"
    assert Send.objects.get().partner == "Old system"
    assert (send(f"{bearer}", key="nonsense").status_code, send("x", key="nonsense").status_code) == (
        201,
        401,
    )


WRONG = {
    "none": {"header": {"alg": "none", "typ": "JWT"}},
    "none in capitals": {"header": {"alg": "NONE"}},
    "another algorithm": {"header": {"alg": "HS512"}, "digest": "sha512"},
    "no algorithm": {"header": {"typ": "JWT"}},
    "a header that is a list": {"header": ["HS256"]},
    "an extension that must be understood": {"header": HS256 | {"crit": ["b64"]}},
    "another secret": {"key": b"another"},
    "an empty secret": {"key": b""},
    "the secret before it is decoded": {"key": SECRET.encode()},
    "another service": {"iss": "SVC-TEST-0002"},
    "no service": {"iss": ...},
    "a service that is a number": {"iss": 1},
    "half a character, which no database takes": {"iss": "\ud800"},
    "a NUL, which PostgreSQL does not take": {"iss": "\0"},
    "no iat": {"iat": ...},
    "iat is a text": {"iat": str(int(time.time()))},
    "iat is a flag": {"iat": True},
    "iat is a fraction": {"iat": time.time()},
    "older than an hour": {"iat": -3700},
    "from the future": {"iat": 3600},
    "expired": {"exp": -1},
    "expires before it was made": {"exp": -30},
    "exp is a text": {"exp": "soon"},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_proves_nothing_is_401_without_a_body(key, name):
    answer = send(token(**WRONG[name]))
    assert (answer.status_code, answer.content) == (401, b"")
    assert not Send.objects.exists()


@pytest.mark.parametrize("end", ["", ".", "A", "=", "é"])
def test_a_signature_that_is_cut_off_or_added_to_is_refused(key, end):
    good = token()
    answer = send(good[: good.rindex(".") + 1] if end == "." else good[:-5] + end)
    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize("claims", [{"iat": -3000}, {"iat": 30}, {"exp": 600}, {"more": "x"}])
def test_what_is_still_current_opens(key, claims):
    assert send(token(**claims)).status_code == 201


def test_the_limits_are_those_of_the_key_that_stands_for_it(service, key):
    ApiKey.objects.update(scopes=["read"])
    assert send(token()).status_code == 403
    ApiKey.objects.update(scopes=["send"], networks=["192.0.2.0/24"])
    assert send(token()).json()["code"] == "7127"
    ApiKey.objects.update(networks=[], per_minute=1)
    assert [send(token()).status_code for _ in range(3)][-1] == 429
    ApiKey.objects.update(per_minute=6000)
    api_keys.revoke(key, by=BY)
    assert send(token()).status_code == 401


def test_no_jwt_opens_without_a_key_for_it_nor_anything_but_the_drop_in(service):
    a_key(service)
    assert send(token()).status_code == 401
    api_keys.make(service, name="Old", scopes=["send", "read"], by=BY, takes_jwt=True)
    assert send(token()).status_code == 201
    own = Client().get("/api/v1/sends", headers={"Authorization": f"Bearer {token()}"})
    assert own.status_code == 401
    assert Client().get("/v2/messages/x", headers={"key": token()}).status_code == 401


def test_one_key_of_a_service_stands_for_it_and_needs_its_id_and_secret(service, key):
    with pytest.raises(ValidationError, match="Another key stands for"):
        api_keys.make(service, name="Second", scopes=["send"], by=BY, takes_jwt=True)
    api_keys.revoke(key, by=BY)
    api_keys.make(service, name="Second", scopes=["send"], by=BY, takes_jwt=True)
    other = a_partner_service(slug="other", name="Other")
    with pytest.raises(ValidationError, match="no service ID and secret"):
        api_keys.make(other, name="Third", scopes=["send"], by=BY, takes_jwt=True)
    with pytest.raises(ValidationError, match="reach no phone"):
        api_keys.make(service, name="Fourth", scopes=["send"], by=BY, takes_jwt=True, is_test=True)


def test_a_service_without_a_secret_is_opened_by_nobody(key):
    for stored in ("", "not base64!"):
        service = Service.objects.get()
        service.jwt_secret = stored
        service.save()
        for secret in (b"", RAW, stored.encode()):
            assert send(token(key=secret)).status_code == 401


def test_the_raw_key_in_authorization_is_no_way_in_at_v2(service):
    """The provider documents it for its older Send SMS API alone."""
    answer = send("", Authorization=a_key(service))
    assert (answer.status_code, answer.content) == (401, b"")
