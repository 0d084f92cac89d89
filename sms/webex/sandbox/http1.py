"""An HTTP/1.1 keep-alive server as one ``asyncio.Protocol`` over httptools' parser."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import cast

import httptools

MAX_BODY = 8 * 1024 * 1024
MAX_HEAD = 64 * 1024
MAX_QUEUED = 64

_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_JSON = b"Content-Type: application/json\r\n"


class Exchange:
    """One request, and the single answer it may be given: now, later, or never."""

    __slots__ = (
        *("answered", "body", "connection", "headers", "keep_alive", "method", "path", "query", "too_large"),
    )

    def __init__(self, connection: Connection) -> None:
        """Start an empty request of ``connection``."""
        self.connection = connection
        self.method = ""
        self.path = ""
        self.query = ""  # as it stands behind the question mark
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.keep_alive = True
        self.too_large = False
        self.answered = False

    @property
    def peer(self) -> str:
        """The caller's IP address."""
        name = self.connection.transport.get_extra_info("peername")
        return str(name[0]) if name else ""

    def reply(self, status: int, body: bytes = b"", *, headers: bytes = _JSON) -> None:
        """Answer with ``body``; a body of no bytes carries no content type. Only the first answer counts."""
        if self.answered:
            return
        self.answered = True
        self.connection.answer(
            b"%s%sContent-Length: %d\r\n%s\r\n%s"
            % (
                _LINES[status],
                headers if body or headers is not _JSON else b"",
                len(body),
                b"" if self.keep_alive else b"Connection: close\r\n",
                b"" if self.method == "HEAD" else body,
            ),
            keep_alive=self.keep_alive,
        )

    def stream(self, parts: AsyncIterator[bytes], content_type: bytes) -> None:
        """Answer 200 with chunks as they come, at the reader's speed."""
        self.answered = True
        self.connection.stream(parts, content_type, keep_alive=self.keep_alive, head=self.method == "HEAD")

    def abort(self) -> None:
        """Drop the connection without an answer."""
        self.answered = True
        self.connection.transport.abort()


class Connection(asyncio.Protocol):
    """One client connection. Requests that arrive together are answered one after another, in order."""

    def __init__(self, handler: Callable[[Exchange], None], connections: set[Connection]) -> None:
        """Answer with ``handler``; ``connections`` is the server's register of open connections."""
        self.handler = handler
        self.connections = connections
        self.transport: asyncio.Transport
        self.parser = httptools.HttpRequestParser(self)
        self.current = Exchange(self)
        self.chunks: list[bytes] = []
        self.size = 0
        self.head_size = 0
        self.in_body = False
        self.url = b""
        self.waiting: deque[Exchange] = deque()
        self.busy = False
        self.pumping = False
        self.writable = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register."""
        self.transport = cast("asyncio.Transport", transport)
        self.writable.set()
        self.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and what it still wanted."""
        self.connections.discard(self)
        self.waiting.clear()
        self.writable.set()
        if self.task is not None:
            self.task.cancel()

    def pause_writing(self) -> None:
        """The reader is slow."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """The reader has caught up."""
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what is not HTTP is answered 400 and closed."""
        if not self.in_body:
            self.head_size += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self.transport.is_closing():
                self.transport.write(_LINES[400] + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
                self.transport.close()
            return
        if not self.in_body and self.head_size > MAX_HEAD:
            self.transport.write(_LINES[431] + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            self.transport.close()

    # -- httptools callbacks

    def on_message_begin(self) -> None:
        """Start a request."""
        self.current = Exchange(self)
        self.chunks = []
        self.size = 0
        self.url = b""

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.current.headers[name.lower()] = value.rstrip(b" \t")

    def on_headers_complete(self) -> None:
        """Let a client that asks first go on."""
        self.in_body = True
        self.current.keep_alive = self.parser.should_keep_alive()
        if self.current.headers.get(b"expect", b"").lower() == b"100-continue" and not self.busy:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, up to the limit."""
        self.size += len(body)
        if self.size > MAX_BODY:
            self.current.too_large = True
            self.chunks.clear()
        else:
            self.chunks.append(body)

    def on_message_complete(self) -> None:
        """Hand the request over, or queue it behind the one being answered."""
        exchange = self.current
        exchange.method = self.parser.get_method().decode("ascii")
        path, _, query = self.url.partition(b"?")
        exchange.path, exchange.query = path.decode("latin-1"), query.decode("latin-1")
        exchange.body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        self.in_body = False
        self.head_size = 0
        self.waiting.append(exchange)
        if len(self.waiting) > MAX_QUEUED:
            self.transport.pause_reading()
        self.pump()

    # -- answering

    def pump(self) -> None:
        """Handle queued requests until one keeps its answer back."""
        if self.pumping:
            return
        self.pumping = True
        try:
            while self.waiting and not self.busy and not self.transport.is_closing():
                self.busy = True
                exchange = self.waiting.popleft()
                try:
                    self.handler(exchange)
                except Exception as error:  # the sandbox must outlive its own mistakes
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": "sandbox request failed", "exception": error}
                    )
                    exchange.reply(500)
        finally:
            self.pumping = False
        if len(self.waiting) <= MAX_QUEUED and not self.transport.is_closing():
            self.transport.resume_reading()

    def answer(self, data: bytes, *, keep_alive: bool) -> None:
        """Write a whole answer and go on to the next request."""
        if self.transport.is_closing():
            return
        self.transport.write(data)
        self.busy = False
        if keep_alive:
            self.pump()
        else:
            self.transport.close()

    def stream(
        self, parts: AsyncIterator[bytes], content_type: bytes, *, keep_alive: bool, head: bool
    ) -> None:
        """Write a chunked answer as its parts come."""
        self.task = asyncio.get_running_loop().create_task(
            self._stream(parts, content_type, keep_alive=keep_alive, head=head)
        )

    async def _stream(
        self, parts: AsyncIterator[bytes], content_type: bytes, *, keep_alive: bool, head: bool
    ) -> None:
        self.transport.write(
            _LINES[200] + b"Content-Type: " + content_type + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        if not head:
            async for part in parts:
                await self.writable.wait()
                if self.transport.is_closing():
                    return
                if part:
                    self.transport.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.task = None
        self.answer(b"" if head else b"0\r\n\r\n", keep_alive=keep_alive)
