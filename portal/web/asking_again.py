"""Requests that wait for something to happen, on the event loop: asked again in a while, they hold no thread. Called by `portal.web.front`.

How many may wait is bounded, by key and in all; the others get their answer at once.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple

from portal.web.answers import Answered
from portal.web.environ import Environ
from sms.api.waiting import AGAIN_FROM, AGAIN_OF, AGAIN_UNTIL, BEFORE, AskedBefore

MOST, MOST_OF_A_KEY = 40, 3  # in this process
PAUSES = (0.25, 0.5)  # seconds before the first times; later the longest
LONGEST = 1.0
Ask = Callable[[Environ], Awaitable[Answered]]
_TOLD = tuple(name.lower().encode() for name in (AGAIN_UNTIL, AGAIN_FROM, AGAIN_OF))


class CallerGone(Exception):
    """Nobody waits for the answer any more."""


class AskingAgain:
    """Those that wait now, by the key that the view knew them by: a caller can write one key in many ways."""

    def __init__(self) -> None:
        self.by_key: Counter[str] = Counter()

    async def __call__(self, environ: Environ, receive: Callable[[], Awaitable[Any]], ask: Ask) -> Answered:
        """The answer, once it says no longer that it wants to be asked again; without what it says of that."""
        answered = await ask(environ)
        wish = _wish(answered)
        if wish is None:
            return answered
        key = wish.of
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
                pause = min(PAUSES[times] if times < len(PAUSES) else LONGEST, began + wish.until - clock())
                if pause <= 0:
                    break
                await asyncio.wait({gone}, timeout=pause)
                if gone.done():
                    raise CallerGone
                environ[BEFORE], times = AskedBefore(clock() - began, wish.remember), times + 1
                answered = await ask(environ)
        finally:
            gone.cancel()
        return _bare(answered)


async def _gone(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Wish(NamedTuple):
    """To be asked again `until` so many seconds after it was first asked."""

    until: float
    remember: str
    of: str


def _wish(answered: Answered) -> Wish | None:
    found = {name.lower(): value.decode() for name, value in answered.headers if name.lower() in _TOLD}
    until, remember, of = (found.get(name, "") for name in _TOLD)
    return Wish(float(until), remember, of) if until else None


def _bare(answered: Answered) -> Answered:
    return replace(
        answered, headers=[(name, value) for name, value in answered.headers if name.lower() not in _TOLD]
    )
