"""Who is let in: keys, tokens and addresses."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from tests.sandbox.running import Clock, order, sandbox

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SERVICE = {"service_id": "SVC-TEST-0001", "service_secret": SECRET}
ISSUED = 1767225600
VECTOR = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJTVkMtVEVTVC0wMDAxIiwiaWF0IjoxNzY3MjI1NjAwfQ."
    "8AcMRRbOzRGLRydKiQgERImXhgXk0K0ardqugjQIy-M"
)


def part(value: object) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def bearer(
    claims: object, head: object = None, secret: str = SECRET, digest: str = "sha256"
) -> dict[str, str]:
    body = part(head or {"alg": "HS256", "typ": "JWT"}) + b"." + part(claims)
    signature = hmac.new(base64.b64decode(secret), body, getattr(hashlib, digest)).digest()
    return {"Authorization": f"Bearer {(body + b'.' + part(signature)).decode()}"}


@pytest.mark.parametrize(("after", "status"), [(0, 201), (3600, 201), (3601, 401), (-60, 201), (-61, 401)])
def test_the_reference_token_is_good_for_an_hour(after: int, status: int):
    with sandbox(clock=Clock(ISSUED + after), **SERVICE) as running:
        answer = running.post(order(), {"Authorization": f"Bearer {VECTOR}"})
    assert (answer.status, answer.body == b"") == (status, status == 401)


NOW = int(time.time())
GOOD = {"iss": "SVC-TEST-0001", "iat": NOW}


@pytest.mark.parametrize(
    "headers",
    [
        bearer(GOOD | {"iss": "another"}),
        bearer({"iat": NOW}),
        bearer({"iss": "SVC-TEST-0001"}),
        bearer(GOOD | {"iat": str(NOW)}),
        bearer(GOOD | {"iat": NOW + 0.5}),
        bearer(GOOD | {"iat": True}),
        bearer(GOOD | {"exp": NOW - 1}),
        bearer(GOOD | {"exp": NOW}),
        bearer(GOOD | {"exp": "soon"}),
        bearer(GOOD, {"alg": "none"}),
        bearer(GOOD, {"alg": "HS512"}, digest="sha512"),
        bearer(GOOD, {"alg": "HS512"}),
        bearer(GOOD, {"typ": "JWT"}),
        bearer(GOOD, secret=base64.b64encode(b"another").decode()),
        bearer([1, 2]),
        bearer(GOOD, {"alg": "HS256", "crit": ["x"], "x": 1}),
        {"Authorization": bearer(GOOD)["Authorization"] + "~"},  # Python's base64 would skip it
        {"Authorization": bearer(GOOD)["Authorization"] + "="},
        {"Authorization": bearer(GOOD)["Authorization"].removeprefix("Bearer ")},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Basic " + bearer(GOOD)["Authorization"].removeprefix("Bearer ")},
        {"Authorization": bearer(GOOD)["Authorization"][:-2]},
    ],
)
def test_any_other_token_is_401_without_body_even_beside_a_good_key(headers: dict[str, str]):
    with sandbox(clock=Clock(NOW), key="right", **SERVICE) as running:
        answer = running.post(order(), headers | {"key": "right"})
        assert (answer.status, answer.body) == (401, b"")
        assert running.log() == []


def test_a_good_token_needs_no_key_and_makes_a_wrong_one_harmless():
    with sandbox(clock=Clock(NOW), key="right", **SERVICE) as running:
        assert running.post(order(), bearer(GOOD)).status == 201
        assert running.post(order(), bearer(GOOD) | {"key": "wrong"}).status == 201
        assert running.post(order(), bearer(GOOD | {"exp": NOW + 3000})).status == 201


def test_no_token_is_good_where_there_is_no_secret():
    with sandbox() as running:
        assert running.post(order(), bearer(GOOD) | {"key": "any"}).status == 401


@pytest.mark.parametrize(
    ("key", "status"), [("right", 201), ("Right", 401), ("right ", 201), ("", 401), (None, 401)]
)
def test_only_the_key_that_was_given_is_good(key: str | None, status: int):
    # HTTP itself takes the space around a header's value away
    with sandbox(key="right") as running:
        answer = running.post(order(), {} if key is None else {"key": key})
    assert (answer.status, answer.body == b"") == (status, status == 401)


def test_without_a_key_of_its_own_any_is_good_but_none_is_not():
    with sandbox() as running:
        assert running.post(order(), {"key": "whatever"}).status == 201
        assert running.post(order(), {"key": ""}).status == 401


def test_credentials_are_looked_at_before_the_body():
    with sandbox(key="right") as running:
        assert running.post("not JSON", {"key": "wrong"}).status == 401
        assert running.post("not JSON", {"key": "right"}).code == "7000"


def test_callers_outside_the_allow_list_are_refused_before_their_key_is_looked_at():
    with sandbox(key="right", allow_ip=["192.0.2.0/24", "198.51.100.7"]) as running:
        answer = running.post(order(), {"key": "wrong"})
        assert (answer.status, answer.code) == (400, "7127")
    with sandbox(allow_ip=["192.0.2.0/24", "127.0.0.0/8"]) as running:
        assert running.send().status == 201
