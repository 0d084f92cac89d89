"""The client against a real socket: what it sends, that it always ends in time, and what each broken exchange means."""

import contextlib
import datetime as dt
import ipaddress
import pathlib
import socket
import ssl
import struct
import threading
import time

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sms import VERSION
from sms.webex import transport as transport_module
from sms.webex.auth import Jwt, ServiceKey
from sms.webex.client import LONGEST_REPLY, Client
from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled, Unconfirmed
from tests.wire import golden
from tests.wire.server import reply, say, serving

KEY = ServiceKey("5f0c7c1e-1111-2222-3333-444455556666")
BODY = golden.body("request_typical")
QUEUED = reply(201, golden.body("reply_queued"), Content_Type="application/json")
SHORT = 0.6  # seconds of deadline where a test waits for it


def failure(url: str, *, deadline: float = 5.0, body: bytes = BODY) -> ProviderError:
    with Client(url, KEY, deadline=deadline) as client, pytest.raises(ProviderError) as caught:
        client.post(body)
    return caught.value


def test_post_sends_the_body_with_key_and_plain_headers():
    with serving(say(QUEUED)) as server, Client(server.url + "/", KEY) as client:
        accepted = client.post(BODY)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert accepted.provider_id == golden.value("reply_queued")["messageId"]
    assert body == BODY
    assert lines[0] == "post /v2/messages http/1.1"
    assert {
        f"key: {KEY.value}",
        "content-type: application/json",
        "accept: application/json",
        "accept-encoding: identity",
        f"user-agent: textdesk/{VERSION}",
    } <= set(lines)
    assert not any(line.startswith(("authorization", "cookie", "transfer-encoding")) for line in lines)


def test_jwt_travels_as_bearer_and_is_minted_again_after_a_401():
    jwt = Jwt("SVC-TEST-0001", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    with serving(say(reply(401))) as server, Client(server.url, jwt) as client:
        with pytest.raises(ServicePaused):
            client.post(BODY)
        assert b"Authorization: Bearer eyJ" in server.requests[0]
        assert b"\r\nkey:" not in server.requests[0]
        assert jwt._header == ""


def test_connection_is_used_again_and_cookies_are_not_kept():
    with (
        serving(say(reply(201, golden.body("reply_queued"), Set_Cookie="s=1; Path=/"))) as server,
        Client(server.url, KEY) as client,
    ):
        for _ in range(3):
            client.post(BODY)
        assert server.connections == 1
        assert not any(b"cookie" in request.lower() for request in server.requests)


def test_closed_idle_connection_is_replaced_and_costs_nothing():
    def once(sock: socket.socket, _: bytes) -> None:
        sock.sendall(QUEUED)
        sock.shutdown(socket.SHUT_RDWR)

    with serving(once) as server, Client(server.url, KEY) as client:
        for _ in range(3):
            assert client.post(BODY).provider_id
            time.sleep(0.05)
        assert server.connections == 3


def test_environment_proxies_are_ignored(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(say(QUEUED)) as server, Client(server.url, KEY) as client:
        assert client.post(BODY).provider_id


def test_redirect_is_not_followed_so_that_the_key_stays():
    with (
        serving(say(QUEUED)) as elsewhere,
        serving(say(reply(307, Location=elsewhere.url + "/v2/messages"))) as server,
    ):
        error = failure(server.url)
        assert type(error) is RequestRefused and error.code == "redirect"
        assert elsewhere.connections == 0


def test_refused_connection_is_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert type(failure(f"http://127.0.0.1:{port}")) is NotSent


def test_unknown_host_is_not_sent():
    assert type(failure("http://nowhere.invalid")) is NotSent


def test_connection_that_is_not_accepted_is_not_sent_within_half_the_deadline():
    """A listener whose queue is full leaves a connection hanging, like a firewall that drops packets."""
    with socket.socket() as full, contextlib.ExitStack() as fillers:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        error = failure(f"http://127.0.0.1:{full.getsockname()[1]}", deadline=2.0)
        assert type(error) is NotSent


def test_silent_server_is_unconfirmed_at_the_deadline():
    with serving(lambda *_: server._over.wait(60)) as server:
        error = failure(server.url, deadline=SHORT)
        assert (type(error), error.code) == (Unconfirmed, "timeout")


@pytest.mark.parametrize("part", ["status line", "headers", "body"])
def test_dripping_reply_ends_at_the_total_deadline(part):
    """Every byte comes well within a timeout per read; only a total ends it."""
    before = {
        "status line": b"",
        "headers": b"HTTP/1.1 201 X\r\n",
        "body": b"HTTP/1.1 201 X\r\nContent-Length: 5000\r\n\r\n",
    }[part]
    drops = (
        b"HTTP/1.1 201 X\r\nX-Slow: " + b"x" * 5000 if part == "status line" else b"X-Slow: " + b"x" * 5000
    )

    def drip(sock: socket.socket, _: bytes) -> None:
        sock.sendall(before)
        server.drip(sock, drops, every=0.05)

    with serving(drip) as server:
        error = failure(server.url, deadline=SHORT)
        assert (type(error), error.code) == (Unconfirmed, "timeout")


def test_dripping_chunks_end_at_the_total_deadline():
    def drip(sock: socket.socket, _: bytes) -> None:
        sock.sendall(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        server.drip(sock, b"1\r\n \r\n" * 1000, every=0.02)

    with serving(drip) as server:
        assert type(failure(server.url, deadline=SHORT)) is Unconfirmed


def test_server_that_takes_the_request_slowly_ends_at_the_deadline():
    def sip(sock: socket.socket, _: bytes) -> None:
        with contextlib.suppress(OSError):
            while not server._over.wait(0.05) and sock.recv(512):
                pass

    with serving(sip, read=False) as server:
        error = failure(server.url, deadline=SHORT, body=b"x" * 20_000_000)
        assert type(error) is Unconfirmed


def test_no_byte_leaves_after_the_deadline(monkeypatch):
    """A process frozen between connecting and writing wakes up late: it must not send, and may say so with certainty."""
    connect = transport_module.SingleConnection._connection

    def frozen(self, *args, **options):
        stream = connect(self, *args, **options)
        time.sleep(SHORT)
        return stream

    monkeypatch.setattr(transport_module.SingleConnection, "_connection", frozen)
    with serving(say(QUEUED)) as server:
        error = failure(server.url, deadline=SHORT / 2)
        time.sleep(0.1)
        assert (type(error), error.code) == (NotSent, "too_late")
        assert server.requests == []


def test_connection_cut_before_the_reply_is_unconfirmed():
    def cut(sock: socket.socket, _: bytes) -> None:
        sock.shutdown(socket.SHUT_RDWR)

    with serving(cut) as server:
        error = failure(server.url)
        assert (type(error), error.code) == (Unconfirmed, "cut_off")
        assert len(server.requests) == 1  # and never tried again


def test_connection_reset_before_the_reply_is_unconfirmed():
    def reset(sock: socket.socket, _: bytes) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    with serving(reset) as server:
        assert type(failure(server.url)) is Unconfirmed


def test_connection_cut_within_the_reply_is_unconfirmed():
    def cut(sock: socket.socket, _: bytes) -> None:
        sock.sendall(QUEUED[:-20])
        sock.shutdown(socket.SHUT_RDWR)

    with serving(cut) as server:
        assert (type(failure(server.url)), failure(server.url).status) == (Unconfirmed, 201)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, RequestRefused), (401, ServicePaused), (429, Throttled), (502, Unconfirmed)]
)
def test_status_that_came_through_decides_though_its_body_broke(status, kind):
    def cut(sock: socket.socket, _: bytes) -> None:
        sock.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 90\r\n\r\n{{".encode())
        sock.shutdown(socket.SHUT_RDWR)

    with serving(cut) as server:
        assert type(failure(server.url)) is kind


@pytest.mark.parametrize(
    "noise",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 abc X\r\n\r\n",
        b"\x16\x03\x01\x00\x05",
        b"HTTP/1.1 201 X\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_reply_that_is_no_http_is_unconfirmed(noise):
    def garble(sock: socket.socket, _: bytes) -> None:
        sock.sendall(noise)
        sock.shutdown(socket.SHUT_RDWR)

    with serving(garble) as server:
        assert type(failure(server.url)) is Unconfirmed


@pytest.mark.parametrize("chunked", [False, True])
def test_reply_over_the_cap_is_cut_off_and_unconfirmed(chunked):
    sent = 0

    def flood(sock: socket.socket, _: bytes) -> None:
        nonlocal sent
        head = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 104857600"
        sock.sendall(b"HTTP/1.1 201 X\r\n" + head + b"\r\n\r\n")
        piece = b" " * 10_000
        with contextlib.suppress(OSError):
            while sent < 104_857_600:
                sock.sendall(b"2710\r\n" + piece + b"\r\n" if chunked else piece)
                sent += len(piece)

    with serving(flood) as server:
        error = failure(server.url)
    assert (type(error), error.code) == (Unconfirmed, "too_large")
    assert sent < 20_000_000  # what the socket buffers of both sides swallow, not the reply


def test_refusal_over_the_cap_stays_a_refusal():
    with serving(say(reply(400, b"x" * (LONGEST_REPLY + 1)))) as server:
        assert type(failure(server.url)) is RequestRefused


def test_reply_of_exactly_the_cap_is_read():
    body = golden.body("reply_queued")
    with (
        serving(say(reply(200, body + b" " * (LONGEST_REPLY - len(body))))) as server,
        Client(server.url, KEY) as client,
    ):
        assert client.post(BODY).provider_id


def test_packed_reply_is_not_unpacked():
    import gzip

    bomb = gzip.compress(b"0" * 50_000_000)
    with serving(say(reply(201, bomb, Content_Encoding="gzip"))) as server:
        assert failure(server.url).code == "unreadable"


def test_throttling_carries_retry_after():
    with serving(say(reply(429, Retry_After="12"))) as server:
        error = failure(server.url)
        assert isinstance(error, Throttled) and error.retry_after == 12.0


def test_deadline_restarts_for_each_post():
    def slow(sock: socket.socket, _: bytes) -> None:
        time.sleep(0.3)
        sock.sendall(QUEUED)

    with serving(slow) as server, Client(server.url, KEY, deadline=1.0) as client:
        for _ in range(4):
            assert client.post(BODY).provider_id


def test_client_works_on_after_a_broken_exchange():
    answers = iter([b"nonsense\r\n\r\n", QUEUED])

    def answer(sock: socket.socket, _: bytes) -> None:
        sock.sendall(next(answers))
        sock.shutdown(socket.SHUT_RDWR)

    with serving(answer) as server, Client(server.url, KEY) as client:
        with pytest.raises(Unconfirmed):
            client.post(BODY)
        assert client.post(BODY).provider_id


def test_client_in_two_threads_is_refused_before_anything_is_sent():
    release = threading.Event()

    def wait(sock: socket.socket, _: bytes) -> None:
        release.wait(60)
        sock.sendall(QUEUED)

    with serving(wait) as server, Client(server.url, KEY) as client:
        first = threading.Thread(target=client.post, args=(BODY,))
        first.start()
        while not server.requests:
            time.sleep(0.01)
        with pytest.raises(RuntimeError, match="one thread"):
            client.post(BODY)
        release.set()
        first.join(60)
        assert len(server.requests) == 1


def test_transport_of_a_test_replaces_the_network():
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.content == BODY
        return httpx.Response(201, content=golden.body("reply_queued"))

    with Client("https://api.uk.webexconnect.io", KEY, transport=httpx.MockTransport(answer)) as client:
        assert client.post(BODY).requested_at == dt.datetime(2026, 3, 2, 9, 15, 4, 101_000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "url", ["api.uk.webexconnect.io", "ftp://a.example", "", "https://", "https://:80", "https://a:b"]
)
def test_base_url_that_is_no_address_is_refused_at_once(url):
    with pytest.raises(ValueError, match="base URL"):
        Client(url, KEY)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> pathlib.Path:
    """A certificate for 127.0.0.1 with its key, in one file; good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "textdesk test")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def tls_server(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate, monkeypatch) -> None:
    """Lets clients trust the test's certificate, with all other checks on."""
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(transport_module, "_tls", lambda: context)


def test_untrusted_certificate_is_not_sent(tls_server):
    with serving(say(QUEUED), tls=tls_server) as server:
        assert type(failure(server.url)) is NotSent
        assert server.requests == []


def test_post_over_tls_is_accepted_and_used_again(tls_server, trusting):
    with serving(say(QUEUED), tls=tls_server) as server, Client(server.url, KEY) as client:
        assert client.post(BODY).provider_id == client.post(BODY).provider_id
        assert server.connections == 1


def test_dripping_reply_over_tls_ends_at_the_total_deadline(tls_server, trusting):
    def drip(sock: socket.socket, _: bytes) -> None:
        server.drip(sock, b"HTTP/1.1 201 X\r\nX-Slow: " + b"x" * 5000, every=0.05)

    with serving(drip, tls=tls_server) as server:
        assert failure(server.url, deadline=SHORT).code == "timeout"


def test_dripping_tls_handshake_is_not_sent_within_the_deadline(trusting):
    def drip(sock: socket.socket, _: bytes) -> None:
        server.drip(sock, b"\x16\x03\x03\x40\x00" + b"\x02" * 5000, every=0.05)

    with serving(drip, read=False) as server:
        error = failure(server.url.replace("http:", "https:"), deadline=SHORT)
        assert type(error) is NotSent
