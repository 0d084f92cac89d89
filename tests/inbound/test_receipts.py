"""The receipt endpoint and folding: authentic, durable, exactly 200, forward only, nothing thrown away."""

import itertools
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections
from django.test import Client
from django.utils import timezone

from sms.inbound import receipts
from sms.inbound.receipts.inbox import GroupCommit, insert
from sms.inbound.receipts.incoming import Incoming
from sms.models import Click, OptOut, Receipt, ReceiptInbox
from sms.values import correlation_id as values_correlation_id
from tests.support.provider import Provider
from tests.support.receipts import address, post, posted_message, receipt
from tests.support.sends import a_send, a_service
from tests.support.server_entry import ask

pytestmark = pytest.mark.django_db


def test_head_answers_200_and_an_unknown_address_404():
    service = a_service()
    assert Client().head(address(service)).status_code == 200
    assert Client().head("/receipts/nobody/").status_code == 404
    assert Client().post("/receipts/nobody/", data=b"{}", content_type="application/json").status_code == 404
    assert Client().get(address(service)).status_code == 405


def test_a_receipt_is_stored_raw_answered_200_and_applied():
    service = a_service()
    message, correlation_id = posted_message(service)
    raw = receipt(correlation_id)
    response = post(service, raw)
    assert (response.status_code, response.content) == (200, b"")
    assert bytes(Receipt.objects.get().raw) == raw
    assert receipts.fold() == 1
    message.refresh_from_db()
    assert (message.state, message.code, message.segments_billed) == ("delivered", "7500", 1)
    assert not ReceiptInbox.objects.exists()
    assert message.send.counts() == {"delivered": 1}


@pytest.mark.parametrize(
    ("escaped", "read"),
    [
        (rb"\ud83d", "\ufffd"),
        (rb"x \uDE00 y", "x \ufffd y"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (rb"\\ud83d", r"\ud83d"),
    ],
)
def test_a_receipt_with_half_a_character_in_it_is_applied(escaped, read):
    """Legal JSON, which the provider's own platform may write."""
    service = a_service()
    message, correlation_id = posted_message(service)
    raw = receipt(correlation_id, code="7201", status="Un-Delivered", info={"Description": "HERE"})
    assert post(service, raw.replace(b"HERE", escaped)).status_code == 200
    receipts.fold()
    message.refresh_from_db()
    assert (message.state, message.code, message.detail) == ("failed", "7201", read)
    assert not ReceiptInbox.objects.exists()


@pytest.mark.parametrize("between", [b"", b"\n", b",", b" \r\n\r\n"], ids=repr)
def test_of_receipts_joined_in_one_body_each_is_applied(between):
    service = a_service()
    one, of_one = posted_message(service)
    other, of_other = posted_message(service)
    raw = between.join([receipt(of_one), receipt(of_other, code="7201", status="Un-Delivered")])
    for _ in range(2):  # a repeat changes nothing
        assert post(service, raw).status_code == 200
        receipts.fold()
        one.refresh_from_db()
        other.refresh_from_db()
        assert (one.state, other.state) == ("delivered", "failed")
    assert Receipt.objects.count() == 2


@pytest.mark.parametrize("order", list(itertools.permutations(("7501", "7203", "7500"))))
def test_receipts_in_any_order_end_alike(order):
    service = a_service()
    message, correlation_id = posted_message(service)
    status = {"7501": "Submitted", "7203": "Un-Delivered", "7500": "Delivered"}
    for code in order:
        post(service, receipt(correlation_id, code=code, status=status[code]))
        receipts.fold()
    message.refresh_from_db()
    assert message.state == "delivered"


def test_the_same_receipt_twice_is_one_receipt():
    service = a_service()
    _, correlation_id = posted_message(service)
    raw = receipt(correlation_id)
    assert [post(service, raw).status_code for _ in range(3)] == [200, 200, 200]
    assert Receipt.objects.count() == 1


def test_a_receipt_before_the_reply_is_kept_by_the_reply():
    service, provider = a_service(), Provider()
    send = a_send(service)

    def answer(body):
        early = receipt(body["to"][0]["correlationId"], code="7501", status="Submitted")
        found = values_correlation_id.read(body["to"][0]["correlationId"], key=service.correlation_key)
        early_receipts.append((found, early))
        return accepted(body)

    from tests.support.provider import accepted

    early_receipts: list = []
    provider.answer = answer
    provider.dispatch()
    message = send.messages.get()
    assert message.state == "queued"
    post(service, early_receipts[0][1])
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "submitted"
    assert message.provider_id, "the provider's id of the reply stays"


def test_a_receipt_that_names_no_message_waits_and_is_matched_later():
    service = a_service()
    future = Receipt.objects.count() + 5000
    correlation_id = values_correlation_id.write(message_id=future, attempt=1, key=service.correlation_key)
    assert post(service, receipt(correlation_id)).status_code == 200
    receipts.fold()
    waiting = ReceiptInbox.objects.get()
    assert (waiting.why, waiting.tries) == ("unknown", 1)
    send = a_send(service)
    send.messages.update(id=future, attempt=1)
    receipts.fold(now=timezone.now() + timedelta(minutes=1))
    assert send.messages.get().state == "delivered"
    assert not ReceiptInbox.objects.exists()


def test_a_receipt_of_an_attempt_that_was_never_made_waits():
    """After a backup was restored, numbers of messages come again; what was told of the first ones is not true of these."""
    service = a_service()
    send = a_send(service)
    message = send.messages.get()
    correlation_id = values_correlation_id.write(
        message_id=message.pk, attempt=1, key=service.correlation_key
    )
    post(service, receipt(correlation_id, code="7720", status="Failed"))
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "pending"
    assert ReceiptInbox.objects.get().why == "unknown"
    assert not OptOut.objects.exists()


def test_another_services_message_cannot_be_moved():
    ours, theirs = a_service(), a_service(slug="other")
    message, correlation_id = posted_message(ours)
    assert post(theirs, receipt(correlation_id)).status_code == 200
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "queued"


def test_without_a_correlation_id_the_providers_id_finds_the_message():
    service = a_service()
    message, _ = posted_message(service)
    post(service, receipt("", transid=message.provider_id))
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "delivered"


@pytest.mark.parametrize("raw", [b"not json", b"[]", b'{"a": 1}', b"\xff\xfe\x00", b"{" * 5000, b"null"])
def test_what_cannot_be_read_is_stored_answered_200_and_set_aside_alone(raw):
    service = a_service()
    message, correlation_id = posted_message(service)
    assert post(service, raw).status_code == 200
    assert post(service, receipt(correlation_id)).status_code == 200
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "delivered", "a neighbour is not held up"
    assert ReceiptInbox.objects.get().why == "unreadable"


def test_an_unknown_code_moves_nothing_and_is_kept():
    service = a_service()
    message, correlation_id = posted_message(service)
    post(service, receipt(correlation_id, code="9999", status="Dancing"))
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "queued"
    assert Receipt.objects.filter(message_id=message.pk).count() == 1


def test_a_click_is_stored_with_its_link_and_proves_delivery():
    service = a_service()
    message, correlation_id = posted_message(service)
    info = {"Description": "https://shop.example/o/1|192.0.2.44", "additionalInfo": "Mozilla/5.0"}
    post(service, receipt(correlation_id, code="7528", status="Clicked", info=info))
    receipts.fold()
    click = Click.objects.get(message=message)
    assert (click.url, click.ip, click.user_agent) == (
        "https://shop.example/o/1",
        "192.0.2.44",
        "Mozilla/5.0",
    )
    message.refresh_from_db()
    assert message.state == "delivered"


def test_a_scanners_click_proves_no_delivery():
    service = a_service()
    message, correlation_id = posted_message(service)
    info = {"Description": "https://shop.example/o/1|192.0.2.44", "additionalInfo": "Proofpoint URL Defense"}
    post(service, receipt(correlation_id, code="7528", status="Clicked", info=info))
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "submitted"
    post(service, receipt(correlation_id, code="7201", status="Failed"))
    receipts.fold()
    message.refresh_from_db()
    assert (message.state, message.code) == ("failed", "7201")


def test_too_large_a_body_is_refused():
    path, raw = address(a_service()), receipt("x").ljust(65_537)
    assert ask("POST", path, raw, length=len(raw))[0] == 413
    assert ask("POST", path, raw)[0] == 413
    assert not Receipt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_share_commits_and_each_receipt_is_stored():
    service = a_service()
    address = receipts.receipt_addresses.find(service.receipt_token)
    group = GroupCommit(insert)
    failures: list[Exception] = []

    def deliver(index: int) -> None:
        try:
            for turn in range(10):
                group.store(Incoming.of(receipt(f"{index}-{turn}"), address=address))
        except Exception as problem:
            failures.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=deliver, args=(index,)) for index in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Receipt.objects.count() == ReceiptInbox.objects.count() == 120


@pytest.mark.django_db(transaction=True)
def test_what_the_database_refuses_is_reported_to_every_request_of_the_batch():
    group = GroupCommit(insert)
    bad = Incoming(service_id=987654, raw=b"{}", received_at=timezone.now())
    with pytest.raises(IntegrityError, match="(?i)foreign key"):
        group.store(bad)
    assert Receipt.objects.count() == 0
