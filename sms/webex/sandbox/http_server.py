"""HTTP/1.1 with kept connections over asyncio's streams: httptools reads, and a coroutine says what is answered, if anything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import httptools

MAX_BODY = 8 * 1024 * 1024
READ = 64 * 1024

_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}
_OFFER = (b"upgrade", b"connection", b"http2-settings")
_NOT_HTTP = _LINES[400] + b"Content-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(slots=True)
class Request:
    """One request. ``headers`` are by lower-case name, ``query`` is what stands behind the question mark."""

    peer: str  # the caller's IP address
    method: str = ""
    path: str = ""
    query: str = ""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    keep_alive: bool = True
    parts: list[bytes] = field(default_factory=list)  # of a body that still comes
    size: int = 0

    @property
    def too_large(self) -> bool:
        """And then without its body."""
        return self.size > MAX_BODY

    def add(self, part: bytes) -> None:
        self.size += len(part)
        if not self.too_large:
            self.parts.append(part)

    def end(self) -> None:
        self.body = b"" if self.too_large else b"".join(self.parts)
        self.parts.clear()


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. Without a body it has no content type; ``headers`` are whole lines; parts are written as they come."""

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    content_type: bytes = b"application/json"
    headers: bytes = b""


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer: the connection is cut after so many seconds, or once the caller hangs up."""

    seconds: float = 0.0


Answer = Response | Silence
Handler = Callable[[Request], Awaitable[Answer]]


class RequestReader:
    """What httptools has read on one connection; ``whole`` are the requests that are complete."""

    def __init__(self, peer: str, writer: asyncio.StreamWriter) -> None:
        """Read requests of ``peer``; through ``writer`` a client that asks first is let go on."""
        self.peer = peer
        self.writer = writer
        self.parser = httptools.HttpRequestParser(self)
        self.whole: list[Request] = []
        self.broken = False

    def feed(self, data: bytes) -> list[Request]:
        """The requests that ``data`` completes, those too that stand before what is not HTTP."""
        self.whole = []
        try:
            while data:
                data = self._read(data)
        except httptools.HttpParserError:
            self.broken = True
        return self.whole

    def _read(self, data: bytes) -> bytes:
        """What is still to be read: of a request that offers an upgrade, as Java's HttpClient does, all over again without the offer.

        A server may pass over the offer. The parser takes it for accepted, and the body for the other protocol's.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            kept = [(name, value) for name, value in self.request.headers.items() if name not in _OFFER]
            head = b"".join(b"%s: %s\r\n" % header for header in kept)
            line = b"%s %s HTTP/%s\r\n" % (
                self.parser.get_method(),
                self.url,
                self.parser.get_http_version().encode(),
            )
            self.parser = httptools.HttpRequestParser(self)
            return line + head + b"\r\n" + data[offered.args[0] :]
        return b""

    def on_message_begin(self) -> None:
        self.request = Request(self.peer)
        self.url = b""

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.request.headers[name.lower()] = value.rstrip(b" \t")

    def on_headers_complete(self) -> None:
        self.request.keep_alive = self.parser.should_keep_alive()
        expected = self.request.headers.get(b"expect", b"").lower()
        if expected == b"100-continue" and not self.parser.should_upgrade():
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self.request.add(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        path, _, query = self.url.partition(b"?")
        self.request.method = self.parser.get_method().decode("ascii")
        self.request.path, self.request.query = path.decode("latin-1"), query.decode("latin-1")
        self.request.end()
        self.whole.append(self.request)


class HttpServer:
    """Answers with ``handler``. Requests that arrive together are answered one after another, in order."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.connections: set[asyncio.Task[None]] = set()
        self.server: asyncio.Server

    async def start(self, host: str, port: int) -> int:
        """Listen on a port, 0 for any free one, and return it; raise ``OSError`` if it is taken."""
        self.server = await asyncio.start_server(self._serve, host, port)
        return int(self.server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self.server.close()
        for task in self.connections:
            task.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._connected(reader, writer))
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.talk(await reader.read(READ), reader, writer)
        except OSError:
            return  # the caller is gone
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()

    async def talk(self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until either side ends it; ``data`` is what came first."""
        peer = writer.get_extra_info("peername") or [""]
        requests = RequestReader(str(peer[0]), writer)
        while data:
            for request in requests.feed(data):
                answer = await self.answer(request)
                if isinstance(answer, Silence):
                    await _hung_up(reader, answer.seconds)
                    writer.transport.abort()
                    return
                await _write(writer, request, answer)
                if not request.keep_alive:
                    return
            if requests.broken:
                writer.write(_NOT_HTTP)
                return
            data = await reader.read(READ)

    async def answer(self, request: Request) -> Answer:
        try:
            return await self.handler(request)
        except Exception as error:  # the sandbox must outlive its own mistakes
            asyncio.get_running_loop().call_exception_handler(
                {"message": "sandbox request failed", "exception": error}
            )
            return Response(500)


async def _hung_up(reader: asyncio.StreamReader, seconds: float) -> None:
    """Wait until the caller hangs up, but no longer than this."""
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(READ):
                pass
    except TimeoutError:
        return


async def _write(writer: asyncio.StreamWriter, request: Request, answer: Response) -> None:
    body = answer.body
    length = b"Content-Length: %d" % len(body) if isinstance(body, bytes) else b"Transfer-Encoding: chunked"
    writer.write(
        b"%s%s%s%s%s\r\n%s"
        % (
            _LINES[answer.status],
            b"Content-Type: %s\r\n" % answer.content_type if body else b"",
            answer.headers,
            length,
            b"\r\n" if request.keep_alive else b"\r\nConnection: close\r\n",
            body if isinstance(body, bytes) and request.method != "HEAD" else b"",
        )
    )
    if not isinstance(body, bytes) and request.method != "HEAD":
        async for part in body:
            if part:
                writer.write(b"%x\r\n%s\r\n" % (len(part), part))
                await writer.drain()
        writer.write(b"0\r\n\r\n")
    await writer.drain()
