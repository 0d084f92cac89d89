"""HTTP/2 beside HTTP/1.1 on one port, for callers that know beforehand: curl, and a proxy before the sandbox.

Every stream is a request of its own, answered while others wait. A silence ends its stream, and leaves the connection.
"""

import asyncio

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from sms.webex.sandbox.http_server import READ, Answer, HttpServer, Request, Response

BEGINNING = b"PRI * HTTP/2.0"


class EitherServer(HttpServer):
    """Answers with ``handler``, whichever of the two a connection begins with."""

    async def talk(self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not data.startswith(BEGINNING):
            await super().talk(data, reader, writer)
            return
        connection = Http2Connection(self, writer)
        try:
            while data and connection.take(data):
                await writer.drain()
                data = await reader.read(READ)
        finally:
            connection.close()


class Http2Connection:
    """One connection. h2 knows the protocol; what it wants to say is written after every step."""

    def __init__(self, server: HttpServer, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding=None)
        self.server, self.writer = server, writer
        self.protocol = h2.connection.H2Connection(config=config)
        self.protocol.initiate_connection()
        self.open: dict[int, Request] = {}  # whose bodies still come
        self.answering: dict[int, asyncio.Task[None]] = {}
        self.room = asyncio.Event()  # the caller takes more

    def take(self, data: bytes) -> bool:
        """False once the connection is over."""
        try:
            events = self.protocol.receive_data(data)
        except h2.exceptions.ProtocolError:
            self._flush()
            return False
        for event in events:
            match event:
                case h2.events.RequestReceived():
                    self.open[event.stream_id] = self._request(event)
                case h2.events.DataReceived():
                    self.protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    self.open[event.stream_id].add(event.data)
                case h2.events.StreamEnded():
                    request = self.open.pop(event.stream_id)
                    request.end()
                    answer = self._answer(event.stream_id, request)
                    self.answering[event.stream_id] = asyncio.get_running_loop().create_task(answer)
                case h2.events.StreamReset():
                    self.open.pop(event.stream_id, None)
                    if task := self.answering.pop(event.stream_id, None):
                        task.cancel()
                case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                    self.room.set()
                case h2.events.ConnectionTerminated():
                    return False
        self._flush()
        return True

    def close(self) -> None:
        for task in self.answering.values():
            task.cancel()

    def _request(self, event: h2.events.RequestReceived) -> Request:
        given = {bytes(name).lower(): bytes(value) for name, value in event.headers or ()}
        path, _, query = given.pop(b":path", b"/").partition(b"?")
        method, host = given.pop(b":method", b""), given.pop(b":authority", b"")
        peer = self.writer.get_extra_info("peername") or [""]
        return Request(
            str(peer[0]),
            method.decode("latin-1"),
            path.decode("latin-1"),
            query.decode("latin-1"),
            {b"host": host} | {name: value for name, value in given.items() if not name.startswith(b":")},
        )

    async def _answer(self, stream: int, request: Request) -> None:
        try:
            answer: Answer = await self.server.answer(request)
            if isinstance(answer, Response):
                await self._say(stream, answer, with_body=request.method != "HEAD")
            else:
                await asyncio.sleep(answer.seconds)
                self.protocol.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
                self._flush()
        except (h2.exceptions.ProtocolError, OSError):
            return  # the stream, or the caller, is gone
        finally:
            self.answering.pop(stream, None)

    async def _say(self, stream: int, answer: Response, *, with_body: bool) -> None:
        lines = [line.partition(b": ") for line in answer.headers.split(b"\r\n") if line]
        headers = [(b":status", b"%d" % answer.status)] + [(name.lower(), value) for name, _, value in lines]
        if answer.body:
            headers.append((b"content-type", answer.content_type))
        if isinstance(answer.body, bytes):
            headers.append((b"content-length", b"%d" % len(answer.body)))
        self.protocol.send_headers(stream, headers)
        if not with_body:
            pass
        elif isinstance(answer.body, bytes):
            await self._send(stream, answer.body)
        else:
            async for part in answer.body:
                await self._send(stream, part)
        self.protocol.end_stream(stream)
        self._flush()

    async def _send(self, stream: int, content: bytes) -> None:
        while content:
            most = min(self.protocol.local_flow_control_window(stream), self.protocol.max_outbound_frame_size)
            if not most:
                self.room.clear()
                await self.room.wait()
                continue
            self.protocol.send_data(stream, content[:most])
            content = content[most:]
            self._flush()
            await self.writer.drain()

    def _flush(self) -> None:
        self.writer.write(self.protocol.data_to_send())
