"""A header with an underscore in its name counts for nothing: WSGI would give it the name of one that our proxy writes."""

import itertools

import pytest

from portal.web.environ import environ_of

REAL, FORGED = ("x-forwarded-for", "203.0.113.5"), ("x_forwarded_for", "198.51.100.9")


def scope(*headers: tuple[str, str], version: str = "1.1") -> dict[str, object]:
    return {
        "method": "GET",
        "raw_path": b"/caf%C3%A9",
        "query_string": b"",
        "http_version": version,
        "server": ("127.0.0.1", "8000"),
        "client": ("127.0.0.1", "5000"),
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }


@pytest.mark.parametrize("version", ["1.1", "2"])
@pytest.mark.parametrize("headers", [*itertools.permutations((REAL, FORGED)), (FORGED,)])
def test_the_forged_address_counts_in_no_order(headers, version):
    environ = environ_of(scope(*headers, version=version))
    assert environ.get("HTTP_X_FORWARDED_FOR") == ("203.0.113.5" if REAL in headers else None)
    assert environ["PATH_INFO"] == "/caf\xc3\xa9"


def test_a_header_that_comes_twice_is_joined_and_cookies_by_semicolons():
    environ = environ_of(scope(("cookie", "a=1"), ("cookie", "b=2"), ("accept", "x"), ("accept", "y")))
    assert (environ["HTTP_COOKIE"], environ["HTTP_ACCEPT"]) == ("a=1;b=2", "x,y")


@pytest.mark.parametrize(
    "name", ["content_length", "content_type", "transfer_encoding", "key", "x_hub_signature", "host"]
)
def test_no_name_is_reached_by_an_underscore(name):
    dashed = name.upper()
    environ = environ_of(scope((name, "1")))
    if "_" in name:
        assert dashed not in environ and f"HTTP_{dashed}" not in environ
    else:
        assert environ[f"HTTP_{dashed}"] == "1"
