"""`GET /v2/messages/{id}` and the receipts at `notifyUrl` say the same of a message, in the partner's own words."""

import json

import pytest

from sms.inbound import receipts
from sms.models import Callback, Message, OptOut
from sms.values import correlation_id
from tests.support.callbacks import comes_in
from tests.support.drop_in import body, get, post
from tests.support.partners import a_key, a_partner_service
from tests.support.provider import Provider
from tests.support.provider import refused as refusing
from tests.support.receipts import post as receipt_comes
from tests.support.receipts import receipt

pytestmark = pytest.mark.django_db
NOTIFIED = "https://partner.example.com/r"


@pytest.fixture
def service():
    return a_partner_service()


@pytest.fixture
def token(service):
    return a_key(service, scopes=["send", "read", "texts", "numbers"])


def reported() -> list[dict]:
    """What the notifyUrl is owed."""
    return [
        json.loads(row.body)["deliveryInfoNotification"]["deliveryInfo"]
        for row in Callback.objects.order_by("pk")
    ]


def ask(token: str, **changes) -> str:
    answer = post(token, body(notifyUrl=NOTIFIED, **changes))
    assert answer.status_code == 201, answer.content
    return answer.json()["messageId"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("7203", "Un-Delivered"),
        ("7201", "Un-Delivered"),
        ("7208", "Un-Delivered"),
        ("7101", "Failed"),
        ("7102", "Un-Delivered"),  # the documents have both
        ("9002", "Failed"),
        ("7500", "Delivered"),
        ("7501", "Submitted"),
    ],
)
def test_the_status_is_that_of_the_receipt(token, code, status):
    asked = ask(token)
    Provider().dispatch()
    comes_in(Message.objects.get(), code=code, status=status)
    receipts.fold()
    assert reported()[0]["deliveryStatus"] == status
    assert get(token, asked).json()["status"] == status


@pytest.mark.parametrize(
    ("code", "status"), [("7107", "Failed"), ("7203", "Un-Delivered"), ("7111", "Un-Delivered")]
)
def test_what_the_provider_refuses_is_reported_and_read_back_alike(token, code, status):
    asked = ask(token)
    Provider(answer=lambda _: refusing(code)).dispatch()
    (info,) = reported()
    assert (info["code"], info["deliveryStatus"], info["messageCount"]) == (code, status, "1")
    assert get(token, asked).json()["status"] == status


def test_a_receipt_that_came_late_does_not_change_the_word(service, token):
    """The state is the maximum of what is known, and its word belongs to it."""
    asked = ask(token)
    Provider().dispatch()
    message = Message.objects.get()
    comes_in(message, code="7203", status="Un-Delivered")
    name = correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
    receipt_comes(service, receipt(name, code="7501", status="Submitted"))
    receipts.fold()
    assert get(token, asked).json()["status"] == "Un-Delivered"


def test_what_never_left_has_what_the_partner_wrote_and_a_message_count(service, token):
    OptOut.objects.create(service=service, msisdn="+447700900002", source="page")
    asked = ask(
        token,
        to=[
            {"msisdn": ["447700900001", "not a number"], "substitutions": {"name": "Ada"}},
            {"msisdn": ["+447700900002"], "substitutions": {"name": "Alan"}},
        ],
        content={"type": "unicode", "text": "Hi $(name)"},
    )
    found = [get(token, asked + end).json() for end in ("", "_1", "_2")]
    assert [one["to"] for one in found] == ["447700900001", "not a number", "447700900002"]
    assert [one["content"] for one in found] == [
        {"type": "unicode", "text": text} for text in ("Hi+Ada", "Hi+Ada", "Hi+Alan")
    ]
    assert [one["status"] for one in found] == ["queued", "Failed", "Failed"]
    infos = reported()
    assert [(one["code"], one["deliveryStatus"], one["messageCount"]) for one in infos] == [
        ("7102", "Failed", "1"),
        ("9002", "Failed", "1"),
    ]
    assert infos[0]["destination"] == "not a number"


def test_a_number_that_is_none_is_echoed_without_a_notify_url_too(token):
    asked = post(token, body(to=[{"msisdn": ["x1"]}])).json()["messageId"]
    assert get(token, asked).json()["to"] == "x1"


@pytest.mark.parametrize(("kind", "words"), [("text", "Zażółć"), ("unicode", "Hello")])
def test_the_type_that_was_asked_for_is_echoed_and_the_text_is_posted_as_it_needs(token, kind, words):
    asked = ask(token, content={"type": kind, "text": words})
    provider = Provider()
    provider.dispatch()
    assert provider.bodies[0]["content"]["type"] == ("text" if words.isascii() else "unicode")
    assert get(token, asked).json()["content"]["type"] == kind
