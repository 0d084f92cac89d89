"""What the real sandbox posts, read by us: every receipt and incoming message it can make, signatures included."""

import hmac
import time
from typing import Any

import pytest

from sms.webex import codes
from sms.webex.client import Client
from sms.webex.errors import ProviderError, Unconfirmed
from sms.webex.inbound import parse_inbound
from sms.webex.receipts import Notification, parse_receipt
from sms.webex.signature import sign, verify
from sms.webex.wire import Content, Destination, SendRequest
from tests.sandbox.running import Received, receiver, sandbox
from tests.wire.posting import KEY, message, post, tell, to

HUB = "sim-hub-secret-01"
SIGNED = "signed=both"  # notifyUrls too
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
GROUP = "GRP_textdesk_000000001"
TEMPLATE = "7K4QMPLE2R"


# -- receipts

SUBMITTED = ("7501", "submitted")
DELIVERED = ("7500", "delivered")
CLICK = ("7528", "clicked")
FATES = {
    "001": [SUBMITTED, DELIVERED],
    "002": [SUBMITTED, ("7203", "failed")],
    "003": [SUBMITTED, ("7208", "failed")],
    "004": [SUBMITTED, DELIVERED],  # its clicks come seconds later; one of ours is followed below
    "005": [],
    "006": [DELIVERED, DELIVERED, SUBMITTED, SUBMITTED],
    "007": [SUBMITTED, DELIVERED, CLICK, CLICK, CLICK],
    "008": [SUBMITTED, DELIVERED],
    "009": [SUBMITTED, DELIVERED],
    "010": [("9002", "failed")],
    "011": [("9006", "failed")],
    "012": [SUBMITTED, ("7201", "failed")],
}


def read(one: Received) -> Notification:
    """Parsed, after its signature is proved right and a changed byte proved wrong."""
    header = one.headers["x-hub-signature"]
    assert verify(one.body, header, secrets=["old-secret", HUB])
    assert not verify(one.body + b"!", header, secrets=["old-secret", HUB])
    assert not verify(one.body, header, secrets=["old-secret"])
    return parse_receipt(one.body)


def test_every_fate_of_a_number_is_reported_in_receipts_we_read():
    replies: dict[str, Any] = {}
    with receiver() as taken, sandbox(hub_secret=HUB, switch=SIGNED) as running:
        with Client(running.url, KEY, deadline=10) as client:
            for fate in FATES:
                try:
                    replies[fate] = client.post(message(to(f"+447700900{fate}", taken.url)))
                except ProviderError as error:
                    replies[fate] = error
        got = [read(one) for one in taken.wait(sum(map(len, FATES.values())))]
        got.sort(key=lambda one: (one.at, one.code != "7501"))  # as written, since two calls may overtake
        ids = {line["correlationId"]: line["messageId"] for line in running.log("message")}
    found = {
        fate: [(one.code, one.state) for one in got if one.correlation_id == f"c-{fate}"] for fate in FATES
    }
    assert found == FATES
    dropped = replies.pop("009")
    assert (type(dropped), dropped.code) == (Unconfirmed, "cut_off")
    for fate, accepted in replies.items():
        assert accepted.provider_id == ids[f"c-{fate}"]
        assert accepted.correlation_id == f"c-{fate}"
    for one in got:
        assert one.destination == f"+447700900{one.correlation_id[-3:]}"
        assert one.provider_id == ids[one.correlation_id]
        assert one.callback_data == "order=981"
        assert one.at is not None and abs(one.at.timestamp() - time.time()) < 60
        assert one.segments == (1 if one.state in ("delivered", "failed") else None)
        assert one.code in codes.CODES
    clicks = [one for one in got if one.state == "clicked"]
    assert {one.url for one in clicks} == {"https://shop.example/o/1"}
    assert len({one.ip for one in clicks}) == 3 and all(one.user_agent for one in clicks)


def test_click_of_a_person_is_reported_with_address_and_browser():
    with receiver() as taken, sandbox(hub_secret=HUB, switch=SIGNED) as running:
        post(running.url, message(to("+447700900001", taken.url, requested_receipts=["CLICKED"])))
        path = "/" + running.last()["text"].rpartition("/")[2]
        assert running.get(path, {"User-Agent": "Mozilla/5.0 (X11)"}).status == 302
        click = read(taken.wait(1)[0])
    assert (click.code, click.state, click.status) == ("7528", "clicked", "Clicked")
    assert (click.url, click.ip, click.user_agent) == (
        "https://shop.example/o/1",
        "127.0.0.1",
        "Mozilla/5.0 (X11)",
    )
    assert click.segments is None and click.correlation_id == "c-001"


VARIANTS = [
    {"receipt_time": "-04:00"},
    {"receipt_time": "+05:30", "receipt_number": "plus"},
    {"receipt_region": "canada_india"},
    {"receipt_carrier": "named", "receipt_carrier_time": "note"},
    {"receipt_carrier": "none", "receipt_carrier_time": "info"},
    {"branded_text": "upgraded"},
    {"branded_text": "fallback", "receipt_more_keys": "some"},
    {"branded_text": "not_tried", "signature_hash": "sha512", "signature_prefix": "no"},
]


@pytest.mark.parametrize("chosen", VARIANTS, ids=lambda chosen: "-".join(chosen.values()))
def test_receipt_in_each_shape_is_read(chosen):
    switches = [SIGNED, *(f"{name}={value}" for name, value in chosen.items())]
    with receiver() as taken, sandbox(hub_secret=HUB, switch=switches) as running:
        post(running.url, message(to("+447700900001", taken.url, requested_receipts=["DELIVERED"])))
        one = taken.wait(1)[0]
    final = parse_receipt(one.body)
    hashed = chosen.get("signature_hash", "sha256")
    assert verify(one.body, one.headers["x-hub-signature"], secrets=[HUB], algorithm=hashed)
    assert (final.code, final.state, final.correlation_id) == ("7500", "delivered", "c-001")
    assert final.destination == "+447700900001"
    assert final.at is not None and abs(final.at.timestamp() - time.time()) < 30
    assert final.segments == (None if "receipt_region" in chosen else 1)
    assert final.carrier == ("GBVOD" if chosen.get("receipt_carrier") == "named" else "")
    assert (final.carrier_submitted_at is not None) == ("receipt_carrier_time" in chosen)
    upgrade = {
        "upgraded": ("Branded Text", "Upgraded to RCS basic"),
        "fallback": ("Branded Text", "Fallback to SMS"),
        "not_tried": ("NA", "NA"),
    }.get(chosen.get("branded_text", ""), ("", ""))
    assert (final.upgrade, final.upgrade_result) == upgrade


def test_printed_sample_of_submitted_is_a_failure_by_its_code():
    """The page labels 7102 as Submitted once; the code decides."""
    with receiver() as taken, sandbox(switch="submitted_sample=7102") as running:
        post(running.url, message(to("+447700900001", taken.url, requested_receipts=["SUBMITTED"])))
        one = parse_receipt(taken.wait(1)[0].body)
    assert (one.code, one.status, one.state) == ("7102", "Submitted", "failed")


def test_sha1_of_an_old_webhook_is_refused_by_us():
    with receiver() as taken, sandbox(hub_secret=HUB, switch=[SIGNED, "signature_hash=sha1"]) as running:
        post(running.url, message(to("+447700900001", taken.url, requested_receipts=["DELIVERED"])))
        one = taken.wait(1)[0]
    header = one.headers["x-hub-signature"]
    assert header == "sha1=" + hmac.digest(HUB.encode(), one.body, "sha1").hex()
    for algorithm in ("sha256", "sha512"):
        assert not verify(one.body, header, secrets=[HUB], algorithm=algorithm)


def test_every_code_the_sandbox_can_end_in_has_its_state_with_us():
    """Each number gets a code of the sandbox's table; the states are what the documents' table says of delivered or not."""
    running_codes = sorted(set(codes.CODES) & set(sandbox_codes()))
    assert len(running_codes) == len(sandbox_codes()), "a code that we do not know"
    numbers = {f"44770090{2000 + index}": code for index, code in enumerate(running_codes)}
    with receiver() as taken, sandbox(hub_secret=HUB, switch=SIGNED) as running:
        tell(running, outcomes=numbers)
        request = SendRequest(
            from_="TEXTDESK",
            to=[Destination(msisdn=[f"+{number}"], correlation_id=code) for number, code in numbers.items()],
            content=Content(text="Hi"),
            requested_receipts=["DELIVERED", "FAILED"],
            notify_url=taken.url,
        )
        post(running.url, message(request))
        got = [
            read(one) for one in taken.wait(len(numbers) - 1)
        ]  # 7501 stays Submitted, which is not asked for
    assert {one.correlation_id: one.code for one in got} == {
        code: code for code in running_codes if code != "7501"
    }
    assert {one.code for one in got if one.state == "delivered"} == {"7500"}
    assert {one.state for one in got} == {"delivered", "failed"}


def sandbox_codes() -> set[str]:
    """The codes that the sandbox says a number may end in, in its own words."""
    with sandbox() as running:
        answer = running.call(
            "POST", "/__sandbox__/settings", {"outcomes": {"+447700900001": "no such fate"}}
        )
    listed = answer.json["error"].partition("the codes ")[2].rstrip(".")
    return set(listed.split(", "))


# -- incoming messages


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"inbound_user": "userld", "inbound_channel": "channel", "inbound_to": "list"},
        {"inbound_number": "plus", "inbound_count": "number", "inbound_id": "transid"},
        {"inbound_count": "none", "inbound_carrier": "none", "receipt_time": "-04:00"},
    ],
    ids=lambda chosen: "-".join(chosen.values()) or "default",
)
def test_incoming_message_in_each_spelling_is_read(chosen):
    switches = [f"{name}={value}" for name, value in chosen.items()]
    with receiver() as taken, sandbox(hub_secret=HUB, switch=switches, inbound_url=taken.url) as running:
        given = {"from": "+447700900123", "to": "56263", "text": "Stop, please"}
        assert running.call("POST", "/__sandbox__/inbound", given).status == 200
        one = taken.wait(1)[0]
    assert verify(one.body, one.headers["x-hub-signature"], secrets=[HUB])
    said = parse_inbound(one.body)
    assert (said.msisdn, said.sender, said.text) == ("+447700900123", "56263", "Stop, please")
    assert said.provider_id.startswith("0044_")


def test_signature_of_ours_is_that_of_the_other_side():
    with receiver() as taken, sandbox(hub_secret=HUB, switch=SIGNED) as running:
        post(running.url, message(to("+447700900001", taken.url, requested_receipts=["SUBMITTED"])))
        one = taken.wait(1)[0]
    assert sign(one.body, secret=HUB) == one.headers["x-hub-signature"]


def test_receipt_arrives_before_its_reply_where_the_number_says_so():
    with receiver() as taken, sandbox() as running:
        with Client(running.url, KEY, deadline=10) as client:
            accepted = client.post(message(to("+447700900008", taken.url)))
        early = [parse_receipt(one.body) for one in list(taken.got)]
    assert {one.code for one in early} == {"7501", "7500"}, "both were there when the reply came"
    assert {one.provider_id for one in early} == {accepted.provider_id}
