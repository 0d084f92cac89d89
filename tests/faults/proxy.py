"""A TCP proxy on loopback that breaks connections on purpose, by script, and counts what it did. It knows no HTTP.

An *exchange* is the client's bytes up to the other side's answer; on a kept connection a fault waits for its exchange. Everything may be
changed while it runs, from any thread. Resets are real (SO_LINGER 0 sends RST); while cut, the port is closed and connects are refused.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

HOST = "127.0.0.1"
CHUNK = 65536
Kind = Literal[
    "clean",  # touches nothing
    "refuse",  # reset at once, nothing read
    "reset_before",  # the request arrives here and is dropped: the other side never sees it
    "reset_after",  # the request is delivered whole; the client is reset when the reply's first byte comes
    "cut_reply",  # `after` bytes of the reply, then reset
    "half_close",  # `after` bytes of the reply, then an orderly end of our side only; what the client still says goes nowhere
    "stall",  # the reply is held back for `seconds`
    "drip",  # the reply in pieces of `after` bytes, `seconds` apart
]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one connection, in its `exchange`-th exchange (0: in each). `after` in bytes, `seconds` as each kind says."""

    kind: Kind = "clean"
    after: int = 0
    seconds: float = 0.0
    exchange: int = 1


CLEAN = Fault()
Chooser = Callable[[], Fault]


@dataclass(slots=True)
class Statistics:
    """Totals since the start; `faults` counts those that really happened, by kind."""

    connections: int = 0
    exchanges: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    bytes_swallowed: int = 0
    cuts: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class Proxy:
    """Between a client and 127.0.0.1:`target`; listens on `port`. Use `running(target)`."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self.silent = False
        self.statistics = Statistics()
        self._script: deque[Fault] = deque()
        self._choose: Chooser = lambda: CLEAN
        self._listener: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="chaos-proxy", daemon=True)

    # -- control, from any thread

    def script(self, *faults: Fault) -> None:
        """The next connections get these, one each, in this order; later ones what `otherwise` says."""
        self._script.extend(faults)

    def otherwise(self, choose: Fault | Chooser) -> None:
        """What connections get that no script is left for."""
        self._choose = choose if callable(choose) else lambda: choose

    def cut(self) -> None:
        """Close the port and reset every connection; returns when both are done."""
        self._call(self._cut())

    def restore(self) -> None:
        """Listen again, on the same port."""
        self._call(self._listen())

    def hush(self) -> None:
        """From now on swallow every byte in both directions and close nothing, as where a firewall forgot; new connections too."""
        self._call(self._hush(True))

    def heal(self) -> None:
        """New connections work again. Those of which a byte was swallowed stay silent for ever."""
        self._call(self._hush(False))

    def cut_for(self, seconds: float) -> threading.Timer:
        """Cut now and restore by itself; join the timer to wait for that."""
        self.cut()
        timer = threading.Timer(seconds, self.restore)
        timer.daemon = True
        timer.start()
        return timer

    def drop_connections(self) -> int:
        """Reset what is open without closing the port; returns how many there were."""
        return int(self._call(self._drop()))

    def start(self) -> None:
        """Listen on a free port."""
        self._thread.start()
        self._call(self._listen())

    def stop(self) -> None:
        """Cut, and end the thread."""
        self._call(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=60)
        self._loop.close()

    # -- the loop's side

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(
                self._serve, HOST, self.port, reuse_address=True, limit=CHUNK
            )
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _hush(self, silent: bool) -> None:
        self.silent = silent

    async def _cut(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self.statistics.cuts += 1
        await self._drop()

    async def _drop(self) -> int:
        dropped = dict(self._open)
        for client, task in dropped.items():
            _reset(client)
            task.cancel()
        if dropped:
            await asyncio.wait(dropped.values(), timeout=5)
        return len(dropped)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._open[client] = asyncio.current_task()
        try:
            await self._relay(reader, client)
        except (OSError, EOFError, asyncio.CancelledError):
            _reset(client)
        finally:
            self._open.pop(client, None)

    async def _relay(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.statistics.connections += 1
        fault = self._script.popleft() if self._script else self._choose()
        if fault.kind == "refuse":
            self._happened(fault)
            _reset(client)
            return
        if self.silent:
            while data := await reader.read(CHUNK):
                self.statistics.bytes_swallowed += len(data)
            client.close()
            return
        back, server = await asyncio.open_connection(HOST, self.target, limit=CHUNK)
        line = _Line(self, fault, client, server)
        ways = [asyncio.create_task(line.up(reader)), asyncio.create_task(line.down(back))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if line.half_closed:
                await asyncio.wait(ways, timeout=30)
            elif not line.broken and ways[0].done():
                server.write_eof()  # the client has said all; the rest of the answer is its due
                await asyncio.wait(ways, timeout=30)
        finally:
            server.close()  # before anything is awaited: a proxy that stops cancels this task a second time
            client.close()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            with contextlib.suppress(OSError):
                await server.wait_closed()

    def _happened(self, fault: Fault) -> None:
        self.statistics.faults[fault.kind] += 1


class _Line:
    """One connection under way: both directions, and the exchange they are in."""

    def __init__(
        self, proxy: Proxy, fault: Fault, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self.proxy, self.fault, self.client, self.server = proxy, fault, client, server
        self.exchange = 0
        self.answering = True  # the client's next bytes begin an exchange
        self.sent = 0  # bytes of this exchange's reply that were passed on
        self.broken = self.half_closed = self.silent = False

    async def up(self, reader: asyncio.StreamReader) -> None:
        """The client's bytes."""
        while data := await reader.read(CHUNK):
            if self.half_closed or self.swallows(data):
                continue
            if self.answering:
                self.exchange, self.answering, self.sent = self.exchange + 1, False, 0
                self.proxy.statistics.exchanges += 1
            if self.due("reset_before"):
                self.break_off()
                return
            self.server.write(data)
            await self.server.drain()
            self.proxy.statistics.bytes_up += len(data)

    async def down(self, reader: asyncio.StreamReader) -> None:
        """The other side's bytes."""
        while data := await reader.read(CHUNK):
            if self.swallows(data):
                continue
            first, self.answering = not self.answering, True
            if self.due("reset_after"):
                self.break_off()
                return
            if self.due("stall") and first:
                self.proxy._happened(self.fault)
                await asyncio.sleep(self.fault.seconds)
            if self.due("drip"):
                await self.drip(data, first=first)
                continue
            if self.due("cut_reply", "half_close"):
                data = data[: max(self.fault.after - self.sent, 0)]
            await self.pass_on(data)
            if self.due("cut_reply") and self.sent >= self.fault.after:
                self.break_off()
                return
            if self.due("half_close") and self.sent >= self.fault.after:
                self.proxy._happened(self.fault)
                self.half_closed = True
                self.client.write_eof()
                return

    def swallows(self, data: bytes) -> bool:
        self.silent = self.silent or self.proxy.silent
        if self.silent:
            self.proxy.statistics.bytes_swallowed += len(data)
        return self.silent

    def due(self, *kinds: Kind) -> bool:
        """Whether this connection's fault is one of these, and it is this exchange's."""
        return self.fault.kind in kinds and self.fault.exchange in (0, self.exchange)

    async def pass_on(self, data: bytes) -> None:
        self.client.write(data)
        await self.client.drain()
        self.sent += len(data)
        self.proxy.statistics.bytes_down += len(data)

    async def drip(self, data: bytes, *, first: bool) -> None:
        if first:
            self.proxy._happened(self.fault)
        step = max(self.fault.after, 1)
        for start in range(0, len(data), step):
            await self.pass_on(data[start : start + step])
            await asyncio.sleep(self.fault.seconds)

    def break_off(self) -> None:
        self.broken = True
        self.proxy._happened(self.fault)
        _reset(self.client)


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of an orderly end."""
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def running(target: int) -> Iterator[Proxy]:
    """A proxy in front of 127.0.0.1:`target` for the length of the block."""
    proxy = Proxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
