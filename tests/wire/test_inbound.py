"""Incoming SMS: both golden shapes, keywords, and any bytes to an Inbound or Unreadable."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.webex.errors import UnreadableBody
from sms.webex.inbound import Inbound, parse_inbound
from tests.wire import golden

WHEN = dt.datetime(2026, 3, 2, 9, 20, 0, 266_000, tzinfo=dt.UTC)
EXPECTED = {
    "inbound_stop": Inbound(
        msisdn="+447700900001",
        sender="72345",
        text="Stop, please",
        provider_id="0044_91827364550001",
        at=WHEN,
        segments=1,
        carrier="USTMO",
        user_id="8765",
        source="SMS",
        channel="SMS",
    ),
    "inbound_variant": Inbound(
        msisdn="+447700900001",
        sender="447700900000",
        text="Ja ✔",
        provider_id="9f2d-1",
        at=WHEN,
        segments=2,
        carrier="9",
        user_id="8765",
        source="Branded Text",
        channel="sms",
    ),
}


def test_every_golden_inbound_has_its_struct():
    assert sorted(EXPECTED) == golden.names("inbound")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_golden_inbound_is_read_to_its_struct_with_the_handset_in_oa(name):
    assert parse_inbound(golden.body(name)) == EXPECTED[name]


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("STOP", "STOP"),
        (" stop. thanks", "STOP"),
        ('"Help"', "HELP"),
        ("", ""),
        (" \n", ""),
        ("unsubscribe\nme", "UNSUBSCRIBE"),
    ],
)
def test_keyword_is_the_first_word_in_capitals(text, keyword):
    assert Inbound(msisdn="+1", sender="2", text=text).keyword == keyword


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"oa":"","message":"x"}', b'{"oa":[],"message":"x"}', b'{"oa":' * 9000]
)
def test_body_without_a_handset_is_unreadable(raw):
    with pytest.raises(UnreadableBody):
        parse_inbound(raw)


@given(st.binary(max_size=300))
def test_byte_soup_as_inbound_raises_nothing_but_unreadable(raw):
    try:
        parse_inbound(raw)
    except UnreadableBody as error:
        assert error.reason


VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.lists(st.text(max_size=3), max_size=2)
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["oa", "da", "message", "tid", "ts", "datetime", "messageCount", "userld", "Channel"]
        ),
        VALUE,
    )
)
def test_any_value_under_any_key_is_read_or_unreadable(said):
    try:
        found = parse_inbound(json.dumps(said).encode())
    except UnreadableBody:
        return
    assert found.msisdn and isinstance(found.keyword, str)
