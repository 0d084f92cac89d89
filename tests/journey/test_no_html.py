"""No HTML for programs: odd requests to every address of theirs, on a real server."""

import http.client
import json
from itertools import product

import pytest

pytestmark = pytest.mark.once  # who is answered what

PLACES = ("/v2", "/v1", "/resources", "/api")
WHOLE = {
    "/v2/messages": "POST",
    "/v2/messages/nobody": "GET",
    "/v1/sms/messages": "POST",
    "/v1/sms/messages/nobody": "GET",
    "/resources/v1/messaging": "POST",
    "/resources/v1/messaging/status/nobody": "GET",
    "/api/v1/sends": "POST",
    "/api/v1/sends/1": "GET",
    "/api/schema/": "POST",
}
ENDS = ("", "/", "//", "/nobody", "?x=%ff", "/%ff%00", "/%2e%2e/", "/<b>", "/favicon.ico", "/index.html")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
JSON = {"Content-Type": "application/json"}
HEADERS = {
    "a browser": {"Accept": "text/html"},
    "foreign host": {"Host": "elsewhere.example"},
    "broken host": {"Host": "a b<c>"},
    "no such key": {"key": "nobody"},
    "basic": {"Authorization": "Basic eDp5"},
    "bad length": {"Content-Length": "1x"},
    "bad type": {"Content-Type": "text/<html>; charset=nonsense"},
    "a form": {"Content-Type": "application/x-www-form-urlencoded"},
    "multipart": {"Content-Type": "multipart/form-data"},
    "bad session": {"Cookie": "sessionid=<x>; csrftoken=<y>"},
    "own method": {"X-HTTP-Method-Override": "DELETE"},
    "packed": {"Content-Encoding": "gzip"} | JSON,
    "a range": {"Range": "bytes=0-1"},
}
BODIES = (b"", b"{", b"\xff\xfe", b"x" * 12_000_000)


def asked(running, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, str]:
    """Status, and what is wrong with the answer: a line of HTML, or a type that says so."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body and "Content-Length" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    kind = answer.getheader("Content-Type", "")
    wrong = "html" in kind.lower() or b"<" in content or (bool(kind) and not content and method != "HEAD")
    about = f"{method} {path} {headers} {body[:4]!r}: {answer.status} {kind!r} {content[:200]!r}"
    return answer.status, about if wrong else ""


@pytest.fixture(scope="module")
def key(shared_textdesk):
    return shared_textdesk.manage(
        *("api_key", "--service", "demo", "--name", "odd", "--scopes", "send,read")
    ).stdout.strip()


def test_unknown_addresses_and_methods_are_refused_without_html(running, key):
    paths = {f"{place}{end}" for place, end in product((*PLACES, *WHOLE), ENDS)}
    paths |= {f"/{path}" for path in WHOLE}
    found = [
        asked(running, method, path.replace("<", "%3C").replace(">", "%3E"), {"key": key})
        for path, method in product(sorted(paths), METHODS)
    ]
    assert [wrong for _, wrong in found if wrong] == []
    assert {404, 405} <= {status for status, _ in found}
    assert not {status for status, _ in found if status >= 500}


def test_odd_headers_and_bodies_are_refused_without_html(running, key):
    tried = [
        asked(running, method, path, given, body)
        for (path, method), given in product(WHOLE.items(), HEADERS.values())
        for body in ((b"{}",) if method == "POST" and "Content-Length" not in given else (b"",))
    ]
    tried += [
        asked(running, "POST", path, JSON | {"key": key}, body) for path, body in product(WHOLE, BODIES)
    ]
    assert [wrong for _, wrong in tried if wrong] == []
    assert {400, 401, 403, 405, 413} <= {status for status, _ in tried}
    assert not {status for status, _ in tried if status >= 500}


def test_each_address_refuses_an_unknown_path_in_its_own_format(running):
    def said(path: str) -> tuple[str, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 404
        kind, content = answer.getheader("Content-Type"), json.loads(answer.read())
        connection.close()
        return kind, content

    for path in ("/v2/messages/", "/v1/sms/messages/", "//v2/nowhere"):
        kind, content = said(path)
        assert kind == "application/json" and list(content) == ["code", "message"]
        assert "no such address" in content["message"]
    kind, content = said("/resources/v1/messages")
    assert kind == "application/json" and "no such address" in content["response"]["description"]
    kind, content = said("/api/v1/sends/")
    assert kind == "application/problem+json" and content["code"] == "not_found"
