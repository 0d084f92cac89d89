"""The circuit breaker of one service in one process: how many requests may be in flight, and whether to hold off for a while.

Certain trouble (nothing left, or the provider said no to our account) narrows it to one request behind a growing pause. Uncertain trouble
breaks the circuit: three unconfirmed outcomes in a row, or one in five within half a minute. A broken circuit posts nothing real; after a
pause it probes with a request that cannot send anything (`PROBE`), and only an answer to that lets a single real canary through.
So an outage parks what was in flight when it began, and not one message more for each probe.
"""

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled, Unconfirmed

PROBE = b"{}"  # refused as incomplete by a provider that works: code 7003
UNCONFIRMED_IN_A_ROW = 3
WINDOW = 30.0  # seconds
SHARE = 0.2
SAMPLE = 40  # outcomes in the window before their share says anything
UNLIMITED = 10_000  # requests: no limit of the breaker's own
SHORTEST_HOLD = 0.5
LONGEST_HOLD = 30.0
LONGEST_PROBE = 60.0  # after that no answer comes any more
STALE = 2 * LONGEST_PROBE  # trouble that nobody has met again since then is not reported any more


@dataclass(slots=True)
class Breaker:
    """State of one service. Posters report each outcome at once, so that the next one holds back."""

    broken: bool = False
    narrow: bool = False
    hold_until: float = 0.0
    probed_at: float = float("-inf")  # a probe is under way since then
    troubles: int = 0
    unconfirmed: int = 0
    recent: deque[tuple[float, bool]] = field(default_factory=deque)
    trouble_since: float | None = (
        None  # nothing was accepted since then, for a reason that is not the message's
    )
    trouble_at: float = 0.0  # … and met again
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def closed(self) -> bool:
        """Whether nothing real may leave now; read by the posters too, at the last moment."""
        return self.broken or time.monotonic() < self.hold_until

    @property
    def held_for(self) -> float:
        """Seconds until something may leave."""
        return max(self.hold_until - time.monotonic(), 0.05 if self.broken else 0.0)

    @property
    def wants_probe(self) -> bool:
        now = time.monotonic()
        return self.broken and now >= self.hold_until and now - self.probed_at > LONGEST_PROBE

    def room(self, *, in_flight: int) -> int:
        return 0 if self.closed else max((1 if self.narrow else UNLIMITED) - in_flight, 0)

    def answered(self, result: object) -> None:
        with self.lock:
            self._answered(result)

    def _answered(self, result: object) -> None:
        uncertain = isinstance(result, Unconfirmed)
        self._count(uncertain)
        self._note_trouble(result)
        if not isinstance(result, ProviderError):
            self.narrow, self.troubles, self.unconfirmed = False, 0, 0
            if not self.broken:  # a late acceptance does not close a circuit that has broken since
                self.hold_until = 0.0
        elif isinstance(result, RequestRefused | Throttled):
            self.unconfirmed = 0
            if isinstance(result, Throttled):
                self._hold(result.retry_after or None)  # 0, or a date that has passed, is no reason to hurry
        elif uncertain:
            self.unconfirmed += 1
            if not self.broken and (self.unconfirmed >= UNCONFIRMED_IN_A_ROW or self.narrow or self._often()):
                self.broken = True
                self._hold(None, renewed=True)
        elif isinstance(result, NotSent | ServicePaused):
            self._hold(None)
            self.narrow = True

    def probed(self, result: object) -> None:
        """Learn from the answer to a probe: any clear answer means that the provider is back."""
        self.probed_at = float("-inf")
        self._note_trouble(result)
        if isinstance(result, Unconfirmed | NotSent | ServicePaused):
            self._hold(None, renewed=True)
            return
        self.broken, self.narrow, self.unconfirmed = False, True, 0
        self.recent.clear()

    def _note_trouble(self, result: object) -> None:
        """Ended by any clear answer, also to a probe."""
        if isinstance(result, Unconfirmed | NotSent | ServicePaused):
            self.trouble_at = time.monotonic()
            self.trouble_since = self.trouble_since or self.trouble_at
        else:
            self.trouble_since = None

    def _hold(self, wait: float | None, *, renewed: bool = False) -> None:
        now = time.monotonic()
        if wait is None:
            if now < self.hold_until and not renewed:
                return  # several in flight met the same trouble: it counts once
            self.troubles += 1
            wait = min(SHORTEST_HOLD * 2 ** (self.troubles - 1), LONGEST_HOLD)
        self.hold_until = max(self.hold_until, now + wait)

    def _count(self, uncertain: bool) -> None:
        now = time.monotonic()
        self.recent.append((now, uncertain))
        while self.recent and self.recent[0][0] < now - WINDOW:
            self.recent.popleft()

    def _often(self) -> bool:
        bad = sum(uncertain for _, uncertain in self.recent)
        return len(self.recent) >= SAMPLE and bad > SHARE * len(self.recent)


class Breakers(defaultdict[int, Breaker]):
    """The breakers of one process by service. They outlive a run, so that what was learned of an outage is not forgotten between two."""

    def __init__(self) -> None:
        super().__init__(Breaker)

    def troubles(self) -> dict[int, float]:
        """Seconds for which posting has been held back, by service; those without trouble are left out."""
        now = time.monotonic()
        found = {key: one for key, one in list(self.items()) if one.broken or one.narrow}
        return {
            key: now - one.trouble_since
            for key, one in found.items()
            if one.trouble_since is not None and now - one.trouble_at < STALE
        }


OF_THIS_PROCESS = Breakers()
