"""`/v2/messages`: answers like the sandbox's for good and bad bodies, and what becomes of what was accepted."""

import asyncio
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sms.api.drop_in import order
from sms.models import AuditEvent, Message, OptOut, Send
from sms.models.send import Lane
from sms.webex.sandbox import app as sandbox_app
from sms.webex.sandbox.http_server import Request, Response
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches
from tests.support.drop_in import BODIES, LINKED, MANY, POLICY, body, get, post
from tests.support.link_fields import all_six
from tests.support.partners import DOMAIN, a_key, a_partner_service
from tests.support.provider import Provider

pytestmark = pytest.mark.django_db


HEADERS = {b"key": b"k", b"content-type": b"application/json"}


def by_the_sandbox(raw: bytes) -> tuple[int, bytes]:
    """Its answer, with the switches at what Textdesk is strict about, and what it takes without need."""

    async def ask() -> Response:
        switches = Switches(
            bad_sender="reply",
            long_text="reply",
            unlisted_smartlink="7004",
            plain_values="text",
            offset_time="take",
            zoneless_time="utc",
            empty_field="ignore",
        )
        settings = Settings(
            key="k",
            switches=switches,
            senders=frozenset({"SHOP"}),
            templates={"order_shipped": ("Hi $(name)", False), "5S2ABCDFNR": ("Hello", False)},
            text_limit=1024,
            smartlinks={"4371": "https://example.com"},
        )
        request = Request("127.0.0.1", "POST", "/v2/messages", headers=HEADERS, body=raw)
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
    added = ours.pop("textdesk", {})
    assert list(added) == {"unknown field": ["notices"], "scheduled": ["waits"]}.get(name, [])
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
    token = a_key(service, scopes=["send", "read", "texts", "numbers"])
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


def test_what_is_no_number_is_not_remembered(service):
    """It may be as long as a whole body."""
    before = order.parsed.cache_info().currsize
    assert post(a_key(service), body("1" * 100_000)).status_code == 201
    assert order.parsed.cache_info().currsize == before


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
    assert sent["options"] == all_six(shortenLinks=True, domain=DOMAIN, tag1="spring", tag2="a-b")
    assert sent["notifyUrl"].startswith("https://desk.example.test/receipts/")
    assert sent["callbackData"] == "mine"
    assert (sent["validity"], "expireAt" in sent) == ("600", False)


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
    kept = Send.objects.get()
    assert (kept.notify_url, kept.receipts.names, kept.callback_data) == (
        asked["notifyUrl"],
        ["FAILED"],
        "mine",
    )
    assert kept.notify.endpoint.url == "https://partner.example.com"
    assert str(kept.reference) == answer.json()["messageId"]
    assert Message.objects.get().echo.correlation_id == "c0"


def test_a_code_asks_the_catalogue_for_nothing_that_was_found_a_moment_ago():
    """Its sender is a name, and it does not say how to opt out: advice for people, which no program gets."""
    token = a_key(a_partner_service())
    post(token, body())
    with CaptureQueriesContext(connection) as asked:
        assert post(token, body()).status_code == 201
    assert not [one["sql"] for one in asked if 'FROM "sms_sender"' in one["sql"]]
