"""How several sends share the rate of one service: when each begins and ends while the others go too. Pure.

The rules of `sms.sends.plan.simulation` for many sends at once, without ramps and without each recipient's own zone: a calendar shows a
month, not the course of one send. Times are in seconds since the epoch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sms.dispatch.rate import MARGIN

HORIZON = 30 * 86_400.0
_NOTHING = 1e-6  # of a message


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(slots=True)
class Load:
    """Messages of one send: so many from `at` on. `quiet` is its quiet hours as text, "" for none."""

    key: int
    weight: float
    at: float
    messages: float
    quiet: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """From the first message to the last; `last` is None where that is more than a month away."""

    first: float
    last: float | None


def together(
    loads: Sequence[Load], *, rate: float, allowed: Callable[[str, float], float]
) -> dict[int, Span]:
    """The span of each load by its key, at `rate` destinations a second by contract.

    `allowed` says the first moment, that one or later, at which messages with these quiet hours may go.
    """
    speed = rate * MARGIN
    waiting = sorted((one for one in loads if one.messages > 0), key=lambda one: one.at, reverse=True)
    left = {one.key: one.messages for one in waiting}
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    active: list[Load] = []
    now = waiting[-1].at if waiting else 0.0
    end = now + HORIZON
    while (waiting or active) and now < end:
        while waiting and waiting[-1].at <= now:
            active.append(waiting.pop())
        wakes = {quiet: allowed(quiet, now) if quiet else now for quiet in {one.quiet for one in active}}
        awake = [one for one in active if wakes[one.quiet] <= now]
        events = [end - now, *(when - now for when in wakes.values() if when > now)]
        if waiting:
            events.append(waiting[-1].at - now)
        weights = sum(one.weight for one in awake)
        if awake:
            events += [left[one.key] * weights / (speed * one.weight) for one in awake]
        if any(one.quiet for one in awake):  # quiet hours begin at a full minute
            events.append((now // 60 + 1) * 60 - now)
        step = max(min(events), 1e-6)
        for one in awake:
            first.setdefault(one.key, now)
            left[one.key] -= speed * one.weight / weights * step
        now += step
        for one in [one for one in awake if left[one.key] <= _NOTHING]:
            last[one.key] = now
            active.remove(one)
    return {key: Span(at, last.get(key)) for key, at in first.items()}
