"""The sandbox's times, texts and contact policy, called directly: each limit just below, at and just above it."""

import dataclasses
from datetime import UTC, datetime

import pytest

from sms.webex.sandbox import consent as consents
from sms.webex.sandbox import message_text
from sms.webex.sandbox.consent import Cap, ConsentGroup, Consents, Member
from sms.webex.sandbox.refusals import SandboxRefused
from sms.webex.sandbox.switches import Switches
from sms.webex.sandbox.times import due_and_expiry, iso

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp()


def switched(**changes: str) -> Switches:
    return dataclasses.replace(Switches(), **changes)


# --- times --------------------------------------------------------------------------------------------------------------
def test_times_in_each_zone():
    moment = NOW + 0.25
    assert [iso(moment, zone) for zone in ("Z", "+00:00", "-04:00", "+05:30")] == [
        "2027-01-31T12:00:00.250Z",
        "2027-01-31T12:00:00.250+00:00",
        "2027-01-31T08:00:00.250-04:00",
        "2027-01-31T17:30:00.250+05:30",
    ]


@pytest.mark.parametrize(
    ("data", "switches", "found"),
    [
        ({}, {}, (0, 0)),
        ({"expireAt": None, "validity": None}, {}, (0, 0)),
        ({"sendAt": 60}, {}, (60, 0)),
        ({"sendAt": -1}, {}, (-1, 0)),
        ({"sendAt": -1}, {"past_send_at": "7004"}, "sendAt"),
        ({"sendAt": 0}, {"past_send_at": "7004"}, (0.0, 0)),
        ({"sendAt": 7 * 86400}, {}, (7 * 86400, 0)),
        ({"sendAt": 7 * 86400 + 1}, {}, "sendAt"),
        ({"expireAt": 0}, {}, (None, 0)),
        ({"expireAt": 0}, {"past_expire_at": "7004"}, "expireAt"),
        ({"expireAt": 1}, {"past_expire_at": "7004"}, (None, 1)),
        ({"sendAt": 60, "expireAt": 60}, {"past_expire_at": "7004"}, "expireAt"),
        ({"sendAt": 60, "expireAt": 61}, {"past_expire_at": "7004"}, (60, 61)),
        ({"validity": 1}, {}, (None, 1)),
        ({"validity": "90"}, {}, (None, 90)),
        ({"sendAt": 60, "validity": 90}, {}, (60, 150)),
        ({"validity": 0}, {}, "validity"),
        ({"validity": 0}, {"zero_validity": "7208"}, (None, 0)),
        ({"validity": -5}, {"zero_validity": "7208"}, (None, -5)),
        ({"validity": 72 * 3600}, {}, (None, 72 * 3600)),
        ({"validity": 72 * 3600 + 1}, {}, "validity"),
        ({"validity": 72 * 3600 + 1}, {"long_validity": "cut"}, (None, 72 * 3600)),
        ({"validity": 72 * 3600 + 1}, {"long_validity": "take"}, (None, 72 * 3600 + 1)),
        ({"validity": 1, "expireAt": 60}, {}, "validity"),
        ({"validity": True}, {}, "validity"),
        ({"validity": 1.5}, {}, "validity"),
        ({"validity": "1h"}, {}, "validity"),
        ({"sendAt": "2027-01-31T12:01"}, {"zoneless_time": "utc"}, (60, 0)),
        ({"sendAt": "2027-01-31T13:01+01:00"}, {"offset_time": "take"}, (60, 0)),
        ({"sendAt": "2027-01-31T12:01Z"}, {"offset_time": "take"}, (60, 0)),
        ({"sendAt": "2027-01-31T13:01:00+01:00"}, {}, "sendAt"),
        ({"sendAt": "2027-01-31T12:01"}, {"zoneless_time": "7004"}, "sendAt"),
        ({"sendAt": "2027-13-31T12:01Z"}, {}, "sendAt"),
        ({"sendAt": "tomorrow"}, {}, "sendAt"),
        ({"sendAt": 17.5, "expireAt": ["x"]}, {}, "expireAt"),
    ],
)  # fmt: skip
def test_when_a_message_is_due_and_when_it_expires(data, switches, found):
    written = {
        name: iso(NOW + value) if name != "validity" and isinstance(value, int | float) else value
        for name, value in data.items()
    }
    if isinstance(found, str):
        with pytest.raises(SandboxRefused) as refused:
            due_and_expiry(written, switched(**switches), NOW)
        assert refused.value.code == "7004" and found == refused.value.name
        return
    due, expiry = due_and_expiry(written, switched(**switches), NOW)
    due_in, expires_in = found
    if "sendAt" in data and data["sendAt"] != "":
        assert due == NOW + due_in
    else:
        assert due == 0.0
    wanted = any(data.get(name) not in (None, "") for name in ("expireAt", "validity"))
    assert expiry == (NOW + expires_in if wanted else 0.0)


# --- texts --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "unicode", "count"),
    [
        ("", False, 1),
        ("a" * 160, False, 1),
        ("a" * 161, False, 2),
        ("a" * 306, False, 2),
        ("a" * 307, False, 3),
        ("€" * 80, False, 1),
        ("€" * 81, False, 2),
        ("a" + "€" * 79, False, 1),
        ("a" * 80 + "€" * 40, False, 1),
        ("a" * 81 + "€" * 40, False, 2),
        ("a" * 152 + "€" + "a" * 152, False, 3),  # a pair is never split
        ("a" * 151 + "€" + "a" * 153, False, 2),
        ("a" * 70, True, 1),
        ("a" * 71, True, 2),
        ("a" * 134, True, 2),
        ("a" * 135, True, 3),
        ("👋" * 35, False, 1),
        ("👋" * 36, False, 2),
        ("👋" * 66, False, 2),
        ("👋" * 67, False, 3),
        ("я" * 35, False, 1),
        ("я" * 71, False, 2),
        ("`" + "a" * 70, False, 2),
    ],
)
def test_segments(text, unicode, count):
    assert message_text.segments(text, unicode=unicode) == count


def test_what_gsm_lacks_and_the_links_of_a_text():
    assert [message_text.fits_gsm(text) for text in ("abc", "a`b", "a\tb", "à€\n", "ß", "я")] == [
        True, False, False, True, True, False,
    ]  # fmt: skip
    assert message_text.in_gsm("a`я€\n") == "a??€\n"
    text = "See https://x.test/a. (https://x.test/b) or https://x.test/c(d), http://x.test/e"
    found = message_text.links(text)
    assert [url for _, _, url in found] == ["https://x.test/a", "https://x.test/b", "https://x.test/c(d)"]
    assert [text[start:end] for start, end, _ in found] == [url for _, _, url in found]


@pytest.mark.parametrize(
    ("style", "blank", "found"),
    [
        ("parentheses", False, ("Ada ${name} $(x)", True)),
        ("parentheses", True, ("Ada ${name} ", True)),
        ("braces", False, ("$(name) Ada $(x)", False)),
        ("both", False, ("Ada Ada $(x)", True)),
    ],
)
def test_placeholders(style, blank, found):
    assert message_text.fill("$(name) ${name} $(x)", {"name": "Ada"}, style, blank=blank) == found


# --- contact policy -----------------------------------------------------------------------------------------------------
def group(kind: str, *members: Member, caps: tuple[Cap, ...] = (), **changes) -> Consents:
    made = Consents()
    fields = {"senders": [("text", "SHOP")], "caps": list(caps)} | changes
    made.groups["g"] = ConsentGroup("g", "g", "", kind, **fields)
    made.groups["g"].members = {(one.channel, one.address): one for one in members}
    return made


@pytest.mark.parametrize(
    ("kind", "agreed", "expires", "code"),
    [
        ("DENYLIST", None, 0, ""),
        ("DENYLIST", True, 0, ""),
        ("DENYLIST", False, 0, "9002"),
        ("DENYLIST", False, NOW + 0.1, "9002"),
        ("DENYLIST", False, NOW, ""),
        ("ALLOWLIST", None, 0, "9003"),
        ("ALLOWLIST", True, 0, ""),
        ("ALLOWLIST", True, NOW + 0.1, ""),
        ("ALLOWLIST", True, NOW, "9010"),
        ("ALLOWLIST", False, 0, "9002"),
        ("ALLOWLIST", False, NOW - 1, "9002"),
    ],
)
def test_consent(kind, agreed, expires, code):
    members = [] if agreed is None else [Member("text", "+1", consent=agreed, expires=expires)]
    found = group(kind, *members)
    assert found.check("g", "+1", NOW, consent=True, cap=True) == code
    assert found.check("g", "+1", NOW, consent=False, cap=True) == ""
    assert found.check("none", "+1", NOW, consent=True, cap=True) == "9005"
    assert found.check("none", "+1", NOW, consent=False, cap=True) == "9007"
    assert found.check("g", "+1", NOW, consent=False, cap=False, channel="voice") == "9005"
    assert group(kind, status="DISABLED").check("g", "+1", NOW, consent=False, cap=True) == "9005"


@pytest.mark.parametrize(("period", "later"), [("DAY", 86_400), ("WEEK", 7 * 86_400), ("MONTH", 28 * 86_400)])
@pytest.mark.parametrize("channel", ["", "text"])
def test_a_cap_is_full_at_its_number_and_empty_in_the_next_period(period, later, channel):
    found = group("DENYLIST", caps=(Cap(period, 2, channel), Cap("DAY", 1, "voice")))

    def code(at: float, address: str = "+1", *, cap: bool = True) -> str:
        return found.check("g", address, at, consent=True, cap=cap)

    assert found.count("g", "+1", NOW)
    assert code(NOW) == ""
    assert found.count("g", "+1", NOW)
    assert code(NOW) == "9006"
    assert (code(NOW, "+2"), code(NOW, cap=False), code(NOW + later)) == ("", "", "")
    assert found.count("g", "+1", NOW + later)
    assert code(NOW + later) == "", "counted from one again"
    assert not found.count("none", "+1", NOW)
    assert not group("DENYLIST", caps=(Cap("DAY", 1, "voice"),)).count("g", "+1", NOW)


def test_periods_are_of_the_utc_calendar_and_ids_of_22_characters():
    assert [consents.calendar(period, NOW) for period in consents.PERIODS] == [
        "2027-01-31",
        "2027-W04",
        "2027-01",
    ]
    ids = {consents.new_id() for _ in range(50)}
    assert len(ids) == 50 and {len(one) for one in ids} == {22}
    demo = consents.demo()
    assert [(cap.period, cap.most, cap.channel) for cap in demo.caps] == [
        ("DAY", 100, "text"),
        ("WEEK", 500, "text"),
        ("MONTH", 1000, "text"),
    ]
    assert (demo.status, demo.kind, demo.has("text"), demo.has("voice")) == (
        "ENABLED",
        "DENYLIST",
        True,
        False,
    )
