"""Network streams that keep one total deadline per request, under httpcore's public backend interface. Used by `client` only.

httpx counts its timeouts per read: a server that drips one byte at a time, in the body or in the headers, holds a thread for as
long as it likes. Here every wait on the socket is clipped to what is left of the request's total, whichever part it is in.

What it also yields: certainty. `touched` says whether the first byte of a request was ever handed to the socket; while it was
not, nothing can have been sent, and no byte leaves after the deadline (a process that was frozen wakes up and stops here).

Not bounded: looking up the host's name, which the system resolver does within its own time. Nothing has left by then.
"""

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore


class Deadline:
    """The moment by which the current request must be over. Shared by one client and its streams; not for several threads."""

    def __init__(self) -> None:
        self._until = float("inf")
        self.touched = False

    def start(self, seconds: float) -> None:
        """Begin a request that may take `seconds` in all."""
        self._until = time.monotonic() + seconds
        self.touched = False

    def left(self, error: type[Exception]) -> float:
        """Seconds left. Raises `error` where there are none, before anything touches the network."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise error("total deadline passed")
        return left


class Backend(httpcore.NetworkBackend):
    """Opens TCP connections. Connecting may use half of the total, so that a slow start leaves time for a clear answer."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the host's addresses in turn, as long as half of the total lasts."""
        half = time.monotonic() + self._deadline.left(httpcore.ConnectTimeout) / 2
        problem: OSError | None = None
        with _as(httpcore.ConnectTimeout, httpcore.ConnectError):
            for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                left = half - time.monotonic()
                if left <= 0:
                    raise TimeoutError("connecting took half of the deadline") from problem
                sock = socket.socket(family, kind, protocol)
                try:
                    sock.settimeout(left)
                    sock.connect(address)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                except OSError as error:  # the next address may answer
                    sock.close()
                    problem = error
                else:
                    return Stream(sock, self._deadline)
            raise problem or OSError("the host has no address")


class Stream(httpcore.NetworkStream):
    """One connection. The timeouts that httpcore hands in are ignored: the deadline is the only clock."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, at most `max_bytes`; nothing at the end of the stream."""
        left = self._deadline.left(httpcore.ReadTimeout)
        with _as(httpcore.ReadTimeout, httpcore.ReadError):
            self._sock.settimeout(left)
            return self._sock.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of `buffer`, however slowly the other side takes it, within the total."""
        view = memoryview(buffer)
        while view:
            left = self._deadline.left(httpcore.WriteTimeout)
            self._deadline.touched = True
            with _as(httpcore.WriteTimeout, httpcore.WriteError):
                self._sock.settimeout(left)
                view = view[self._sock.send(view) :]

    def close(self) -> None:
        """Close the socket, without a farewell."""
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Python's own handshake keeps one limit over all its round trips, so a dripped one ends in time too."""
        try:
            left = self._deadline.left(httpcore.ConnectTimeout)
            with _as(httpcore.ConnectTimeout, httpcore.ConnectError):
                self._sock.settimeout(left)
                secured = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """`is_readable` is what the pool asks before it uses an idle connection again: readable means closed or out of step."""
        if info == "is_readable":
            return self._sock.fileno() < 0 or _readable(self._sock)
        if info == "ssl_object":
            return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
        return self._sock if info == "socket" else None


def _readable(sock: socket.socket) -> bool:
    if hasattr(select, "poll"):  # no limit on the descriptor's number, unlike select
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])


@contextlib.contextmanager
def _as(timeout: type[Exception], other: type[Exception]) -> Iterator[None]:
    """Socket errors as httpcore's. TimeoutError is an OSError, so it comes first; a refused certificate is an OSError too."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
        raise other(str(error)) from error
