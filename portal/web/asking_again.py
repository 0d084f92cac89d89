"""Requests that wait for something to happen, on the event loop: asked again in a while, they hold no thread. Called by `portal.web.front`.

How many may wait is bounded, by key and in all; the others get their answer at once.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from portal.web.answers import Answered
from portal.web.environ import Environ
from sms.api.waiting import AGAIN_FROM, AGAIN_UNTIL, BEFORE, AskedBefore

MOST, MOST_OF_A_KEY = 40, 3  # in this process
PAUSES = (0.25, 0.5)  # seconds before the first times; later the longest
LONGEST = 1.0
Ask = Callable[[Environ], Awaitable[Answered]]
_TOLD = (AGAIN_UNTIL.lower().encode(), AGAIN_FROM.lower().encode())


class CallerGone(Exception):
    """Nobody waits for the answer any more."""


class AskingAgain:
    """Those that wait now, by the key that they came with."""

    def __init__(self) -> None:
        self.by_key: Counter[str] = Counter()

    async def __call__(self, environ: Environ, receive: Callable[[], Awaitable[Any]], ask: Ask) -> Answered:
        """The answer, once it says no longer that it wants to be asked again; without what it says of that."""
        answered = await ask(environ)
        if not _wish(answered):
            return answered
        key = environ.get("HTTP_KEY") or environ.get("HTTP_AUTHORIZATION", "")
        if self.by_key.total() >= MOST or self.by_key[key] >= MOST_OF_A_KEY:
            return _bare(answered)
        self.by_key[key] += 1
        try:
            return await self._wait(environ, receive, ask, answered)
        finally:
            self.by_key -= Counter([key])

    async def _wait(
        self, environ: Environ, receive: Callable[[], Awaitable[Any]], ask: Ask, answered: Answered
    ) -> Answered:
        clock = asyncio.get_running_loop().time
        began, times, gone = clock(), 0, asyncio.ensure_future(_gone(receive))
        try:
            while wish := _wish(answered):
                until, remembered = wish
                pause = min(PAUSES[times] if times < len(PAUSES) else LONGEST, began + until - clock())
                if pause <= 0:
                    break
                await asyncio.wait({gone}, timeout=pause)
                if gone.done():
                    raise CallerGone
                environ[BEFORE], times = AskedBefore(clock() - began, remembered), times + 1
                answered = await ask(environ)
        finally:
            gone.cancel()
        return _bare(answered)


async def _gone(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _wish(answered: Answered) -> tuple[float, str] | None:
    found = {name.lower(): value.decode() for name, value in answered.headers if name.lower() in _TOLD}
    return (float(found[_TOLD[0]]), found.get(_TOLD[1], "")) if _TOLD[0] in found else None


def _bare(answered: Answered) -> Answered:
    return replace(
        answered, headers=[(name, value) for name, value in answered.headers if name.lower() not in _TOLD]
    )
