"""`/v2/messages`: answers like the sandbox's for good and bad bodies, and what becomes of what was accepted."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from sms.models import AuditEvent, Message, OptOut, Send
from sms.models.send import Lane
from sms.webex.sandbox import app as sandbox_app
from sms.webex.sandbox.http_server import Request, Response
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches
from tests.api.desk import DOMAIN, a_key, a_partner_service, body, get, post
from tests.domain.desk import Provider

pytestmark = pytest.mark.django_db

LINKED = {"domain": DOMAIN, "shortenLinks": "true", "trackClicks": True, "tag1": "spring", "tag2": "a-b"}
SOON = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
FAR = (datetime.now(UTC) + timedelta(days=8)).isoformat()
POLICY = {"contactPolicyGroup": "G1", "channelCheckConsent": True}
MANY = [{"msisdn": ["447700900001", "+447700900002"]}, {"msisdn": ["447700900003"], "correlationId": "x"}]

BODIES = {
    "one": body(),
    "plus": body("+447700900001"),
    "unicode": body(content={"type": "unicode", "text": "żółć"}),
    "many": body(to=MANY),
    "template by name": body(template={"id": "order_shipped"}, content=..., substitutions={"name": "Ada"}),
    "template of the provider": body(template={"id": "5S2ABCDFNR"}, content=...),
    "values": body(
        to=[{"msisdn": ["447700900001"], "substitutions": {"name": "Ada", "n": 3}}],
        substitutions={"name": "you"},
        content={"type": "text", "text": "Hi $(name) $(n)"},
    ),
    "scheduled": body(sendAt=SOON, validity="60"),
    "expiring": body(expireAt=SOON),
    "links": body(options=LINKED, content={"type": "text", "text": "See https://example.com/a"}),
    "smartlink": body(
        smartlinks=[{"smartlinkId": 4371, "validity": "1"}],
        content={"type": "text", "text": "Hi {{smartlink_4371}}"},
    ),
    "receipts": body(requestedReceipts=["DELIVERED", "FAILED"]),
    "policy": body(contactPolicy=POLICY),
    "callback data": body(callbackData="x" * 2000),
    "unknown field": body(colour="blue"),
    "empty optionals": body(sendAt="", validity="", callbackData="", substitutions="", requestedReceipts=[]),
    "no number": body("12"),
    "not json": b"{",
    "a list": b"[]",
    "nothing": {},
    "no channel": body(channel=...),
    "other channel": body(channel="rcs"),
    "no sender": body(**{"from": ...}),
    "sender is a number": body(**{"from": 7}),
    "unknown sender": body(**{"from": "NOBODY"}),
    "no to": body(to=...),
    "empty to": body(to=[]),
    "to is an object": body(to={"msisdn": ["447700900001"]}),
    "no msisdn": body(to=[{}]),
    "msisdn is a text": body(to=[{"msisdn": "447700900001"}]),
    "msisdn is a number": body(to=[{"msisdn": [447700900001]}]),
    "too many": body(to=[{"msisdn": ["447700900001"] * 1001}]),
    "no content": body(content=...),
    "content and template": body(template={"id": "order_shipped"}),
    "content is a text": body(content="Hello"),
    "no type": body(content={"text": "Hello"}),
    "other type": body(content={"type": "flash", "text": "Hello"}),
    "no text": body(content={"type": "text", "text": ""}),
    "long text": body(content={"type": "text", "text": "x" * 1025}),
    "unknown template": body(template={"id": "nobody"}, content=...),
    "template without id": body(template={}, content=...),
    "substitutions are a list": body(substitutions=[1]),
    "sendAt is no time": body(sendAt="tomorrow"),
    "sendAt has passed": body(sendAt="2020-01-01T00:00:00.000Z"),
    "sendAt without zone": body(sendAt="2020-01-01T00:00:00"),
    "sendAt is a number": body(sendAt=5),
    "sendAt is no day": body(sendAt="2030-02-30T00:00:00Z"),
    "validity of three days": body(validity=72 * 3600),
    "receipts are a text": body(requestedReceipts="FAILED"),
    "sendAt is too far": body(sendAt=FAR),
    "expireAt and validity": body(expireAt=SOON, validity=60),
    "validity is nothing": body(validity=0),
    "validity is a word": body(validity="an hour"),
    "validity is too long": body(validity=72 * 3600 + 1),
    "long callback data": body(callbackData="x" * 2001),
    "callback data is a number": body(callbackData=1),
    "unknown receipt": body(requestedReceipts=["READ"]),
    "options without domain": body(options={"shortenLinks": True}),
    "options are a text": body(options="x"),
    "flag is a number": body(options={"domain": DOMAIN, "trackClicks": 3}),
    "bad tag": body(options=LINKED | {"tag1": "a b"}),
    "policy without flags": body(contactPolicy={"contactPolicyGroup": "G1"}),
    "policy without group": body(contactPolicy={"channelCheckConsent": True}),
    "smartlink without id": body(smartlinks=[{"validity": 1}]),
    "smartlink is a word": body(smartlinks=[{"smartlinkId": "x", "validity": 1}]),
    "notifyUrl is a number": body(notifyUrl=1),
}


def by_the_sandbox(raw: bytes) -> tuple[int, bytes]:
    """Its answer, with the switches at what the issue and the desk are strict about."""

    async def ask() -> Response:
        switches = Switches(bad_sender="reply", long_text="reply", unlisted_smartlink="7004")
        settings = Settings(
            key="k",
            switches=switches,
            senders=frozenset({"SHOP"}),
            templates={"order_shipped": ("Hi $(name)", False), "5S2ABCDFNR": ("Hello", False)},
            text_limit=1024,
            smartlinks={"4371": "https://example.com"},
        )
        request = Request("127.0.0.1", "POST", "/v2/messages", headers={b"key": b"k"}, body=raw)
        answer = await sandbox_app.Sandbox(settings).handle(request)
        assert isinstance(answer, Response)
        return answer

    found = asyncio.run(ask())
    return found.status, found.body


@pytest.mark.parametrize("name", BODIES)
def test_the_answer_is_the_providers(name):
    content = BODIES[name]
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    status, expected = by_the_sandbox(raw)
    answer = post(a_key(a_partner_service()), raw)
    assert answer.status_code == status, answer.content
    theirs, ours = json.loads(expected), answer.json()
    assert list(ours) == list(theirs)
    if status == 201:
        assert (ours["status"], ours["correlationId"]) == ("queued", theirs["correlationId"])
    else:
        assert ours["code"] == theirs["code"]
        assert ours["message"].startswith(theirs["message"].partition(" - ")[0])
        assert not Send.objects.exists()


# --- What becomes of it ---------------------------------------------------------------------------------------------------


@pytest.fixture
def service():
    return a_partner_service()


def test_every_number_of_a_request_is_a_message_that_can_be_asked_for(service):
    token = a_key(service)
    answer = post(token, body(to=MANY))
    base = answer.json()["messageId"]
    found = [get(token, name).json() for name in (base, f"{base}_1", f"{base}_2")]
    assert [one["to"] for one in found] == ["447700900001", "447700900002", "447700900003"]
    assert [one["correlationId"] for one in found] == ["", "", "x"]
    assert {one["status"] for one in found} == {"queued"}
    assert get(token, f"{base}_3").status_code == 404
    assert get(token, "nobody").content == b""
    other = a_partner_service(slug="other", name="Other")
    assert get(a_key(other), base).status_code == 404
    event = AuditEvent.objects.get(act="send.created")
    assert (event.actor_kind, event.actor_label, event.door) == ("key", "Shop", "api")


def test_what_is_read_back_has_the_sandboxes_fields(service):
    token = a_key(service)
    asked = body(
        callbackData="mine",
        requestedReceipts=["FAILED"],
        options=LINKED,
        content={"type": "unicode", "text": "ż a"},
    )
    found = get(token, post(token, asked).json()["messageId"]).json()
    assert found["content"] == {"type": "unicode", "text": "%C5%BC+a"}
    assert (found["callbackData"], found["requestedReceipts"], found["from"]) == ("mine", ["FAILED"], "SHOP")
    assert found["options"]["domain"] == DOMAIN
    assert found["options"]["trackClicks"] is True
    assert found["numSegments"] == "1"
    assert (found["direction"], found["version"], found["toType"]) == ("outbound", "2.0", "msisdn")


def test_who_opted_out_and_what_is_no_number_fail_and_the_rest_is_sent(service):
    OptOut.objects.create(service=service, msisdn="+447700900002", source="page")
    token = a_key(service)
    base = post(token, body("447700900001", "447700900002", "12")).json()["messageId"]
    assert [(one.state, one.code) for one in Message.objects.order_by("row")] == [
        ("pending", ""),
        ("failed", "9002"),
        ("failed", "7102"),
    ]
    assert Send.objects.get().counts() == {"failed": 2, "pending": 1}
    assert get(token, f"{base}_1").json()["status"] == "Failed"
    provider = Provider()
    provider.dispatch()
    assert provider.numbers == ["447700900001"]


def test_the_providers_request_has_what_was_asked_for_and_our_own_address(service):
    asked = body(
        options=LINKED | {"trackClicks": False},
        smartlinks={"smartlinkId": "4371", "validity": 5},
        content={"type": "text", "text": "$(name): {{smartlink_4371}} https://example.com/a"},
        substitutions={"name": "Ada"},
        contactPolicy={"contactPolicyGroup": "marketing", "channelApplyFrequencyCap": "true"},
        validity=600,
        callbackData="mine",
    )
    assert post(a_key(service), asked).status_code == 201
    provider = Provider()
    provider.dispatch()
    (sent,) = provider.bodies
    assert sent["content"]["text"] == "Ada: {{smartlink_4371}} https://example.com/a"
    assert sent["smartlinks"] == [{"smartlinkId": 4371, "validity": 5}]
    assert sent["contactPolicy"] == {"contactPolicyGroup": "G1", "channelApplyFrequencyCap": True}
    assert sent["options"] == {"shortenLinks": True, "domain": DOMAIN, "tag1": "spring", "tag2": "a-b"}
    assert sent["notifyUrl"].startswith("https://desk.example.test/receipts/")
    assert "callbackData" not in sent
    assert "expireAt" in sent


def test_an_order_that_cannot_be_sent_as_asked_is_refused_with_the_way_out(service):
    token = a_key(service)
    for asked, code, says in (
        (body(content={"type": "text", "text": "Hi $(name)"}), "7003", "$(name)"),
        (
            body(
                to=[
                    {"msisdn": ["447700900001"], "substitutions": {"name": "A"}},
                    {"msisdn": ["447700900002"]},
                ],
                content={"type": "text", "text": "Hi $(name)"},
            ),
            "7003",
            "destination 2",
        ),
        (body(options=LINKED | {"domain": "https://go.example.com"}), "7004", "short-link domain"),
        (body(contactPolicy=POLICY | {"contactPolicyGroup": "G9"}), "7004", "contactPolicyGroup"),
        (body(notifyUrl="http://169.254.169.254/"), "7004", "notifyUrl"),
        (body(content={"type": "text", "text": "a\0b"}), "7004", "content.text"),
        (body(content={"type": "text", "text": "Hi {{smartlink_1}}"}), "7004", "smartlinks"),
    ):
        answer = post(token, asked)
        assert (answer.status_code, answer.json()["code"]) == (400, code), asked
        assert says in answer.json()["message"]
    assert not Send.objects.exists()


def test_an_empty_value_is_a_value(service):
    asked = body(substitutions={"name": ""}, content={"type": "text", "text": "Hi $(name)!"})
    assert post(a_key(service), asked).status_code == 201
    assert Message.objects.get().text == "Hi !"


def test_few_go_first_and_many_in_their_turn(service):
    token = a_key(service)
    post(token, body())
    post(token, body(*(f"4477009{number:05d}" for number in range(11))))
    assert list(Send.objects.order_by("pk").values_list("lane", flat=True)) == [Lane.URGENT, Lane.NORMAL]


def test_a_notify_url_is_kept_with_what_it_wants_to_hear(service):
    asked = body(notifyUrl="https://partner.example.com/r", requestedReceipts=["FAILED"], callbackData="mine")
    answer = post(a_key(service), asked)
    assert answer.status_code == 201, answer.content
    kept = Send.objects.get().notify
    assert (kept.url, kept.receipts, kept.callback_data) == (asked["notifyUrl"], ["FAILED"], "mine")
    assert kept.reference == answer.json()["messageId"]
    assert Message.objects.get().echo.correlation_id == "c0"
