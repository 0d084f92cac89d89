"""One HTTP/1.1 connection under httpx's transport interface, with one total deadline. Used by `client`, and for callbacks to partners.

httpx counts its timeouts per read: a server that drips one byte at a time, in the body or in the headers, holds a thread for as
long as it likes. Here every wait on the socket is clipped to what is left of the request's total, whichever part it is in.

What it also yields: certainty. `Deadline.touched` says whether the first byte of a request was ever handed to the socket; while it was
not, nothing can have been sent, and no byte leaves after the deadline (a process that was frozen wakes up and stops here). A request is
never repeated, and a connection that the other side has closed is noticed before it is used again.

Not bounded: looking up the host's name, which the system resolver does within its own time. Nothing has left by then.
"""

import contextlib
import functools
import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator

import httptools
import httpx

KEEP_ALIVE = 5.0  # seconds of idling; short, because a connection that dies costs an unconfirmed message
LONGEST_HEAD = 64 * 1024
CHUNK = 16 * 1024
_UNSAFE = re.compile(rb"[\r\n\0]")


def _nothing() -> None:
    """Nobody wants to know."""


class Deadline:
    """The moment by which the current request must be over. Shared by one client and its transport; not for several threads."""

    def __init__(self) -> None:
        self._until = float("inf")
        self._begin: Callable[[], object] = _nothing
        self.touched = False

    def start(self, seconds: float, begin: Callable[[], object] = _nothing) -> None:
        """Begin a request that may take `seconds` in all. `begin` is called before its first byte is handed to the socket."""
        self._until = time.monotonic() + seconds
        self._begin = begin
        self.touched = False

    def touch(self) -> None:
        """The next byte may be the first that leaves."""
        if not self.touched:
            self._begin()
            self.touched = True

    def left(self, error: type[httpx.TransportError]) -> float:
        """Seconds left. Raises `error` where there are none, before anything touches the network."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise error("total deadline passed")
        return left


class SingleConnection(httpx.BaseTransport):
    """At most one connection, to the host of its first request. `sent` is called when a request's last byte has been handed over.

    `dial` replaces how a connection is made: (host, port, seconds) → a connected socket. Whatever it raises beside OSError passes through.
    """

    def __init__(
        self,
        deadline: Deadline,
        *,
        sent: Callable[[], None] = lambda: None,
        dial: Callable[[str, int, float], socket.socket] | None = None,
    ) -> None:
        self._deadline = deadline
        self._sent = sent
        self._dial = dial or _dial
        self._socket: socket.socket | None = None
        self._idle_since = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and read the reply's head; the body is read as the response is iterated."""
        message = _message(request)
        sock = self._connection(request.url)
        complaint: httpx.WriteError | None = None
        try:
            self._send(sock, message)
            self._sent()
        except httpx.WriteError as error:  # a server may refuse and hang up before it has read everything
            complaint = error
        except BaseException:
            self.close()
            raise
        reply = _Reply()
        try:
            while not reply.head_complete:
                self._feed(reply)
        except BaseException as error:
            self.close()
            if complaint is not None and isinstance(error, httpx.TransportError):
                raise complaint from error
            raise
        if complaint is not None:
            reply.reusable = False
        return httpx.Response(reply.status, headers=reply.headers, stream=_Body(self, reply))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # -- the connection

    def _connection(self, url: httpx.URL) -> socket.socket:
        kept = self._socket
        if kept is not None:
            if time.monotonic() - self._idle_since < KEEP_ALIVE and not _readable(kept):
                return kept
            self.close()  # readable while nothing was asked means closed, or out of step
        # in half of the total, so that a slow start leaves time for a clear answer
        seconds = self._deadline.left(httpx.ConnectTimeout) / 2
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        with _as(httpx.ConnectTimeout, httpx.ConnectError):
            sock = self._dial(host, port, seconds)
            self._socket = self._secured(sock, host) if url.scheme == "https" else sock
        return self._socket

    def _secured(self, sock: socket.socket, host: str) -> socket.socket:
        """Python's own handshake keeps one limit over all its round trips, so a dripped one ends in time too."""
        try:
            sock.settimeout(self._deadline.left(httpx.ConnectTimeout))
            return _tls().wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise

    # -- bytes

    def _send(self, sock: socket.socket, message: bytes) -> None:
        view = memoryview(message)
        while view:
            left = self._deadline.left(httpx.WriteTimeout)
            self._deadline.touch()
            with _as(httpx.WriteTimeout, httpx.WriteError):
                sock.settimeout(left)
                view = view[sock.send(view) :]

    def _feed(self, reply: "_Reply") -> None:
        """Read once and parse. Raises where the other side ends too early, or speaks something else."""
        sock = self._socket
        if sock is None:
            raise httpx.ReadError("the connection was closed")
        left = self._deadline.left(httpx.ReadTimeout)
        with _as(httpx.ReadTimeout, httpx.ReadError):
            sock.settimeout(left)
            data = sock.recv(CHUNK)
        reply.take(data)

    def _done(self, reply: "_Reply") -> None:
        """Keep the connection if the reply ended where it should, otherwise close it."""
        if reply.reusable:
            self._idle_since = time.monotonic()
        else:
            self.close()


class _Reply:
    """httptools' callbacks for one reply; informational ones before it are skipped."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.status = 0
        self.chunks: list[bytes] = []
        self.head_complete = False
        self.complete = False
        self.reusable = False
        self._excess = self._kept = False
        self._size = 0
        self._parser = httptools.HttpResponseParser(self)

    def take(self, data: bytes) -> None:
        """Parse what came; nothing means that the other side has ended."""
        if not data:
            self._ended()
            return
        if not self.head_complete:
            self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise httpx.RemoteProtocolError(f"not HTTP/1.1: {type(error).__name__}") from error
            self._excess = True
        if not self.head_complete and self._size > LONGEST_HEAD:
            raise httpx.RemoteProtocolError("the reply's head is too long")
        self.reusable = self._kept and not self._excess

    def _ended(self) -> None:
        delimited = any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self.headers)
        if not self.head_complete or delimited:
            raise httpx.RemoteProtocolError("the connection ended before the reply did")
        self.complete = True

    def on_message_begin(self) -> None:
        """A reply, or data after it that was not requested."""
        self._excess = self._excess or self.complete
        if not self.complete:
            self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.complete:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole; of an informational reply it means nothing."""
        if not self.complete:
            self.status = self._parser.get_status_code()
            self.head_complete = self.status >= 200

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self.chunks.append(body)

    def on_message_complete(self) -> None:
        """The reply is whole, unless it was an informational one."""
        if self.head_complete and not self.complete:
            self.complete = True
            self._kept = self._parser.should_keep_alive()  # a moment later it has forgotten


class _Body(httpx.SyncByteStream):
    """What is left to read of a reply. Closing it early closes the connection, which is out of step then."""

    def __init__(self, network: SingleConnection, reply: _Reply) -> None:
        self._network = network
        self._reply = reply

    def __iter__(self) -> Iterator[bytes]:
        reply = self._reply
        while True:
            chunks, reply.chunks = reply.chunks, []
            yield from chunks
            if reply.complete:
                return
            try:
                self._network._feed(reply)
            except BaseException:
                self._network.close()
                raise

    def close(self) -> None:
        self._network._done(self._reply)


def _message(request: httpx.Request) -> bytes:
    """The bytes of a request. A line break in a header would begin another request."""
    target = request.url.raw_path
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), target)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    if any(_UNSAFE.search(line) for line in lines):
        raise httpx.LocalProtocolError("a header or the address holds a line break")
    return b"\r\n".join([*lines, b"", request.read()])


def _dial(host: str, port: int, seconds: float) -> socket.socket:
    """Try the host's addresses in turn."""
    until = time.monotonic() + seconds
    problem: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("connecting took half of the deadline") from problem
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:  # the next address may answer
            sock.close()
            problem = error
    raise problem or OSError("the host has no address")


def _readable(sock: socket.socket) -> bool:
    if hasattr(select, "poll"):  # no limit on the descriptor's number, unlike select
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])


@contextlib.contextmanager
def _as(timeout: type[httpx.TransportError], other: type[httpx.TransportError]) -> Iterator[None]:
    """Socket errors as httpx's. TimeoutError is an OSError, so it comes first; a refused certificate is an OSError too."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
        raise other(str(error)) from error


@functools.cache
def _tls() -> ssl.SSLContext:
    """One context for all connections: loading the certificates takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)
