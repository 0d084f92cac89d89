"""Requests to `/v2/messages` as a client written for Webex Connect posts them, valid and not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from tests.support.partners import DOMAIN


def body(*numbers: str, **changes: Any) -> dict[str, Any]:
    """What the seed shows, with one object for each number."""
    made = {
        "channel": "sms",
        "from": "SHOP",
        "to": [
            {"msisdn": [number], "correlationId": f"c{at}"}
            for at, number in enumerate(numbers or ("447700900001",))
        ],
        "content": {"type": "text", "text": "Hello"},
    } | changes
    return {name: value for name, value in made.items() if value is not ...}


def post(token: str, content: Any, *, client: Any = None, **headers: str) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"key": token} | headers
    return (client or Client()).post("/v2/messages", raw, content_type="application/json", headers=given)


def get(token: str, message_id: str) -> Any:
    return Client().get(f"/v2/messages/{message_id}", headers={"key": token})


LINKED = {"domain": DOMAIN, "shortenLinks": "true", "trackClicks": True, "tag1": "spring", "tag2": "a-b"}

SOON = (datetime.now(UTC) + timedelta(hours=2)).isoformat()

FAR = (datetime.now(UTC) + timedelta(days=8)).isoformat()

POLICY = {"contactPolicyGroup": "G1", "channelCheckConsent": True}

MANY = [{"msisdn": ["447700900001", "+447700900002"]}, {"msisdn": ["447700900003"], "correlationId": "x"}]

BODIES = {
    "one": body(),
    "plus": body("+447700900001"),
    "unicode": body(content={"type": "unicode", "text": "żółć"}),
    "many": body(to=MANY),
    "template by name": body(template={"id": "order_shipped"}, content=..., substitutions={"name": "Ada"}),
    "template of the provider": body(template={"id": "5S2ABCDFNR"}, content=...),
    "values": body(
        to=[{"msisdn": ["447700900001"], "substitutions": {"name": "Ada", "n": 3}}],
        substitutions={"name": "you"},
        content={"type": "text", "text": "Hi $(name) $(n)"},
    ),
    "scheduled": body(sendAt=SOON, validity="60"),
    "expiring": body(expireAt=SOON),
    "links": body(options=LINKED, content={"type": "text", "text": "See https://example.com/a"}),
    "smartlink": body(
        smartlinks=[{"smartlinkId": 4371, "validity": "1"}],
        content={"type": "text", "text": "Hi {{smartlink_4371}}"},
    ),
    "receipts": body(requestedReceipts=["DELIVERED", "FAILED"]),
    "policy": body(contactPolicy=POLICY),
    "callback data": body(callbackData="x" * 2000),
    "unknown field": body(colour="blue"),
    "empty optionals": body(callbackData="", notifyUrl="", sendAt=None, requestedReceipts=[]),
    "no number": body("12"),
    "not json": b"{",
    "a list": b"[]",
    "nothing": {},
    "no channel": body(channel=...),
    "other channel": body(channel="rcs"),
    "no sender": body(**{"from": ...}),
    "sender is a flag": body(**{"from": True}),
    "unknown sender": body(**{"from": "NO_RECIPIENTS"}),
    "no to": body(to=...),
    "empty to": body(to=[]),
    "to is an object": body(to={"msisdn": ["447700900001"]}),
    "no msisdn": body(to=[{}]),
    "msisdn is an object": body(to=[{"msisdn": {"number": "447700900001"}}]),
    "msisdn is a flag": body(to=[{"msisdn": [True]}]),
    "too many": body(to=[{"msisdn": ["447700900001"] * 1001}]),
    "no content": body(content=...),
    "content and template": body(template={"id": "order_shipped"}),
    "content is a text": body(content="Hello"),
    "no type": body(content={"text": "Hello"}),
    "other type": body(content={"type": "flash", "text": "Hello"}),
    "no text": body(content={"type": "text", "text": ""}),
    "long text": body(content={"type": "text", "text": "x" * 1025}),
    "unknown template": body(template={"id": "nobody"}, content=...),
    "template without id": body(template={}, content=...),
    "substitutions are a list": body(substitutions=[1]),
    "sendAt is no time": body(sendAt="tomorrow"),
    "sendAt has passed": body(sendAt="2020-01-01T00:00:00.000Z"),
    "sendAt without zone": body(sendAt="2020-01-01T00:00:00"),
    "sendAt is a number": body(sendAt=5),
    "sendAt is no day": body(sendAt="2030-02-30T00:00:00Z"),
    "validity of three days": body(validity=72 * 3600),
    "receipts are a text": body(requestedReceipts="FAILED"),
    "sendAt is too far": body(sendAt=FAR),
    "expireAt and validity": body(expireAt=SOON, validity=60),
    "validity is nothing": body(validity=0),
    "validity is a word": body(validity="an hour"),
    "validity is too long": body(validity=72 * 3600 + 1),
    "long callback data": body(callbackData="x" * 2001),
    "callback data is a list": body(callbackData=["x"]),
    "unknown receipt": body(requestedReceipts=["READ"]),
    "options without domain": body(options={"shortenLinks": True}),
    "options are a text": body(options="x"),
    "flag is a number": body(options={"domain": DOMAIN, "trackClicks": 3}),
    "bad tag": body(options=LINKED | {"tag1": "a b"}),
    "policy without flags": body(contactPolicy={"contactPolicyGroup": "G1"}),
    "policy without group": body(contactPolicy={"channelCheckConsent": True}),
    "smartlink without id": body(smartlinks=[{"validity": 1}]),
    "smartlink is a word": body(smartlinks=[{"smartlinkId": "x", "validity": 1}]),
    "notifyUrl is a number": body(notifyUrl=1),
}
