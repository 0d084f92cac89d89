"""The gate of one service in one process: how many messages may be in flight, and whether to hold off for a while.

Trouble narrows it to a single canary behind a growing pause; an acceptance opens it again.
"""

import time
from dataclasses import dataclass, field

from sms.webex.errors import NotSent, ProviderError, Refused, ServicePaused, Throttled, Unconfirmed

UNCONFIRMED_IN_A_ROW = 3
LONGEST_HOLD = 30.0


@dataclass(slots=True)
class Gate:
    """State of one service; `full` is the number of posters."""

    full: int
    width: int = field(init=False)
    hold_until: float = 0.0
    troubles: int = 0
    unconfirmed: int = 0

    def __post_init__(self) -> None:
        self.width = self.full

    def room(self, *, in_flight: int) -> int:
        """How many more may be armed now."""
        return max(self.width - in_flight, 0) if time.monotonic() >= self.hold_until else 0

    @property
    def held_for(self) -> float:
        """Seconds until it opens again."""
        return max(self.hold_until - time.monotonic(), 0.0)

    def accepted(self) -> None:
        """The provider took one."""
        self.width, self.troubles, self.unconfirmed, self.hold_until = self.full, 0, 0, 0.0

    def refused(self, error: ProviderError) -> None:
        """The provider did not take one, or we do not know."""
        if isinstance(error, Refused):
            self.unconfirmed = 0
            return
        if isinstance(error, Unconfirmed):
            self.unconfirmed += 1
            if self.unconfirmed < UNCONFIRMED_IN_A_ROW:
                return
        wait = error.retry_after if isinstance(error, Throttled) and error.retry_after is not None else None
        self._hold(wait, narrow=isinstance(error, Unconfirmed | NotSent | ServicePaused))

    def _hold(self, wait: float | None, *, narrow: bool) -> None:
        if time.monotonic() < self.hold_until and wait is None:
            return  # several in flight met the same trouble: it counts once
        self.troubles += 1
        pause = min(0.5 * 2 ** (self.troubles - 1), LONGEST_HOLD) if wait is None else wait
        self.hold_until = max(self.hold_until, time.monotonic() + pause)
        if narrow:
            self.width = 1
