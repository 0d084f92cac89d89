"""Incoming SMS: both golden shapes, keywords, and any bytes to an Inbound or Unreadable."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.webex.errors import UnreadableBody
from sms.webex.inbound import Inbound, parse_inbound
from tests.wire import golden

EXPECTED = {
    "inbound_stop": Inbound(
        msisdn="+447700900001",
        sender="72345",
        text="Stop, please",
        provider_id="0044_91827364550001",
    ),
    "inbound_variant": Inbound(
        msisdn="+447700900001",
        sender="447700900000",
        text="Ja ✔",
        provider_id="9f2d-1",
    ),
}


def test_every_golden_inbound_has_its_struct():
    assert sorted(EXPECTED) == golden.names("inbound")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_golden_inbound_is_read_to_its_struct_with_the_handset_in_oa(name):
    assert parse_inbound(golden.body(name)) == EXPECTED[name]


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
        assert str(error)


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
    assert found.msisdn
