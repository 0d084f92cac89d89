"""A provider as fast as this machine allows, for benchmarks: takes every message, keeps when it came, sends no receipt.

`python -m tests.bench.rig.stub [--latency MS]` prints its address and serves until its standard input closes. `Stub` is its other end.
It parses only what it must: the ceiling to be measured is the sender's.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import httptools

ROOT = Path(__file__).resolve().parents[3]
REPLY = (
    b'{"requestTimestamp":"2026-11-23T09:15:04.101Z","messageId":"6f7d0e4c-1f2b-4c55-9f0c-0a6d1f6f7a11",'
    b'"correlationId":"","status":"queued"}'
)
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(REPLY),
    REPLY,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: epoch seconds, destinations, and its text where that is short and of its own."""

    at: float
    destinations: int
    text: str


@dataclass
class Stub:
    """A running stub."""

    url: str
    process: subprocess.Popen[str]
    throttled: int = 0

    def become(self, mode: str) -> None:
        """`up`, `down` (503 to everything) or `hanging` (takes the request and never answers)."""
        with urllib.request.urlopen(f"{self.url}/mode/{mode}", timeout=10) as reply:
            reply.read()

    def arrivals(self) -> list[Arrival]:
        """Everything since the last time it was asked."""
        with urllib.request.urlopen(f"{self.url}/arrivals", timeout=60) as reply:
            said = json.load(reply)
        self.throttled += said["throttled"]
        return [Arrival(*row) for row in said["rows"]]

    def limit(self, rate: int) -> None:
        """Answer 429 to whatever is the second too many within any one second; 0 for no limit."""
        with urllib.request.urlopen(f"{self.url}/limit/{rate}", timeout=10) as reply:
            reply.read()


@contextmanager
def stub(*, latency: float = 0.0) -> Iterator[Stub]:
    """A stub process for the length of the block; `latency` in seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.rig.stub", "--latency", str(latency * 1000)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Stub(process.stdout.readline().strip(), process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def per_second(arrivals: list[Arrival], *, trim: float = 0.1) -> float:
    """Destinations a second over the middle of a run: starting and ending are left out."""
    cut = int(len(arrivals) * trim)
    middle = arrivals[cut : len(arrivals) - cut]
    return sum(one.destinations for one in middle[1:]) / (middle[-1].at - middle[0].at)


def fullest_second(arrivals: list[Arrival]) -> int:
    """The most destinations in any window of one second, wherever it begins."""
    most = total = start = 0
    for end, one in enumerate(arrivals):
        total += one.destinations
        while arrivals[start].at <= one.at - 1.0:
            total -= arrivals[start].destinations
            start += 1
        most = max(most, total)
        assert end >= start
    return most


def longest_gap(arrivals: list[Arrival]) -> float:
    """Seconds."""
    return max((later.at - earlier.at for earlier, later in pairwise(arrivals)), default=0.0)


class _Connection(asyncio.Protocol):
    mode = "up"  # of all connections
    rate = 0
    throttled = 0
    lately: ClassVar[deque[float]] = deque()

    def __init__(self, kept: list[tuple[float, int, str]], latency: float) -> None:
        self.kept, self.latency = kept, latency

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.body = b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        body, self.body = self.body, b""
        if self.url == b"/arrivals":
            rows = json.dumps({"rows": self.kept, "throttled": _Connection.throttled}).encode()
            self.kept.clear()
            _Connection.throttled = 0
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(rows), rows)
            )
            return
        if self.url.startswith(b"/mode/"):
            _Connection.mode = self.url.rpartition(b"/")[2].decode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            return
        if self.url.startswith(b"/limit/"):
            _Connection.rate = int(self.url.rpartition(b"/")[2])
            self.transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            return
        if self.mode == "hanging":
            return
        if self.rate and self._too_many(body.count(b'"msisdn":')):
            self.transport.write(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
            return
        if self.mode == "down":
            self.transport.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            return
        if body == b"{}":  # a probe
            self.transport.write(
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: 15\r\n\r\n" + b'{"code":"7003"}'
            )
            return
        if body:
            text = body.partition(b'"text":"')[2].partition(b'"')[0].decode()
            self.kept.append((time.time(), body.count(b'"msisdn":'), text))
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self.transport.write, ANSWER)
        else:
            self.transport.write(ANSWER)

    def _too_many(self, destinations: int) -> bool:
        """Strict: no window of one second may hold more than one above the rate."""
        now = time.time()
        while self.lately and self.lately[0] <= now - 1.0:
            self.lately.popleft()
        if len(self.lately) + destinations > self.rate + 1:
            _Connection.throttled += 1
            return True
        self.lately.extend([now] * destinations)
        return False


async def _serve(latency: float) -> None:
    kept: list[tuple[float, int, str]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(kept, latency), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    line = argparse.ArgumentParser()
    line.add_argument("--latency", type=float, default=0.0, help="milliseconds")
    asyncio.run(_serve(line.parse_args().latency / 1000))
