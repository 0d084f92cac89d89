"""The sandbox on the byte level of HTTP/1.1, over raw sockets: framing, order, broken requests and dropped connections."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.sandbox.running import WAIT, Running, order, sandbox

HEAD = b"POST /v2/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nkey: k\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with sandbox(fault="receipt_drop=1") as found:
        yield found


def connect(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.port), timeout=WAIT)


def answers(given: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Status and body of as many answers, each with its length."""
    found, stream = [], given.makefile("rb")
    for _ in range(count):
        status, length = int(stream.readline().split()[1]), 0
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        found.append((status, stream.read(length)))
    return found


def with_length(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def chunked(*parts: bytes) -> bytes:
    return (
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts)
        + b"0\r\nX-Trailer: 1\r\n\r\n"
    )


def test_a_body_without_a_length_comes_in_chunks(running: Running):
    body = json.dumps(order(text="In three chunks")).encode()
    with connect(running) as given:
        given.sendall(chunked(body[:1], body[1:70], body[70:]))
        [(status, reply)] = answers(given, 1)
        assert (status, json.loads(reply)["status"]) == (201, "queued")
        given.sendall(with_length(json.dumps(order()).encode()))  # and the connection goes on
        assert answers(given, 1)[0][0] == 201
    assert [line["text"] for line in running.log("message")][-2:] == ["In three chunks", "Hello"]


def test_a_body_in_chunks_has_the_same_limit(running: Running):
    with connect(running) as given:
        given.sendall(chunked(*[b" " * 1024 * 1024] * 9))
        [(status, reply)] = answers(given, 1)
        assert (status, json.loads(reply)["code"]) == (400, "7022")


def test_requests_that_arrive_together_are_answered_in_order(running: Running):
    bodies = [order() | {"to": [{"msisdn": ["+447946000001"], "correlationId": f"c-{n}"}]} for n in range(20)]
    with connect(running) as given:
        given.sendall(b"".join(with_length(json.dumps(one).encode()) for one in bodies))
        found = [json.loads(body)["correlationId"] for _, body in answers(given, 20)]
    assert found == [f"c-{n}" for n in range(20)]


def test_bytes_may_come_one_by_one(running: Running):
    with connect(running) as given:
        given.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in with_length(json.dumps(order()).encode()):
            given.sendall(bytes([byte]))
        assert answers(given, 1)[0][0] == 201


def test_a_client_that_asks_first_is_let_go_on(running: Running):
    body = json.dumps(order()).encode()
    with connect(running) as given:
        given.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert answers(given, 1)[0][0] == 100
        given.sendall(body)
        assert answers(given, 1)[0][0] == 201


@pytest.mark.parametrize("line", [b"Connection: close\r\n", b""])
def test_a_client_that_wants_no_more_is_let_go(running: Running, line: bytes):
    start = b"GET /__sandbox__/health HTTP/1.%d\r\nHost: 127.0.0.1\r\n" % bool(line)
    with connect(running) as given:
        given.sendall(start + line + b"\r\n")
        assert answers(given, 1)[0][0] == 200
        assert given.recv(1) == b""


def test_what_is_not_http_is_answered_400_and_closed(running: Running):
    with connect(running) as given:
        given.sendall(b"EHLO desk.example\r\n\r\n")
        assert answers(given, 1) == [(400, b"")]
        assert given.recv(1) == b""


def test_a_request_counts_although_its_body_goes_on_behind_its_length(running: Running):
    body = json.dumps(order(text="Longer than it says")).encode()
    with connect(running) as given:
        given.sendall(with_length(body) + b"}}\r\n\r\n")
        assert [status for status, _ in answers(given, 2)] == [201, 400]
        assert given.recv(1) == b""
    assert running.last()["text"] == "Longer than it says"


def test_a_dropped_connection_ends_without_a_byte(running: Running):
    body = json.dumps(order("447700900009", text="Dropped")).encode()
    with connect(running) as given:
        given.sendall(with_length(body))
        assert given.recv(1) == b""
    assert running.last()["text"] == "Dropped"


def test_silence_ends_when_the_caller_hangs_up():
    with sandbox(fault="timeout=1") as running:
        connections = running.listening.server.connections
        with connect(running) as given:
            given.sendall(with_length(json.dumps(order()).encode()))
            given.settimeout(0.2)
            with pytest.raises(TimeoutError):
                given.recv(1)
            assert len(connections) == 1
        end = time.monotonic() + WAIT
        while connections:
            assert time.monotonic() < end, "the connection is still held"
            time.sleep(0.01)


@pytest.mark.parametrize("in_chunks", [False, True])
def test_an_offered_upgrade_is_passed_over_and_the_body_read(running: Running, in_chunks: bool):
    """Java's HttpClient offers HTTP/2 with every request."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
    body = json.dumps(order(text=f"Offered {in_chunks}")).encode()
    whole = (chunked(body[:9], body[9:]) if in_chunks else with_length(body)).replace(
        b"key: k\r\n", b"key: k\r\n" + offer, 1
    )
    with connect(running) as given:
        for cut in (len(whole), 40, len(HEAD) + len(offer), len(whole) - 5):
            given.sendall(whole[:cut])
            given.sendall(whole[cut:] + with_length(json.dumps(order()).encode()))
            assert [status for status, _ in answers(given, 2)] == [201, 201]
        asks = whole.replace(offer, offer + b"Expect: 100-continue\r\n")
        given.sendall(asks[: asks.index(b"\r\n\r\n") + 4])
        assert given.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        given.sendall(asks[asks.index(b"\r\n\r\n") + 4 :])
        assert answers(given, 1)[0][0] == 201
    assert [line["text"] for line in running.log("message")].count(f"Offered {in_chunks}") == 5
