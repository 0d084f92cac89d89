"""Signing in: the reference's token, renewal in time, and secrets that never print."""

import base64
import hmac
import json

import pytest

from sms.webex.auth import LIFETIME, RENEW_AFTER, Jwt, ServiceKey

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJTVkMtVEVTVC0wMDAxIiwiaWF0IjoxNzY3MjI1NjAwfQ."
    "8AcMRRbOzRGLRydKiQgERImXhgXk0K0ardqugjQIy-M"
)
MADE = 1_767_225_600


def test_key_goes_into_its_header_as_it_is():
    assert ServiceKey("5f0c-1").headers(0) == {"key": "5f0c-1"}


@pytest.mark.parametrize("value", ["", "a b", "a\r\nX: y", "ключ"])
def test_key_that_is_no_header_value_is_refused_without_being_shown(value):
    with pytest.raises(ValueError, match="service key") as caught:
        ServiceKey(value)
    assert not value or value not in str(caught.value)


def test_token_equals_the_test_vector():
    assert Jwt("SVC-TEST-0001", SECRET).token(MADE) == TOKEN
    assert Jwt("SVC-TEST-0001", SECRET).headers(MADE + 0.9) == {"Authorization": f"Bearer {TOKEN}"}


def test_token_is_signed_with_the_decoded_secret():
    head, claims, signature = Jwt("SVC", SECRET).token(MADE).split(".")
    made = hmac.digest(b"0123456789abcdef0123456789abcdef", f"{head}.{claims}".encode(), "sha256")
    assert base64.urlsafe_b64decode(signature + "=") == made
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {"iss": "SVC", "iat": MADE}


def test_token_is_used_again_and_renewed_before_its_hour_is_over():
    jwt = Jwt("SVC-TEST-0001", SECRET)
    first = jwt.headers(MADE)
    assert jwt.headers(MADE + RENEW_AFTER - 1) == first
    assert jwt.headers(MADE + RENEW_AFTER) != first
    assert RENEW_AFTER + 300 <= LIFETIME


def test_token_is_minted_again_where_the_clock_went_back_or_it_was_forgotten():
    jwt = Jwt("SVC-TEST-0001", SECRET)
    later = jwt.headers(MADE + 100)
    assert jwt.headers(MADE) != later
    jwt.forget()
    assert jwt.headers(MADE + 100) == later


def test_secret_may_be_pasted_with_line_ends_and_without_padding():
    assert Jwt("SVC-TEST-0001", f" {SECRET[:20]}\n{SECRET[20:].rstrip('=')}\n").token(MADE) == TOKEN


@pytest.mark.parametrize(
    ("service", "secret"), [("", SECRET), ("SVC", "no base64!"), ("SVC", ""), ("SVC", "QUJDR")]
)
def test_jwt_of_wrong_parts_is_refused_in_words(service, secret):
    with pytest.raises(ValueError, match="service") as caught:
        Jwt(service, secret)
    assert not secret or secret not in str(caught.value)


def test_credentials_never_print_their_secret():
    jwt = Jwt("SVC-TEST-0001", SECRET)
    jwt.headers(MADE)
    shown = repr(jwt) + repr(ServiceKey("5f0c-1")) + str(jwt)
    assert (
        SECRET not in shown
        and "0123456789abcdef" not in shown
        and "5f0c-1" not in shown
        and "eyJ" not in shown
    )
