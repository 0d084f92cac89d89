"""What the sandbox says to a request: the reply, the refusals with their codes, the log, and reading back."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.running import Clock, Running, order, receiver, sandbox

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
KEY = {"key": "any"}


def said(running: Running, body: Any) -> str:
    """The status of an accepted request, otherwise the code of the refusal."""
    answer = running.post(body)
    assert answer.status == 201 or (answer.status == 400 and set(answer.json) == {"code", "message"})
    return answer.code if answer.status == 400 else "201"


def to(*numbers: Any, **more: Any) -> dict[str, Any]:
    return {"to": [{"msisdn": list(numbers)} | more]}


# -- the reply


def test_a_plain_request_is_queued_and_its_receipts_come():
    with receiver() as taken, sandbox() as running:
        answer = running.send(notifyUrl=taken.url)
        assert answer.status == 201
        assert set(answer.json) == {"requestTimestamp", "messageId", "correlationId", "status"}
        assert answer.json["status"] == "queued"
        assert answer.json["correlationId"] == "c-1"
        assert str(uuid.UUID(answer.json["messageId"])) == answer.json["messageId"]
        assert datetime.fromisoformat(answer.json["requestTimestamp"]).tzinfo is not None
        assert {one.code for one in taken.wait(2)} == {"7501", "7500"}
        assert running.last()["messageId"] == answer.json["messageId"]


def test_several_destinations_have_one_reply_and_ids_behind_it():
    body = order() | {
        "to": [
            {"msisdn": ["447700900101", "447700900102"], "correlationId": "a"},
            {"msisdn": ["447700900103"], "correlationId": "b"},
        ]
    }
    with sandbox() as running:
        answer = running.post(body).json
        first = answer["messageId"]
        assert answer["correlationId"] == "a"
        lines = running.log("message")
        assert [line["messageId"] for line in lines] == [first, f"{first}_1", f"{first}_2"]
        assert [line["correlationId"] for line in lines] == ["a", "a", "b"]
        assert [line["msisdn"] for line in lines] == ["+447700900101", "+447700900102", "+447700900103"]


def test_other_verbs_and_addresses():
    with sandbox() as running:
        assert running.call("GET", "/v2/messages", headers=KEY).status == 405
        assert running.call("PUT", "/v2/messages", order(), KEY).status == 405
        assert running.call("POST", "/v2/message", order(), KEY).status == 404


# -- refusals


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"x"', "5", b"\xff\xfe", "[" * 100_000, '{"channel": "sms",}']
)
def test_what_is_no_json_object_is_7000(body: str | bytes):
    with sandbox() as running:
        answer = running.post(body)
        assert (answer.status, answer.json) == (400, {"code": "7000", "message": "Invalid JSON"})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"channel": None}, "7003"),
        ({"channel": ""}, "7003"),
        ({"channel": "SMS"}, "7004"),
        ({"channel": "email"}, "7004"),
        ({"channel": ["sms"]}, "7004"),
        ({"from": None}, "7003"),
        ({"from": ""}, "7003"),
        ({"from": 447860000001}, "7004"),
        ({"to": None}, "7003"),
        ({"to": []}, "7003"),
        ({"to": {}}, "7004"),
        ({"to": "447700900101"}, "7004"),
        ({"to": ["447700900101"]}, "7004"),
        ({"to": [{}]}, "7003"),
        (to(), "7003"),
        (to(447700900101), "7004"),
        (to(""), "7003"),
        (to(None), "7003"),
        (to(["447700900101"]), "7004"),
        ({"to": [{"msisdn": "447700900101"}]}, "7004"),
        (to("447700900101", substitutions=[]), "7004"),
        (to("447700900101", substitutions={"a": {}}), "7004"),
        (to("447700900101", substitutions={"a": 1}), "7004"),
        (to("447700900101", substitutions={"a": None}), "201"),
        (to("447700900101", correlationId=5), "7004"),
        (to("447700900101", correlationId=""), "201"),
        ({"substitutions": "x"}, "7004"),
        ({"content": None}, "7003"),
        ({"content": "Hello"}, "7004"),
        ({"content": {}}, "7003"),
        ({"content": {"text": "x"}}, "7003"),
        ({"content": {"type": "text"}}, "7003"),
        ({"content": {"type": "text", "text": ""}}, "7003"),
        ({"content": {"type": "text", "text": 5}}, "7004"),
        ({"content": {"type": "TEXT", "text": "x"}}, "7126"),
        ({"content": {"type": ["text"], "text": "x"}}, "7004"),
        ({"content": {"type": "unicode", "text": "x"}}, "201"),
        ({"template": {"id": "5S2ABCDFNR"}}, "7004"),
        ({"content": None, "template": {}}, "7003"),
        ({"content": None, "template": {"id": ""}}, "7003"),
        ({"content": None, "template": "5S2ABCDFNR"}, "7004"),
        ({"content": None, "template": {"id": "5s2abcdfnr"}}, "7108"),
        ({"content": None, "template": {"id": 5}}, "7004"),
        ({"content": None, "template": {"id": "5S2XXXXFNR"}}, "201"),
        ({"content": None, "template": {"id": "5S2ABCDFNR"}}, "201"),
        ({"callbackData": "x" * 2000}, "201"),
        ({"callbackData": "x" * 1990 + " " * 11}, "7004"),
        ({"callbackData": 5}, "7004"),
        ({"callbackData": ""}, "201"),
        ({"requestedReceipts": []}, "201"),
        ({"requestedReceipts": ["SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"]}, "201"),
        ({"requestedReceipts": ["delivered"]}, "7004"),
        ({"requestedReceipts": ["READ"]}, "7004"),
        ({"requestedReceipts": "DELIVERED"}, "7004"),
        ({"requestedReceipts": [["DELIVERED"]]}, "7004"),
        ({"notifyUrl": 5}, "7004"),
        ({"notifyUrl": ""}, "201"),
        ({"notifyUrlAuthId": "TNPXXXT09U"}, "201"),
        ({"notifyUrlAuthId": 5}, "7004"),
        ({"batchId": "b-1", "priority": 1, "appid": "x", "colour": "red"}, "201"),
        ({"options": "x"}, "7004"),
        ({"options": None, "contactPolicy": None, "smartlinks": None, "sendAt": None}, "201"),
        ({"sendAt": ""}, "7004"),
        ({"expireAt": ""}, "7004"),
        ({"validity": ""}, "7004"),
        ({"requestedReceipts": ""}, "7004"),
        ({"smartlinks": []}, "201"),
    ],
)
def test_every_field_has_its_rule_and_its_code(change: dict[str, Any], code: str):
    with sandbox() as running:
        assert said(running, order() | change) == code
        assert len(running.log("message")) == (code == "201")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"from": None}, "Mandatory parameter missing - from"),
        ({"sendAt": "soon"}, "Invalid parameter - sendAt"),
        (
            {"contactPolicy": {"channelCheckConsent": True}},
            "Mandatory parameter missing - contactPolicyGroup",
        ),
        ({"options": {"shortenLinks": True}}, "Mandatory parameter missing - options.domain"),
    ],
)
def test_refusal_names_the_parameter(change: dict[str, Any], message: str):
    with sandbox() as running:
        assert running.post(order() | change).json["message"] == message


@pytest.mark.parametrize(
    ("objects", "each", "code"), [(1000, 1, "201"), (1001, 1, "7009"), (500, 2, "201"), (1, 1001, "7009")]
)
def test_destinations_are_numbers_and_a_thousand_at_most(objects: int, each: int, code: str):
    numbers = [f"4479460{n:05}" for n in range(each)]
    with sandbox() as running:
        assert said(running, order() | {"to": [{"msisdn": numbers}] * objects}) == code


def test_a_thousand_objects_are_the_most_where_objects_are_counted():
    entry = {"msisdn": ["447946000001", "447946000002"]}
    with sandbox(switch="destinations_counted=objects") as running:
        assert said(running, order() | {"to": [entry] * 1001}) == "7009"
        assert said(running, order() | {"to": [entry] * 1000}) == "201"
        assert len(running.log("message")) == 2000


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sendAt": "2026-03-02T12:00:00.000Z"}, "201"),
        ({"sendAt": "2026-03-09T12:00:00.000Z"}, "201"),
        ({"sendAt": "2026-03-09T12:00:00.001Z"}, "7004"),
        ({"sendAt": "2026-03-09T13:00:00+01:00"}, "7004"),
        ({"sendAt": "2026-03-09T12:00:00Z"}, "201"),
        ({"sendAt": "2026-03-09T12:00Z"}, "7004"),
        ({"sendAt": "2026-03-09T12:00:00"}, "7004"),
        ({"sendAt": "2026-03-09T12:00:00-01:00"}, "7004"),
        ({"sendAt": "2026-03-02"}, "7004"),
        ({"sendAt": "20260302T120000Z"}, "7004"),
        ({"sendAt": "2026-03-02 12:00:00Z"}, "7004"),
        ({"sendAt": "2026-02-30T12:00:00Z"}, "7004"),
        ({"sendAt": "2026-W10-1T12:00:00Z"}, "7004"),
        ({"sendAt": "0001-01-01T00:00:00Z"}, "201"),
        ({"sendAt": 1772452800}, "7004"),
        ({"sendAt": " 2026-03-02T12:00:00Z"}, "7004"),
        ({"expireAt": "2026-03-09T12:00:00Z"}, "201"),
        ({"expireAt": "2026-03-09T12:00:01Z"}, "7004"),
        ({"expireAt": "never"}, "7004"),
        ({"expireAt": "2026-03-02T13:00:00Z", "validity": "60"}, "7004"),
        ({"validity": "60"}, "201"),
        ({"validity": 60}, "201"),
        ({"validity": "259200"}, "201"),
        ({"validity": "259201"}, "7004"),
        ({"validity": "0"}, "7004"),
        ({"validity": -5}, "7004"),
        ({"validity": 1.5}, "7004"),
        ({"validity": True}, "7004"),
        ({"validity": "1 h"}, "7004"),
        ({"validity": [60]}, "7004"),
        ({"validity": "60", "sendAt": "2026-03-09T12:00:00Z"}, "201"),
    ],
)
def test_times_keep_to_their_limits(fields: dict[str, Any], code: str):
    with sandbox(clock=Clock(NOON)) as running:
        assert said(running, order(**fields)) == code


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"expireAt": "2026-03-02T12:00:00.001Z"}, "delivered"),
        ({"expireAt": "2026-03-02T12:00:00.000Z"}, "expired-before-sending"),
        ({"sendAt": "2026-03-02T13:00:00Z", "expireAt": "2026-03-02T13:00:00Z"}, "expired-before-sending"),
        ({"sendAt": "2026-03-02T13:00:00Z", "expireAt": "2026-03-02T13:00:01Z"}, "delivered"),
        ({"sendAt": "2026-03-02T13:00:00Z", "validity": "1"}, "delivered"),
        ({"sendAt": "2026-03-02T11:59:00Z", "validity": "30"}, "expired-before-sending"),
        ({"sendAt": "2026-03-02T11:59:00Z", "validity": "90"}, "delivered"),
    ],
)
def test_message_expires_where_it_would_go_out_too_late(fields: dict[str, Any], outcome: str):
    with sandbox(clock=Clock(NOON)) as running:
        assert running.send(**fields).status == 201
        assert running.last()["outcome"] == outcome


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (to("0770"), "invalid-address"),
        (to("+44 7700 900101"), "invalid-address"),
        (to("0447700900101"), "invalid-address"),
        (to("1234567890123456"), "invalid-address"),
        (to("+447700900101"), "delivered"),
        ({"from": "Textdesk 1"}, "delivered"),
        ({"from": "72345"}, "delivered"),
        ({"from": "+447860000001"}, "delivered"),
        ({"from": "TWELVE LONGER"}, "invalid-sender"),
        ({"from": "TEXT-DESK"}, "delivered"),
        ({"from": "Żabka"}, "invalid-sender"),
        ({"from": "12"}, "invalid-sender"),
        ({"content": {"type": "text", "text": "x" * 1024}}, "delivered"),
        ({"content": {"type": "text", "text": "x" * 1025}}, "too-long"),
    ],
)
def test_sender_address_and_length_fail_after_the_reply(change: dict[str, Any], outcome: str):
    with sandbox() as running:
        assert said(running, order() | change) == "201"
        assert running.last()["outcome"] == outcome


def test_only_senders_of_the_tenant_are_known_where_there_is_a_list():
    with sandbox(sender=["TEXTDESK", "+447860000001"]) as running:
        for sender in ("TEXTDESK", "447860000001", "+447860000001", "OTHER"):
            running.send(**{"from": sender})
        outcomes = [line["outcome"] for line in running.log("message")]
        assert outcomes == ["delivered", "delivered", "delivered", "invalid-sender"]


# -- the text


def test_values_of_a_destination_win_over_those_of_the_request():
    body = order(text="Hi $(name), $(shop) is open. $(n)/$(b)") | {
        "to": [
            {"msisdn": ["447700900101"], "substitutions": {"name": "Ada"}},
            {"msisdn": ["447700900102"]},
        ],
        "substitutions": {"name": "you", "shop": "Leeds", "n": "5", "b": "true"},
    }
    with sandbox() as running:
        running.post(body)
        texts = [line["text"] for line in running.log("message")]
        assert texts == ["Hi Ada, Leeds is open. 5/true", "Hi you, Leeds is open. 5/true"]


def test_template_takes_its_values_and_its_own_type():
    with sandbox(template="NEW=Hello $(who)") as running:
        running.send(content=None, template={"id": "NEW"}, substitutions={"who": "Ada"})
        assert running.last()["text"] == "Hello Ada"


@pytest.mark.parametrize(
    ("text", "kind", "segments"),
    [
        ("a" * 160, "text", 1),
        ("a" * 161, "text", 2),
        ("a" * 306, "text", 2),
        ("a" * 307, "text", 3),
        ("€" * 80, "text", 1),
        ("€" * 81, "text", 2),
        ("a" * 152 + "€" * 77 + "a", "text", 3),
        ("a" * 70, "unicode", 1),
        ("a" * 71, "unicode", 2),
        ("😀" * 35, "unicode", 1),
        ("😀" * 36, "unicode", 2),
        ("😀" * 67, "unicode", 3),
        ("`" * 71, "text", 2),
        ("ж" * 70, "text", 1),
        ("\n" * 160, "text", 1),
    ],
)
def test_segments(text: str, kind: str, segments: int):
    with sandbox() as running:
        running.send(content={"type": kind, "text": text})
        assert running.last()["segments"] == segments


# -- where receipts go


@pytest.mark.parametrize(
    "url",
    [" http://127.0.0.1:9/", "http://127.0.0.1:9/ ", "http://", "ftp://127.0.0.1/", "nowhere", "http://a b/"],
)
def test_message_goes_out_though_its_notify_url_is_none(url: str):
    with sandbox() as running:
        assert running.send(notifyUrl=url, requestedReceipts=["SUBMITTED"]).status == 201
        assert [one["answer"] for one in running.await_log("receipt")] == ["invalid notifyUrl"]


# -- reading back


def test_message_is_read_back_in_the_shape_of_the_beta():
    with sandbox(clock=Clock(NOON)) as running:
        sent = running.send(
            text="Hi there, 5 € & more",
            options={"domain": "https://uk.wbxc.io", "trackClicks": True},
            callbackData="x=1",
            notifyUrl="nowhere",
            requestedReceipts=["FAILED", "DELIVERED"],
            sendAt="2026-03-02T13:00:00Z",
        ).json
        answer = running.get(f"/v2/messages/{sent['messageId']}", KEY)
        assert answer.status == 200
        assert answer.json == {
            "clientId": 1,
            "groupId": 1,
            "teamId": 1,
            "channel": "sms",
            "toType": "msisdn",
            "to": "447700900999",
            "from": "TEXTDESK",
            "messageId": sent["messageId"],
            "correlationId": "c-1",
            "numSegments": "1",
            "requestTimestamp": "2026-03-02T12:00:00.000Z",
            "requestedReceipts": ["DELIVERED", "FAILED"],
            "version": "2.0",
            "content": {"type": "text", "text": "Hi+there%2C+5+%E2%82%AC+%26+more"},
            "callbackData": "x=1",
            "notifyUrl": "nowhere",
            "options": {
                "trackOpens": False,
                "smsFallback": False,
                "bypassSuppression": False,
                "domain": "https://uk.wbxc.io",
                "trackClicks": True,
                "shortenLinks": False,
            },
            "direction": "outbound",
            "status": "queued",
        }


def test_every_other_answer_to_reading_back_is_without_body():
    with sandbox(key="right") as running:
        sent = running.post(order(), {"key": "right"}).json["messageId"]
        cases = [("GET", sent, "wrong", 401), ("GET", "nothing", "right", 404), ("POST", sent, "right", 405)]
        for method, path, key, status in cases:
            answer = running.call(method, f"/v2/messages/{path}", headers={"key": key})
            assert (answer.status, answer.body) == (status, b"")


def test_reading_back_is_throttled_without_body():
    with sandbox(fault="throttle=7020") as running:
        answer = running.get("/v2/messages/any", KEY)
        assert (answer.status, answer.body) == (429, b"")


def test_status_read_back_follows_the_receipts():
    with receiver() as taken, sandbox() as running:
        sent = running.send("447700900002", notifyUrl=taken.url).json["messageId"]
        taken.wait(2)
        assert running.get(f"/v2/messages/{sent}", KEY).json["status"] == "Un-Delivered"


def test_half_a_surrogate_in_a_text_harms_nothing():
    with sandbox(switch="unwritable_text=take") as running:
        options = {"domain": "https://uk.wbxc.io", "shortenLinks": True}
        answer = running.send(text="\ud800 https://a.example/\ud800", options=options)
        assert answer.status == 201
        path = "/" + running.last()["text"].rpartition("/")[2]
        assert running.get(path).headers["location"] == "https://a.example/?"
        assert running.get(f"/v2/messages/{answer.json['messageId']}", KEY).json["content"]["text"][0] == "%"


# -- the log


def test_log_keeps_the_youngest_messages_and_counts_the_others():
    with receiver() as taken, sandbox(log_limit=3, seed=1) as running:
        options = {"domain": "https://uk.wbxc.io", "shortenLinks": True}
        first = running.send("447700900101", text="https://a.example/", options=options, notifyUrl=taken.url)
        path = "/" + running.last()["text"].rpartition("/")[2]
        running.await_log("receipt", 2)
        assert running.get(path).status == 302
        for number in range(102, 107):
            running.send(f"447700900{number}")
        lines = running.log()
        assert lines[0] == {"kind": "dropped", "messages": 3, "receipts": 2}
        assert [line["msisdn"] for line in lines[1:]] == [f"+447700900{n}" for n in (104, 105, 106)]
        assert set(running.get("/__sandbox__/handsets").json) == {f"+447700900{n}" for n in (104, 105, 106)}
        assert running.get(f"/v2/messages/{first.json['messageId']}", KEY).status == 404
        assert running.get(path).status == 404
        health = running.get("/__sandbox__/health").json
        assert (health["messages"], health["receipts"]) == (6, 2)


def test_log_says_nothing_of_dropping_while_nothing_is_dropped():
    with sandbox(log_limit=3) as running:
        for _ in range(3):
            running.send()
        assert [line["kind"] for line in running.log()] == ["message"] * 3


def test_log_stays_small_over_many_messages():
    numbers = [f"4479460{n:05}" for n in range(1000)]
    with sandbox(log_limit=100) as running:
        for _ in range(10):
            running.send(numbers)
        book = running.listening.sandbox.log
        assert (len(book.ids), len(book.phones), book.dropped_messages) == (100, 100, 9900)
        assert len(book.entries) < 5000
        assert [line["msisdn"] for line in running.log("message")] == [f"+{one}" for one in numbers[900:]]


def test_one_text_of_many_messages_is_kept_once():
    with sandbox() as running:
        for _ in range(3):
            running.post(json.dumps(order(text="The same text for everybody")))
        texts = {id(one.text) for one in running.listening.sandbox.log.ids.values()}
        assert len(texts) == 1
