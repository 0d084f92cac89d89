"""Negative twins: what our rules refuse, the sandbox refuses too, for a reason of the same family, given the same body raw.

Each twin breaks one rule of `rules.py`; a test counts that no rule is without. Where the other side takes what we refuse, or
refuses it only at a switch because the documents leave it open, the twin says so and why.
"""

import ast
import datetime as dt
import inspect
import json
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from sms.webex import rules
from sms.webex.rules import Rules, WireError
from sms.webex.wire import (
    ContactPolicy,
    Content,
    Destination,
    Options,
    SendRequest,
    SmartlinkOptions,
    TemplateRef,
    encode,
)
from tests.sandbox.running import Clock, Running, sandbox
from tests.wire.at_our_door import Door, moved_to_now
from tests.wire.posting import tell
from tests.wire.requests import ADA, HOOK, NOW, TEXT, request, text

HOUR = dt.timedelta(hours=1)
LATER = {
    "7101": "invalid-sender",
    "7102": "invalid-address",
    "7107": "too-long",
    "7121": "missing-value",
    "7208": "expired-before-sending",
}
"""What the log says of a message that is accepted and then fails with the code."""


@dataclass
class Twin:
    """A request that breaks one rule, and what both sides say of it."""

    broken: SendRequest
    ours: str  # our code
    theirs: str = ""  # the sandbox's code; "" where it takes the request
    when: str = ""  # "" at once, "later" by a receipt, "switch=choice" at once with that switch, or both
    why: str = ""  # the reason where the codes differ, or where it refuses by default otherwise or not at all
    rules: dict[str, Any] = field(default_factory=dict)


def ada(**fields: Any) -> list[Destination]:
    return [Destination(**({"msisdn": ["+447700900001"]} | fields))]


LONG = [Destination(msisdn=["+447700900001"], substitutions={"a": "y" * 600})]
OPEN = "not documented, so a switch"
ASYNC = "the seed's pages show it as a receipt; the switch brings it into the reply"

TWINS = {
    "another channel": Twin(request(channel="mms"), "7004", "7004"),
    "no sender": Twin(request(from_=""), "7003", "7003"),
    "sender too long": Twin(request(from_="ABCDEFGHIJKL"), "7004", "7101", "later", ASYNC),
    "sender too long, told at once": Twin(
        request(from_="ABCDEFGHIJKL"), "7004", "7101", "bad_sender=reply", ASYNC
    ),
    "sender with +": Twin(
        request(from_="+447700900000"),
        "7004",
        why="the seed's sample recommends E.164 there, the later page says without +: we send none, the other side takes it",
    ),
    "no destination": Twin(request(to=[]), "7003", "7003"),
    "destination without number": Twin(request(to=ada(msisdn=[])), "7003", "7003"),
    "two numbers in a destination": Twin(
        request(to=ada(msisdn=["+447700900101", "+447700900102"])),
        "7004",
        why="the wire has it; only we want an id for each number",
    ),
    "number that cannot be": Twin(request(to=ada(msisdn=["07700900001"])), "7004", "7102", "later", ASYNC),
    "number that cannot be, told at once": Twin(
        request(to=ada(msisdn=["07700900001"])), "7004", "7102", "bad_address=reply", ASYNC
    ),
    "number of sixteen digits": Twin(
        request(to=ada(msisdn=["+4477009000011234"])), "7004", "7102", "bad_address=reply", ASYNC
    ),
    "number without + where it is demanded": Twin(
        request(to=ada(msisdn=["447700900001"])), "7004", "7102", "later", ASYNC, {"e164_plus": True}
    ),
    "correlation id of 51 bytes": Twin(
        request(to=ada(correlation_id="x" * 51)), "7004", "7004", "long_correlation=7004", OPEN
    ),
    "1001 destinations": Twin(request(to=[ADA] * 1001), "7009", "7009"),
    "1002 numbers in two destinations": Twin(
        request(to=ada(msisdn=["+447700900001"] * 501) * 2), "7009", "7009", rules={"several_msisdns": True}
    ),
    "substitution named with its brackets": Twin(
        request(substitutions={"$(name)": "Ada"}),
        "7004",
        why="harmless over there: it is a name that no placeholder has",
    ),
    "substitution of a destination without name": Twin(
        request(to=ada(substitutions={"": "x"})), "7004", why="harmless over there: it fills nothing"
    ),
    "neither content nor template": Twin(SendRequest(from_="A", to=[ADA]), "7003", "7003"),
    "content and template": Twin(request(content=TEXT, template=TemplateRef(id="X")), "7004", "7004"),
    "template id with a space": Twin(request(template=TemplateRef(id=" 5S2ABCDFNR")), "7108", "7108"),
    "another type of content": Twin(request(content=Content(type="flash", text="x")), "7126", "7126"),
    "another type of content, by the other code": Twin(
        request(content=Content(type="flash", text="x")), "7126", "7004", "bad_type=7004", OPEN
    ),
    "no type of content": Twin(
        request(content=Content(type="", text="x")), "7126", "7003", why="it counts empty as missing"
    ),
    "no text": Twin(text(""), "7003", "7003"),
    "1025 characters": Twin(text("x" * 1025), "7107", "7107", "later", ASYNC),
    "1025 characters, told at once": Twin(text("x" * 1025), "7107", "7107", "long_text=reply", ASYNC),
    "600 emoji where each counts as two": Twin(
        text("\N{PARTY POPPER}" * 600), "7107", why="it counts characters", rules={"utf16": True}
    ),
    "too long with its values": Twin(text("$(a)$(a)", to=LONG), "7107", "7107", "long_text=reply", ASYNC),
    "placeholder without value": Twin(
        text("Hi $(name)"), "7003", "7121", "missing_value=7121 later", f"{OPEN}; it is the code for it"
    ),
    "placeholder that is none": Twin(
        text("$(Amount (GBP)", substitutions={"Amount (GBP": "5"}),
        "7004",
        why="which names a placeholder may have is not documented; over there it stays as it is",
    ),
    "half a character": Twin(
        text("a\ud83d"),
        "7004",
        "7004",
        why="JSON can spell it; what the provider makes of it is not documented",
    ),
    "smartlink 0": Twin(
        text("{{smartlink_0}}", smartlinks=[SmartlinkOptions(smartlink_id=0, validity=1)]), "7004", "7004"
    ),
    "smartlink for no time": Twin(
        text("{{smartlink_4371}}", smartlinks=[SmartlinkOptions(smartlink_id=4371, validity=0)]),
        "7004",
        "7004",
    ),
    "smartlink that the text lacks": Twin(
        request(smartlinks=[SmartlinkOptions(smartlink_id=4371, validity=1)]),
        "7004",
        "7004",
    ),
    "smartlink twice": Twin(
        text(
            "{{smartlink_4371}}", smartlinks=[SmartlinkOptions(smartlink_id=4371, validity=n) for n in (1, 2)]
        ),
        "7004",
        why="not documented; the last entry counts over there",
    ),
    "smartlink without entry": Twin(
        text("{{smartlink_4371}}"), "7004", "7004", "unlisted_smartlink=7004", OPEN
    ),
    "options without domain": Twin(request(options=Options(shorten_links=True)), "7003", "7003"),
    "domain with a path": Twin(request(options=Options(domain="https://uk.wbxc.io/x")), "7004", "7004"),
    "domain without scheme": Twin(
        request(options=Options(domain="uk.wbxc.io")),
        "7004",
        why="tolerated over there: the region's bare name is a default domain",
    ),
    "first tag of 51 characters": Twin(
        request(options=Options(domain="https://uk.wbxc.io", tag1="x" * 51)), "7004", "7004"
    ),
    "second tag with a space": Twin(
        request(options=Options(domain="https://uk.wbxc.io", tag2="a b")), "7004", "7004"
    ),
    "receipt of another name": Twin(request(requested_receipts=["READ"]), "7004", "7004"),
    "clicks of links that are not tracked": Twin(
        request(requested_receipts=["CLICKED"]), "7004", why="it filters what never comes"
    ),
    "expireAt and validity": Twin(request(expire_at=NOW + HOUR, validity=60), "7004", "7004"),
    "validity 0": Twin(request(validity=0), "7004", "7004"),
    "validity over 72 hours": Twin(request(validity=259_201), "7004", "7004"),
    "validity that is no number": Twin(request(validity="60s"), "7004", "7004"),
    "sendAt without zone": Twin(request(send_at=(NOW + HOUR).replace(tzinfo=None)), "7004", "7004"),
    "sendAt in the past": Twin(request(send_at=NOW - HOUR), "7004", "7004", "past_send_at=7004", OPEN),
    "sendAt after 7 days": Twin(request(send_at=NOW + 169 * HOUR), "7004", "7004"),
    "expireAt after 7 days": Twin(request(expire_at=NOW + 169 * HOUR), "7004", "7004"),
    "expireAt in the past": Twin(request(expire_at=NOW - HOUR), "7004", "7208", "later", OPEN),
    "expireAt before sendAt": Twin(
        request(send_at=NOW + 2 * HOUR, expire_at=NOW + HOUR), "7004", "7004", "past_expire_at=7004", OPEN
    ),
    "2001 characters of callbackData": Twin(request(callback_data="x" * 2001), "7004", "7004"),
    "notifyUrl with a space": Twin(
        request(notify_url=f"{HOOK} "), "7004", "7004", "bad_notify_url=7004", OPEN
    ),
    "notifyUrl that is none": Twin(
        request(notify_url="textdesk"), "7004", "7004", "bad_notify_url=7004", OPEN
    ),
    "notifyUrlAuthId without notifyUrl": Twin(
        request(notify_url_auth_id="TNQZ4821PD"),
        "7004",
        why="it has nothing to sign in to, and nothing happens",
    ),
    "notifyUrlAuthId of another form": Twin(
        request(notify_url=HOOK, notify_url_auth_id="TN Q"), "7004", "7004", "bad_notify_auth=7004", OPEN
    ),
    "policy without group": Twin(request(contact_policy=ContactPolicy(check_consent=True)), "7003", "7003"),
    "policy without checks": Twin(request(contact_policy=ContactPolicy(group="G")), "7004", "7004"),
    "batchId with a space": Twin(request(batch_id=" b"), "7004", why="the form of the id is not documented"),
}


def raw(broken: SendRequest) -> bytes:
    """The request as JSON though it may not be sent: our encoder without our rules."""
    return json.dumps(msgspec.to_builtins(broken)).encode()


def refusal(twin: Twin) -> WireError:
    with pytest.raises(WireError) as caught:
        encode(twin.broken, rules=Rules(now=NOW, **twin.rules))
    return caught.value


@pytest.fixture(scope="module")
def tenant() -> Iterator[Running]:
    """It drops receipts: addresses in the requests are not ours."""
    with sandbox(clock=Clock(NOW.timestamp()), fault="receipt_drop=1") as running:
        yield running


@pytest.mark.parametrize("name", TWINS)
def test_we_refuse_with_field_and_rule(name):
    wrong = refusal(TWINS[name])
    assert wrong.code == TWINS[name].ours
    assert wrong.field and wrong.rule


AT_OUR_DOOR = {
    "sender too long": "7101",
    "sender too long, told at once": "7101",
    "sender with +": "201",  # as the seed's sample
    "two numbers in a destination": "201",  # each becomes a message
    "number that cannot be": "201",  # fails with 7102, like the provider's
    "number that cannot be, told at once": "201",
    "number of sixteen digits": "201",
    "number without + where it is demanded": "201",  # we write the +
    "correlation id of 51 bytes": "201",  # the partner's own, which stays with us
    "no type of content": "7003",
    "smartlink that the text lacks": "201",
    "smartlink twice": "201",  # the last entry counts
    "domain without scheme": "201",
    "clicks of links that are not tracked": "201",
    "sendAt without zone": "201",  # UTC
    "sendAt in the past": "201",  # now
    "notifyUrl with a space": "201",
    "notifyUrl that is none": "201",  # not called, and named in the reply
    "notifyUrlAuthId without notifyUrl": "201",
    "notifyUrlAuthId of another form": "201",
    "batchId with a space": "201",
}
"""Where `POST /v2/messages` answers a partner otherwise than our own rules for what leaves."""


@pytest.mark.django_db
@pytest.mark.parametrize("name", TWINS)
def test_our_own_endpoint_refuses_the_raw_body_too(name):
    twin = TWINS[name]
    assert Door().code(moved_to_now(json.loads(raw(twin.broken)))) == AT_OUR_DOOR.get(name, twin.ours)


@pytest.mark.parametrize("name", TWINS)
def test_the_other_side_refuses_the_raw_body_in_its_words(tenant, name):
    twin = TWINS[name]
    switches = ["plus=required"] if "e164_plus" in twin.rules else []
    switches += [one for one in twin.when.split() if "=" in one]
    defaults = tenant.get("/__sandbox__/settings").json["switches"]
    chosen = dict(one.split("=") for one in switches)
    before = len(tenant.log("message"))
    tell(tenant, switches=chosen)
    try:
        answer = tenant.post(raw(twin.broken))
    finally:
        tell(tenant, switches={one: defaults[one] for one in chosen})
    if twin.theirs and not twin.when.endswith("later"):
        assert (answer.status, answer.code) == (400, twin.theirs)
        assert len(tenant.log("message")) == before
        return
    assert answer.status == 201, answer.body
    outcome = tenant.last()["outcome"]
    assert outcome == (LATER[twin.theirs] if twin.theirs else "delivered")


@pytest.mark.parametrize("name", [name for name, twin in TWINS.items() if "=" in twin.when])
def test_the_switch_is_what_makes_it_refuse(tenant, name):
    """Without it the same body is taken, or refused with another code."""
    twin = TWINS[name]
    answer = tenant.post(raw(twin.broken))
    if twin.when.endswith("later"):
        assert tenant.last()["outcome"] != LATER[twin.theirs]
    else:
        assert (answer.status, answer.code if answer.status == 400 else "") != (400, twin.theirs)


def test_every_exception_says_why():
    for name, twin in TWINS.items():
        plain = twin.theirs == twin.ours and not twin.when
        assert plain or twin.why or "e164_plus" in twin.rules or twin.rules, name


def places() -> set[int]:
    """The line of every refusal in `rules.py`."""
    tree = ast.parse(pathlib.Path(inspect.getfile(rules)).read_text("utf-8"))
    return {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Raise)}


def test_no_rule_is_without_its_twin():
    hit = set()
    for twin in TWINS.values():
        trace = refusal(twin).__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        assert trace
        hit.add(trace.tb_lineno)
    assert places() - hit == set(), "lines of rules.py"
    assert len(places()) >= 40
