"""Requests that others wrote: every tolerance, every refusal, and the round trip of what we write ourselves."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.webex.inlet import decode
from sms.webex.wire import (
    ContactPolicy,
    Content,
    Destination,
    Options,
    Rules,
    SendRequest,
    SmartlinkOptions,
    TemplateRef,
    WireError,
    encode,
)
from tests.wire import golden
from tests.wire.requests import GOLDEN, NOW, RULES, valid_requests

BARE = {
    "channel": "sms",
    "from": "72345",
    "to": [{"msisdn": ["447700900001"]}],
    "content": {"type": "text", "text": "Hi"},
}


def read(**fields) -> SendRequest:
    return decode(json.dumps(BARE | fields).encode())


def refusal(**fields) -> WireError:
    with pytest.raises(WireError) as caught:
        read(**fields)
    return caught.value


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_golden_request_is_read_back_and_written_again_alike(name):
    assert encode(decode(golden.body(name)), rules=RULES) == golden.body(name)


def test_quoted_booleans_of_the_samples_are_read():
    options = {
        "trackClicks": "true",
        "shortenLinks": "false",
        "domain": "https://s.imiconnect.co",
        "allowFallbackURL": "true",
    }
    assert read(options=options).options == Options(
        track_clicks=True, shorten_links=False, domain="https://s.imiconnect.co", allow_fallback_url=True
    )
    policy = {"contactPolicyGroup": "G", "channelCheckConsent": "true", "channelApplyFrequencyCap": False}
    assert read(contactPolicy=policy).contact_policy == ContactPolicy(group="G", check_consent=True)


def test_numbers_and_texts_are_read_for_each_other():
    found = read(
        **{"from": 72345},
        to=[{"msisdn": [447700900001], "correlationId": 12345, "substitutions": {"n": 5}}],
        validity=60,
        smartlinks=[{"smartlinkId": "4371", "validity": "1"}],
        callbackData=7,
    )
    assert found.from_ == "72345"
    assert found.to == [
        Destination(msisdn=["447700900001"], correlation_id="12345", substitutions={"n": "5"})
    ]
    assert found.validity == 60 and read(validity="60").validity == 60
    assert found.smartlinks == [SmartlinkOptions(smartlink_id=4371, validity=1)]
    assert found.callback_data == "7"


def test_empty_text_and_null_of_the_samples_mean_not_given():
    found = read(
        callbackData="",
        notifyUrl="",
        sendAt="",
        validity=None,
        substitutions=None,
        to=[{"msisdn": ["1"], "correlationId": ""}],
    )
    assert found == SendRequest(from_="72345", to=[Destination(msisdn=["1"])], content=Content(text="Hi"))


def test_one_number_without_its_list_and_several_in_one_are_read():
    assert read(to=[{"msisdn": "447700900001"}]).to[0].msisdn == ["447700900001"]
    assert len(read(to=[{"msisdn": ["447700900001", "447700900002"]}]).to[0].msisdn) == 2


def test_template_id_in_capitals_and_smartlink_as_object_are_read():
    found = read(content=None, template={"ID": "5S2ABCDFNR"}, smartlinks={"smartlinkId": 1, "validity": 1})
    assert found.template == TemplateRef(id="5S2ABCDFNR") and len(found.smartlinks) == 1


def test_moments_are_read_with_their_offset():
    assert read(sendAt="2024-09-26T15:47:18.5+02:00").send_at == dt.datetime(
        2024, 9, 26, 13, 47, 18, 500_000, tzinfo=dt.UTC
    )


def test_unknown_fields_are_ignored():
    assert read(
        appid="x", priority=1, options={"domain": "https://a.io", "trackOpens": "true"}
    ).options == Options(domain="https://a.io")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 5000])
def test_body_that_is_no_json_object_is_refused_as_7000(raw):
    with pytest.raises(WireError) as caught:
        decode(raw)
    assert caught.value.code == "7000"


@pytest.mark.parametrize(("missing", "field"), [("channel", "channel"), ("from", "from"), ("to", "to")])
def test_missing_field_is_refused_as_7003_by_its_name(missing, field):
    body = {name: value for name, value in BARE.items() if name != missing}
    with pytest.raises(WireError) as caught:
        decode(json.dumps(body).encode())
    assert (caught.value.field, caught.value.code) == (field, "7003")


def test_missing_field_inside_is_refused_with_its_path():
    assert (refusal(to=[{}]).field, refusal(to=[{}]).code) == ("to[0].msisdn", "7003")
    untyped = refusal(content={"type": "", "text": "x"})
    assert (untyped.field, untyped.code) == ("content.type", "7003")
    assert (refusal(content={"type": "text"}).field, refusal(content={"type": "text"}).code) == (
        "content.text",
        "7003",
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"to": {}}, "to"),
        ({"to": ["447700900001"]}, "to[0]"),
        ({"to": [{"msisdn": [True]}]}, "to[0].msisdn[0]"),
        ({"sendAt": "tomorrow"}, "sendAt"),
        ({"substitutions": []}, "substitutions"),
        ({"substitutions": {"a": {}}}, "substitutions[...]"),
        ({"options": {"shortenLinks": "maybe"}}, "options.shortenLinks"),
        ({"requestedReceipts": "SENT"}, "requestedReceipts"),
        ({"smartlinks": [{"smartlinkId": "x", "validity": 1}]}, "smartlinks[0].smartlinkId"),
        ({"smartlinks": ["4371"]}, "smartlinks[0]"),
        ({"sendAt": 1772445600}, "sendAt"),
        ({"expireAt": "1772445600"}, "expireAt"),
        ({"sendAt": "null"}, "sendAt"),
        ({"options": "null"}, "options"),
        ({"contactPolicy": "null"}, "contactPolicy"),
        (
            {"contactPolicy": {"contactPolicyGroup": "G", "channelCheckConsent": 1}},
            "contactPolicy.channelCheckConsent",
        ),
        ({"validity": 60.5}, "validity"),
    ],
)
def test_wrong_type_is_refused_as_7004_with_its_path(fields, field):
    assert (refusal(**fields).field, refusal(**fields).code) == (field, "7004")


@given(st.binary(max_size=200))
def test_byte_soup_as_request_raises_nothing_but_wire_errors(raw):
    with pytest.raises(WireError):
        decode(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["msisdn", "type", "text", "id", "domain", "x"]), inner)
    ),
    max_leaves=8,
)


@given(
    name=st.sampled_from([*BARE, "options", "template", "smartlinks", "sendAt", "validity", "contactPolicy"]),
    value=JSON,
)
def test_any_value_in_any_field_is_read_or_refused(name, value):
    try:
        assert isinstance(read(**{name: value}), SendRequest)
    except WireError as error:
        assert error.field and error.code in {"7000", "7003", "7004"}


@given(valid_requests())
def test_any_valid_request_survives_the_round_trip(request):
    assert decode(encode(request, rules=Rules(now=NOW))) == request
