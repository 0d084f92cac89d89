"""The sandbox's rules about a body, each alone: the code and the field of a refusal, and the order that a good one becomes."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from sms.webex.sandbox import rules
from sms.webex.sandbox.refusals import SandboxRefused, invalid, missing
from sms.webex.sandbox.request_options import SandboxLinkOptions, SandboxPolicyOptions
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches

NOW = datetime(2027, 3, 2, 9, tzinfo=UTC).timestamp()
GOOD = {
    "channel": "sms",
    "from": "SHOP",
    "to": [{"msisdn": ["447700900123"], "correlationId": "c-1"}],
    "content": {"type": "text", "text": "Hello"},
}
OPTIONS = {"domain": "https://uk.wbxc.io", "shortenLinks": True, "trackClicks": "true"}
SMART = {"content": {"type": "text", "text": "See {{smartlink_4371}}"}}


def read(*, switches: dict[str, str] | None = None, settings: dict | None = None, **changes):
    body = {name: value for name, value in (GOOD | changes).items() if value != "gone"}
    chosen = Settings(switches=dataclasses.replace(Switches(), **(switches or {})), **(settings or {}))
    return rules.read(json.dumps(body).encode(), chosen, NOW)


def test_a_plain_order():
    order, destinations = read()
    assert order._asdict() == {
        "sender": "SHOP", "unicode": False, "receipts": rules.RECEIPTS, "callback": "", "notify_url": "",
        "links": SandboxLinkOptions(), "policy": None, "smart": {}, "send_at": 0.0, "expire_at": 0.0, "fault": "",
        "notify_auth": "",
    }  # fmt: skip
    assert [one._asdict() for one in destinations] == [
        {
            "msisdn": "+447700900123",
            "digits": "447700900123",
            "correlation": "c-1",
            "text": "Hello",
            "fault": "",
        }
    ]


def test_a_full_order():
    order, destinations = read(
        options=OPTIONS | {"tag1": "a", "tag2": "b_-1", "allowFallbackURL": True},
        contactPolicy={"contactPolicyGroup": "g", "channelCheckConsent": True},
        smartlinks=[{"smartlinkId": 4371, "validity": "10"}], requestedReceipts=["DELIVERED"], callbackData="x" * 2000,
        notifyUrl="https://a.test/x", notifyUrlAuthId="TN12345678", substitutions={"name": "Ada", "n": "1"},
        to=[{"msisdn": ["447700900123", "+15550000000"], "substitutions": {"n": None, "name": "Zoë"}}],
        content={"type": "unicode", "text": "$(name) $(n) {{smartlink_4371}}"},
    )  # fmt: skip
    assert order.links == SandboxLinkOptions("https://uk.wbxc.io", True, True, True, ("a", "b_-1"))
    assert order.policy == SandboxPolicyOptions("g", True, False, "")
    assert (order.smart, order.receipts, order.unicode) == ({"4371": 600}, frozenset({"DELIVERED"}), True)
    assert (order.notify_url, order.notify_auth, len(order.callback)) == (
        "https://a.test/x",
        "TN12345678",
        2000,
    )
    assert [(one.msisdn, one.text) for one in destinations] == [
        ("+447700900123", "Zoë 1 {{smartlink_4371}}"),
        ("+15550000000", "Zoë 1 {{smartlink_4371}}"),
    ]


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"channel": "gone"}, missing("channel")),
        ({"channel": "rcs"}, invalid("channel")),
        ({"from": "gone"}, missing("from")),
        ({"from": 1}, invalid("from")),
        ({"content": "gone"}, missing("content")),
        ({"content": []}, invalid("content")),
        ({"template": {"id": "x"}}, invalid("template")),
        ({"content": "gone", "template": "x"}, invalid("template")),
        ({"content": "gone", "template": {}}, missing("template.id")),
        ({"content": "gone", "template": {"id": "x"}}, SandboxRefused("7108", "Invalid template id")),
        ({"content": {"text": "x"}}, missing("content.type")),
        ({"content": {"type": "x", "text": "x"}}, SandboxRefused("7126", "Invalid content type")),
        ({"content": {"type": "text"}}, missing("content.text")),
        ({"content": {"type": "text", "text": ""}}, missing("content.text")),
        ({"content": {"type": "text", "text": 1}}, invalid("content.text")),
        ({"to": "gone"}, missing("to")),
        ({"to": []}, missing("to")),
        ({"to": "447700900123"}, invalid("to")),
        ({"to": ["447700900123"]}, invalid("to")),
        ({"to": [{"msisdn": []}]}, missing("msisdn")),
        ({"to": [{"msisdn": "447700900123"}]}, invalid("msisdn")),
        ({"to": [{"msisdn": ["447700900123", ""]}]}, missing("msisdn")),
        ({"to": [{"msisdn": ["447700900123", 1]}]}, invalid("msisdn")),
        ({"to": [{"msisdn": ["447700900123"], "substitutions": []}]}, invalid("substitutions")),
        ({"substitutions": {"a": {}}}, invalid("substitutions")),
        ({"to": [{"msisdn": ["447700900123"]}] * 1001},
         SandboxRefused("7009", "Number of destinations is limited to 1000")),
        ({"to": [{"msisdn": ["447700900123"] * 1001}]},
         SandboxRefused("7009", "Number of destinations is limited to 1000")),
        ({"callbackData": "x" * 2001}, invalid("callbackData")),
        ({"requestedReceipts": ["READ"]}, invalid("requestedReceipts")),
        ({"requestedReceipts": "SENT"}, invalid("requestedReceipts")),
        ({"options": []}, invalid("options")),
        ({"options": {}}, missing("options.domain")),
        ({"options": {"domain": "no domain"}}, invalid("options.domain")),
        ({"options": OPTIONS | {"tag1": "a b"}}, invalid("options.tag1")),
        ({"options": OPTIONS | {"tag2": "x" * 51}}, invalid("options.tag2")),
        ({"contactPolicy": "g"}, invalid("contactPolicy")),
        ({"contactPolicy": {"contactPolicyGroup": "g"}}, invalid("contactPolicy")),
        ({"contactPolicy": {"channelCheckConsent": True}}, missing("contactPolicyGroup")),
        (SMART | {"smartlinks": "x"}, invalid("smartlinks")),
        (SMART | {"smartlinks": ["x"]}, invalid("smartlinks")),
        (SMART | {"smartlinks": {"validity": 1}}, missing("smartlinks.smartlinkId")),
        (SMART | {"smartlinks": {"smartlinkId": 4371}}, missing("smartlinks.validity")),
        (SMART | {"smartlinks": {"smartlinkId": 4371, "validity": 0}}, invalid("smartlinks.validity")),
        (SMART | {"smartlinks": {"smartlinkId": True, "validity": 1}}, invalid("smartlinks.smartlinkId")),
        (SMART | {"smartlinks": {"smartlinkId": 4371.0, "validity": 1}}, invalid("smartlinks.smartlinkId")),
        ({"content": {"type": "text", "text": "{{smartlink_99}}"}, "smartlinks": {"smartlinkId": 99, "validity": 1}},
         invalid("smartlinks.smartlinkId")),
    ],
)  # fmt: skip
def test_a_refusal(changes, refused):
    with pytest.raises(SandboxRefused) as caught:
        read(**changes)
    assert (caught.value.code, caught.value.message, caught.value.name) == (
        refused.code,
        refused.message,
        refused.name,
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "7000"), (b"{", "7000"), (b"[]", "7000"), (b"[" * 100_000, "7000"), (b"null", "7000")],
)
def test_a_body_that_is_no_object(body, code):
    with pytest.raises(SandboxRefused) as caught:
        rules.read(body, Settings(), NOW)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("switches", "changes", "field"),
    [
        ({"unknown_field": "7004"}, {"odd": 1}, "odd"),
        ({"bad_type": "7004"}, {"content": {"type": "x", "text": "x"}}, "content.type"),
        (
            {"long_correlation": "7004"},
            {"to": [{"msisdn": ["447700900123"], "correlationId": "é" * 26}]},
            "correlationId",
        ),
        (
            {"bad_notify_auth": "7004"},
            {"notifyUrl": "https://a.test", "notifyUrlAuthId": "TN1234567"},
            "notifyUrlAuthId",
        ),
        ({"bad_notify_url": "7004"}, {"notifyUrl": "nonsense"}, "notifyUrl"),
        (
            {"bad_notify_url": "7004", "plain_notify_url": "invalid"},
            {"notifyUrl": "http://a.test"},
            "notifyUrl",
        ),
        ({"unknown_domain": "7004"}, {"options": {"domain": "other.test"}}, "options.domain"),
        ({"options_tags": "required"}, {"options": OPTIONS | {"tag1": "a"}}, "options.tag2"),
        ({"fallback_flag": "required"}, {"options": OPTIONS}, "options.allowFallbackURL"),
        ({"unused_smartlink": "7004"}, {"smartlinks": {"smartlinkId": 4371, "validity": 1}}, "smartlinks"),
        ({"unlisted_smartlink": "7004"}, SMART, "smartlinks"),
        ({"text_outside_gsm": "7004"}, {"content": {"type": "text", "text": "я"}}, "content.text"),
    ],
)
def test_a_switch_makes_it_a_refusal(switches, changes, field):
    with pytest.raises(SandboxRefused) as caught:
        read(switches=switches, **changes)
    assert (caught.value.code, caught.value.name) == (
        "7003" if "required" in switches.values() else "7004",
        field,
    )
    lenient = {"unknown_field": "ignore", "unused_smartlink": "ignore"}
    read(switches={name: lenient.get(name, getattr(Switches(), name)) for name in switches}, **(
        changes if "bad_type" not in switches else {}
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("switches", "changes", "code"),
    [
        ({"bad_sender": "reply"}, {"from": "no sender at all"}, "7101"),
        ({"bad_address": "reply"}, {"to": [{"msisdn": ["12"]}]}, "7102"),
        ({"bad_address": "reply", "plus": "required"}, {}, "7102"),
        ({"long_text": "reply"}, {"content": {"type": "text", "text": "x" * 1025}}, "7107"),
    ],
)
def test_a_switch_lets_it_come_in_the_reply(switches, changes, code):
    with pytest.raises(SandboxRefused) as caught:
        read(switches=switches, **changes)
    assert caught.value.code == code
    order, destinations = read(switches=switches | {next(iter(switches)): "receipt"}, **changes)
    assert code in (order.fault, destinations[0].fault)


@pytest.mark.parametrize(
    ("switches", "text", "values", "found"),
    [
        ({}, "Hi $(a) $(b)", {"a": "x"}, ("Hi x $(b)", "")),
        ({"missing_value": "blank"}, "Hi $(a) $(b)", {"a": "x"}, ("Hi x ", "")),
        ({"missing_value": "7121"}, "Hi $(a) $(b)", {"a": "x"}, ("Hi x $(b)", "7121")),
        ({"missing_value": "7121"}, "Hi $(a)", {"a": "x"}, ("Hi x", "")),
        ({"inline_values": "templates"}, "Hi $(a)", {"a": "x"}, ("Hi $(a)", "")),
        ({"placeholder": "braces"}, "Hi ${a} $(a)", {"a": "x"}, ("Hi x $(a)", "")),
        ({}, "x" * 1024, {}, ("x" * 1024, "")),
        ({}, "x" * 1025, {}, ("x" * 1025, "7107")),
        ({}, "$(a)" + "x" * 1020, {"a": "y" * 4}, ("yyyy" + "x" * 1020, "")),
        ({}, "$(a)" + "x" * 1020, {"a": "y" * 5}, ("yyyyy" + "x" * 1020, "7107")),
        ({"length_counts": "written"}, "$(a)" + "x" * 1020, {"a": "y" * 5}, ("yyyyy" + "x" * 1020, "")),
        ({"text_outside_gsm": "replace"}, "aя", {}, ("a?", "")),
        ({}, "aя", {}, ("aя", "")),
    ],
)
def test_a_text_with_its_values(switches, text, values, found):
    _, (one,) = read(
        switches=switches, content={"type": "text", "text": text},
        to=[{"msisdn": ["447700900123"], "substitutions": values}],
    )  # fmt: skip
    assert (one.text, one.fault) == found


@pytest.mark.parametrize(
    ("sender", "allowed", "fault"),
    [
        ("SHOP", [], ""), ("A", [], ""), ("ABCDEFGHIJK", [], ""), ("ABCDEFGHIJKL", [], "7101"), ("12", [], "7101"),
        ("123", [], ""), ("+123456789012345", [], ""), ("1234567890123456", [], "7101"), ("SH-OP", [], ""), ("Żabka", [], "7101"),
        ("SHOP", ["SHOP"], ""), ("SHOQ", ["SHOP"], "7101"), ("+12345", ["12345"], ""),
    ],
)  # fmt: skip
def test_a_sender(sender, allowed, fault):
    order, _ = read(settings={"senders": frozenset(allowed)}, **{"from": sender})
    assert order.fault == fault


@pytest.mark.parametrize(
    ("number", "plus", "shown"),
    [
        ("447700900123", "optional", "+447700900123"), ("+447700900123", "optional", "+447700900123"),
        ("1234567", "optional", "+1234567"), ("123456", "optional", None), ("0123456789", "optional", None),
        ("123456789012345", "optional", "+123456789012345"), ("1234567890123456", "optional", None),
        ("447700900123", "required", None), ("+447700900123", "required", "+447700900123"),
    ],
)  # fmt: skip
def test_a_number(number, plus, shown):
    _, (one,) = read(switches={"plus": plus}, to=[{"msisdn": [number]}])
    assert one.msisdn == (shown or number)
    assert (one.digits, one.fault) == ((shown[1:], "") if shown else ("", "7102"))


@pytest.mark.parametrize(
    ("switches", "given", "found"),
    [
        ({}, {"notifyUrl": ""}, ("", "")),
        ({}, {"notifyUrl": "http://a.test/x"}, ("http://a.test/x", "")),
        ({"plain_notify_url": "invalid"}, {"notifyUrl": "http://a.test"}, ("invalid:http://a.test", "")),
        ({"plain_notify_url": "invalid"}, {"notifyUrl": "https://a.test"}, ("https://a.test", "")),
        ({}, {"notifyUrl": "https://a.test "}, ("invalid:https://a.test ", "")),
        ({"notify_url_end": "trim"}, {"notifyUrl": "https://a.test "}, ("https://a.test", "")),
        ({}, {"notifyUrl": "https://a.test", "notifyUrlAuthId": "x"}, ("https://a.test", "x")),
        ({"bad_notify_auth": "7004"}, {"notifyUrlAuthId": "TN12345678"}, ("", "TN12345678")),
    ],
)
def test_where_receipts_go(switches, given, found):
    order, _ = read(switches=switches, **given)
    assert (order.notify_url, order.notify_auth) == found


@pytest.mark.parametrize(
    ("switches", "wanted", "found"),
    [({}, [], rules.RECEIPTS), ({"omitted_receipts": "none"}, [], set()), ({}, ["SENT", "SENT"], {"SENT"})],
)
def test_which_receipts_are_wanted(switches, wanted, found):
    assert read(switches=switches, requestedReceipts=wanted)[0].receipts == found


@pytest.mark.parametrize(
    ("switches", "policy", "found"),
    [
        ({"policy_no_flag": "ignore"}, {"contactPolicyGroup": "g"}, None),
        (
            {"policy_no_flag": "9001"},
            {"contactPolicyGroup": "g"},
            SandboxPolicyOptions("g", False, False, "9001"),
        ),
        (
            {"policy_no_group": "9001"},
            {"channelCheckConsent": True},
            SandboxPolicyOptions("", True, False, "9001"),
        ),
        (
            {},
            {"contactPolicyGroup": "g", "channelApplyFrequencyCap": "true"},
            SandboxPolicyOptions("g", False, True, ""),
        ),
    ],
)
def test_a_contact_policy(switches, policy, found):
    assert read(switches=switches, contactPolicy=policy)[0].policy == found


@pytest.mark.parametrize(
    ("switches", "links", "found", "fault"),
    [
        ({}, {"smartlinkId": "4371", "validity": 2}, {"4371": 120}, ""),
        ({"smartlink_validity": "seconds"}, {"smartlinkId": 4371, "validity": 2}, {"4371": 2}, ""),
        (
            {"unknown_smartlink": "receipt", "unused_smartlink": "ignore"},
            {"smartlinkId": 99, "validity": 2},
            {},
            "7004",
        ),
        (
            {"unknown_smartlink": "leave", "unused_smartlink": "ignore"},
            {"smartlinkId": 99, "validity": 2},
            {},
            "",
        ),
        ({"unused_smartlink": "ignore"}, {"smartlinkId": 5120, "validity": 2}, {}, ""),
        ({}, None, {}, ""),
    ],
)
def test_smartlinks(switches, links, found, fault):
    order, _ = read(switches=switches, smartlinks=links, **SMART)
    assert (order.smart, order.fault) == (found, fault)


@pytest.mark.parametrize(
    ("domain", "whole"),
    [
        ("uk.wbxc.io", "https://uk.wbxc.io"), ("uk.wbxc.io/", "https://uk.wbxc.io"),
        ("http://127.0.0.1:8001/", "http://127.0.0.1:8001"), ("https://uk.wbxc.io", "https://uk.wbxc.io"),
    ],
)  # fmt: skip
def test_a_domain(domain, whole):
    links = read(options={"domain": domain})[0].links
    assert links == SandboxLinkOptions(whole, False, False, False, ())
