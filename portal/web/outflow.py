"""An answer that is made bit by bit, between the thread that makes it and the caller who reads it. Called by `portal.web.answers` and
`portal.web.front`.

The thread never waits for a reader: what is not read yet is in a temporary file, and the thread is free once it is made.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile

PIECE = 64 * 1024
IN_MEMORY = 1_000_000  # bytes, of one answer
MOST_ON_DISK = 4_000_000_000  # bytes, of all


class ReaderGone(Exception):
    """Nobody reads the answer any more, or there is no room for it."""


class Outflow:
    """`write` and `end` are called by the thread, `pieces` and `give_up` on the event loop."""

    _lock_all = threading.Lock()
    _held = 0  # bytes, of all

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._more = loop, asyncio.Event()
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by whichever side ends last
        self._lock = threading.Lock()
        self._made = self._read = 0
        self._ended = self._gone = False

    def write(self, piece: bytes) -> None:
        with self._lock_all:
            if Outflow._held + len(piece) > MOST_ON_DISK:
                raise ReaderGone
            Outflow._held += len(piece)
        with self._lock:
            self._made += len(piece)
            if self._gone:
                raise ReaderGone
            self._file.seek(0, 2)
            self._file.write(piece)
        self._loop.call_soon_threadsafe(self._more.set)

    def end(self) -> None:
        with self._lock:
            self._ended = True
            self._release_if_over()
        self._loop.call_soon_threadsafe(self._more.set)

    async def pieces(self) -> AsyncIterator[bytes]:
        """As they are made."""
        while True:
            self._more.clear()
            with self._lock:
                self._file.seek(self._read)
                piece = self._file.read(PIECE)
                self._read += len(piece)
                ended = self._ended
            if piece:
                yield piece
            elif ended:
                return
            else:
                await self._more.wait()

    def give_up(self) -> None:
        """The reader has all of it, or is gone."""
        with self._lock:
            self._gone = True
            self._release_if_over()

    def _release_if_over(self) -> None:
        if self._ended and self._gone:
            self._file.close()
            with self._lock_all:
                Outflow._held -= self._made
            self._made = 0
