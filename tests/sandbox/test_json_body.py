"""A body's bytes over HTTP: what a strict reader on the provider's platform takes, and with which answer it refuses the rest."""

import json
from collections.abc import Iterator

import pytest

from tests.sandbox.running import Running, order, sandbox

SMALL = json.dumps(order()).encode()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with sandbox(fault="receipt_drop=1") as found:
        yield found


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("application/json;charset=UTF-8", 201),
        ('Application/JSON; Charset="utf-8"', 201),
        ("application/json; charset=us-ascii", 201),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=iso-8859-1", 415),
        ("application/vnd.api+json", 415),
        ("application/jsonp", 415),
        ("text/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_content_type_is_json_in_utf8(running: Running, kind: str, status: int):
    answer = running.post(SMALL, {"key": "any", "Content-Type": kind})
    assert (answer.status, answer.body == b"") == (status, status == 415)


def test_credentials_come_before_the_content_type(running: Running):
    assert running.post(SMALL, {"key": "", "Content-Type": "text/plain"}).status == 401


@pytest.mark.parametrize(("more", "status", "code"), [(0, 201, ""), (1, 400, "7022")])
def test_five_megabytes_are_the_most(running: Running, more: int, status: int, code: str):
    whole = 5 * 1024 * 1024 + more
    body = SMALL[:-1] + b', "more": "' + b"x" * (whole - len(SMALL) - len(b', "more": ""')) + b'"}'
    assert len(body) == whole
    answer = running.post(body)
    assert (answer.status, answer.json.get("code", "")) == (status, code)


def test_half_a_character_and_nul_name_their_field(running: Running):
    for field, change in (
        ("content.text", {"content": {"type": "unicode", "text": "a\ud83d"}}),
        ("callbackData", {"callbackData": "\0"}),
        ("substitutions", {"substitutions": {"\0": "x"}}),
        ("contactPolicyGroup", {"contactPolicy": {"contactPolicyGroup": "\udc00"}}),
        ("correlationId", {"to": [{"msisdn": ["447700900101"], "correlationId": "\ud800"}]}),
    ):
        assert running.post(order() | change).json["message"] == f"Invalid parameter - {field}"
    whole = running.send(text="a\U0001f44b", colour="\0")  # a pair, and a field that nobody reads
    assert whole.status == 201 and running.last()["text"] == "a\U0001f44b"
