"""Every shape of receipt that the documents show or announce, as it arrives at a real endpoint."""

import datetime as dt
import json
import time
from typing import Any

import pytest

from tests.sandbox.running import Received, Running, receiver, sandbox

LINKS = {"domain": "https://uk.wbxc.io", "shortenLinks": True, "trackClicks": True}
LONG = "https://shop.example/spring?a=1"


def both(number: str = "447700900001", **options: Any) -> tuple[Any, Any]:
    """The Submitted and the final receipt of one message, as JSON; ``options`` are the sandbox's."""
    with receiver() as taken, sandbox(**options) as running:
        running.send(number, notifyUrl=taken.url, callbackData="order=4711")
        first, last = sorted((one.json for one in taken.wait(2)), key=sent)
        return first, last


def sent(told: Any) -> str:
    """When a receipt was made; the zone is that of the others."""
    return told["deliveryInfoNotification"]["deliveryInfo"]["timeStamp"]


def final(number: str = "447700900001", **switches: str) -> Any:
    """The inner part of the final receipt under these switches."""
    given = [f"{name}={value}" for name, value in switches.items()]
    return both(number, switch=given)[1]["deliveryInfoNotification"]


def coded(taken: list[Received]) -> list[tuple[str, str]]:
    """Code and status of receipts."""
    inner = [one.json["deliveryInfoNotification"]["deliveryInfo"] for one in taken]
    return [(one["code"], one["deliveryStatus"]) for one in inner]


def finished(running: Running) -> bool:
    """Whether every message has its final status and no receipt is under way."""
    phones = running.get("/__sandbox__/handsets").json
    states = {one["status"] for phone in phones.values() for one in phone}
    return (
        states.isdisjoint({"queued", "Submitted"})
        and not running.get("/__sandbox__/health").json["receiptsWaiting"]
    )


def until_finished(running: Running) -> None:
    end = time.monotonic() + 60
    while not finished(running):
        assert time.monotonic() < end, "messages are not settled"
        time.sleep(0.02)


def test_submitted_and_delivered_have_the_documented_keys_in_order():
    first, last = both()
    stamp = first["deliveryInfoNotification"]["deliveryInfo"]["timeStamp"]
    transid = first["deliveryInfoNotification"]["transid"]
    expected = {
        "deliveryInfoNotification": {
            "deliveryInfo": {
                "timeStamp": stamp,
                "Description": "Submitted",
                "code": "7501",
                "deliveryChannel": "SMS",
                "additionalInfo": "",
                "destination": "447700900001",
                "destinationType": "msisdn",
                "deliveryStatus": "Submitted",
            },
            "subtid": "",
            "transid": transid,
            "callbackData": "order=4711",
            "correlationid": "c-1",
        }
    }
    assert json.dumps(first) == json.dumps(expected)
    info = {
        "timeStamp": last["deliveryInfoNotification"]["deliveryInfo"]["timeStamp"],
        "Description": "Delivered",
        "code": "7500",
        "messageCount": "1",
        "deliveryChannel": "SMS",
        "additionalInfo": "",
        "destination": "447700900001",
        "destinationType": "msisdn",
        "deliveryStatus": "Delivered",
    }
    expected = {
        "deliveryInfoNotification": {
            "deliveryInfo": info,
            "carrier": "",
            "subtid": "",
            "transid": transid,
            "callbackData": "order=4711",
            "correlationid": "c-1",
        }
    }
    assert json.dumps(last) == json.dumps(expected)


@pytest.mark.parametrize(
    ("zone", "end", "hours"),
    [("Z", "Z", 0), ("+00:00", "+00:00", 0), ("-04:00", "-04:00", -4), ("+05:30", "+05:30", 5.5)],
)
def test_times_are_now_in_the_zone_of_the_switch(zone, end, hours):
    stamp = final(receipt_time=zone)["deliveryInfo"]["timeStamp"]
    assert stamp.endswith(end)
    moment = dt.datetime.fromisoformat(stamp)
    assert moment.utcoffset() == dt.timedelta(hours=hours)
    assert abs(moment.timestamp() - time.time()) < 30


def test_canada_and_india_have_neither_count_nor_carrier():
    told = final(receipt_region="canada_india", receipt_carrier="named")
    assert "messageCount" not in told["deliveryInfo"]
    assert "carrier" not in told
    assert told["deliveryInfo"]["code"] == "7500"


@pytest.mark.parametrize(("choice", "carrier"), [("blank", ""), ("named", "GBVOD"), ("none", None)])
def test_carrier(choice, carrier):
    first, last = both(switch=[f"receipt_carrier={choice}"])
    assert "carrier" not in first["deliveryInfoNotification"]
    assert last["deliveryInfoNotification"].get("carrier") == carrier
    assert ("carrier" in last["deliveryInfoNotification"]) == (choice != "none")


def test_carrier_time_is_absent_beside_carrier_or_inside():
    assert "carrierSubmitTimeStamp" not in json.dumps(final())
    beside = final(receipt_carrier_time="note")
    assert "carrierSubmitTimeStamp" not in beside["deliveryInfo"]
    assert list(beside)[1:3] == ["carrier", "carrierSubmitTimeStamp"]
    assert beside["carrierSubmitTimeStamp"] < beside["deliveryInfo"]["timeStamp"]
    first, last = both(switch=["receipt_carrier_time=info"])
    assert "carrierSubmitTimeStamp" in last["deliveryInfoNotification"]["deliveryInfo"]
    assert "carrierSubmitTimeStamp" not in json.dumps(first)


@pytest.mark.parametrize(
    ("choice", "tried", "result"),
    [
        ("upgraded", "Branded Text", "Upgraded to RCS basic"),
        ("fallback", "Branded Text", "Fallback to SMS"),
        ("not_tried", "NA", "NA"),
    ],
)
def test_branded_text_tenants_get_two_more_keys(choice, tried, result):
    info = final(branded_text=choice)["deliveryInfo"]
    assert (info["attemptedUpgradeto"], info["upgradeResult"]) == (tried, result)
    assert "attemptedUpgradeto" not in final()["deliveryInfo"]


def test_unknown_keys_at_every_level():
    known, more = both()[1], both(switch=["receipt_more_keys=some"])[1]
    assert set(more) > set(known)
    assert set(more["deliveryInfoNotification"]) > set(known["deliveryInfoNotification"])
    info = more["deliveryInfoNotification"]["deliveryInfo"]
    assert set(info) > set(known["deliveryInfoNotification"]["deliveryInfo"])
    assert info["code"] == "7500"


def test_destination_with_plus():
    assert final()["deliveryInfo"]["destination"] == "447700900001"
    assert final(receipt_number="plus")["deliveryInfo"]["destination"] == "+447700900001"


def test_the_printed_sample_of_submitted():
    first, last = both(switch=["submitted_sample=7102"])
    info = first["deliveryInfoNotification"]["deliveryInfo"]
    assert (info["code"], info["Description"], info["deliveryStatus"]) == (
        "7102",
        "Invalid address",
        "Submitted",
    )
    assert last["deliveryInfoNotification"]["deliveryInfo"]["code"] == "7500"


@pytest.mark.parametrize(("choice", "status"), [("failed", "Failed"), ("un_delivered", "Un-Delivered")])
def test_faults_of_the_request_are_failed_or_undelivered(choice, status):
    with receiver() as taken, sandbox(switch=[f"request_faults={choice}"]) as running:
        running.send("12", notifyUrl=taken.url)
        assert coded(taken.wait(1)) == [("7102", status)]


def test_every_code_of_the_documents_by_number():
    """The statuses of the table of SMS status codes; where a code has two, the first."""
    undelivered = (
        *("7109", "7201", "7202", "7203", "7204", "7205", "7206", "7207", "7208", "7209", "7210", "7211"),
        *("7111", "7280", "7281", "7282", "7283", "7284", "7302", "7513", "7518", "7607", "7720"),
    )
    failed = ("7004", "7006", "7101", "7102", "7107")
    policy = ("9000", "9001", "9002", "9003", "9004", "9005", "9006", "9007", "9010")
    expected = dict.fromkeys(undelivered, "Un-Delivered") | dict.fromkeys((*failed, *policy), "Failed")
    with receiver() as taken, sandbox(switch=["number_is_code=yes"]) as running:
        running.send([f"44770090{code}" for code in expected], notifyUrl=taken.url)
        inner = [
            one.json["deliveryInfoNotification"]["deliveryInfo"]
            for one in taken.wait(2 * len(undelivered) + len(failed) + len(policy))
        ]
    ends = {one["destination"][-4:]: one for one in inner if one["code"] != "7501"}
    assert {code: one["deliveryStatus"] for code, one in ends.items()} == expected
    assert all(code == one["code"] for code, one in ends.items())
    assert {one["messageCount"] for one in ends.values()} == {"1"}
    assert sorted(one["destination"][-4:] for one in inner if one["code"] == "7501") == sorted(undelivered)


def test_a_number_is_no_code_unless_switched():
    assert final("447700907204")["deliveryInfo"]["code"] == "7500"


@pytest.mark.parametrize(
    ("asked", "came"),
    [
        (["SUBMITTED"], {"Submitted"}),
        (["SENT"], {"Submitted"}),
        (["DELIVERED"], {"Delivered"}),
        (["FAILED"], {"Failed", "Un-Delivered"}),
        (["SENT", "SUBMITTED", "FAILED"], {"Submitted", "Failed", "Un-Delivered"}),
        (["CLICKED"], set()),
        ([], {"Submitted", "Delivered", "Failed", "Un-Delivered"}),
    ],
)
def test_requested_receipts_filter(asked, came):
    numbers = ["447700900001", "447700900002", "447700900010"]
    with receiver() as taken, sandbox() as running:
        running.send(numbers, notifyUrl=taken.url, requestedReceipts=asked)
        until_finished(running)
        assert {status for _, status in coded(taken.got)} == came


def test_failed_alone_can_leave_undelivered_out():
    with receiver() as taken, sandbox(switch=["failed_covers=failed"]) as running:
        running.send(["447700900002", "447700900010"], notifyUrl=taken.url, requestedReceipts=["FAILED"])
        until_finished(running)
        assert coded(taken.got) == [("9002", "Failed")]


def visit(running: Running, agent: str = "Mozilla/5.0 (X11; Linux x86_64)", method: str = "GET") -> str:
    """Open the link in the last message's text, as a person with this user agent; return where it led."""
    path = "/" + running.last()["text"].rsplit("/", 1)[1]
    answer = running.call(method, path, headers={"User-Agent": agent})
    assert answer.status == 302
    return answer.headers["location"]


def test_clicked_has_a_shape_of_its_own():
    with receiver() as taken, sandbox() as running:
        text = f"Look: {LONG}"
        running.send(
            text=text, notifyUrl=taken.url, options=LINKS, requestedReceipts=["CLICKED"], callbackData="b"
        )
        assert visit(running) == LONG
        [clicked] = taken.wait(1)
        info = {
            "deliveryChannel": "sms",
            "Description": f"{LONG}|127.0.0.1",
            "destinationType": "msisdn",
            "timeStamp": clicked.json["deliveryInfoNotification"]["deliveryInfo"]["timeStamp"],
            "additionalInfo": "Mozilla/5.0 (X11; Linux x86_64)",
            "code": "7528",
            "deliveryStatus": "Clicked",
            "destination": "447700900999",
        }
        note = {
            "deliveryInfo": info,
            "correlationid": "c-1",
            "callbackData": "b",
            "transid": running.last()["messageId"],
        }
        assert json.dumps(clicked.json) == json.dumps({"deliveryInfoNotification": note})


@pytest.mark.parametrize(("choice", "count"), [("each", 2), ("first", 1)])
def test_a_second_click(choice, count):
    with receiver() as taken, sandbox(switch=[f"clicks_told={choice}"]) as running:
        running.send(
            text=LONG, notifyUrl=taken.url, options=LINKS, requestedReceipts=["CLICKED", "DELIVERED"]
        )
        visit(running, method="HEAD")
        visit(running)
        visit(running)
        until_finished(running)
        assert coded(taken.wait(count + 1)).count(("7528", "Clicked")) == count
        assert len(taken.got) == count + 1


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (LINKS | {"trackClicks": False}, ["CLICKED", "DELIVERED"]),
        (LINKS, ["DELIVERED"]),
    ],
)
def test_no_clicked_without_tracking_or_asking(options, asked):
    with receiver() as taken, sandbox() as running:
        running.send(text=LONG, notifyUrl=taken.url, options=options, requestedReceipts=asked)
        visit(running)
        until_finished(running)
        assert coded(taken.got) == [("7500", "Delivered")]


def test_links_that_are_not_shortened_are_not_clicked():
    with receiver() as taken, sandbox() as running:
        running.send("447700900007", text=LONG, notifyUrl=taken.url, options=LINKS | {"shortenLinks": False})
        until_finished(running)
        time.sleep(0.8)  # scanners come within 0.5 s where there is a link
        assert LONG in running.last()["text"]
        assert {status for _, status in coded(taken.got)} == {"Submitted", "Delivered"}


@pytest.mark.parametrize("code", ["7208", "7005", "7019", "7301", "7503"])
def test_what_expires_on_the_platform_is_undelivered(code):
    gone = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    with receiver() as taken, sandbox(switch=[f"expiry_code={code}"]) as running:
        running.send(notifyUrl=taken.url, expireAt=gone.isoformat().replace("+00:00", "Z"))
        until_finished(running)
        assert coded(taken.wait(1)) == [(code, "Un-Delivered")]


def test_what_expires_at_the_phone_keeps_its_code():
    assert final("447700900003", expiry_code="7301")["deliveryInfo"]["code"] == "7208"
