"""A receipts generator: keep-alive connections that post signed receipts as fast as they are answered, or at a given rate."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Make = Callable[[int], tuple[bytes, bytes]]  # the n-th body, and further header lines that end in CRLF


@dataclass
class Shots:
    """What came back. `bodies`: those answered with 200; seconds of each answer in order of arrival."""

    bodies: list[bytes] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    took: float = 0.0

    @property
    def rate(self) -> float:
        """200s a second."""
        return len(self.bodies) / self.took

    def percentile(self, share: float) -> float:
        """Milliseconds under which that share of the answers came."""
        ordered = sorted(self.seconds)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)", re.IGNORECASE)


class _Connection(asyncio.Protocol):
    def __init__(self, gun: "_Gun") -> None:
        self.gun, self.transport, self.body, self.started = gun, None, b"", 0.0
        self.came = b""  # of the answer

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        shot = self.gun.take()
        if shot is None:
            self.gun.parked.append(self)
            self.gun.maybe_done()
            return
        self.body, more = shot
        self.started = time.perf_counter()
        self.transport.write(
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
            % (self.gun.path, len(self.body), more, self.body)
        )

    def data_received(self, data: bytes) -> None:
        self.came += data
        head, _, rest = self.came.partition(b"\r\n\r\n")
        if length := _LENGTH.search(head):
            whole = len(rest) >= int(length[1])
        else:
            whole = rest.endswith(b"0\r\n\r\n")
        if not whole:
            return
        self.gun.answered(int(head[9:12]), self.body, time.perf_counter() - self.started)
        self.body = self.came = b""
        self.next()

    def connection_lost(self, error) -> None:
        if self.body:
            self.gun.answered(0, self.body, time.perf_counter() - self.started)
            self.body = b""
        self.gun.lost()


class _Gun:
    def __init__(
        self, path: str, make: Make, *, until: float, first: int, count: int | None, retry: bool
    ) -> None:
        self.path, self.make, self.until = path.encode(), make, until
        self.number, self.last = first, None if count is None else first + count
        self.retry, self.again = retry, []
        self.shots, self.parked, self.open = Shots(), [], 0
        self.done = asyncio.get_running_loop().create_future()

    def take(self) -> tuple[bytes, bytes] | None:
        if self.again and self.retry:
            return self.again.pop()
        if time.monotonic() >= self.until or (self.last is not None and self.number >= self.last):
            return None
        self.number += 1
        return self.make(self.number - 1)

    def answered(self, status: int, body: bytes, seconds: float) -> None:
        self.shots.answers[status] += 1
        self.shots.seconds.append(seconds)
        if status == 200:
            self.shots.bodies.append(body)

    def maybe_done(self) -> None:
        if len(self.parked) >= self.open and not self.done.done():
            self.done.set_result(None)

    def lost(self) -> None:
        self.open -= 1
        self.maybe_done()


def shoot(
    port: int,
    path: str,
    make: Make,
    *,
    seconds: float,
    connections: int = 32,
    first: int = 0,
    count: int | None = None,
) -> Shots:
    """Post for `seconds`, or `count` receipts, whichever is over first."""

    async def run() -> Shots:
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        gun = _Gun(path, make, until=started + seconds, first=first, count=count, retry=False)
        gun.open = connections
        for _ in range(connections):
            await loop.create_connection(lambda: _Connection(gun), "127.0.0.1", port)
        await gun.done
        gun.shots.took = time.monotonic() - started
        for one in gun.parked:
            one.transport.abort()
        return gun.shots

    return asyncio.run(run())
