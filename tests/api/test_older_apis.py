"""`/v1/sms/messages` and `/resources/v1/messaging`: the same order as `/v2/messages`, in the provider's older words."""

import json
import time
from typing import Any

import pytest
from django.test import Client

from sms.models import Callback, Message, Send
from sms.sends import control
from sms.webex.auth import Jwt
from tests.support.drop_in import LINKED, POLICY, SOON, body, post
from tests.support.partners import DOMAIN, a_key, a_partner_service
from tests.support.provider import Provider
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
SMS_V1, MESSAGING_V1 = "/v1/sms/messages", "/resources/v1/messaging"
NOTIFY = "https://partner.example.com/r"
FLAT = {"from": "SHOP", "to": "+447700900001", "content": "Hello", "contentType": "text"}
NESTED = {
    "deliverychannel": "sms",
    "destination": [{"msisdn": ["447700900001"]}],
    "channels": {"sms": {"senderid": "SHOP", "text": "Hello"}},
}


@pytest.fixture
def service():
    return a_partner_service()


@pytest.fixture
def token(service) -> str:
    return a_key(service, scopes=["send", "read", "texts", "numbers"])


def ask(path: str, token: str, content: Any, **headers: str) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"key": token} | headers
    return Client().post(path, raw, content_type="application/json", headers=given)


def read(path: str, token: str) -> Any:
    return Client().get(path, headers={"key": token})


def flat(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (FLAT | changes).items() if value is not ...}


def nested(text: Any = "Hello", sms: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    channels = {"sms": {"senderid": "SHOP", "text": text} | (sms or {})}
    return {
        name: value for name, value in (NESTED | {"channels": channels} | changes).items() if value is not ...
    }


def wire() -> list[dict[str, Any]]:
    provider = Provider()
    provider.dispatch()
    for one in provider.bodies:
        del one["to"][0]["correlationId"], one["notifyUrl"]
    return sorted(provider.bodies, key=lambda one: one["to"][0]["msisdn"])  # posted side by side


@pytest.mark.parametrize(
    ("path", "older", "v2"),
    [
        (SMS_V1, flat(), body()),
        (SMS_V1, flat(contentType=...), body()),
        (SMS_V1, flat(contentType="TEXT"), body()),
        (SMS_V1, flat(to=447700900001), body()),
        (
            SMS_V1,
            flat(content="żółć", contentType="UNICODE"),
            body(content={"type": "unicode", "text": "żółć"}),
        ),
        (
            SMS_V1,
            flat(content="Hi $(name)", substitutions={"name": "Ada"}),
            body(substitutions={"name": "Ada"}, content={"type": "text", "text": "Hi $(name)"}),
        ),
        (
            SMS_V1,
            flat(
                content="See https://example.com/a",
                shortenUrls="true",
                shortUrlDomain=DOMAIN,
                trackShortUrlClicks=True,
            ),
            body(
                options={"shortenLinks": True, "trackClicks": True, "domain": DOMAIN},
                content={"type": "text", "text": "See https://example.com/a"},
            ),
        ),
        (SMS_V1, flat(expireAt=SOON, callbackData="mine"), body(expireAt=SOON, callbackData="mine")),
        (MESSAGING_V1, nested(), body()),
        (MESSAGING_V1, nested(type=None, priority="", channels=NESTED["channels"]), body()),
        (MESSAGING_V1, nested("żółć", {"type": 4}), body(content={"type": "unicode", "text": "żółć"})),
        (
            MESSAGING_V1,
            nested(destination=[{"msisdn": ["447700900001", "447700900002"]}, {"MSISDN": "447700900003"}]),
            body("447700900001", "447700900002", "447700900003"),
        ),
        (
            MESSAGING_V1,
            nested("See https://example.com/a", options=LINKED, contactPolicy=POLICY, expiry=SOON),
            body(
                options=LINKED,
                contactPolicy=POLICY,
                expireAt=SOON,
                content={"type": "text", "text": "See https://example.com/a"},
            ),
        ),
        (
            MESSAGING_V1,
            nested(channels=..., message={"template": "order_shipped", "parameters": {"name": "Ada"}}),
            body(template={"id": "order_shipped"}, content=..., substitutions={"name": "Ada"}),
        ),
        (
            MESSAGING_V1,
            nested(
                channels={
                    "sms": {"senderid": "SHOP", "text": "Look: {{link_4371}}"},
                    "smartlinks": [{"linkid": "4371", "validity": "5"}],
                }
            ),
            body(
                smartlinks=[{"smartlinkId": 4371, "validity": 5}],
                content={"type": "text", "text": "Look: {{smartlink_4371}}"},
            ),
        ),
    ],
)
def test_what_goes_out_is_what_the_same_request_to_v2_sends(token, path, older, v2):
    if "message" in older:
        older |= {"channels": {"sms": {"senderid": "SHOP"}}}
    answer = ask(path, token, older)
    assert answer.status_code == (202 if path == SMS_V1 else 200), answer.content
    ours = wire()
    assert post(token, v2).status_code == 201
    assert ours == wire() and ours, answer.content
    lanes = set(Send.objects.values_list("lane", flat=True))
    assert len(lanes) == 1


def test_the_reply_and_the_read_back_of_the_sms_api(token, service):
    answer = ask(SMS_V1, token, flat(correlationId="c1"), **{"Idempotency-Key": "k1"})
    said = answer.json()
    assert (answer.status_code, list(said)) == (202, ["acceptedTime", "messageId", "correlationId"])
    assert said["correlationId"] == "c1"
    again = ask(SMS_V1, token, flat(correlationId="c1"), **{"Idempotency-Key": "k1"})
    assert (again.status_code, again.content) == (202, answer.content)
    assert Send.objects.count() == 1
    for state, shown in (("pending", "QUEUED"), ("submitted", "SENT"), ("delivered", "DELIVERED")):
        Message.objects.update(state=state)
        found = read(f"{SMS_V1}/{said['messageId']}", token).json()
        assert found["status"] == shown
    assert found.pop("statusTime") >= found.pop("acceptedTime")
    assert found == {
        "messageId": said["messageId"],
        "correlationId": "c1",
        "from": "SHOP",
        "to": "+447700900001",
        "contentType": "text",
        "content": "Hello",
        "status": "DELIVERED",
    }
    Message.objects.update(state="failed", code="7203", detail="Absent subscriber")
    found = read(f"{SMS_V1}/{said['messageId']}", token).json()
    assert found["error"] == {"code": "7203", "message": "Absent subscriber"}
    other = a_key(a_partner_service(slug="other", name="Other"))
    foreign = read(f"{SMS_V1}/{said['messageId']}", other)
    assert (foreign.status_code, foreign.content) == (404, b"")
    assert "Content-Type" not in foreign.headers


def test_the_reply_and_the_read_back_of_the_messaging_api(token):
    two = [{"msisdn": ["447700900001", "12"], "correlationid": "own"}, {"msisdn": ["447700900002"]}]
    answer = ask(MESSAGING_V1, token, nested(destination=two, correlationid="shared"))
    (first, second, third) = answer.json()["response"]
    assert (first["code"], first["description"]) == ("1001", "Queued")
    assert [second["transid"], third["transid"]] == [f"{first['transid']}_1", f"{first['transid']}_2"]
    echoes = [one.echo.correlation_id for one in Message.objects.order_by("row")]
    assert echoes == ["own", "own", "shared"]
    (found,) = read(f"{MESSAGING_V1}/status/{third['transid']}", token).json()
    assert (found["status"], found["to"], found["error_code"]) == ("queued", "+447700900002", None)
    (bad,) = read(f"{MESSAGING_V1}/status/{second['transid']}", token).json()
    assert (bad["status"], bad["error_code"]) == ("failed", "7102")
    none = read(f"{MESSAGING_V1}/status/nobody", token)
    assert (none.status_code, none.json()["response"]["code"]) == (404, "7600")


def test_the_read_back_hides_the_number_from_a_key_without_the_scope(service, token):
    other = a_key(service, name="Reader", scopes=["read", "texts", "all"])
    words = {"text": "Is 07700 900001 yours?"}
    by_v2 = post(token, body("447700900001", content={"type": "text", **words}, callbackData="07700900001"))
    by_sms = ask(SMS_V1, token, flat(content=words["text"])).json()["messageId"]
    by_messaging = ask(MESSAGING_V1, token, nested(**words)).json()["response"][0]["transid"]
    paths = (
        *(f"/v2/messages/{by_v2.json()['messageId']}", f"{SMS_V1}/{by_sms}"),
        f"{MESSAGING_V1}/status/{by_messaging}",
    )
    Message.objects.update(state="failed", code="7203", detail="447700900001 is absent")
    for path in paths:
        whole, hidden = read(path, token), read(path, other)
        digits = [one.content.decode().translate({32: None, 43: None}) for one in (whole, hidden)]
        assert ["7700900001" in one for one in digits] == [True, False], path
        left = [one.json()[0] if isinstance(one.json(), list) else one.json() for one in (whole, hidden)]
        assert left[0].keys() == left[1].keys() and left[0]["status"] == left[1]["status"]
        assert left[1]["to"].removeprefix("+") == "44 7700 ••• 001"
        assert (hidden["Cache-Control"], hidden["X-Content-Type-Options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (SMS_V1, flat(callbackUrl=NOTIFY, callbackData="mine", correlationId="c0")),
        (MESSAGING_V1, nested(notifyurl=NOTIFY, callbackData="mine", correlationid="c0")),
    ],
)
def test_receipts_are_passed_on_as_for_v2(token, path, asked):
    assert ask(path, token, asked | {"to": "12"} if path == SMS_V1 else asked).status_code < 300
    kept = Send.objects.get()
    assert (kept.notify_url, kept.callback_data) == (NOTIFY, "mine")
    assert Message.objects.get().echo.correlation_id == "c0"
    if path == SMS_V1:  # a number that is none fails at once
        told = json.loads(Callback.objects.get().body)["deliveryInfoNotification"]
        assert (told["correlationid"], told["callbackData"], told["transid"]) == (
            "c0",
            "mine",
            str(kept.reference),
        )


REFUSED_FLAT = {
    "no sender": (flat(**{"from": ...}), "7003", "from"),
    "no number": (flat(to=...), "7003", "to"),
    "two numbers": (flat(to=["447700900001", "447700900002"]), "7004", "to: It is one number"),
    "no content": (flat(content=...), "7003", "content"),
    "other type": (flat(contentType="flash"), "7126", ""),
    "type is no text": (flat(contentType=["text"]), "7126", ""),
    "no domain": (flat(shortenUrls=True), "7004", "shortUrlDomain: Say which domain"),
    "flag is a word": (flat(shortenUrls="perhaps"), "7004", "shortenUrls"),
    "DLT": (flat(dltTemplateId="1107"), "7004", "dltTemplateId: Textdesk sends through /v2/messages"),
    "undocumented": (flat(sendAt=SOON), "7004", "sendAt: Webex Connect documents no such field here"),
    "twice": (flat(Content="Bye"), "7004", "Content: It is given twice."),
    "callback address": (flat(callbackUrl=1), "7004", "callbackUrl"),
    "unknown sender": (flat(**{"from": "NOBODY"}), "7101", ""),
    "no json": (b"{", "7000", ""),
}
REFUSED_NESTED = {
    "no channel": (nested(deliverychannel=...), "7003", "deliverychannel"),
    "other channel": (nested(deliverychannel="voice"), "7004", "deliverychannel"),
    "no sender": (nested(channels={"sms": {"text": "Hello"}}), "7003", "channels.sms.senderid"),
    "no destination": (nested(destination=...), "7003", "destination"),
    "customer": (
        nested(destination=[{"customerid": ["7"]}]),
        "7004",
        "destination.customerid: Textdesk sends to numbers",
    ),
    "no msisdn": (nested(destination=[{}]), "7003", "destination.msisdn"),
    "binary": (nested(sms={"type": 3, "body": "00"}), "7004", "channels.sms.body"),
    "flash": (nested(sms={"type": "2"}), "7126", "channels.sms.type: Textdesk takes 1 (text) or 4 (unicode)"),
    "no text": (nested(channels={"sms": {"senderid": "SHOP"}}), "7003", "channels.sms.text"),
    "route": (nested(route="IMMD"), "7004", "route: Webex Connect documents no such field"),
    "priority": (nested(priority=9), "7004", "priority: Textdesk takes 1, 2 or 3"),
    "app clip": (nested(sms={"sendLinkAsAppClip": True}), "7004", "channels.sms.sendLinkAsAppClip"),
    "smartlink": (nested("Look: {{link_1}}"), "7004", "channels.smartlinks"),
    "option": (nested(options=LINKED | {"colour": "blue"}), "7004", "options.colour"),
    "not a list": ([nested()], "7000", ""),
    "too many": (nested(destination=[{"msisdn": ["447700900001"] * 1001}]), "7009", ""),
}


@pytest.mark.parametrize("name", REFUSED_FLAT)
def test_the_sms_api_refuses_in_its_own_words(token, name):
    asked, code, says = REFUSED_FLAT[name]
    answer = ask(SMS_V1, token, asked)
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.content
    assert says in answer.json()["message"]
    assert not Send.objects.exists()


@pytest.mark.parametrize("name", REFUSED_NESTED)
def test_the_messaging_api_refuses_with_200_in_its_own_words(token, name):
    asked, code, says = REFUSED_NESTED[name]
    answer = ask(MESSAGING_V1, token, asked)
    said = answer.json()["response"]
    assert (answer.status_code, said["code"]) == (200, code), answer.content
    assert says in said["description"] and said["transid"]
    assert not Send.objects.exists()


def test_the_key_may_stand_where_the_older_apis_have_it(service, token):
    def bare(path: str, written: str, content: Any) -> Any:
        raw = json.dumps(content)
        headers = {"Authorization": written}
        return Client().post(path, raw, content_type="application/json", headers=headers)

    for written in (token, f"Bearer {token}"):
        assert bare(SMS_V1, written, flat()).status_code == 202
    wrong = bare(SMS_V1, "nobody", flat())
    assert (wrong.status_code, wrong.json()["code"]) == (403, "7001")
    none = Client().post(SMS_V1, "{}", content_type="application/json")
    assert (none.status_code, none.json()["code"]) == (403, "7002")
    assert bare(MESSAGING_V1, f"Bearer {token}", nested()).json()["response"][0]["code"] == "1001"
    for written in (token, "Bearer nobody"):
        wrong = bare(MESSAGING_V1, written, nested())
        assert (wrong.status_code, wrong.json()["response"]["code"]) == (200, "7001")


def test_scope_and_rate_hold_as_at_v2(service):
    reader = a_key(service, scopes=["read"])
    refused = ask(SMS_V1, reader, flat())
    assert (refused.status_code, refused.json()["code"]) == (403, "7001")
    assert "scope" in ask(MESSAGING_V1, reader, nested()).json()["response"]["description"]
    once = a_key(service, name="Slow", per_minute=1)
    assert ask(MESSAGING_V1, once, nested()).json()["response"][0]["code"] == "1001"
    slow = ask(MESSAGING_V1, once, nested())
    assert (slow.status_code, slow.json()["response"]["code"]) == (200, "7020")
    assert int(slow.headers["Retry-After"]) > 0 and slow.headers["RateLimit-Limit"] == "1"
    assert ask(SMS_V1, once, flat()).status_code == 429


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        (SMS_V1, flat(callbackUrl="https://10.0.0.1/"), "callbackUrl"),
        (MESSAGING_V1, nested(notifyurl="https://10.0.0.1/"), "notifyurl"),
    ],
)
def test_what_waits_and_what_is_not_called_is_said_beside_the_documented_fields(service, path, asked, field):
    control.pause_everything(service, by=BY, because="Credentials")
    answer = ask(path, a_key(service, name="Paused"), asked)
    assert answer.status_code in (200, 202), answer.content
    said = answer.json()["textdesk"]
    assert [one["code"] for one in said["waits"]] == ["pause"]
    assert said["notices"][0]["field"] == field
    there = (
        f"{SMS_V1}/{answer.json()['messageId']}"
        if path == SMS_V1
        else f"{MESSAGING_V1}/status/{answer.json()['response'][0]['transid']}"
    )
    found = read(there, a_key(service, name="Reader")).json()
    found = found if path == SMS_V1 else found[0]
    assert found["textdesk"]["notices"][0]["field"] == field
    assert [one["code"] for one in found["textdesk"]["waits"]] == ["pause"]


def test_what_is_not_used_is_said_by_the_name_that_it_has_there(token):
    said = ask(SMS_V1, token, flat(shortUrlDomain="nowhere.example")).json()["textdesk"]
    assert [one["field"] for one in said["notices"]] == ["shortUrlDomain"]


@pytest.mark.parametrize(("path", "asked", "status"), [(SMS_V1, FLAT, 202), (MESSAGING_V1, NESTED, 200)])
def test_a_jwt_of_the_service_opens_them_too(path, asked, status):
    service = a_partner_service(jwt_service_id="SVC-1", jwt_secret="c2VjcmV0")
    a_key(service, takes_jwt=True)
    bearer = Jwt("SVC-1", "c2VjcmV0").token(int(time.time()))
    answer = ask(path, "", asked, Authorization=f"Bearer {bearer}")
    assert answer.status_code == status and Send.objects.count() == 1
