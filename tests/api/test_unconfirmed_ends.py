"""A partner's message of which nobody knows whether it was sent: sent again as the key says, and at last it ends with a code of its own."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from sms import dispatch
from sms.inbound import receipts
from sms.ledger import states as states_of_ledger
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import AuditEvent, Message, Resend, Send, Slice, StateCount
from tests.support.callbacks import an_endpoint, comes_in, told
from tests.support.dispatching import release, states
from tests.support.drop_in import body, get, post
from tests.support.jobs import run_job
from tests.support.partners import a_key, a_partner, a_partner_service
from tests.support.provider import Provider, accepted, raw_reply
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
NOTIFY = "https://partner.example.com/r"


def posted_ago(send: Send, by: timedelta) -> None:
    """As if it had been posted that long ago, in its rows and in the counters by window."""
    for message in Message.objects.filter(send=send, posted_at__isnull=False):
        Message.objects.filter(pk=message.pk).update(posted_at=message.posted_at - by)
    for count in StateCount.objects.filter(send=send, window__gt=0):
        moved = count.window - int(by.total_seconds()) // StateCount.WINDOW
        StateCount.objects.filter(pk=count.pk).update(window=moved)


def unconfirmed(service, token: str, **changes) -> tuple[str, Send]:
    """Its messageId and its send, after the provider answered 503."""
    message_id = post(token, body(**changes)).json()["messageId"]
    Provider(lambda _: raw_reply(503)).dispatch(clients=1)
    send = Send.objects.get(reference=message_id)
    assert states(send) == {"unconfirmed": 1}
    return message_id, send


def posted_now(send: Send) -> list[str]:
    release(send)
    provider = Provider()
    provider.dispatch()
    return provider.numbers


def heard(kind: str) -> list[dict]:
    return told(endpoint__kind=kind)


def reported() -> list[tuple[str, str]]:
    """Code and status of each receipt that was passed on."""
    infos = [one["deliveryInfoNotification"]["deliveryInfo"] for one in heard("notify")]
    return [(info["code"], info["deliveryStatus"]) for info in infos]


@pytest.fixture
def service():
    return a_partner_service()


def test_it_is_read_back_as_what_it_is_and_fails_after_the_services_hours(service):
    an_endpoint(service)
    token = a_key(service)
    message_id, send = unconfirmed(service, token, notifyUrl=NOTIFY, requestedReceipts=["FAILED"])
    meanwhile = get(token, message_id).json()
    assert (meanwhile["status"], meanwhile["textdesk"]["state"]) == ("Unconfirmed", "unconfirmed")
    assert meanwhile["textdesk"]["code"] == "http_503" and meanwhile["textdesk"]["until"]
    posted_ago(send, timedelta(hours=3, minutes=50))
    dispatch.end_unproven()
    assert states(send) == {"unconfirmed": 1} and reported() == []
    posted_ago(send, timedelta(minutes=15))
    run_job("unconfirmed messages")
    assert dispatch.end_unproven() == 0
    assert states(send) == {"failed": 1}
    assert reported() == [("10001", "Failed")]
    events = [one for one in heard("events") if one["type"] == "message.failed"]
    assert [one["data"]["code"] for one in events] == ["no_proof"]
    ended = get(token, message_id).json()
    assert (ended["status"], ended["textdesk"]["code"]) == ("Failed", "10001")
    assert "may have been sent" in ended["textdesk"]["detail"]
    assert posted_now(send) == [], "what was reported as failed is never sent again"


@pytest.mark.parametrize("hours", [1, 72])
def test_after_how_long_is_the_services_to_say(service, hours):
    a_partner_service(slug="other", name="Other", unconfirmed_hours=1)
    type(service).objects.filter(pk=service.pk).update(unconfirmed_hours=hours)
    _, send = unconfirmed(service, a_key(service, resend=Resend.NEVER))
    posted_ago(send, timedelta(hours=hours, minutes=-10))
    assert dispatch.end_unproven() == 0
    posted_ago(send, timedelta(minutes=15))
    assert dispatch.end_unproven() == 1


def test_many_that_wait_longer_do_not_stand_before_those_whose_time_has_come(service):
    type(service).objects.filter(pk=service.pk).update(unconfirmed_hours=72)
    patient = unconfirmed(service, a_key(service))[1]
    other = a_partner_service(slug="other", name="Other", unconfirmed_hours=1)
    quick = unconfirmed(other, a_key(other))[1]
    for send in (patient, quick):
        posted_ago(send, timedelta(hours=5))
    assert dispatch.end_unproven(limit=1) == 1
    assert (states(patient), states(quick)) == ({"unconfirmed": 1}, {"failed": 1})


@pytest.mark.parametrize(
    ("comes", "becomes", "then"),
    [
        ([("7501", "Submitted")], "submitted", [("7501", "Submitted")]),
        (
            [("7501", "Submitted"), ("7500", "Delivered")],
            "delivered",
            [("7501", "Submitted"), ("7500", "Delivered")],
        ),
        ([("7500", "Delivered")], "delivered", [("7500", "Delivered")]),
        ([("7203", "Un-Delivered")], "failed", [("7203", "Un-Delivered")]),
    ],
)
def test_a_receipt_that_comes_later_wins_and_is_passed_on(service, comes, becomes, then):
    _, send = unconfirmed(service, a_key(service), notifyUrl=NOTIFY)
    posted_ago(send, timedelta(hours=5))
    dispatch.end_unproven()
    message = send.messages.get()
    for code, status in comes:
        comes_in(message, code=code, status=status)
        receipts.fold()
    assert states(send) == {becomes: 1}
    assert reported() == [("10001", "Failed"), *then]
    message.refresh_from_db()
    assert (message.code, bool(message.final_at)) == (comes[-1][0], becomes in ("delivered", "failed"))
    assert not message.detail.startswith("Also reported"), (
        "nothing contradicts it: the first end was presumed"
    )
    dispatch.end_unproven()
    assert states(send) == {becomes: 1}
    assert posted_now(send) == []


def test_what_is_on_its_way_again_does_not_end(service):
    """The policy was faster than the clock."""
    _, send = unconfirmed(service, a_key(service))
    posted_ago(send, timedelta(hours=5))
    assert dispatch.by_person(send, dispatch.Settlement.SEND_AGAIN, by=BY) == 1
    dispatch.end_unproven()
    assert states(send) == {"pending": 1}
    assert len(posted_now(send)) == 1
    dispatch.end_unproven()
    assert states(send) == {"queued": 1}


@pytest.mark.parametrize(
    ("before", "of_attempt", "after"),
    [("pending", 1, "pending"), ("posting", 1, "posting"), ("unconfirmed", 0, "unconfirmed")],
)
def test_an_end_that_comes_too_late_changes_nothing(service, before, of_attempt, after):
    """The message was given back or posted again since it was looked at."""
    _, send = unconfirmed(service, a_key(service))
    Message.objects.filter(send=send).update(state=before)
    message = send.messages.get()
    end = StateChange(message.pk, "failed", timezone.now(), attempt=of_attempt, code="no_proof")
    with transaction.atomic():
        states_of_ledger.apply([end], deltas=CounterDeltas())
    message.refresh_from_db()
    assert message.state == after


def test_what_people_sent_waits_for_a_person(service):
    send = a_send(service)
    Provider(lambda _: raw_reply(503)).dispatch(clients=1)
    posted_ago(send, timedelta(days=2))
    dispatch.end_unproven()
    assert states(send) == {"unconfirmed": 1}
    assert dispatch.by_person(send, dispatch.Settlement.GIVE_UP, by=BY) == 1
    comes_in(send.messages.get(), code="7501", status="Submitted")
    receipts.fold()
    assert states(send) == {"submitted": 1}, "a person's guess gives way to a receipt too"
    assert AuditEvent.objects.filter(act="messages.give_up").exists()


def test_evidence_comes_from_other_requests_of_the_service(service):
    token, lost = a_key(service), "447700900099"
    for number in range(25):
        post(token, body(f"4477009000{number:02d}"))
    post(token, body(lost))
    answer = Provider(lambda one: raw_reply(503) if one["to"][0]["msisdn"] == [lost] else accepted(one))
    answer.dispatch(seconds=30.0)
    send = Send.objects.get(messages__msisdn=f"+{lost}")
    assert (send.resend, states(send)) == ("evidence", {"unconfirmed": 1})
    for one in Send.objects.all():
        posted_ago(one, timedelta(minutes=16))
    assert posted_now(send) == [], "nothing is proved yet"
    Message.objects.exclude(send=send).update(submitted_at=timezone.now())
    assert posted_now(send) == [lost]
    assert Message.objects.get(send=send).attempt == 2


@pytest.mark.parametrize(
    ("key", "request_", "resend"),
    [
        ({}, {}, "evidence"),
        ({}, {"requestedReceipts": ["DELIVERED"]}, "evidence"),
        ({}, {"validity": "900"}, "always"),
        ({}, {"validity": "901"}, "evidence"),
        ({"resend": Resend.ALWAYS}, {"validity": "7200"}, "always"),
        ({"resend": Resend.ALWAYS}, {}, "evidence"),
        ({"resend": Resend.NEVER}, {"validity": "60"}, "never"),
        ({}, {"validity": "60", "textdesk": {"resend": "never"}}, "never"),
        ({"resend": Resend.NEVER}, {"textdesk": {"resend": "evidence"}}, "evidence"),
    ],
)
def test_the_key_says_what_the_request_does_not(service, key, request_, resend):
    answer = post(a_key(service, **key), body(**request_))
    assert answer.status_code == 201, answer.content
    assert Send.objects.get().resend == resend


@pytest.mark.parametrize(
    ("request_", "resend"),
    [
        ({}, "evidence"),
        ({"validity": 600}, "always"),
        ({"receipts": ["FAILED"]}, "never"),
        ({"resend": "never", "validity": 600}, "never"),
    ],
)
def test_the_key_says_it_for_api_v1_as_well(request_, resend):
    _, partner = a_partner()
    made = partner.post(
        "sends", {"text": "Hi", "recipients": ["+447700900001"]} | request_, Idempotency_Key="k"
    )
    assert made.status_code == 201, made.content
    assert made.json()["resend"] == resend


def test_a_short_lived_message_is_sent_again_at_once_and_never_after_its_time(service):
    _, send = unconfirmed(service, a_key(service), validity="60")
    posted_ago(send, timedelta(seconds=11))
    assert len(posted_now(send)) == 1
    _, other = unconfirmed(service, a_key(service, name="Other"), validity="60")
    Send.objects.filter(pk=other.pk).update(expires_at=None, validity=60)
    posted_ago(other, timedelta(seconds=61))
    Slice.objects.filter(send=other).update(done=False)
    assert posted_now(other) == []
