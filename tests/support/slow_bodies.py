"""Sockets of strangers who begin a request and do not end it, at every kind of address and in every way a body can be slow."""

import contextlib
import itertools
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events

LENGTH = 50_000
MULTIPART = "multipart/form-data; boundary=xyz"
WAYS = ("silent", "stopped", "dripping", "chunked", "http2", "http2 dripping")


@dataclass(frozen=True)
class Target:
    """Where a stranger posts. `status` is the answer to a body that comes too slowly."""

    method: str
    path: str
    content_type: str
    status: int = 408


TARGETS = (
    Target("POST", "/accounts/login/", MULTIPART),
    Target("POST", "/accounts/password/reset/", "application/x-www-form-urlencoded"),
    Target("POST", "/admin/login/", MULTIPART),
    Target("POST", "/s/demo/compose/save/", MULTIPART),
    Target("POST", "/no/such/page/", MULTIPART),
    Target("POST", "/api/v1/sends", "application/json"),
    Target("PATCH", "/api/v1/audiences/1", "application/json"),
    Target("POST", "/v2/messages", "application/json"),
    Target("POST", "/v1/sms/messages", "application/json"),
    Target("POST", "/resources/v1/messaging", "application/json"),
    Target("POST", "/receipts/guessed/", "application/json", 503),  # which the provider repeats
    Target("POST", "/inbound/guessed/", "application/json", 503),
    Target("POST", "/setup/", MULTIPART),
)


@dataclass
class SlowSocket:
    """One open request."""

    target: Target
    way: str
    port: int
    sock: socket.socket = field(init=False)
    came: bytes = b""
    status: int = 0

    def __post_init__(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.http2 = None
        if self.way.startswith("http2"):
            self._open_http2()
        else:
            self._open_http1()
        self.sock.setblocking(False)

    def _open_http1(self) -> None:
        framing = "Transfer-Encoding: chunked" if self.way == "chunked" else f"Content-Length: {LENGTH}"
        head = f"{self.target.method} {self.target.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Content-Type: {self.target.content_type}\r\n{framing}\r\n\r\n"
        begun = {"silent": b"", "chunked": b"6\r\n{     \r\n"}.get(self.way, b"--xyz\r\n")
        self.sock.sendall(head.encode() + begun)

    def _open_http2(self) -> None:
        self.http2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.http2.initiate_connection()
        names = [
            (":method", self.target.method),
            (":scheme", "http"),
            (":path", self.target.path),
            (":authority", "127.0.0.1"),
            ("content-type", self.target.content_type),
        ]
        self.http2.send_headers(1, names)
        if self.way == "http2 dripping":
            self.http2.send_data(1, b"{")
        self.sock.sendall(self.http2.data_to_send())

    def drip(self) -> None:
        """One byte, where it drips."""
        with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            if self.way == "dripping":
                self.sock.send(b" ")
            elif self.way == "http2 dripping" and self.http2 is not None:
                self.http2.send_data(1, b" ")
                self.sock.send(self.http2.data_to_send())

    def is_answered(self) -> bool:
        """Whether the server has answered it, or let it go."""
        with contextlib.suppress(BlockingIOError):
            while more := self.sock.recv(65536):
                self._take(more)
                if self.status:
                    return True
            return True
        return bool(self.status)

    def _take(self, more: bytes) -> None:
        if self.http2 is None:
            self.came += more
            if b"\r\n" in self.came:
                self.status = int(self.came.split()[1])
            return
        for event in self.http2.receive_data(more):
            if isinstance(event, h2.events.ResponseReceived):
                self.status = int(dict(event.headers)[":status"])
            elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                self.status = self.status or -1

    def is_closed(self) -> bool:
        """Over HTTP/1, whether nothing more may come."""
        with contextlib.suppress(BlockingIOError):
            try:
                while self.sock.recv(65536):
                    pass
            except ConnectionError:
                return True
            return True
        return False


@contextmanager
def slow_bodies(port: int, count: int) -> Iterator[list[SlowSocket]]:
    """So many, over every target and every way; those that drip do so once a second."""
    kinds = itertools.cycle(itertools.product(TARGETS, WAYS))
    sockets = [SlowSocket(target, way, port) for target, way in itertools.islice(kinds, count)]
    over = threading.Event()

    def drip() -> None:
        while not over.wait(1):
            for one in sockets:
                one.drip()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield sockets
    finally:
        over.set()
        thread.join()
        for one in sockets:
            one.sock.close()


def a_receipt(mark: str) -> bytes:
    told = {"transid": mark, "deliveryInfo": {"deliveryStatus": "Delivered", "code": "7500"}}
    return json.dumps({"deliveryInfoNotification": told}).encode()
