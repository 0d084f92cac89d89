"""Receipts: every golden shape to its struct, and any bytes to a Notification or Unreadable."""

import datetime as dt
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.webex.codes import CODES
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import Notification, parse_receipt
from tests.wire import golden

ID = "2f9b6c1e-7d40-4f0b-9a7e-51c2d8e3a604"
WHEN = dt.datetime(2026, 3, 2, 9, 15, 7, 412_000, tzinfo=dt.UTC)


def notice(code: str, status: str, state: str, description: str, **more) -> Notification:
    fields = {
        "correlation_id": "m7.1.9f3c2a",
        "provider_id": ID,
        "destination": "+447700900001",
        "at": WHEN,
        "callback_data": "order=4711",
    }
    return Notification(code=code, status=status, state=state, description=description, **(fields | more))


DELIVERED = notice("7500", "Delivered", "delivered", "Delivered", segments=1)
EXPECTED = {
    "receipt_submitted": notice("7501", "Submitted", "submitted", "Submitted"),
    "receipt_delivered": msgspec.structs.replace(DELIVERED, carrier="GBEEL"),
    "receipt_undelivered": notice("7208", "Un-Delivered", "failed", "Message expired", segments=2),
    "receipt_failed": notice("7101", "Failed", "failed", "Invalid Sender ID", segments=1),
    "receipt_policy": notice("9002", "Failed", "failed", "User not consented"),
    "receipt_clicked": notice(
        "7528",
        "Clicked",
        "clicked",
        "https://shop.example/spring?a=1|2|192.0.2.44",
        at=dt.datetime(2026, 3, 2, 11, 0, 12, 1_000, tzinfo=dt.UTC),
        url="https://shop.example/spring?a=1|2",
        ip="192.0.2.44",
        user_agent="Mozilla/5.0 (X11; Linux x86_64)",
    ),
    "receipt_carrier_time": msgspec.structs.replace(
        DELIVERED,
        segments=3,
        carrier="USTMO",
        carrier_submitted_at=dt.datetime(2026, 3, 2, 9, 15, 5, tzinfo=dt.UTC),
    ),
    "receipt_rcs_fallback": msgspec.structs.replace(
        DELIVERED, carrier="USATT", upgrade="Branded Text", upgrade_result="Fallback to SMS"
    ),
    "receipt_plus": DELIVERED,
    "receipt_growing": msgspec.structs.replace(DELIVERED, segments=None),
    "receipt_submitted_7102": notice("7102", "Submitted", "failed", "Invalid address"),
    "receipt_unknown_code": notice("7999", "Un-Delivered", "failed", "Something new", segments=1),
}


def read(outer: dict | None = None, **info) -> Notification:
    body = {"deliveryInfoNotification": {"deliveryInfo": info} | (outer or {})}
    return parse_receipt(json.dumps(body).encode())


def test_every_golden_receipt_has_its_struct():
    assert sorted(EXPECTED) == golden.names("receipt")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_golden_receipt_is_read_to_its_struct(name):
    assert parse_receipt(golden.body(name)) == EXPECTED[name]


def test_code_decides_before_the_status():
    assert read(code="7500", deliveryStatus="Failed").state == "delivered"
    assert read(code="7102", deliveryStatus="Submitted").state == "failed"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Submitted", "submitted"),
        ("SENT", "submitted"),
        ("delivered", "delivered"),
        ("Un-Delivered", "failed"),
        ("Undelivered", "failed"),
        ("Failed", "failed"),
        ("Clicked", "clicked"),
        ("Pondering", "unknown"),
        ("", "unknown"),
    ],
)
def test_status_decides_where_the_code_is_not_documented(status, state):
    assert read(code="7999", deliveryStatus=status).state == state


@pytest.mark.parametrize("code", [code for code, row in CODES.items() if row.state == "failed"])
@pytest.mark.parametrize("status", ["Failed", "Un-Delivered"])
def test_states_by_code_and_status_agree_with_the_documents(code, status):
    """The documents label some codes both ways; either way the message failed, with its code."""
    found = read(code=code, deliveryStatus=status)
    assert (found.state, found.code, found.status) == ("failed", code, status)


def test_code_and_counts_may_be_numbers():
    found = read(code=7500, messageCount=2, destination=447700900001)
    assert (found.code, found.state, found.segments, found.destination) == (
        "7500",
        "delivered",
        2,
        "+447700900001",
    )


@pytest.mark.parametrize(("count", "segments"), [("1", 1), (12, 12), ("255", 255), ("007", 7)])
def test_segment_count_is_read_from_text_and_number(count, segments):
    assert read(code="7500", messageCount=count).segments == segments


@pytest.mark.parametrize("count", ["", "0", "-1", "many", "٢", "99999", None, [], 1.5])
def test_segment_count_that_is_none_is_missing(count):
    assert read(code="7500", messageCount=count).segments is None


@pytest.mark.parametrize(
    "moment", ["", "yesterday", 5, None, {}, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]
)
def test_moment_that_cannot_be_meant_is_missing(moment):
    assert read(code="7500", timeStamp=moment).at is None


def test_moment_keeps_its_instant_in_every_notation():
    noon = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
    for text in (
        "2026-03-02T12:00:00Z",
        "2026-03-02T12:00:00.000+00:00",
        "2026-03-02T07:00:00-0500",
        "2026-03-02T12:00:00",
    ):
        assert read(code="7500", timeStamp=text).at == noon


@pytest.mark.parametrize("name", ["correlationid", "correlationId", "corelationid"])
def test_correlation_id_is_read_in_every_spelling(name):
    assert read({name: "m1"}, code="7500").correlation_id == "m1"


def test_click_without_address_keeps_the_whole_as_url():
    found = read(code="7528", Description="https://shop.example/a|b")
    assert (found.url, found.ip) == ("https://shop.example/a|b", "")
    assert read(code="7528", Description="https://a.example/|2001:DB8::1").ip == "2001:db8::1"


def test_carrier_time_is_read_on_either_level():
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    assert read(code="7500", carrierSubmitTimeStamp="2026-03-02T00:00:00Z").carrier_submitted_at == at
    outer = {"carrierSubmitTimeStamp": "2026-03-02T00:00:00Z", "carrier": "USTMO"}
    assert read(outer, code="7500").carrier_submitted_at == at


def test_nul_characters_do_not_reach_the_database():
    assert read({"callbackData": "a\x00b"}, code="7500", Description="\x00").callback_data == "ab"


def test_receipt_with_a_byte_order_mark_or_without_its_envelope_is_read():
    raw = golden.body("receipt_delivered")
    assert parse_receipt(b"\xef\xbb\xbf" + raw) == EXPECTED["receipt_delivered"]
    bare = json.dumps(golden.value("receipt_delivered")["deliveryInfoNotification"]).encode()
    assert parse_receipt(b"\xef\xbb\xbf" + bare) == EXPECTED["receipt_delivered"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b"NaN",
        b'{"deliveryInfoNotification":{}}',
        b'{"deliveryInfoNotification":{"deliveryInfo":[]}}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\x1f\x8b\x08\x00",
        golden.body("receipt_delivered")[:-1],
    ],
)
def test_body_that_is_no_receipt_is_unreadable_with_a_reason(raw):
    with pytest.raises(UnreadableBody) as caught:
        parse_receipt(raw)
    assert str(caught.value)


@given(st.binary(max_size=300))
def test_byte_soup_as_receipt_raises_nothing_but_unreadable(raw):
    try:
        parse_receipt(raw)
    except UnreadableBody as error:
        assert str(error)


VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.lists(st.integers(), max_size=2)
)
INFO = st.dictionaries(
    st.sampled_from(
        [
            "code",
            "deliveryStatus",
            "destination",
            "timeStamp",
            "Description",
            "messageCount",
            "additionalInfo",
            "carrierSubmitTimeStamp",
            "new",
        ]
    ),
    VALUE,
)
OUTER = st.dictionaries(
    st.sampled_from(["transid", "correlationid", "callbackData", "carrier", "subtid", "new"]), VALUE
)


@given(info=INFO, outer=OUTER)
def test_any_value_under_any_key_is_read_or_unreadable(info, outer):
    body = {"deliveryInfoNotification": {"deliveryInfo": info} | outer}
    try:
        found = parse_receipt(json.dumps(body).encode())
    except UnreadableBody:
        return
    assert found.state in {"submitted", "delivered", "failed", "clicked", "unknown"}
    assert "\x00" not in found.description + found.callback_data + found.url + found.correlation_id


@given(name=st.sampled_from(sorted(EXPECTED)), data=st.data())
def test_golden_receipt_with_flipped_bytes_raises_nothing_but_unreadable(name, data):
    raw = bytearray(golden.body(name))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_receipt(bytes(raw))
    except UnreadableBody as error:
        assert str(error)
