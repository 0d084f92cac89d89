"""Proofs of the switches about receipts and incoming messages."""

import hmac
import json
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


INCOMING = {"from": "447700900123", "to": "56263", "text": "STOP"}


def covered(running: Running) -> tuple[bool, bool]:
    """Whether the signature is of the body as posted, and of its compact form."""
    with receiver() as taken:
        running.call("POST", "/__sandbox__/inbound", INCOMING | {"url": taken.url})
        [got] = taken.wait(1)
    compact = json.dumps(got.json, separators=(",", ":")).encode()
    given = got.headers["x-hub-signature"].partition("=")[2]
    as_posted, as_compact = (hmac.digest(b"s", one, "sha256").hex() for one in (got.body, compact))
    return given == as_posted, given == as_compact


def signature(running: Running) -> tuple[str, int]:
    """What stands before the digest on what goes to a webhook, and how long that is."""
    with receiver() as taken:
        running.call("POST", "/__sandbox__/inbound", INCOMING | {"url": taken.url})
        before, _, digest = taken.wait(1)[0].headers["x-hub-signature"].rpartition("=")
        return before, len(digest)


def signed(running: Running) -> tuple[bool, bool]:
    """Whether what goes to a notifyUrl is signed, and what goes to a webhook."""
    with receiver() as own, receiver() as hook:
        running.send(notifyUrl=own.url, requestedReceipts=["DELIVERED"])
        running.call("POST", "/__sandbox__/inbound", INCOMING | {"url": hook.url})
        first, second = own.wait(1)[0], hook.wait(1)[0]
        return "x-hub-signature" in first.headers, "x-hub-signature" in second.headers


def waiting(running: Running) -> int:
    return int(running.get("/__sandbox__/health").json["receiptsWaiting"])


def beside(running: Running) -> tuple[int, int]:
    """How many receipts of a message go to its notifyUrl, and how many there are with those for a webhook that is away."""
    with receiver() as taken:
        running.send(notifyUrl=taken.url)
        end = time.monotonic() + 60
        while {one["code"] for one in running.log("receipt")} != {"7501", "7500"} or waiting(running):
            assert time.monotonic() < end, running.log()
            time.sleep(0.02)
        return len(taken.got), len([one for one in running.log("receipt") if one["attempt"] == 1])


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
    "validity_kept": Proof(
        lambda run: notes(run, number="447700900003", validity="60")[1]["deliveryInfo"]["code"],
        {"yes": "7208", "no": "7500"},
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
    "webhook_beside": Proof(
        beside, {"both": (2, 4), "notify_url": (2, 2), "webhook": (0, 2)}, {"webhook": "http://127.0.0.1:9/"}
    ),
    "signed": Proof(
        signed,
        {"webhook": (False, True), "both": (True, True), "notify_url": (True, False)},
        {"hub_secret": "s"},
    ),
    "signature_of": Proof(covered, {"body": (True, True), "compact": (False, True)}, {"hub_secret": "s"}),
    "signature_hash": Proof(
        signature,
        {"sha256": ("sha256", 64), "sha512": ("sha512", 128), "sha1": ("sha1", 40)},
        {"hub_secret": "s"},
    ),
    "signature_prefix": Proof(signature, {"yes": ("sha256", 64), "no": ("", 64)}, {"hub_secret": "s"}),
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
