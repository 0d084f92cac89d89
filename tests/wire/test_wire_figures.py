"""Addresses, tokens and waits at their edges, without a network."""

import base64
import datetime as dt
import json

import httpx
import pytest

from sms.webex.auth import Jwt, ServiceKey
from sms.webex.client import LONGEST_LIST, LONGEST_REPLY, Client, exchange
from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled, Unconfirmed
from sms.webex.origin import SecretElsewhere, must_match, origin_of
from sms.webex.replies import parse_reply, retry_after
from sms.webex.transport import Deadline

HTTPS = "https://api.example.test"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example.test/x?y", "https://api.example.test"),
        ("https://api.example.test:443", "https://api.example.test"),
        ("http://api.example.test:80/", "http://api.example.test"),
        ("http://api.example.test:443", "http://api.example.test:443"),
        ("https://api.example.test:80", "https://api.example.test:80"),
        ("https://user:x@api.example.test:8443", "https://api.example.test:8443"),
        ("http://[::1]:8001/x", "http://[::1]:8001"),
        ("http://[::1]", "http://[::1]"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("ftp://api.example.test", ""),
        ("https://", ""),
        ("https://api.example.test:99999", ""),
        ("nonsense", ""),
    ],
)
def test_the_origin_of_an_address(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("kept", "url", "said"),
    [
        (HTTPS, f"{HTTPS}:443/path", None),
        (HTTPS, "http://api.example.test", "http://api.example.test"),
        (HTTPS, "https://other.example.test/x", "https://other.example.test"),
        (HTTPS, "nonsense", "nonsense"),
        ("", HTTPS, HTTPS),
    ],
)
def test_a_secret_goes_nowhere_else(kept, url, said):
    if said is None:
        must_match(kept, url)
        Client(url, ServiceKey("k", origin=kept))
        return
    with pytest.raises(SecretElsewhere) as refused:
        must_match(kept, url)
    assert str(refused.value) == (
        f"The stored secret was typed for {kept or 'no address'}, and the address is {said} now. Type it again."
    )


def test_a_token_lasts_fifty_minutes_by_a_clock_that_goes_forward():
    jwt = Jwt("S", base64.b64encode(b"secret").decode())

    def issued(now: float) -> int:
        payload = jwt.headers(now)["Authorization"].removeprefix("Bearer ").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert claims["iss"] == "S" and set(claims) == {"iss", "iat"}
        return claims["iat"]

    assert issued(1000.9) == 1000
    assert issued(1000.0) == 1000
    assert issued(3999.9) == 1000
    assert issued(4000.0) == 4000
    assert issued(3999.0) == 3999, "a clock that went back"
    jwt.forget()
    assert issued(4001.5) == 4001


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", 0.0),
        ("-1", 0.0),
        ("1.5", 1.5),
        ("900", 900.0),
        ("901", 900.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("1" + " " * 63 + "0", None),
        ("Tue, 02 Mar 2027 09:00:10 GMT", 10.0),
        ("Tue, 02 Mar 2027 08:59:50 GMT", 0.0),
        ("Tue, 02 Mar 2027 10:00:10 GMT", 900.0),
        ("Tue, 02 Mar 2027 09:00:10", 10.0),
    ],
)
def test_a_wait(value, wait):
    now = dt.datetime(2027, 3, 2, 9, tzinfo=dt.UTC)
    assert retry_after({"RETRY-after": value}, now=now) == wait
    assert retry_after({"Retry-Afters": "5"}, now=now) is None
    assert retry_after({"Retry-After": "50"}, most=20.0, now=now) == 20.0


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (199, Unconfirmed, "http_199"),
        (200, Unconfirmed, "unreadable"),
        (299, Unconfirmed, "unreadable"),
        (300, RequestRefused, "redirect"),
        (399, RequestRefused, "redirect"),
        (400, RequestRefused, "http_400"),
        (401, ServicePaused, "http_401"),
        (402, RequestRefused, "http_402"),
        (403, ServicePaused, "http_403"),
        (404, ServicePaused, "http_404"),
        (405, ServicePaused, "http_405"),
        (406, RequestRefused, "http_406"),
        (408, Unconfirmed, "http_408"),
        (428, RequestRefused, "http_428"),
        (429, Throttled, "http_429"),
        (430, RequestRefused, "http_430"),
        (499, RequestRefused, "http_499"),
        (500, Unconfirmed, "http_500"),
        (600, Unconfirmed, "http_600"),
        (0, Unconfirmed, "http_0"),
    ],
)
def test_a_status_without_a_body(status, kind, code):
    with pytest.raises(ProviderError) as caught:
        parse_reply(status, {"retry-after": "7"}, b"")
    assert (type(caught.value), caught.value.code, caught.value.status) == (kind, code, status)
    if kind is Throttled:
        assert caught.value.retry_after == 7.0


@pytest.mark.parametrize(
    ("body", "kind", "code", "detail"),
    [
        (
            {"code": "7004", "message": "Invalid parameter - x"},
            RequestRefused,
            "7004",
            "Invalid parameter - x",
        ),
        ({"code": 7004, "description": "d"}, RequestRefused, "7004", "d"),
        ({"code": "7004", "message": "m" * 201}, RequestRefused, "7004", "m" * 200),
        ({"code": "7004", "message": " a\x01b\n "}, RequestRefused, "7004", "a b"),
        ([{"code": "7020"}], Throttled, "7020", ""),
        ({"errors": [{"code": "7001", "message": "m"}]}, ServicePaused, "7001", "m"),
        ({"code": "1234567890"}, RequestRefused, "1234567890", ""),
        ({"code": "12345678901"}, RequestRefused, "http_400", ""),
        ([], RequestRefused, "http_400", ""),
        ("x", RequestRefused, "http_400", ""),
    ],
)
def test_what_a_refusal_says(body, kind, code, detail):
    with pytest.raises(ProviderError) as caught:
        parse_reply(400, {}, json.dumps(body).encode())
    assert (type(caught.value), caught.value.code, caught.value.detail) == (kind, code, detail)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"messageId": "a"}, ("a",)),
        ({"messageId": "a", "status": "QUEUED"}, ("a",)),
        ([{"messageId": "a"}, {"messageId": "b"}], ("a", "b")),
        ({"messages": [{"messageId": "a"}, {"messageId": "b"}]}, ("a", "b")),
        ({"messageId": "a", "links": [1]}, ("a",)),
        ([{"messageId": "a"}, {"status": "queued"}], "unreadable"),
        ([{"messageId": "a"}, "x", {}], ("a",)),
        ({"status": "queued"}, "unreadable"),
        ({"messageId": "a", "status": "rejected"}, "rejected"),
        ([{"messageId": "a", "status": "rejected"}, {"messageId": "b", "status": "queued"}], "partial"),
        ({"messageId": "a", "status": "held"}, "odd_status"),
        ({}, "unreadable"),
    ],
)
def test_what_an_acceptance_says(body, outcome):
    raw = json.dumps(body).encode()
    if isinstance(outcome, tuple):
        found = parse_reply(202, {}, raw)
        assert (found.provider_ids, found.provider_id) == (outcome, outcome[0])
        return
    with pytest.raises(RequestRefused if outcome == "rejected" else Unconfirmed) as caught:
        parse_reply(202, {}, raw)
    assert (caught.value.code, caught.value.status) == (outcome, 202)


# --- another API of the provider ----------------------------------------------------------------------------------------
def asked(answer, *, kept_for: str = HTTPS, path: str = "/v1/groups"):
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    made = exchange(
        f"{HTTPS}/", "token", "PUT", path, b"[]", kept_for=kept_for, transport=httpx.MockTransport(handle)
    )
    return made, seen[0]


def test_a_request_to_another_api_carries_the_bearer_and_comes_back_as_it_came():
    found, request = asked(httpx.Response(404, content=b"gone"))
    assert (found.status, found.body) == (404, b"gone")
    assert (request.method, str(request.url), request.content) == ("PUT", f"{HTTPS}/v1/groups", b"[]")
    assert request.headers["Authorization"] == "Bearer token"
    assert request.headers["Accept-Encoding"] == "identity"
    with pytest.raises(SecretElsewhere):
        asked(httpx.Response(200), kept_for="https://other.example.test")


@pytest.mark.parametrize(
    ("problem", "kind", "code"),
    [
        (httpx.ConnectError("x"), NotSent, "connect"),
        (httpx.ConnectTimeout("x"), NotSent, "connect"),
        (httpx.ReadError("x"), Unconfirmed, "cut_off"),
        (httpx.ReadTimeout("x"), Unconfirmed, "cut_off"),
    ],
)
def test_a_broken_exchange_with_another_api(problem, kind, code):
    with pytest.raises(ProviderError) as caught:
        asked(problem)
    assert (type(caught.value), caught.value.code, caught.value.status) == (kind, code, 0)
    assert caught.value.detail == type(problem).__name__


@pytest.mark.parametrize(("size", "fits"), [(LONGEST_LIST, True), (LONGEST_LIST + 1, False)])
def test_a_list_is_read_up_to_a_megabyte(size, fits):
    reply = httpx.Response(200, stream=httpx.ByteStream(b"x" * size))
    if fits:
        assert len(asked(reply)[0].body) == size
        return
    with pytest.raises(Unconfirmed) as caught:
        asked(reply)
    assert (caught.value.code, caught.value.status) == ("too_large", 200)


@pytest.mark.parametrize(("size", "code"), [(LONGEST_REPLY, "unreadable"), (LONGEST_REPLY + 1, "too_large")])
def test_an_acceptance_is_read_up_to_its_limit(size, code):
    answer = httpx.MockTransport(lambda _: httpx.Response(201, stream=httpx.ByteStream(b"x" * size)))
    with pytest.raises(Unconfirmed) as caught:
        Client(HTTPS, ServiceKey("k"), transport=answer).post(b"{}")
    assert (caught.value.code, caught.value.status) == (code, 201)


@pytest.mark.parametrize(
    ("problem", "kind", "code"),
    [
        (httpx.ConnectError("x"), NotSent, "connect"),
        (httpx.ConnectTimeout("x"), NotSent, "connect"),
        (httpx.PoolTimeout("x"), NotSent, "connect"),
        (httpx.WriteTimeout("x"), Unconfirmed, "timeout"),
        (httpx.ReadTimeout("x"), Unconfirmed, "timeout"),
        (httpx.ReadError("x"), Unconfirmed, "cut_off"),
        (httpx.RemoteProtocolError("x"), Unconfirmed, "cut_off"),
    ],
)
def test_a_broken_post(problem, kind, code):
    def handle(_):
        raise problem

    client = Client(HTTPS, ServiceKey("k"), transport=httpx.MockTransport(handle))
    for _ in range(2):  # and it works on
        with pytest.raises(ProviderError) as caught:
            client.post(b"{}")
        assert (type(caught.value), caught.value.code, caught.value.status) == (kind, code, 0)
        assert caught.value.detail == type(problem).__name__


def test_only_a_401_makes_a_client_forget_its_token():
    jwt = Jwt("S", base64.b64encode(b"secret").decode())
    for status, kept in ((403, True), (404, True), (401, False)):
        client = Client(
            HTTPS, jwt, transport=httpx.MockTransport(lambda _, status=status: httpx.Response(status))
        )
        with pytest.raises(ServicePaused):
            client.post(b"{}")
        assert bool(jwt._header) == kept


def test_a_deadline_is_over_at_its_moment(monkeypatch):
    from types import SimpleNamespace

    from sms.webex import transport

    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: clock.now))
    deadline = Deadline()
    assert deadline.left(httpx.ReadTimeout) == float("inf")
    deadline.touched = True
    deadline.start(2.0)
    assert (deadline.touched, deadline.left(httpx.ReadTimeout)) == (False, 2.0)
    clock.now += 1.5
    assert deadline.left(httpx.ReadTimeout) == 0.5
    clock.now += 0.5
    with pytest.raises(httpx.ReadTimeout, match="total deadline passed"):
        deadline.left(httpx.ReadTimeout)
