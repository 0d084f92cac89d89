"""Our side of the wire against the other: the real sandbox, which knows nothing of our code, over real sockets.

Its clock stands at the moment for which the golden files are written, so that they are posted as they are.
"""

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from sms.webex.auth import Jwt
from sms.webex.client import Client
from sms.webex.errors import ProviderError, RequestRefused, ServicePaused, Throttled, Unconfirmed
from sms.webex.replies import parse_reply
from tests.sandbox.running import Clock, Running, order, sandbox
from tests.wire import golden
from tests.wire.posting import KEY, message, post, tell
from tests.wire.relay import relay
from tests.wire.requests import GOLDEN, NOW

HUB = "sim-hub-secret-01"
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
TEMPLATE = "7K4QMPLE2R"


@pytest.fixture(scope="module")
def tenant() -> Iterator[Running]:
    """A sandbox that knows what the golden files name. It drops every receipt: the addresses in them are not ours."""
    options = {"template": f"{TEMPLATE}=$(offerName) in $(area)", "fault": "receipt_drop=1"}
    with sandbox(clock=Clock(NOW.timestamp()), **options) as running:
        yield running


# -- requests


@pytest.mark.parametrize("name", golden.names("request"))
def test_golden_request_is_accepted_as_it_is_and_is_what_the_client_sends(tenant, name):
    with relay(tenant.port) as tap:
        accepted = post(tap.url, message(GOLDEN[name]))
        assert tap.bodies() == [golden.body(name)]
    said = golden.value(name)
    lines = tenant.log("message")[-len(said["to"]) :]
    assert accepted.provider_id == lines[0]["messageId"]
    assert accepted.correlation_id == said["to"][0].get("correlationId", "")
    assert accepted.requested_at == NOW
    for line, destination in zip(lines, said["to"], strict=True):
        assert [line["msisdn"]] == destination["msisdn"]
        assert line["from"] == said["from"]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("request_personalised", ["Hi Ada, Leeds opens at 9.", "Hi Grace, York opens at 9."]),
        ("request_template", ["Spring in North"]),
        ("request_unicode", ['Grüße → "Kö\\ln" 🎉\nbis bald']),
    ],
)
def test_golden_request_reads_on_the_phone_as_it_was_meant(tenant, name, texts):
    """Substitutions with their precedence, templates, and every kind of character."""
    assert tenant.post(golden.body(name)).status == 201
    assert [line["text"] for line in tenant.log("message")[-len(texts) :]] == texts


def test_golden_links_are_replaced_by_short_ones_of_the_domain(tenant):
    tenant.post(golden.body("request_links"))
    words, _, path = tenant.last()["text"].rpartition("/")
    assert (words, len(path)) == ("Sale: https://uk.wbxc.io", 6)
    assert tenant.call("HEAD", f"/{path}").headers["location"] == "https://shop.example/spring"
    tenant.post(golden.body("request_smartlinks"))
    assert "{{" not in tenant.last()["text"]


def test_golden_policy_asks_the_group_it_names(tenant):
    named = golden.value("request_policy")
    tenant.post(named)
    assert tenant.last()["outcome"] == "policy-group", "a group that nobody made"
    group = tenant.call(
        "POST",
        "/v1/groups",
        {
            "name": "members",
            "description": "Members",
            "groupDefault": "DENYLIST",
            "senders": [{"channel": "text", "address": "TEXTDESK"}],
        },
        {"Authorization": "Bearer any"},
    ).body.decode()
    named["contactPolicy"]["contactPolicyGroup"] = group
    assert tenant.post(named).status == 201
    assert tenant.last()["outcome"] == "delivered"


def test_message_reads_back_as_it_was_sent(tenant):
    accepted = post(tenant.url, message(GOLDEN["request_links"]))
    said = golden.value("request_links")
    answer = tenant.get(f"/v2/messages/{accepted.provider_id}", {"key": "any"})
    assert answer.status == 200
    back = answer.json
    assert back["messageId"] == accepted.provider_id
    for field in ("channel", "from", "notifyUrl"):
        assert back[field] == said[field]
    assert sorted(back["requestedReceipts"]) == sorted(said["requestedReceipts"])
    assert urllib.parse.unquote_plus(back["content"]["text"]) == tenant.last()["text"]
    assert back["options"]["trackClicks"] is True and back["options"]["domain"] == said["options"]["domain"]


# -- replies


@pytest.mark.parametrize("status", ["200", "201", "202"])
@pytest.mark.parametrize("shape", ["object", "list", "object_with_list"])
@pytest.mark.parametrize("ids", ["suffix", "same", "own"])
def test_acceptance_in_each_shape_is_read(tenant, status, shape, ids):
    defaults = tenant.get("/__sandbox__/settings").json["switches"]
    chosen = {"accepted_as": status, "reply_to_many": shape, "ids_of_many": ids, "reply_time": "offset"}
    tell(tenant, switches=chosen)
    try:
        accepted = post(tenant.url, message(GOLDEN["request_personalised"]))
    finally:
        tell(tenant, switches={name: defaults[name] for name in chosen})
    made = [line["messageId"] for line in tenant.log("message")[-2:]]
    assert accepted.provider_id == made[0]
    assert accepted.provider_ids == tuple(made[:1] if shape == "object" else made)
    assert accepted.correlation_id == "m1.1.aa"
    assert accepted.requested_at == NOW


def failure(running: Running, body: bytes = golden.body("request_minimal")) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        post(running.url, body)
    return caught.value


@pytest.mark.parametrize(
    ("options", "kind", "code", "status", "wait"),
    [
        ({"switch": "throttle_as=429"}, Throttled, "http_429", 429, False),
        ({"switch": "throttle_as=7020"}, Throttled, "7020", 400, False),
        ({"switch": ["throttle_as=429", "retry_after=seconds"]}, Throttled, "http_429", 429, True),
        ({"switch": ["throttle_as=7020", "retry_after=date"]}, Throttled, "7020", 400, True),
        ({"switch": ["throttle_as=7020", "error_code=number"]}, Throttled, "7020", 400, False),
    ],
)
def test_rate_refused_by_the_sandbox_is_throttled(options, kind, code, status, wait):
    with sandbox(tps=1, **options) as running:
        post(running.url, golden.body("request_minimal"))
        wrong = failure(running)
    assert (type(wrong), wrong.code, wrong.status) == (kind, code, status)
    assert (wrong.retry_after is not None and 0 <= wrong.retry_after <= 2) == wait


@pytest.mark.parametrize(
    ("options", "kind", "code", "status"),
    [
        ({"key": "another"}, ServicePaused, "http_401", 401),
        ({"key": "another", "switch": "sign_in_refused=401_body"}, ServicePaused, "7001", 401),
        ({"key": "another", "switch": "sign_in_refused=403_body"}, ServicePaused, "7001", 403),
        ({"allow_ip": "192.0.2.1"}, ServicePaused, "7127", 400),
        ({"allow_ip": "192.0.2.1", "switch": "blocked_address=7010"}, ServicePaused, "7010", 400),
        ({"fault": "auth=1"}, ServicePaused, "http_401", 401),
        ({"fault": "http_500=1"}, Unconfirmed, "http_500", 500),
        ({"fault": "malformed=1"}, Unconfirmed, "unreadable", 201),
        ({"switch": "bad_sender=reply", "sender": "OTHER"}, RequestRefused, "7101", 400),
    ],
)
def test_refusal_of_the_sandbox_is_read_as_the_decision_it_means(options, kind, code, status):
    with sandbox(**options) as running:
        wrong = failure(running)
    assert (type(wrong), wrong.code, wrong.status) == (kind, code, status)


@pytest.mark.parametrize(("switch", "code"), [("403", "http_403"), ("7020", "7020"), ("7103", "7103")])
def test_quota_is_the_accounts_fault_or_a_throttle(switch, code):
    with sandbox(quota=1, switch=f"over_quota={switch}") as running:
        post(running.url, golden.body("request_minimal"))
        wrong = failure(running)
    assert wrong.code == code
    assert type(wrong) is (Throttled if code == "7020" else ServicePaused)


@pytest.mark.parametrize("style", ["hyphen", "colon"])
@pytest.mark.parametrize("number", ["text", "number"])
def test_refused_body_names_code_and_field_in_both_styles(style, number):
    with sandbox(switch=[f"error_style={style}", f"error_code={number}"]) as running:
        wrong = failure(running, b'{"channel":"mms"}')
        assert (type(wrong), wrong.code, wrong.status) == (RequestRefused, "7004", 400)
        assert wrong.detail == f"Invalid parameter{' -' if style == 'hyphen' else ':'} channel"
        assert failure(running, b"{").code == "7000"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/messages"), ("POST", "/v2/message")])
def test_wrong_address_pauses_the_service(tenant, method, path):
    answer = tenant.call(method, path, b"" if method == "POST" else None, {"key": "any"})
    with pytest.raises(ServicePaused):
        parse_reply(answer.status, answer.headers, answer.body)


def test_silence_of_the_sandbox_is_unconfirmed_at_the_deadline():
    with (
        sandbox(fault="timeout=1") as running,
        Client(running.url, KEY, deadline=0.3) as client,
        pytest.raises(Unconfirmed) as caught,
    ):
        client.post(golden.body("request_minimal"))
    assert caught.value.code == "timeout"


# -- signing in


def token(claims: dict[str, Any], *, alg: str = "HS256", secret: str = SECRET) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=")
        for one in ({"alg": alg, "typ": "JWT"}, claims)
    ]
    signed = b".".join(parts)
    mac = base64.urlsafe_b64encode(hmac.digest(base64.b64decode(secret), signed, hashlib.sha256))
    return (signed + b"." + mac.rstrip(b"=")).decode()


class Written(Jwt):
    """A client that signs in with a token somebody else has written."""

    def headers(self, now: float) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.service_id}"}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Running]:
    with sandbox(service_id="SVC-TEST-0001", service_secret=SECRET, key="never-used") as running:
        yield running


def test_our_token_is_accepted_and_used_again(guarded):
    jwt = Jwt("SVC-TEST-0001", SECRET)
    first = post(guarded.url, golden.body("request_minimal"), jwt)
    held = jwt.headers(time.time())
    second = post(guarded.url, golden.body("request_minimal"), jwt)
    assert jwt.headers(time.time()) == held
    assert first.provider_id != second.provider_id


@pytest.mark.parametrize("age", [0, 3000, 3590])
def test_token_within_its_hour_is_accepted(guarded, age):
    fresh = Jwt("SVC-TEST-0001", SECRET).token(int(time.time()) - age)
    assert guarded.post(order(), {"Authorization": f"Bearer {fresh}"}).status == 201


def refused_tokens() -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": "SVC-TEST-0001", "iat": now}
    good = token(claims)
    head, payload, mac = good.split(".")
    other = token(claims | {"iss": "SVC-TEST-0002"}).split(".")[1]
    return {
        "expired": Jwt("SVC-TEST-0001", SECRET).token(now - 3700),
        "signed with another secret": Jwt("SVC-TEST-0001", base64.b64encode(b"another").decode()).token(now),
        "of another service": Jwt("SVC-TEST-0002", SECRET).token(now),
        "of tomorrow": Jwt("SVC-TEST-0001", SECRET).token(now + 86400),
        "claims exchanged": f"{head}.{other}.{mac}",
        "signature cut": f"{head}.{payload}.{mac[:-4]}",
        "no signature": f"{head}.{payload}.",
        "algorithm none": f"{token(claims, alg='none').rsplit('.', 1)[0]}.",
        "algorithm named otherwise": token(claims, alg="HS512"),
        "secret not decoded": token(claims, secret=base64.b64encode(SECRET.encode()).decode()),
        "no token": "",
        "noise": "a.b.c",
    }


@pytest.mark.parametrize("which", sorted(refused_tokens()))
def test_forged_or_expired_token_is_refused_and_pauses_the_service(guarded, which):
    with pytest.raises(ServicePaused) as caught:
        post(guarded.url, golden.body("request_minimal"), Written(refused_tokens()[which] or "-", SECRET))
    assert (caught.value.status, caught.value.code) == (401, "http_401")


def test_bad_token_is_not_saved_by_a_good_key(guarded):
    assert guarded.post(order(), {"Authorization": "Bearer a.b.c", "key": "never-used"}).status == 401
    assert guarded.post(order(), {"key": "never-used"}).status == 201


def test_http_client_of_the_standard_library_gets_what_ours_gets(tenant):
    """A second reader of the replies, so that a fault in our transport cannot hide one in the sandbox."""
    connection = http.client.HTTPConnection("127.0.0.1", tenant.port, timeout=60)
    headers = {"key": "any", "Content-Type": "application/json"}
    connection.request("POST", "/v2/messages", golden.body("request_typical"), headers)
    answer = connection.getresponse()
    theirs = parse_reply(answer.status, dict(answer.getheaders()), answer.read())
    connection.close()
    ours = post(tenant.url, golden.body("request_typical"))
    assert (theirs.correlation_id, theirs.requested_at) == (ours.correlation_id, ours.requested_at)
