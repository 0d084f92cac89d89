"""What is waited for on the event loop, each with its own deadline: a piece of a body, or a reader's room for one. Called by
`portal.web.reading` and `portal.web.outflow`.

One look every half second at all that wait costs a request less than a timer of its own.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

LOOK_EVERY = 0.5  # seconds


class TooSlow(Exception):
    """What was waited for did not come in time."""


class Waiting:
    """All of them, with the time of the loop at which they end."""

    def __init__(self) -> None:
        self._until: dict[Any, float] = {}
        self._looks = False

    async def wait(self, coming: Awaitable[Any], until: float) -> Any:
        """What comes; raises TooSlow at `until`."""
        self._until[coming] = until
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)
        try:
            return await coming
        except asyncio.CancelledError:
            if coming in self._until:  # not ended by us: the process stops
                raise
            raise TooSlow from None
        finally:
            self._until.pop(coming, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for late in [coming for coming, until in self._until.items() if until <= now]:
            del self._until[late]
            late.cancel()
        self._looks = bool(self._until)
        if self._looks:
            loop.call_later(LOOK_EVERY, self._look)


waiting = Waiting()
