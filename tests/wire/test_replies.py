"""What a reply means: the decision is the class, and no bytes raise anything but a ProviderError."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled, Unconfirmed
from sms.webex.replies import Accepted, parse_reply, retry_after
from tests.wire import golden

ID = "2f9b6c1e-7d40-4f0b-9a7e-51c2d8e3a604"
WHEN = dt.datetime(2026, 3, 2, 9, 15, 4, 101_000, tzinfo=dt.UTC)
ACCEPTED = {
    "reply_queued": Accepted(ID, "m7.1.9f3c2a", WHEN, (ID,)),
    "reply_queued_offset": Accepted(ID, "12345", WHEN, (ID,)),
    "reply_list": Accepted(ID, "m1.1.aa", WHEN, (ID, ID + "_1")),
    "reply_object_with_list": Accepted(ID, "m1.1.aa", WHEN, (ID, ID + "_1")),
}
RAISED = {
    "reply_rejected": (201, RequestRefused, "rejected"),
    "reply_partial": (201, Unconfirmed, "partial"),
    "reply_400_json": (400, RequestRefused, "7000"),
    "reply_400_parameter": (400, RequestRefused, "7004"),
    "reply_400_number": (400, RequestRefused, "8000"),
    "reply_400_throttled": (400, Throttled, "7020"),
    "reply_400_address": (400, ServicePaused, "7127"),
}


def failure(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        parse_reply(status, headers or {}, body)
    return caught.value


def test_every_golden_reply_has_its_meaning():
    assert sorted([*ACCEPTED, *RAISED]) == golden.names("reply")


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_golden_acceptance_with_any_2xx_is_accepted(name, status):
    assert parse_reply(status, {}, golden.body(name)) == ACCEPTED[name]


@pytest.mark.parametrize("name", sorted(RAISED))
def test_golden_refusal_raises_its_class_and_code(name):
    status, kind, code = RAISED[name]
    error = failure(status, golden.body(name))
    assert (type(error), error.code, error.status) == (kind, code, status)


def test_a_list_that_leaves_destinations_out_is_no_acceptance_of_them():
    for name in ("reply_list", "reply_object_with_list"):  # of two
        assert parse_reply(201, {}, golden.body(name), destinations=2) == ACCEPTED[name]
        with pytest.raises(Unconfirmed) as caught:
            parse_reply(201, {}, golden.body(name), destinations=3)
        assert caught.value.args == ("partial", 201, "The reply names 2 of 3 destinations.")
    with pytest.raises(Unconfirmed, match="partial"):
        parse_reply(201, {}, b'[{"messageId": "a", "status": "queued"}]', destinations=2)
    assert parse_reply(201, {}, golden.body("reply_queued"), destinations=3) == ACCEPTED["reply_queued"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html>",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"status":"queued"}',
        b'{"messageId":"","status":"queued"}',
        b'{"messageId":"a","status":"held"}',
        b'{"code":"7004","message":"x"}',
        b"[" * 5000,
        b"\xff\xfe",
    ],
)
def test_2xx_that_names_no_queued_message_is_unconfirmed(body):
    assert type(failure(201, body)) is Unconfirmed


def test_unconfirmed_2xx_keeps_the_code_it_names_or_says_it_is_unreadable():
    assert failure(200, b'{"code":"7004","message":"Invalid"}').args == ("7004", 200, "Invalid")
    assert failure(200, b"").args == ("unreadable", 200, "The reply names no message id.")


def test_rejection_keeps_the_providers_words_where_there_are_any():
    assert failure(201, b'{"messageId":"a","status":"rejected","code":7101,"message":"Sender"}').args == (
        "7101",
        201,
        "Sender",
    )
    assert failure(201, b'{"messageId":"a","status":"rejected"}').detail == "The reply's status is rejected."


def test_list_beside_the_message_id_does_not_hide_it():
    assert parse_reply(201, {}, b'{"messageId":"a","status":"queued","warnings":[]}').provider_ids == ("a",)
    assert (
        parse_reply(201, {}, b'{"messageId":"a","status":"queued","warnings":[{"code":"1"}]}').provider_id
        == "a"
    )


@pytest.mark.parametrize("code", ["7" * 11, "<b>", "70 04", "七"])
def test_code_of_no_known_form_is_not_kept(code):
    assert failure(400, f'{{"code":"{code}"}}'.encode()).code == "http_400"


def test_message_id_as_number_and_status_in_capitals_are_accepted():
    assert (
        parse_reply(201, {}, b'\xef\xbb\xbf{"messageId":77,"status":"Queued","correlationId":5}').provider_id
        == "77"
    )
    assert parse_reply(201, {}, b'{"messageId":"a"}').requested_at is None


@pytest.mark.parametrize("code", ["7001", "7002", "7007", "7010", "7127"])
def test_code_about_the_account_pauses_the_service(code):
    assert type(failure(400, b'{"code":%s,"message":"x"}' % code.encode())) is ServicePaused


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_status_about_credentials_or_address_pauses_the_service(status):
    error = failure(status)
    assert (type(error), error.code) == (ServicePaused, f"http_{status}")


def test_401_with_a_body_keeps_its_code():
    assert failure(401, b'{"code":"7001","message":"Authentication failed"}').code == "7001"


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_other_4xx_is_refused_even_without_a_readable_body(status):
    for body in (b"", b"<html>", b'"x"', b'{"code":{}}'):
        error = failure(status, body)
        assert (type(error), error.code) == (RequestRefused, f"http_{status}")


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 399])
def test_redirect_is_refused(status):
    assert (type(failure(status)), failure(status).code) == (RequestRefused, "redirect")


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 521, 599])
def test_5xx_and_request_timeout_are_unconfirmed(status):
    assert type(failure(status, b'{"code":"7020","message":"x"}')) is Unconfirmed
    assert failure(status).code == f"http_{status}"


def test_429_is_throttled_with_or_without_a_body():
    assert (type(failure(429)), failure(429).code) == (Throttled, "http_429")
    assert failure(429, b'{"code":"7020"}').code == "7020"
    error = failure(400, b'{"code":7020}', {"retry-after": "7"})
    assert isinstance(error, Throttled) and error.retry_after == 7.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("1000000000", 900.0),
        ("inf", 900.0),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("Mon, 02 Mar 2026 09:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 0.0),
        ("Tue, 02 Mar 2027 09:00:00 GMT", 900.0),
        ("Mon, 99 Mar 2026 09:00:30 GMT", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_seconds_or_date_held_to_a_quarter_of_an_hour(value, seconds):
    now = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
    assert retry_after({"Retry-After": value}, now=now) == seconds
    assert retry_after({}, now=now) is None


def test_detail_is_short_printable_and_never_the_body():
    words = "a\x00b\x1b[31m" + "x" * 500
    error = failure(
        400,
        b'{"code":"7004","message":' + __import__("json").dumps(words).encode() + b',"to":"447700900001"}',
    )
    assert error.detail.isprintable() and len(error.detail) <= 200
    assert "447700900001" not in str(error)
    assert "447700900001" not in str(failure(400, b"bad number 447700900001"))


def test_error_prints_its_code_status_and_words():
    assert (
        str(failure(400, golden.body("reply_400_parameter"))) == "7004 (HTTP 400): Invalid parameter - sendAt"
    )
    assert str(NotSent("connect")) == "connect"


@given(status=st.integers(0, 999), body=st.binary(max_size=200), wait=st.text(max_size=40))
def test_byte_soup_as_reply_raises_nothing_but_provider_errors(status, body, wait):
    try:
        accepted = parse_reply(status, {"retry-after": wait}, body)
    except ProviderError as error:
        assert str(error)
    else:
        assert accepted.provider_id and 200 <= status < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messageId", "status", "code", "message", "requestTimestamp", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(status=st.sampled_from([200, 201, 400, 401, 429, 500]), said=JSON)
def test_any_json_as_reply_raises_nothing_but_provider_errors(status, said):
    import json

    try:
        assert parse_reply(status, {}, json.dumps(said).encode()).provider_id
    except ProviderError as error:
        assert isinstance(error.detail, str)
