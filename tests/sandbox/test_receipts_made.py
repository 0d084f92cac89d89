"""Which receipts the sandbox makes of a message, and their shapes, field by field."""

import asyncio
import dataclasses
import json
import random
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sms.webex.sandbox import receipts, rules
from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.receipt_schedule import ReceiptSchedule
from sms.webex.sandbox.settings import Settings, Tenant
from sms.webex.sandbox.switches import Switches

NOW = datetime(2027, 3, 2, 9, tzinfo=UTC).timestamp()


# --- the shapes of receipts ---------------------------------------------------------------------------------------------
def a_receipt(status: str = "Delivered", *, click: bool = False, **switches: str) -> dict:
    order = SimpleNamespace(callback="order-7", links=SimpleNamespace(track=True, shorten=True))
    message = SandboxMessage(NOW, "id-1", order, "+447700900123", True, "c-1", "Hello", segments=2)
    chosen = dataclasses.replace(Switches(), **switches)
    if click:
        raw = receipts.click_payload(
            message, chosen, moment=NOW, url="https://x.test", ip="192.0.2.1", agent="A"
        )
    else:
        raw = receipts.payload(
            message, chosen, moment=NOW, handed=NOW - 0.35, code="7500", status=status, description="D"
        )
    return json.loads(raw)


def test_a_receipt_as_the_documents_show_it():
    at, handed = "2027-03-02T09:00:00.000Z", "2027-03-02T08:59:59.650Z"
    info = {
        "timeStamp": at, "Description": "D", "code": "7500", "messageCount": "2", "deliveryChannel": "SMS",
        "additionalInfo": "", "destination": "447700900123", "destinationType": "msisdn", "deliveryStatus": "Delivered",
    }  # fmt: skip
    note = {"carrier": "", "subtid": "", "transid": "id-1", "callbackData": "order-7", "correlationid": "c-1"}
    assert a_receipt() == {"deliveryInfoNotification": {"deliveryInfo": info} | note}
    submitted = a_receipt("Submitted")["deliveryInfoNotification"]
    assert "messageCount" not in submitted["deliveryInfo"] and "carrier" not in submitted
    assert a_receipt(receipt_carrier="named")["deliveryInfoNotification"]["carrier"] == "GBVOD"
    assert "carrier" not in a_receipt(receipt_carrier="none")["deliveryInfoNotification"]
    assert (
        a_receipt(receipt_carrier_time="note")["deliveryInfoNotification"]["carrierSubmitTimeStamp"] == handed
    )
    inside = a_receipt(receipt_carrier_time="info")["deliveryInfoNotification"]["deliveryInfo"]
    assert inside["carrierSubmitTimeStamp"] == handed
    canada = a_receipt(receipt_region="canada_india")["deliveryInfoNotification"]
    assert "carrier" not in canada and "messageCount" not in canada["deliveryInfo"]
    assert (
        a_receipt(receipt_number="plus")["deliveryInfoNotification"]["deliveryInfo"]["destination"]
        == "+447700900123"
    )
    branded = a_receipt(branded_text="fallback")["deliveryInfoNotification"]["deliveryInfo"]
    assert (branded["attemptedUpgradeto"], branded["upgradeResult"]) == ("Branded Text", "Fallback to SMS")
    more = a_receipt(receipt_more_keys="some")
    assert set(more) == {"deliveryInfoNotification", "eventId"}
    assert more["deliveryInfoNotification"]["schemaVersion"] == 7
    assert more["deliveryInfoNotification"]["deliveryInfo"]["handset"] == {"model": "unknown", "since": None}


def test_a_clicked_receipt_has_an_order_of_its_own():
    assert a_receipt(click=True) == {
        "deliveryInfoNotification": {
            "deliveryInfo": {
                "deliveryChannel": "sms", "Description": "https://x.test|192.0.2.1", "destinationType": "msisdn",
                "timeStamp": "2027-03-02T09:00:00.000Z", "additionalInfo": "A", "code": "7528",
                "deliveryStatus": "Clicked", "destination": "447700900123",
            },
            "correlationid": "c-1", "callbackData": "order-7", "transid": "id-1",
        }
    }  # fmt: skip
    assert (
        a_receipt(click=True, receipt_number="plus")["deliveryInfoNotification"]["deliveryInfo"][
            "destination"
        ][0]
        == "+"
    )


# --- which receipts are made --------------------------------------------------------------------------------------------
def an_order(**changes) -> SimpleNamespace:
    fields = {
        "callback": "", "links": SimpleNamespace(track=True, shorten=True), "notify_url": "https://a.test/x",
        "notify_auth": "TN1", "receipts": rules.RECEIPTS,
    }  # fmt: skip
    return SimpleNamespace(**fields | changes)


def scheduled(do, *, order: SimpleNamespace | None = None, switches: dict[str, str] | None = None, **message):
    """What `do` gives for a schedule and a message, and what it delivered."""
    fields = {
        "message_id": "id-1",
        "msisdn": "+447700900123",
        "valid": True,
        "correlation": "c-1",
        "text": "Hello",
    }
    one = SandboxMessage(at=NOW, order=order or an_order(), **fields | message)
    chosen = Settings(switches=dataclasses.replace(Switches(), **(switches or {})))
    delivered: list = []

    async def run():
        schedule = ReceiptSchedule(Tenant(chosen, lambda: NOW, random.Random(1)), lambda _: None)
        schedule.sender = SimpleNamespace(deliver=delivered.append)
        return do(schedule, one)

    return asyncio.run(run()), one, delivered


def info_of(receipt) -> dict:
    return json.loads(receipt.body)["deliveryInfoNotification"]["deliveryInfo"]


def test_a_receipt_carries_who_it_is_of_and_when_the_carrier_took_it():
    [made], message, _ = scheduled(
        lambda schedule, one: schedule.make(one, "7500"), switches={"receipt_carrier_time": "info"}
    )
    assert (made.url, made.msisdn, made.message_id, made.correlation, made.code, made.status, made.auth) == (
        "https://a.test/x", "+447700900123", "id-1", "c-1", "7500", "Delivered", "TN1",
    )  # fmt: skip
    assert message.status == "Delivered"
    assert info_of(made)["timeStamp"] == "2027-03-02T09:00:00.000Z"
    assert info_of(made)["carrierSubmitTimeStamp"] == "2027-03-02T08:59:59.650Z"


@pytest.mark.parametrize(
    ("code", "before", "switches", "status", "sent"),
    [
        ("7501", "queued", {}, "Submitted", [("7501", "Submitted")]),
        ("7501", "Delivered", {}, "Delivered", [("7501", "Submitted")]),
        ("7501", "queued", {"submitted_sample": "7102"}, "Submitted", [("7102", "Submitted")]),
        ("7500", "queued", {"submitted_sample": "7102"}, "Delivered", [("7500", "Delivered")]),
        ("7102", "queued", {}, "Failed", [("7102", "Failed")]),
        ("7102", "queued", {"request_faults": "un_delivered"}, "Un-Delivered", [("7102", "Un-Delivered")]),
        ("7203", "queued", {}, "Un-Delivered", [("7203", "Un-Delivered")]),
        ("7203", "queued", {"failed_covers": "failed"}, "Un-Delivered", []),
        ("7102", "queued", {"failed_covers": "failed"}, "Failed", [("7102", "Failed")]),
    ],
)
def test_a_code_becomes_a_receipt(code, before, switches, status, sent):
    made, message, _ = scheduled(
        lambda schedule, one: schedule.make(one, code), switches=switches, status=before
    )
    assert message.status == status
    assert [(info_of(one)["code"], info_of(one)["deliveryStatus"]) for one in made] == sent


@pytest.mark.parametrize(
    ("wanted", "url", "codes"),
    [
        ({"DELIVERED"}, "https://a.test", ["7500"]), ({"FAILED"}, "https://a.test", ["7203", "7102"]),
        ({"SENT"}, "https://a.test", ["7501"]), ({"SUBMITTED"}, "https://a.test", ["7501"]),
        ({"CLICKED"}, "https://a.test", []), (set(), "https://a.test", []), (rules.RECEIPTS, "", []),
    ],
)  # fmt: skip
def test_only_what_was_asked_for_is_reported(wanted, url, codes):
    order = an_order(receipts=frozenset(wanted), notify_url=url)
    made = [
        code
        for code in ("7501", "7500", "7203", "7102")
        if scheduled(lambda schedule, one, code=code: schedule.make(one, code), order=order)[0]
    ]
    assert made == codes


@pytest.mark.parametrize(
    ("changes", "switches", "times"),
    [
        ({}, {}, 2),
        ({}, {"clicks_told": "first"}, 1),
        ({"receipts": frozenset({"DELIVERED"})}, {}, 0),
        ({"notify_url": ""}, {}, 0),
        ({"links": SimpleNamespace(track=False, shorten=True)}, {}, 0),
        ({"links": SimpleNamespace(track=True, shorten=False)}, {}, 0),
    ],
)
def test_clicks_are_reported_where_they_are_tracked_and_wanted(changes, switches, times):
    def twice(schedule, one) -> None:
        schedule.click(one, "192.0.2.1", "Agent")
        schedule.click(one, "192.0.2.1", "Agent", "https://other.test")

    _, message, delivered = scheduled(
        twice, order=an_order(**changes), switches=switches, link="https://x.test"
    )
    assert len(delivered) == times and message.clicked == bool(times)
    assert [info_of(one)["Description"] for one in delivered] == [
        "https://x.test|192.0.2.1",
        "https://other.test|192.0.2.1",
    ][:times]
    assert {(one.code, one.status) for one in delivered} <= {("7528", "Clicked")}
