"""Bodies, read on the event loop before a thread is given away: with a deadline, a least speed, and room that is counted. Called by
`portal.web.front`.

Bytes count when they are there, so that a caller who sends none takes no room. What a stranger sends stays in memory; what somebody who
is known sends goes to a temporary file once it is long.
"""

import asyncio
import io
from collections import Counter
from collections.abc import Awaitable, Callable
from tempfile import TemporaryFile
from typing import Any

from django.utils.translation import gettext_noop

from portal.body_limits import (
    IN_MEMORY,
    BodyLimit,
    BodyRefused,
    broke_off,
    lacks_its_end,
    refuse_encoded,
    too_large,
)
from portal.web.environ import Environ
from portal.web.waiting import TooSlow, waiting

PATIENCE = 10.0  # seconds, and as many more as what has come takes at the least speed
LEAST_SPEED = 8_000  # bytes a second
LONGEST = 300.0  # seconds
OF_ONE_CALLER = 4  # times the limit of the address, held at once
BUSY = gettext_noop("Too many bodies are being sent at the moment. Send it again in half a minute.")
TOO_SLOW = "The body came too slowly, or stopped on its way. Nothing of it was kept; send it again."
TOO_MANY = gettext_noop(
    "You are sending several large files at the same time. Wait until one is through, and send this one again."
)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Ask = Callable[[Environ], Awaitable[str]]


class BodyRoom:
    """Bytes of bodies that may be held at once. Of the event loop alone, so it needs no lock."""

    def __init__(self, most: int) -> None:
        self.most, self.used = most, 0

    def take(self, size: int) -> None:
        if self.used + size > self.most:
            raise BodyRefused(503, BUSY)
        self.used += size


DISK = BodyRoom(1_000_000_000)  # of all kinds of address
_by_caller: Counter[str] = Counter()


class Body:
    """What has come of one, and the room that it takes."""

    def __init__(self, memory: BodyRoom) -> None:
        self.memory, self.size, self.caller = memory, 0, ""
        self.pieces: list[bytes] = []
        self.file: Any = None

    def add(self, piece: bytes, limit: BodyLimit) -> None:
        size = self.size + len(piece)
        if self.caller:
            if _by_caller[self.caller] + len(piece) > OF_ONE_CALLER * limit.most:
                raise BodyRefused(429, TOO_MANY)
            _by_caller[self.caller] += len(piece)
        if self.file is None and (size <= IN_MEMORY or not self.caller):
            self.memory.take(len(piece))
            self.pieces.append(piece)
        else:
            if self.file is None:
                DISK.take(self.size)
                self.file = TemporaryFile()  # noqa: SIM115 - see `close`
                self.file.write(b"".join(self.pieces))
                self.memory.used -= self.size
                self.pieces.clear()
            DISK.take(len(piece))
            self.file.write(piece)
        self.size = size

    def belongs_to(self, caller: str) -> None:
        self.caller = caller
        _by_caller[caller] += self.size

    def stream(self) -> Any:
        if self.file is None:
            return io.BytesIO(self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces))
        self.file.seek(0)
        return self.file

    def close(self) -> None:
        """Give the room back."""
        if self.file is not None:
            self.file.close()
        (self.memory if self.file is None else DISK).used -= self.size
        if self.caller:
            _by_caller[self.caller] -= self.size
            if not _by_caller[self.caller]:
                del _by_caller[self.caller]
        self.size, self.caller, self.file = 0, "", None


async def read(environ: Environ, receive: Receive, body: Body, limit: BodyLimit, ask: Ask) -> None:
    """Put the whole body, with its length, in the place of the stream. Raises BodyRefused."""
    written = environ.get("CONTENT_LENGTH")
    if written and not written.isdecimal():
        raise broke_off()
    length = int(written) if written else None
    most = limit.of_strangers
    if length is not None and length > most:
        most = await _allowed(environ, body, limit, length, ask)
    clock = asyncio.get_running_loop().time
    started = clock()
    while length is None or body.size < length:
        until = started + min(PATIENCE + body.size / LEAST_SPEED, LONGEST)
        try:
            message = await waiting.wait(receive(), until)
        except TooSlow:
            raise BodyRefused(408, TOO_SLOW) from None
        if message["type"] != "http.request":
            raise broke_off()
        piece = message["body"]
        if body.size + len(piece) > most:
            asked = clock()
            most = await _allowed(environ, body, limit, body.size + len(piece), ask)
            started += clock() - asked
        body.add(piece, limit)
        if not message["more_body"]:
            break
    environ["wsgi.input"] = body.stream()
    if length is None:
        if lacks_its_end(environ, body.size, limit):
            raise broke_off()
        environ["wsgi.input"].seek(0)
        environ["CONTENT_LENGTH"] = str(body.size)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    elif body.size < length:
        raise broke_off()
    refuse_encoded(environ, limit)


async def _allowed(environ: Environ, body: Body, limit: BodyLimit, size: int, ask: Ask) -> int:
    """What this caller may send, who is looked up only for more than a stranger may; raises BodyRefused for more than that."""
    if size > limit.most or limit.caller is None:
        raise too_large(limit, limit.most)
    caller = body.caller or await ask(environ)
    if not caller:
        raise too_large(limit, limit.of_strangers)
    if not body.caller:
        body.belongs_to(caller)
    return limit.most
