"""Proofs of the switches about receipts and incoming messages."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sandbox.endpoint import endpoint
from tests.sandbox.proving import Proof
from tests.sandbox.running import Running, receiver

LINK = "https://shop.example/o/1"
TRACKED = {"domain": "https://uk.wbxc.io", "shortenLinks": True, "trackClicks": True}
PAST = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def notes(
    running: Running, count: int = 2, number: str = "447700900001", **more: Any
) -> list[dict[str, Any]]:
    """The inner parts of so many receipts of one message."""
    with receiver() as taken:
        running.send(number, notifyUrl=taken.url, **more)
        found = [one.json["deliveryInfoNotification"] for one in taken.wait(count)]
        return sorted(found, key=lambda one: one["deliveryInfo"]["timeStamp"])


def last(field: str) -> Callable[[Running], Any]:
    """A field of the final receipt's `deliveryInfo`."""
    return lambda run: notes(run)[1]["deliveryInfo"].get(field)


def region(running: Running) -> tuple[bool, bool]:
    final = notes(running)[1]
    return "messageCount" in final["deliveryInfo"], "carrier" in final


def carrier_time(running: Running) -> str:
    final, key = notes(running)[1], "carrierSubmitTimeStamp"
    return "note" if key in final else "info" if key in final["deliveryInfo"] else ""


def failures(running: Running) -> set[str]:
    """Statuses that FAILED lets through of an un-delivered, a failed and once more a failed message."""
    with receiver() as taken:
        for number in ("447700900002", "447700900010", "447700900011"):
            running.send(number, notifyUrl=taken.url, requestedReceipts=["FAILED"])
        taken.wait(2)
        time.sleep(0.3)
        return {one.json["deliveryInfoNotification"]["deliveryInfo"]["deliveryStatus"] for one in taken.got}


def clicks(running: Running) -> int:
    with receiver() as taken:
        running.send(text=LINK, notifyUrl=taken.url, options=TRACKED, requestedReceipts=["CLICKED"])
        path = "/" + running.last()["text"].rsplit("/", 1)[1]
        for _ in range(2):
            assert running.get(path).status == 302
        taken.wait(1)
        time.sleep(0.1)
        return len(taken.got)


def first_gap(running: Running) -> str:
    """How long the first wait is, by the second."""
    with endpoint() as taken:
        running.send(notifyUrl=f"{taken.url}/answer/503", requestedReceipts=["DELIVERED"])
        first, second, third = (one.at for one in taken.wait(3)[:3])
        assert third - second >= 0.795
        return "half" if 0.395 <= second - first < 0.795 else "as long"


def calls(path: str) -> Callable[[Running], list[str]]:
    """The methods with which a path was called."""

    def probe(running: Running) -> list[str]:
        with endpoint() as taken:
            running.send(notifyUrl=taken.url + path, requestedReceipts=["DELIVERED"])
            taken.wait(1)
            time.sleep(0.25)
            return taken.methods()

    return probe


def signature(running: Running) -> tuple[bool, int]:
    """Whether the header has a prefix, and how long the rest is."""
    with receiver() as taken:
        running.send(notifyUrl=taken.url, requestedReceipts=["DELIVERED"])
        value = taken.wait(1)[0].headers["x-hub-signature"]
        return "=" in value, len(value.rpartition("=")[2])


def prefix(running: Running) -> str:
    with receiver() as taken:
        running.send(notifyUrl=taken.url, requestedReceipts=["DELIVERED"])
        return taken.wait(1)[0].headers["x-hub-signature"].rpartition("=")[0]


def inbound(*fields: str) -> Callable[[Running], list[Any]]:
    """Fields of an incoming message, None for those that are not there."""

    def probe(running: Running) -> list[Any]:
        given = {
            "from": "447700900123",
            "to": "56263",
            "text": "STOP",
            "tid": "0044_1",
            "url": "http://127.0.0.1:9/",
        }
        body = running.call("POST", "/__sandbox__/inbound", given).json["body"]
        return [body.get(field) for field in fields]

    return probe


PROOFS: dict[str, Proof] = {
    "receipt_time": Proof(
        lambda run: notes(run)[1]["deliveryInfo"]["timeStamp"][23:],
        {"Z": "Z", "+00:00": "+00:00", "-04:00": "-04:00", "+05:30": "+05:30"},
    ),
    "receipt_region": Proof(region, {"any": (True, True), "canada_india": (False, False)}),
    "receipt_carrier": Proof(
        lambda run: notes(run)[1].get("carrier"), {"blank": "", "named": "GBVOD", "none": None}
    ),
    "receipt_carrier_time": Proof(carrier_time, {"none": "", "note": "note", "info": "info"}),
    "branded_text": Proof(
        last("upgradeResult"),
        {"none": None, "upgraded": "Upgraded to RCS basic", "fallback": "Fallback to SMS", "not_tried": "NA"},
    ),
    "receipt_more_keys": Proof(
        lambda run: sorted(
            set(notes(run)[0]) - {"deliveryInfo", "subtid", "transid", "callbackData", "correlationid"}
        ),
        {"none": [], "some": ["attributes", "schemaVersion"]},
    ),
    "receipt_number": Proof(last("destination"), {"digits": "447700900001", "plus": "+447700900001"}),
    "submitted_sample": Proof(
        lambda run: (notes(run)[0]["deliveryInfo"]["code"], notes(run)[0]["deliveryInfo"]["deliveryStatus"]),
        {"7501": ("7501", "Submitted"), "7102": ("7102", "Submitted")},
    ),
    "request_faults": Proof(
        lambda run: notes(run, 1, "12")[0]["deliveryInfo"]["deliveryStatus"],
        {"failed": "Failed", "un_delivered": "Un-Delivered"},
    ),
    "failed_covers": Proof(failures, {"both": {"Failed", "Un-Delivered"}, "failed": {"Failed"}}),
    "expiry_code": Proof(
        lambda run: notes(run, 1, expireAt=PAST)[0]["deliveryInfo"]["code"],
        {code: code for code in ("7208", "7005", "7019", "7301", "7503")},
    ),
    "clicks_told": Proof(clicks, {"each": 2, "first": 1}),
    "number_is_code": Proof(
        lambda run: notes(run, number="447700907206")[1]["deliveryInfo"]["code"],
        {"no": "7500", "yes": "7206"},
    ),
    "retry_gaps": Proof(first_gap, {"60_60_60": "as long", "30_60_120": "half"}, {"retry_seconds": 0.8}),
    "answer_201": Proof(
        calls("/answer/201"), {"retry": ["POST"] * 4, "success": ["POST"]}, {"retry_seconds": 0.01}
    ),
    "head_check": Proof(calls("/head/200"), {"no": ["POST"], "yes": ["HEAD", "POST"]}),
    "signature_hash": Proof(
        signature,
        {"sha256": (True, 64), "sha512": (True, 128), "sha1": (True, 40)},
        {"hub_secret": "s"},
    ),
    "signature_prefix": Proof(prefix, {"yes": "sha256", "no": ""}, {"hub_secret": "s"}),
    "inbound_user": Proof(inbound("userId", "userld"), {"userId": ["8765", None], "userld": [None, "8765"]}),
    "inbound_channel": Proof(
        inbound("Channel", "channel"), {"Channel": ["SMS", None], "channel": [None, "SMS"]}
    ),
    "inbound_to": Proof(inbound("da"), {"text": ["56263"], "list": [["56263"]]}),
    "inbound_number": Proof(inbound("oa"), {"digits": ["447700900123"], "plus": ["+447700900123"]}),
    "inbound_count": Proof(inbound("messageCount"), {"text": ["1"], "number": [1], "none": [None]}),
    "inbound_carrier": Proof(inbound("x_networkid"), {"name": ["GBVOD"], "number": [9], "none": [None]}),
    "inbound_id": Proof(inbound("tid", "transid"), {"tid": ["0044_1", None], "transid": [None, "0044_1"]}),
}
