"""What becomes of a body before Django sees it: every address's limit, and its own way to refuse."""

import gzip
import json

import pytest
from django.conf import settings

from portal.body_limits import OF_STRANGERS
from tests.support.drop_in import body as drop_in_body
from tests.support.partners import a_key, a_partner_service
from tests.support.people import signed_in
from tests.support.server_entry import ask

pytestmark = pytest.mark.django_db
MULTIPART = "multipart/form-data; boundary=xyz"
FIELD = b'--xyz\r\nContent-Disposition: form-data; name="evidence"\r\n\r\n'
MOST = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def answer(path: str, sent: bytes, **given):
    status, headers, content = ask("POST", path, sent, **given)
    return status, headers["Content-Type"], content.decode()


@pytest.mark.parametrize("counted", [True, False])
def test_too_large_is_said_in_the_callers_own_format(counted):
    def over(limit: int) -> dict:
        return {"sent": b" " * (limit + 1), "length": limit + 1 if counted else None}

    status, kind, content = answer("/v2/messages", **over(5_000_000))
    assert (status, kind) == (400, "application/json")
    assert json.loads(content)["code"] == "7022"
    assert ("5,000,000 bytes" if counted else "65,536 bytes") in content, "no key came with it"
    status, kind, content = answer("/api/v1/sends", **over(MOST))
    assert (status, kind, json.loads(content)["code"]) == (413, "application/problem+json", "too_large")
    for path in ("/v2", "/%2fv2/messages", "/api", "/%2fapi/v1/sends"):
        assert "json" in answer(path, **over(MOST))[1], path
    status, kind, content = answer("/accounts/login/", **over(MOST))
    assert (status, kind) == (413, "text/html; charset=utf-8")
    assert f"What you sent has more than {MOST if counted else OF_STRANGERS:,} bytes" in content
    assert ("choose a smaller file" if counted else "Sign in") in content


@pytest.mark.parametrize("counted", [True, False])
def test_only_who_is_known_sends_more_than_a_small_body(counted):
    """A cookie or a key that somebody made up opens nothing."""
    service = a_partner_service()
    client = signed_in("ada@example.test", service, "admin")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    raw = FIELD + b" " * OF_STRANGERS + b"\r\n--xyz--\r\n"
    size = {"length": len(raw) if counted else None, "content_type": MULTIPART}
    for made_up in ({}, {"cookie": f"{settings.SESSION_COOKIE_NAME}={cookie[::-1]}"}):
        status, _, content = answer("/s/shop/opt-outs/upload/", raw, **size, **made_up)
        assert status == 413 and "not signed in. Sign in" in content
    known = {"cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
    assert answer("/s/shop/opt-outs/upload/", raw, **size, **known)[0] == 403, (
        "it reached Django, which misses the token"
    )
    raw = json.dumps(drop_in_body(pad="x" * OF_STRANGERS)).encode()
    size = {"length": len(raw) if counted else None}
    for path, code in (
        ("/v2/messages", "7022"),
        ("/v1/sms/messages", "7022"),
        ("/api/v1/sends", "too_large"),
    ):
        status, _, content = answer(path, raw, **size, key="td_made_up_by_a_stranger")
        assert status in (400, 413) and json.loads(content)["code"] == code
        assert "without a key that opens it" in content
    assert ask("POST", "/v2/messages", raw, **size, key=a_key(service))[0] == 201


@pytest.mark.parametrize("length", [10, None])
def test_one_that_breaks_off_is_told_apart_from_a_whole_one(length):
    part = b"--xyz\r\nC"
    given = {"length": length, "content_type": MULTIPART}
    status, kind, content = answer("/api/v1/audiences", part, **given)
    assert (status, kind, json.loads(content)["code"]) == (400, "application/problem+json", "unreadable")
    status, kind, content = answer("/accounts/login/", part, **given)
    assert (status, kind) == (400, "text/html; charset=utf-8") and "broke off" in content
    status, kind, content = answer("/v2/messages", part, **given)
    assert (status, kind, json.loads(content)["code"]) == (400, "application/json", "7000")


def test_a_refused_page_has_the_headers_of_every_page():
    _, headers, _ = ask("POST", "/accounts/login/", b"x", length=2)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("size", [10, 70_000, 2_000_000])
def test_one_of_any_size_reaches_the_view_byte_for_byte(size):
    raw = json.dumps(drop_in_body(pad="x" * size)).encode()
    key = a_key(a_partner_service())
    for length in (len(raw), None):
        status, _, content = ask("POST", "/v2/messages", raw, length=length, key=key)
        assert status == 201, content


@pytest.mark.parametrize("length", [True, None], ids=["counted", "open"])
def test_a_packed_body_is_refused_with_the_way_out_in_the_callers_own_format(length):
    key = a_key(a_partner_service())
    raw = gzip.compress(json.dumps(drop_in_body()).encode())
    given = {"key": key, "content-encoding": "gzip"}
    size = len(raw) if length else None
    for path in ("/v2/messages", "/v1/sms/messages"):
        status, _, content = ask("POST", path, raw, length=size, **given)
        assert (status, json.loads(content)["code"]) == (400, "7000")
        assert "Send it as it is." in json.loads(content)["message"]
    status, _, content = ask("POST", "/resources/v1/messaging", raw, length=size, **given)
    assert (status, json.loads(content)["response"]["code"]) == (200, "7000")
    status, _, content = ask("POST", "/api/v1/audiences", raw, length=size, **given)
    assert (status, json.loads(content)["code"]) == (415, "unsupported_media_type")
    plain = json.dumps(drop_in_body()).encode()
    assert ask("POST", "/v2/messages", plain, key=key, **{"content-encoding": "identity"})[0] == 201


@pytest.mark.parametrize("name", ["key", "KEY", "Key"])
def test_a_header_is_found_in_any_case(name):
    raw = json.dumps(drop_in_body()).encode()
    assert ask("POST", "/v2/messages", raw, **{name: a_key(a_partner_service())})[0] == 201
