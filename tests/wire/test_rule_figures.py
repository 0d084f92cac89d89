"""Our own rules about a request, each just kept and just broken, with the field, the code and the words."""

import datetime as dt
from dataclasses import replace

import pytest
from msgspec import structs

from sms.webex import wire
from sms.webex.rules import Rules, WireError, validate
from sms.webex.send_request import SendRequest

NOW = dt.datetime(2027, 3, 2, 9, tzinfo=dt.UTC)
WEEK, SECOND = dt.timedelta(days=7), dt.timedelta(seconds=1)
RULES = Rules(now=NOW, text_limit=20)


def a_request(**changes) -> SendRequest:
    fields = {
        "from_": "SHOP",
        "to": [wire.Destination(msisdn=["447710000000"], correlation_id="c-1")],
        "content": wire.Content(type="text", text="Hello"),
    }
    return SendRequest(**fields | changes)


def to(*numbers: str, **more) -> list[wire.Destination]:
    return [wire.Destination(msisdn=list(numbers), **more)]


def text(written: str, kind: str = "text") -> wire.Content:
    return wire.Content(type=kind, text=written)


def smart(*links: tuple[int, int]) -> tuple[wire.SmartlinkOptions, ...]:
    return tuple(wire.SmartlinkOptions(smartlink_id=link, validity=minutes) for link, minutes in links)


DOMAIN = "https://uk.wbxc.io"
TRACKED = wire.Options(domain=DOMAIN, shorten_links=True, track_clicks=True)
TEMPLATE = {"content": None, "template": wire.TemplateRef(id="T1")}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"content": text("x" * 20)},
        {"content": text("$(a)" + "x" * 15), "substitutions": {"a": "12345"}},
        {
            "content": text("$(a) $(b)"),
            "substitutions": {"a": "1"},
            "to": to("447710000000", substitutions={"b": "2"}),
        },
        {"content": text("я", "unicode")},
        TEMPLATE,
        {"options": TRACKED, "requested_receipts": ["CLICKED", "SENT"]},
        {"options": structs.replace(TRACKED, tag1="x" * 50, tag2="a_-9")},
        {"content": text("{{smartlink_7}}"), "smartlinks": smart((7, 1))},
        TEMPLATE | {"smartlinks": smart((7, 1))},
        {"send_at": NOW, "expire_at": NOW + SECOND},
        {"send_at": NOW + WEEK},
        {"expire_at": NOW + WEEK},
        {"validity": 1},
        {"validity": 259_200, "send_at": NOW},
        {"validity": "259200"},
        {"callback_data": "x" * 2000},
        {"notify_url": "https://a.test/x", "notify_url_auth_id": "TN12345678"},
        {"contact_policy": wire.ContactPolicy(group="g", check_consent=True, apply_frequency_cap=False)},
        {"contact_policy": wire.ContactPolicy(group="g", check_consent=False, apply_frequency_cap=True)},
        {"to": to("447710000000", correlation_id="é" * 25)},
        {"to": to("447710000000") * 1000},
        {"batch_id": "b"},
    ],
)
def test_a_request_that_breaks_no_rule(changes):
    validate(a_request(**changes), rules=RULES)


@pytest.mark.parametrize(
    ("changes", "field", "code", "words"),
    [
        ({"channel": "rcs"}, "channel", "7004", "must be sms"),
        ({"from_": ""}, "from", "7003", ""),
        ({"from_": "no sender"*3}, "from", "7004", ""),
        ({"to": []}, "to", "7003", "needs at least one destination"),
        ({"to": to()}, "to[0].msisdn", "7003", "needs a number"),
        ({"to": to("447710000000", "447710000001")}, "to[0].msisdn", "7004", "holds one number for each"),
        ({"to": to("447710000000") + to("12")}, "to[1].msisdn", "7004", ""),
        ({"to": to("447710000000", correlation_id="é" * 26)}, "to[0].correlationId", "7004", "may have 50 bytes"),
        ({"to": to("447710000000") * 1001}, "to", "7009", "may have 1000 numbers in one request; it has 1001"),
        ({"substitutions": {"": "x"}}, "substitutions", "7004", "names placeholders bare"),
        ({"to": to("447710000000", substitutions={"$(a)": "x"})}, "to[0].substitutions", "7004", "names placeholders bare"),
        ({"content": None}, "content", "7003", "either content or template"),
        ({"template": wire.TemplateRef(id="T1")}, "template", "7004", "only one of"),
        ({"content": None, "template": wire.TemplateRef(id="")}, "template.id", "7108", "must be the template's id"),
        ({"content": None, "template": wire.TemplateRef(id=" T1")}, "template.id", "7108", "must be the template's id"),
        ({"content": text("x", "html")}, "content.type", "7126", "must be text or unicode"),
        ({"content": text("")}, "content.text", "7003", "must not be empty"),
        ({"content": text("x" * 21)}, "content.text", "7107", "may have 20 characters; it has 21"),
        ({"content": text("$(a)" + "x" * 15), "substitutions": {"a": "123456"}}, "content.text", "7107",
         "may have 20 characters; it has 21 with the values of to[0]"),
        ({"content": text("$(a)")}, "to[0].substitutions", "7003", "has no value for $(a), and neither has substitutions"),
        ({"content": text("$(a) $("), "substitutions": {"a": "1"}}, "content.text", "7004", "has a $( that begins no"),
        ({"content": text("x"), "smartlinks": smart((7, 1))}, "smartlinks[0].smartlinkId", "7004", "has no {{smartlink_7}}"),
        ({"content": text("{{smartlink_7}}")}, "smartlinks", "7004", "has no entry for {{smartlink_7}}"),
        (TEMPLATE | {"smartlinks": smart((0, 1))}, "smartlinks[0].smartlinkId", "7004", "must be the link's number"),
        (TEMPLATE | {"smartlinks": smart((7, 0))}, "smartlinks[0].validity", "7004", "must be at least 1"),
        (TEMPLATE | {"smartlinks": smart((7, 1), (7, 2))}, "smartlinks", "7004", "names a link twice"),
        ({"options": structs.replace(TRACKED, domain="")}, "options.domain", "7003", "is mandatory"),
        ({"options": structs.replace(TRACKED, domain="uk.wbxc.io")}, "options.domain", "7004", "must be https://"),
        ({"options": structs.replace(TRACKED, tag1="a b")}, "options.tag1", "7004", "may have 50 letters"),
        ({"options": structs.replace(TRACKED, tag2="x" * 51)}, "options.tag2", "7004", "may have 50 letters"),
        ({"requested_receipts": ["DELIVERED", "READ"]}, "requestedReceipts[1]", "7004", "must be one of CLICKED, DELIVERED"),
        ({"requested_receipts": ["CLICKED"]}, "requestedReceipts[0]", "7004", "CLICKED comes only with"),
        ({"requested_receipts": ["CLICKED"], "options": structs.replace(TRACKED, track_clicks=False)},
         "requestedReceipts[0]", "7004", "CLICKED comes only with"),
        ({"requested_receipts": ["CLICKED"], "options": structs.replace(TRACKED, shorten_links=False)},
         "requestedReceipts[0]", "7004", "CLICKED comes only with"),
        ({"expire_at": NOW + SECOND, "validity": 1}, "validity", "7004", "only one of"),
        ({"validity": 0}, "validity", "7004", "from 1 to 259200"),
        ({"validity": 259_201}, "validity", "7004", "from 1 to 259200"),
        ({"validity": "1.5"}, "validity", "7004", "from 1 to 259200"),
        ({"validity": "12345678901"}, "validity", "7004", "from 1 to 259200"),
        ({"validity": 1, "send_at": NOW - SECOND}, "sendAt", "7004", "must not be in the past"),
        ({"send_at": NOW - SECOND}, "sendAt", "7004", "must not be in the past"),
        ({"send_at": NOW + WEEK + SECOND}, "sendAt", "7004", "may be 7 days ahead"),
        ({"expire_at": NOW + WEEK + SECOND}, "expireAt", "7004", "may be 7 days ahead"),
        ({"send_at": NOW.replace(tzinfo=None)}, "sendAt", "7004", "must say which time zone"),
        ({"send_at": NOW + SECOND, "expire_at": NOW + SECOND}, "expireAt", "7004", "must be after sendAt"),
        ({"expire_at": NOW}, "expireAt", "7004", "must not be in the past"),
        ({"callback_data": "x" * 2001}, "callbackData", "7004", "may have 2000 characters, spaces included; it has 2001"),
        ({"notify_url": "http://a.test"}, "notifyUrl", "7004", "must be a whole https:// address"),
        ({"notify_url_auth_id": "TN12345678"}, "notifyUrlAuthId", "7004", "needs a notifyUrl"),
        ({"notify_url": "https://a.test", "notify_url_auth_id": "!"}, "notifyUrlAuthId", "7004", "letters and digits"),
        ({"contact_policy": wire.ContactPolicy(group=" ", check_consent=True, apply_frequency_cap=True)},
         "contactPolicy.contactPolicyGroup", "7003", "is mandatory"),
        ({"contact_policy": wire.ContactPolicy(group="g", check_consent=False, apply_frequency_cap=False)},
         "contactPolicy", "7004", "at least one of"),
        ({"batch_id": " b"}, "batchId", "7004", "must not begin or end with a space"),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken(changes, field, code, words):
    with pytest.raises(WireError) as caught:
        validate(a_request(**changes), rules=RULES)
    assert (caught.value.field, caught.value.code) == (field, code)
    assert words in caught.value.rule
    assert str(caught.value) == f"{field}: {caught.value.rule}"


def test_rules_that_differ_between_services():
    plus = replace(RULES, e164_plus=True)
    validate(a_request(to=to("+447710000000")), rules=plus)
    with pytest.raises(WireError, match="msisdn"):
        validate(a_request(), rules=plus)
    several = replace(RULES, several_msisdns=True, max_destinations=3)
    validate(a_request(to=to("447710000000", "447710000001") + to("447710000002")), rules=several)
    with pytest.raises(WireError, match="may have 3 numbers in one request; it has 4"):
        validate(a_request(to=to("447710000000", "447710000001") * 2), rules=several)
    with pytest.raises(WireError, match="notifyUrl"):
        validate(a_request(notify_url="http://other.test/x"), rules=RULES)
