"""How a send would flow out at a service's rate, beside what else waits: fair shares by lane, quiet hours, a ramp. Pure.

The same rules as dispatch, as a liquid: `dispatch.rate` for the speed, `dispatch.fair_queue` for the shares, `dispatch.last_look` for quiet
hours, `dispatch.watch` for the stages. Times are in seconds since the epoch.
"""

import heapq
import math
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from sms.dispatch.rate import MARGIN, RECOVERY

HORIZON = 30 * 86_400.0  # no plan looks further
_NOTHING = 1e-6  # of a message

Group = Hashable
"""Recipients who are asleep at the same times."""


@dataclass(slots=True)
class Flow:
    """Messages of other sends: how many wait from `at` on, and how much of the rate they get."""

    weight: float
    left: float
    at: float


@dataclass(slots=True)
class Speed:
    """What the service may post: its rate, what throttling left of it, and the burst budget in seconds."""

    rate: float
    factor: float = 1.0
    slowed_at: float = 0.0
    held_until: float = 0.0
    burst_left: float = 0.0

    def at(self, moment: float) -> float:
        """Destinations a second."""
        if moment < self.held_until:
            return 0.0
        boost = min(1.5, (self.rate + 100) / self.rate) if self.burst_left > 0 else 1.0
        return self.rate * MARGIN * self._factor(moment) * boost

    def lasts(self, moment: float) -> float:
        """Seconds for which `at` stays as it is, about."""
        if moment < self.held_until:
            return self.held_until - moment
        if self._factor(moment) < 1:
            return 1.0
        return self.burst_left or math.inf

    def use(self, seconds: float) -> None:
        """So long something was posted."""
        left = self.burst_left - seconds
        self.burst_left = left if left > _NOTHING else 0.0

    def _factor(self, moment: float) -> float:
        return min(self.factor + max(moment - self.slowed_at, 0.0) * RECOVERY, 1.0)


@dataclass(slots=True)
class Course:
    """When the first and the last message leave (None: not within the horizon), who was put off until when, and what came too late."""

    first: float | None = None
    last: float | None = None
    put_off: dict[float, float] = field(default_factory=lambda: defaultdict(float))
    too_late: float = 0.0


@dataclass(slots=True)
class _Send:
    """Our own messages on their way: ready now, asleep until later, and in stages not begun."""

    stages: deque[Mapping[Group, int]]
    ready: dict[Group, float] = field(default_factory=dict)
    asleep: list[tuple[float, int, Group, float]] = field(default_factory=list)
    posted: float = 0.0
    sequence: int = 0

    def wake(self, now: float) -> None:
        while self.asleep and self.asleep[0][0] <= now:
            _, _, group, amount = heapq.heappop(self.asleep)
            self.ready[group] = self.ready.get(group, 0.0) + amount

    def settle(self, now: float, allowed: Callable[[Group, float], float], course: Course) -> None:
        for group in list(self.ready):
            when = allowed(group, now)
            if when > now:
                amount = self.ready.pop(group)
                course.put_off[when] += amount
                self.sequence += 1
                heapq.heappush(self.asleep, (when, self.sequence, group, amount))

    @property
    def left(self) -> float:
        waiting = sum(sum(stage.values()) for stage in self.stages)
        return sum(self.ready.values()) + sum(one[3] for one in self.asleep) + waiting


def run(
    stages: Sequence[Mapping[Group, int]],
    *,
    weight: float,
    start: float,
    others: Sequence[Flow],
    speed: Speed,
    allowed: Callable[[Group, float], float],
    quiet: bool,
    stage_wait: float = 0.0,
    expires: float = math.inf,
) -> Course:
    """The course of a send whose messages are counted by stage and group.

    `allowed` says the first moment, that one or later, at which a group may be written to; `stage_wait` is seconds between the end of a
    stage and the next one. `others` and `speed` are used up.
    """
    course, send, now, gate = Course(), _Send(deque(stages)), start, start
    while now < min(expires, start + HORIZON):
        send.wake(now)
        if not send.ready and send.stages and now >= gate and (send.posted or not send.asleep):
            send.ready.update(send.stages.popleft())
        send.settle(now, allowed, course)
        if not (send.ready or send.stages or send.asleep):
            return course
        if not send.ready and send.stages and now >= gate and send.posted:
            continue
        events = [min(expires, start + HORIZON) - now, speed.lasts(now)]
        if send.asleep:
            events.append(send.asleep[0][0] - now)
        if send.stages and gate > now:
            events.append(gate - now)
        if quiet and send.ready:
            events.append((now // 60 + 1) * 60 - now)
        gone = _advance(send, others, speed, weight=weight, now=now, events=events)
        now += gone.seconds
        if gone.ours:
            course.first = now - gone.seconds if course.first is None else course.first
            course.last = now
            if not send.ready:
                gate = now + stage_wait
    course.too_late = send.left if expires <= start + HORIZON else 0.0
    if expires > start + HORIZON:
        course.last = None
    return course


@dataclass(frozen=True, slots=True)
class _Step:
    seconds: float
    ours: float


def _advance(
    send: _Send, others: Sequence[Flow], speed: Speed, *, weight: float, now: float, events: list[float]
) -> _Step:
    mine = sum(send.ready.values())
    active = [one for one in others if one.left > 0 and one.at <= now]
    events += [one.at - now for one in others if one.left > 0 and one.at > now]
    weights = sum(one.weight for one in active) + (weight if mine else 0.0)
    each = speed.at(now) / weights if weights else 0.0
    if each:
        events += [one.left / (each * one.weight) for one in active]
        if mine:
            events.append(mine / (each * weight))
    seconds = max(min(events), 1e-6)
    if each:
        speed.use(seconds)
        for one in active:
            one.left = _less(one.left, each * one.weight * seconds)
    ours = min(each * weight * seconds, mine) if mine else 0.0
    if ours:
        kept = 1 - ours / mine
        send.posted += ours
        send.ready = {
            group: amount * kept
            for group, amount in send.ready.items()
            if mine - ours > _NOTHING and amount * kept > _NOTHING
        }
    return _Step(seconds, ours)


def _less(amount: float, gone: float) -> float:
    return amount - gone if amount - gone > _NOTHING else 0.0
