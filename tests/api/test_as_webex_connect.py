"""A client as one writes it for Webex Connect, with plain httpx: the same calls to the portal and to the sandbox, and the same answers.

What differs on purpose is listed in docs/partners/api.md, "Moving from Webex Connect", and asserted here beside its counterpart.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sms import callbacks, dispatch
from sms.inbound import receipts
from sms.models import ApiKey, Message, Send, Service
from tests.sandbox.running import Received, Running, receiver, sandbox
from tests.support.callbacks import LOOPBACK
from tests.support.drop_in import BODIES, LINKED, body
from tests.support.partners import a_key, a_partner_service

pytestmark = pytest.mark.django_db(transaction=True)

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
OWN = {"messageId", "requestTimestamp", "clientId", "groupId", "teamId"}  # each side's own
STRICT = ["bad_sender=reply", "long_text=reply", "unlisted_smartlink=7004"]
TOLERANT = [  # as our endpoint is, for programs that a strict provider would refuse
    "other_content_type=take", "plain_values=text", "offset_time=take", "zoneless_time=utc", "empty_field=ignore"
]  # fmt: skip
TO = [{"msisdn": ["447700900001", "+447700900002"], "correlationId": "a"}, {"msisdn": ["447700900003"]}]


@dataclass
class Client:
    """Whoever sends through Webex Connect: a base address and a service key."""

    url: str
    key: str

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def call(self, method: str, path: str, content: Any = None, **headers: str) -> httpx.Response:
        given = {"key": self.key} | {name.replace("_", "-"): value for name, value in headers.items()}
        how = {"content": content} if isinstance(content, bytes) else {"json": content}
        sent = {name: value for name, value in given.items() if value}
        return self.http.request(method, path, headers=sent, **(how if content is not None else {}))

    def send(self, content: Any, **headers: str) -> httpx.Response:
        return self.call("POST", "/v2/messages", content, **headers)

    def read(self, message_id: str) -> httpx.Response:
        return self.call("GET", f"/v2/messages/{message_id}")


@dataclass
class Both:
    portal: Client
    webex: Client
    provider: Running

    def differences(self, name: str, content: Any, **headers: str) -> list[str]:
        """What a client would notice, as sentences; it compares everything but ids and the moment."""
        ours, theirs = self.portal.send(content, **headers), self.webex.send(content, **headers)
        return [f"{name}: {one}" for one in compared(ours, theirs)]


def compared(ours: httpx.Response, theirs: httpx.Response) -> Iterator[str]:
    if ours.status_code != theirs.status_code:
        yield f"{ours.status_code} {ours.text} for {theirs.status_code} {theirs.text}"
        return
    kinds = [one.headers.get("content-type", "").partition(";")[0] for one in (ours, theirs) if one.content]
    if bool(ours.content) != bool(theirs.content) or len(set(kinds)) > 1:
        yield f"{ours.headers} for {theirs.headers}"
    if not ours.content:
        return
    mine, wanted = ours.json(), theirs.json()
    added = mine.pop("textdesk", {})  # what the provider has no word for
    if [one["code"] for one in added.get("waits", ())] not in ([], ["send_at"]):
        yield f"textdesk {added}"
    if list(mine) != list(wanted):
        yield f"the fields {list(mine)} for {list(wanted)}"
    for field in mine.keys() & wanted.keys():
        if type(mine[field]) is not type(wanted[field]):
            yield f"{field} {mine[field]!r} for {wanted[field]!r}"
        elif field == "message":  # ours may go on behind the provider's words
            if not mine[field].startswith(wanted[field]):
                yield f"{mine[field]!r} for {wanted[field]!r}"
        elif field not in OWN and mine[field] != wanted[field]:
            yield f"{field} {mine[field]!r} for {wanted[field]!r}"
    for field, shape in (("messageId", UUID), ("requestTimestamp", TIME)):
        if field in mine and not (shape.match(mine[field]) and shape.match(wanted[field])):
            yield f"{field} {mine[field]!r} for {wanted[field]!r}"


@pytest.fixture
def both(live_server):
    service = a_partner_service()
    token = a_key(service, per_minute=100_000, scopes=["send", "read", "texts", "numbers"])
    options = {
        "template": ["order_shipped=Hi $(name), it is on its way.", "5S2ABCDFNR=Hello"],
        "sender": "SHOP",
    }
    with sandbox(key=token, switch=STRICT + TOLERANT, **options) as provider:
        Service.objects.filter(pk=service.pk).update(
            base_url=provider.url, api_key=token, secrets_origin=provider.url
        )
        found = Both(Client(live_server.url, token), Client(provider.url, token), provider)
        with found.portal.http, found.webex.http:
            yield found


def test_every_call_is_answered_alike(both):
    wrong = []
    for name, content in BODIES.items():
        wrong += both.differences(name, content)
    wrong += both.differences("a BOM", b"\xef\xbb\xbf{}")
    wrong += both.differences("no body", b"")
    wrong += both.differences("not UTF-8", b'{"channel": "\xff"}')
    wrong += both.differences("as text", BODIES["one"], Content_Type="text/plain")
    wrong += both.differences("wrong key", BODIES["one"], key="td_live_0_x")
    wrong += both.differences("no key", BODIES["one"], key="")
    wrong += both.differences("wrong bearer", BODIES["one"], Authorization="Bearer x")
    wrong += both.differences("basic", BODIES["one"], Authorization="Basic eDp5")
    for method, path in (
        ("GET", "/v2/messages"),
        ("DELETE", "/v2/messages"),
        ("GET", "/v2/messages/nobody"),
        ("GET", f"/v2/messages/{'0' * 8}-0000-4000-8000-{'0' * 12}"),
        ("POST", "/v2/messages/nobody"),
    ):
        answers = [client.call(method, path) for client in (both.portal, both.webex)]
        wrong += [f"{method} {path}: {one}" for one in compared(*answers)]
    assert not wrong, "\n".join(wrong)


def test_the_codes_of_the_seed_come_where_it_has_them(both):
    expected = {
        "one": "201",
        "not json": "400 7000",
        "no to": "400 7003",
        "callback data is a list": "400 7004",
        "too many": "400 7009",
        "no sender": "400 7003",
        "unknown sender": "400 7101",
        "long text": "400 7107",
        "unknown template": "400 7108",
        "other type": "400 7126",
    }
    for client in (both.portal, both.webex):
        got = {}
        for name in expected:
            answer = client.send(BODIES[name])
            got[name] = f"{answer.status_code} {answer.json().get('code', '')}".strip()
        assert got == expected, client.url
    for client in (both.portal, both.webex):
        answer = client.send(BODIES["one"], key="")
        assert (answer.status_code, answer.content) == (401, b"")


def test_what_was_sent_is_read_back_alike(both):
    soon = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="milliseconds")
    calls = {
        "one": body(),
        "many": body(to=TO, callbackData="mine", requestedReceipts=["FAILED", "DELIVERED"]),
        "values": body(
            to=[{"msisdn": ["447700900001"], "substitutions": {"name": "Ada", "n": 3}}],
            substitutions={"name": "you"},
            content={"type": "text", "text": "Hi $(name) & $(n)"},
        ),
        "unicode": body(content={"type": "unicode", "text": "żółć 😀"}),
        "template": body(template={"id": "order_shipped"}, content=..., substitutions={"name": "Ada"}),
        "scheduled": body(sendAt=soon, validity=600),
        "linked": body(options={"domain": LINKED["domain"]}),
        "policy": body(contactPolicy={"contactPolicyGroup": "G1", "channelApplyFrequencyCap": "true"}),
        "long": body(content={"type": "text", "text": "x" * 161}),
    }
    wrong = []
    for name, content in calls.items():
        ours, theirs = both.portal.send(content), both.webex.send(content)
        ends = ["", "_1", "_2"] if name == "many" else [""]
        for end in ends:
            mine = both.portal.read(ours.json()["messageId"] + end)
            wanted = both.webex.read(theirs.json()["messageId"] + end)
            wrong += [f"{name}{end}: {one}" for one in compared(mine, wanted)]
    assert [one for one in wrong if "status 'queued'" not in one] == [], "the sandbox has sent it by then"


def test_what_reaches_the_provider_is_what_the_client_would_have_sent_itself(both):
    """The same request through Textdesk and directly, as a phone sees it."""
    sent = body(
        to=[{"msisdn": ["447700900001"], "substitutions": {"name": "Ada"}, "correlationId": "c"}],
        content={"type": "text", "text": "Hi $(name): 10€"},
    )
    assert both.webex.send(sent).status_code == both.portal.send(sent).status_code == 201
    direct = both.provider.last()
    assert (direct["msisdn"], direct["text"]) == ("+447700900001", Message.objects.get().text)
    assert direct["segments"] == Message.objects.get().segments


SPELLINGS = {
    "as the samples": {},
    "null for nothing": {"sendAt": None, "template": None, "contactPolicy": None, "smartlinks": None},
    "booleans unquoted": {"options": LINKED},
    "the fallback as boolean": {"options": LINKED | {"allowFallbackURL": True}},
    "validity as number": {"validity": 3600},
    "validity as text": {"validity": "3600"},
    "a field of another channel": {"appid": "a1", "priority": 1, "nonsense": {"deep": []}},
    "value of a placeholder as number": {"substitutions": {"shop": 7}},
}
TOLERATED = {  # no document of the provider shows these as values, and the sandbox refuses them
    "numbers of to as numbers": {"to": [{"msisdn": [447700900101], "substitutions": {"name": "Ada"}}]},
    "one number without its list": {"to": [{"msisdn": "447700900101", "substitutions": {"name": "Ada"}}]},
    "correlationId as number": {
        "to": [{"msisdn": ["447700900101"], "substitutions": {"name": "Ada"}, "correlationId": 12345}]
    },
    "callbackData as number": {"callbackData": 4711},
    "booleans in capitals": {"options": LINKED | {"trackClicks": "True"}},
    "template by its capital ID": {"content": ..., "template": {"ID": "5S2ABCDFNR"}},
}


def test_spellings_of_the_samples_reach_the_phone_alike(both, live_server):
    """Quoted booleans, fields that are there and empty: directly, and through Textdesk."""
    sample = body(
        to=[{"msisdn": ["447700900101"], "substitutions": {"name": "Ada"}, "correlationId": ""}],
        substitutions={"shop": "York"},
        options={"trackClicks": "true", "shortenLinks": "true", "domain": LINKED["domain"]},
        requestedReceipts=["SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"],
        content={"type": "text", "text": "Hi $(name), $(shop) is open."},
        **dict.fromkeys(("sendAt", "expireAt", "validity", "callbackData", "notifyUrl"), ""),
    )
    fields = ("from", "msisdn", "text", "segments", "outcome")
    for name, change in (SPELLINGS | TOLERATED).items():
        content = {field: value for field, value in (sample | change).items() if value is not ...}
        direct = both.webex.send(content)
        assert direct.status_code == (400 if name in TOLERATED else 201), (name, direct.text)
        logged = both.provider.last() if name not in TOLERATED else None
        answer = both.portal.send(content)
        assert answer.status_code == 201, (name, answer.text)
        dispatch.run(public_url=live_server.url, seconds=5.0)
        ours = both.provider.last()
        assert ours["msisdn"] == "+447700900101", name
        assert logged is None or [ours[one] for one in fields] == [logged[one] for one in fields], name


def shape(received: Received) -> dict[str, Any]:
    """A receipt without what is each request's own."""
    outer = received.json["deliveryInfoNotification"]
    assert UUID.match(outer.pop("transid"))
    assert TIME.match(outer["deliveryInfo"].pop("timeStamp"))
    return outer


@pytest.mark.parametrize("wanted", [None, ["FAILED"], ["SENT", "DELIVERED"]])
def test_the_notify_url_hears_what_it_would_have_heard(both, live_server, settings, wanted):
    """Sent directly and through Textdesk, whose own receipts come from the same sandbox."""
    settings.CALLBACKS = {"loopback": True}
    content = body("447700900001", "447700900002", callbackData="shop=7", requestedReceipts=wanted or ...)
    heard = []
    for client in (both.webex, both.portal):
        with receiver() as taken:
            assert client.send(content | {"notifyUrl": taken.url}).status_code == 201
            count = len(heard[0]) if heard else {None: 4, "FAILED": 1, "SENT": 3}[wanted and wanted[0]]
            if client is both.portal:
                dispatch.run(public_url=live_server.url, seconds=60.0)
                end = time.monotonic() + 120
                while len(taken.got) < count and time.monotonic() < end:
                    receipts.sweep()  # where this machine was so busy that Textdesk kept them on disk
                    receipts.fold()
                    callbacks.run(policy=LOOPBACK, seconds=60.0)
            taken.wait(count, 60.0)
            assert all("x-hub-signature" in one.headers for one in taken.got) or client is both.webex
            heard.append(sorted((shape(one) for one in taken.got), key=str))
    assert heard[1] == heard[0]


def test_the_differences_that_are_meant(both):
    """Each of these stands in the table of docs/partners/api.md."""
    for content, code in (
        (body(content={"type": "text", "text": "Hi $(name)"}), "7003"),
        (body(contactPolicy={"contactPolicyGroup": "G9", "channelCheckConsent": True}), "7004"),
        (body(expireAt="2020-01-01T00:00:00Z"), "7004"),
        (body(to=[{"msisdn": ["447700900001"], "correlationId": "x" * 201}]), "7004"),
        (body(options=LINKED | {"domain": "https://go.example.com"}), "7004"),
    ):
        assert both.webex.send(content).status_code == 201
        answer = both.portal.send(content)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Send.objects.exists()
    assert both.portal.send(body(notifyUrlAuthId="x")).status_code == 201
    uncalled = both.portal.send(body(notifyUrl="http://partner.invalid/x"))
    assert (uncalled.status_code, list(uncalled.json()["textdesk"])) == (201, ["notices"])
    ApiKey.objects.update(per_minute=1)
    fast = [both.portal.send(body()) for _ in range(3)][-1]
    assert (fast.status_code, fast.json()["code"]) == (429, "7020")
    assert int(fast.headers["Retry-After"]) > 0
    ApiKey.objects.update(per_minute=100_000, networks=["192.0.2.0/24"])
    elsewhere = both.portal.send(body())
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "7127")
    ApiKey.objects.update(networks=[], scopes=["read"])
    forbidden = both.portal.send(body())
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "7001")
