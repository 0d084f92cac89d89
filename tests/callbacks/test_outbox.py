"""What is written, when, to whom, and in which words: in the transaction of the change, once, whatever comes twice."""

import itertools
import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from sms.audiences.files import Limits, read_pasted
from sms.inbound import receipts
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import ALL_RECEIPTS, Callback, Message, MessageState, Receipts
from sms.sends.cancel import cancel
from sms.webex.receipts import parse_receipt
from tests.support.callbacks import REFERENCE, an_endpoint, comes_in, told, with_notify
from tests.support.provider import Provider, refused
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db


def statuses() -> list[str]:
    return [body["deliveryInfoNotification"]["deliveryInfo"]["deliveryStatus"] for body in told()]


def test_an_endpoint_hears_every_step_of_a_message_without_its_text_or_number():
    service = a_service()
    an_endpoint(service)
    send = a_send(service)
    Provider().dispatch()
    message = send.messages.get()
    for code, status in (("7501", "Submitted"), ("7500", "Delivered")):
        comes_in(message, code=code, status=status)
        receipts.fold()
    assert [body["type"] for body in told("message.")] == [
        "message.queued",
        "message.submitted",
        "message.delivered",
    ]
    last = told("message.")[-1]
    assert last["timestamp"] == "2026-03-02T09:15:07.412Z"
    assert (last["data"]["message"], last["data"]["send"], last["data"]["state"]) == (
        message.pk,
        send.pk,
        "delivered",
    )
    everything = json.dumps(told())
    assert message.msisdn not in everything and "Hello" not in everything


def test_an_event_says_what_its_sender_calls_the_message():
    service = a_service()
    an_endpoint(service)
    table = read_pasted("number,Correlation ID\n07700 900001,o-1\n", country="GB", limits=Limits())
    a_send(service, audience=table)
    Provider().dispatch()
    assert told()[0]["data"]["correlation_id"] == "o-1"


def test_an_endpoint_hears_what_it_asked_for_of_its_own_service_only_and_nothing_unverified():
    service, other = a_service(), a_service(slug="other", name="Other")
    wants = an_endpoint(service, events=["message.delivered"], full_numbers=True)
    an_endpoint(other, url="http://127.0.0.1:9/other")
    an_endpoint(service, url="http://127.0.0.1:9/new", verified_at=None)
    message = a_send(service).messages.get()
    Provider().dispatch()
    comes_in(message)
    receipts.fold()
    row = Callback.objects.get()
    assert (row.endpoint_id, row.kind) == (wants.pk, "message.delivered")
    assert told()[0]["data"]["number"] == message.msisdn


@pytest.mark.parametrize("order", list(itertools.permutations(("7501", "7203", "7500"))))
def test_whatever_comes_twice_late_or_replayed_is_reported_once_under_one_id(order):
    service = a_service()
    an_endpoint(service)
    message = with_notify(a_send(service)).messages.get()
    Provider().dispatch()
    status = {"7501": "Submitted", "7203": "Un-Delivered", "7500": "Delivered"}
    for code in (*order, *order):
        comes_in(message, code=code, status=status[code])
        comes_in(message, code=code, status=status[code], info={"timeStamp": "2026-03-02T09:16:00.000Z"})
        receipts.fold()
    before = list(Callback.objects.order_by("pk").values_list("pk", "event_id"))
    now = Callback.objects.earliest("pk").created_at
    sum(receipts.replay(service, since=now.replace(year=now.year - 1), until=now.replace(year=now.year + 1)))
    receipts.fold()
    assert list(Callback.objects.order_by("pk").values_list("pk", "event_id")) == before
    by_receiver = list(Callback.objects.values_list("endpoint", "event_id"))
    assert len(set(by_receiver)) == len(by_receiver)
    assert statuses_of_notify().count("Delivered") == 1


def statuses_of_notify() -> list[str]:
    return [
        body["deliveryInfoNotification"]["deliveryInfo"]["deliveryStatus"]
        for body in told()
        if "deliveryInfoNotification" in body
    ]


def test_a_fold_that_rolls_back_takes_its_callbacks_along():
    service = a_service()
    an_endpoint(service, events=["message.delivered"])
    message = a_send(service).messages.get()
    Provider().dispatch()
    with transaction.atomic():
        deltas = CounterDeltas()
        states.apply(
            [StateChange(message.pk, MessageState.DELIVERED, message.send.created_at)], deltas=deltas
        )
        assert Callback.objects.count() == 1
        transaction.set_rollback(True)
    assert not Callback.objects.exists()


def test_a_notify_url_hears_the_providers_shape_in_the_partners_own_terms():
    service = a_service()
    message = with_notify(a_send(service)).messages.get()
    Provider().dispatch()
    comes_in(message, carrier="USTMO", info={"upgradeResult": "NA"})
    receipts.fold()
    row = Callback.objects.get()
    assert row.url == "http://127.0.0.1:9/notify?x=1"
    outer = json.loads(row.body)["deliveryInfoNotification"]
    assert outer["correlationid"] == "theirs-0"
    assert outer["callbackData"] == "order=981"
    assert outer["transid"] == str(REFERENCE)
    assert outer["carrier"] == "USTMO"
    info = outer["deliveryInfo"]
    assert info == {
        "timeStamp": "2026-03-02T09:15:07.412Z",
        "Description": "Delivered",
        "code": "7500",
        "messageCount": "1",
        "deliveryChannel": "SMS",
        "additionalInfo": "",
        "destination": "07710 0",
        "destinationType": "msisdn",
        "deliveryStatus": "Delivered",
        "upgradeResult": "NA",
    }


def test_each_destination_of_a_request_has_its_own_transid():
    send = with_notify(a_send(a_service(), 3))
    Provider().dispatch()
    for message in send.messages.all():
        comes_in(message)
    receipts.fold()
    told = {
        outer["correlationid"]: outer["transid"]
        for outer in (json.loads(row.body)["deliveryInfoNotification"] for row in Callback.objects.all())
    }
    assert told == {f"theirs-{at}": f"{REFERENCE}{end}" for at, end in enumerate(("", "_1", "_2"))}


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        ([], ["Submitted", "Delivered", "Clicked"]),
        (["DELIVERED"], ["Delivered"]),
        (["SENT"], ["Submitted"]),
        (["SUBMITTED", "CLICKED"], ["Submitted", "Clicked"]),
        (["FAILED"], []),
    ],
)
def test_requested_receipts_filter(asked, heard):
    service = a_service()
    message = with_notify(a_send(service), receipts=Receipts.of(asked) or ALL_RECEIPTS).messages.get()
    Provider().dispatch()
    for code, status, words in (
        ("7501", "Submitted", "Submitted"),
        ("7500", "Delivered", "Delivered"),
        ("7528", "Clicked", "https://shop.example/o/1|192.0.2.44"),
    ):
        comes_in(message, code=code, status=status, info={"Description": words})
        receipts.fold()
    assert statuses() == heard


def test_a_click_before_the_receipt_reports_the_delivery_once():
    service = a_service()
    message = with_notify(a_send(service)).messages.get()
    Provider().dispatch()
    comes_in(
        message, code="7528", status="Clicked", info={"Description": "https://shop.example/o/1|192.0.2.44"}
    )
    receipts.fold()
    comes_in(message)
    receipts.fold()
    assert sorted(statuses()) == ["Clicked", "Delivered"]
    assert {parse_receipt(row.body.encode()).state for row in Callback.objects.all()} == {
        "clicked",
        "delivered",
    }


def test_what_the_provider_refused_at_once_is_reported_as_failed():
    with_notify(a_send(a_service()))
    Provider(answer=lambda _: refused("7102")).dispatch()
    note = parse_receipt(Callback.objects.get().body.encode())
    assert (note.state, note.code, note.status, note.correlation_id) == (
        "failed",
        "7102",
        "Failed",
        "theirs-0",
    )


def test_what_is_cancelled_in_time_is_reported_as_failed_and_as_cancelled():
    service = a_service()
    an_endpoint(service)
    send = with_notify(a_send(service, count=3))
    cancel(send, by=BY)
    kinds = [row.kind for row in Callback.objects.all()]
    assert sorted(kinds) == ["message.cancelled"] * 6 + ["send.cancelled"]
    assert statuses_of_notify() == ["Failed"] * 3


def test_an_unconfirmed_message_is_reported_to_an_endpoint_but_not_to_a_notify_url():
    service = a_service()
    an_endpoint(service)
    message = with_notify(a_send(service)).messages.get()
    Message.objects.filter(pk=message.pk).update(
        state="posting", attempt=1, posted_at=message.send.created_at
    )
    with transaction.atomic():
        states.apply(
            [StateChange(message.pk, MessageState.UNCONFIRMED, message.send.created_at)],
            deltas=CounterDeltas(),
        )
    assert [body["type"] for body in told()] == ["message.unconfirmed"]


def test_many_changes_cost_no_more_queries_than_few():
    service = a_service()
    an_endpoint(service)
    counts = []
    for count in (2, 30):
        send = with_notify(a_send(service, count=count), reference=None)
        news = [
            StateChange(pk, MessageState.DELIVERED, send.created_at)
            for pk in send.messages.values_list("pk", flat=True)
        ]
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            states.apply(news, deltas=CounterDeltas())
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Callback.objects.count() == 2 * 32


def test_without_listeners_a_batch_costs_one_small_query():
    service = a_service()
    send = a_send(service, count=3)
    news = [
        StateChange(pk, MessageState.DELIVERED, send.created_at)
        for pk in send.messages.values_list("pk", flat=True)
    ]
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        states.apply(news, deltas=CounterDeltas())
    mine = [query["sql"] for query in queries if "callback" in query["sql"]]
    assert len(mine) == 1 and "sms_callbackendpoint" in mine[0]
    assert not Callback.objects.exists()


@pytest.mark.parametrize("name", ["correlationId", "corelationid"])
def test_other_spellings_of_the_correlation_id_do_not_leak_ours(name):
    service = a_service()
    message = with_notify(a_send(service)).messages.get()
    Provider().dispatch()
    comes_in(message, **{name: "ours-secret"})
    receipts.fold()
    assert "ours-secret" not in Callback.objects.get().body
