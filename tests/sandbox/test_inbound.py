"""Incoming messages: the documented body, its other spellings, and its way to the URL of a number."""

import datetime as dt
import hashlib
import hmac
import json
import time

import pytest

from sms.webex.inbound import parse_inbound
from tests.sandbox.endpoint import endpoint
from tests.sandbox.running import receiver, sandbox

PATH = "/__sandbox__/inbound"
STOP = {"from": "+447700900123", "to": "56263", "text": "STOP"}


def test_body_as_documented():
    with receiver() as taken, sandbox(inbound_url=taken.url) as running:
        answer = running.call("POST", PATH, STOP)
        assert answer.status == 200
        [came] = taken.wait(1)
        stamp = came.json["ts"]
        assert json.dumps(came.json) == json.dumps(
            {
                "userId": "8765",
                "Channel": "SMS",
                "da": "56263",
                "message_source": "SMS",
                "oa": "447700900123",
                "message": "STOP",
                "messageCount": "1",
                "tid": answer.json["tid"],
                "datetime": stamp,
                "ts": stamp,
                "x_networkid": "GBVOD",
            }
        )
        assert abs(dt.datetime.fromisoformat(stamp).timestamp() - time.time()) < 30
        assert stamp.endswith("Z")
        assert answer.json == {"tid": came.json["tid"], "url": taken.url, "body": came.json}


@pytest.mark.parametrize(
    ("switch", "there", "gone"),
    [
        ("inbound_user=userld", {"userld": "8765"}, "userId"),
        ("inbound_channel=channel", {"channel": "SMS"}, "Channel"),
        ("inbound_to=list", {"da": ["56263"]}, ""),
        ("inbound_number=plus", {"oa": "+447700900123"}, ""),
        ("inbound_count=number", {"messageCount": 2}, ""),
        ("inbound_count=none", {}, "messageCount"),
        ("inbound_carrier=number", {"x_networkid": 9}, ""),
        ("inbound_carrier=none", {}, "x_networkid"),
        ("inbound_id=transid", {"transid": "0044_1"}, "tid"),
    ],
)
def test_spellings_by_switch_are_read_by_the_project(switch, there, gone):
    with sandbox(switch=switch) as running:
        given = STOP | {"text": "Stop, " + "x" * 160, "tid": "0044_1", "url": "http://127.0.0.1:9/"}
        body = running.call("POST", PATH, given).json["body"]
        assert there.items() <= body.items()
        assert gone not in body
        read = parse_inbound(json.dumps(body).encode())
        assert (read.msisdn, read.sender, read.text) == ("+447700900123", "56263", given["text"])
        assert read.provider_id == "0044_1"


def test_time_in_the_zone_of_the_switch():
    with sandbox(switch="receipt_time=+05:30") as running:
        body = running.call("POST", PATH, STOP | {"url": "http://127.0.0.1:9/"}).json["body"]
        assert body["ts"].endswith("+05:30")


def test_fields_of_its_own():
    given = STOP | {"userId": "1", "source": "Branded Text", "carrier": "USATT", "tid": "t", "text": ""}
    with sandbox() as running:
        body = running.call("POST", PATH, given | {"url": "http://127.0.0.1:9/"}).json["body"]
        assert (body["userId"], body["message_source"], body["x_networkid"]) == ("1", "Branded Text", "USATT")
        assert (body["tid"], body["message"]) == ("t", "")


def test_it_is_signed_and_tried_again_like_a_receipt():
    with (
        endpoint() as taken,
        sandbox(hub_secret="s", retry_seconds=0.05, auth="TNABCDE09U=x-api-key: k") as running,
    ):
        running.call("POST", PATH, STOP | {"url": f"{taken.url}/once/503", "auth": "TNABCDE09U"})
        calls = taken.wait(2)
        lines = running.await_log("inbound", 2)
        assert [(one["attempt"], one["answer"]) for one in lines] == [(1, 503), (2, 200)]
        assert {one["msisdn"] for one in lines} == {"+447700900123"}
        assert running.log("receipt") == []
        assert running.get("/__sandbox__/health").json["receipts"] == 0
        for call in calls:
            digest = hmac.new(b"s", call.body, hashlib.sha256).hexdigest()
            assert call.headers["x-hub-signature"] == f"sha256={digest}"
            assert call.headers["x-api-key"] == "k"


def test_url_of_the_call_comes_before_that_of_the_command_line():
    with receiver() as general, receiver() as own, sandbox(inbound_url=general.url) as running:
        running.call("POST", PATH, STOP | {"url": own.url})
        own.wait(1)
        assert general.got == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (STOP, "--inbound-url"),
        ({"to": "1", "text": ""}, "from"),
        ({"from": "1", "to": " ", "text": ""}, "to"),
        ({"from": "1", "to": "2"}, "text"),
        (STOP | {"message": "x"}, "'message'"),
        (STOP | {"text": 1}, "text"),
        ([STOP], "JSON object"),
        ("from=1", "JSON"),
    ],
)
def test_a_wrong_order_is_a_sentence(given, named):
    with sandbox() as running:
        answer = running.call("POST", PATH, given)
        assert answer.status == 400
        assert named in answer.json["error"]
        assert answer.json["error"].endswith(".")
        assert running.log() == []
