"""Proofs of the switches that decide what a body may be, and what the reply says of its parts. Run by `test_switches`."""

import json
from datetime import UTC, datetime, timedelta

from tests.sandbox.proving import Proof
from tests.sandbox.running import Running, order

GOOD, BAD = "447700900101", "0770"


def said(running: Running, body: bytes | dict, **headers: str) -> str:
    """201, the code of the refusal, or its status where it has no body."""
    answer = running.post(body, {"key": "any"} | headers)
    return answer.code if answer.status >= 400 and answer.body else str(answer.status)


def typed(running: Running) -> str:
    return said(running, json.dumps(order()).encode(), **{"Content-Type": "text/plain"})


def twice(running: Running) -> tuple[str, str]:
    body = json.dumps(order()).encode()[:-1] + b', "channel": "rcs"}'
    return said(running, body), said(running, body[:-1] + b', "channel": "sms"}')


def half_a_character(running: Running) -> str:
    return said(running, order(text="\ud83d"))


def number_as_value(running: Running) -> str:
    said_ = said(running, order(text="$(n)", substitutions={"n": 5}))
    return running.last()["text"] if said_ == "201" else said_


def emoji(running: Running) -> tuple[str, str]:
    """What becomes of 1024 of them in a text, and of 2000 in callbackData."""
    running.send(text="👋" * 1024)
    return running.last()["outcome"], said(running, order(callbackData="👋" * 2000))


def in_an_hour_with_offset(running: Running) -> str:
    at = datetime.now(UTC) + timedelta(hours=1)
    return said(running, order(sendAt=at.isoformat(timespec="milliseconds")))


def statuses(running: Running) -> tuple[list[str], list[str]]:
    """Of a number that can exist and one that cannot, and the numbers that became messages."""
    running.call("POST", "/__sandbox__/settings", {"switches": {"reply_to_many": "list"}})
    listed = running.send([GOOD, BAD]).json
    return [one["status"] for one in listed], [one["msisdn"] for one in running.log("message")]


PROOFS = {
    "other_content_type": Proof(typed, {"415": "415", "7000": "7000", "take": "201"}),
    "field_twice": Proof(twice, {"7000": ("7000", "7000"), "last": ("7004", "201")}),
    "unwritable_text": Proof(half_a_character, {"7004": "7004", "take": "201"}),
    "plain_values": Proof(number_as_value, {"7004": "7004", "text": "5"}),
    "empty_field": Proof(
        lambda run: said(run, order(sendAt="", requestedReceipts="")), {"7004": "7004", "ignore": "201"}
    ),
    "characters": Proof(emoji, {"points": ("delivered", "201"), "utf16": ("too-long", "7004")}),
    "no_domain": Proof(lambda run: said(run, order(options={})), {"7003": "7003", "7004": "7004"}),
    "offset_time": Proof(in_an_hour_with_offset, {"7004": "7004", "take": "201"}),
    "reply_status": Proof(
        statuses,
        {
            "queued": (["queued", "queued"], [f"+{GOOD}", BAD]),
            "rejected": (["rejected", "rejected"], []),
            "bad_rejected": (["queued", "rejected"], [f"+{GOOD}"]),
            "bad_left_out": (["queued"], [f"+{GOOD}"]),
        },
    ),
}
