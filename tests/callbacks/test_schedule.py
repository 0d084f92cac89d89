"""When a callback is tried again: ever more seldom, for three days, never past them, and never sooner than asked."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sms.callbacks.schedule import DELAYS, FOR, JITTER, LONGEST_RETRY_AFTER, OPENS_AFTER, canary_in, next_try

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
delays = st.none() | st.floats(0, 1e6)


def walk(seed: int, retry_after: float | None = None) -> list[datetime]:
    """Every try of a receiver that always fails."""
    dice, now, tries, at = random.Random(seed), BEGAN, 0, []
    while True:
        at.append(now)
        tries += 1
        following = next_try(tries, since=BEGAN, now=now, retry_after=retry_after, dice=dice)
        if following is None:
            return at
        now = following


@given(st.integers(), delays)
def test_the_last_try_is_at_the_end_of_three_days_and_there_is_one(seed, retry_after):
    tries = walk(seed, retry_after)
    assert tries[-1] == BEGAN + FOR
    assert tries == sorted(set(tries))


@given(st.integers())
def test_the_waits_grow_and_the_jitter_is_within_its_bounds(seed):
    tries = walk(seed)
    waits = [(b - a).total_seconds() for a, b in zip(tries, tries[1:], strict=False)]
    assert len(DELAYS) < len(waits) <= len(DELAYS) + 2
    for wait, planned in zip(waits[: len(DELAYS)], DELAYS, strict=False):
        assert planned <= wait <= planned * (1 + JITTER)


@given(st.integers(1, 50), st.floats(0, 1e9), st.integers(0, 71))
def test_retry_after_delays_within_bounds_and_never_brings_forward(tries, retry_after, hours):
    now = BEGAN + timedelta(hours=hours)
    plain = next_try(tries, since=BEGAN, now=now, dice=random.Random(1))
    asked = next_try(tries, since=BEGAN, now=now, retry_after=retry_after, dice=random.Random(1))
    assert plain and asked and now < plain <= asked <= BEGAN + FOR
    most = max(LONGEST_RETRY_AFTER, DELAYS[-1]) * (1 + JITTER)
    assert (asked - now).total_seconds() <= most + 1


@given(st.integers(0, 10_000), delays)
def test_the_breaker_opens_late_and_for_minutes_only(failures, retry_after):
    wait = canary_in(failures)
    assert (wait > 0) == (failures >= OPENS_AFTER)
    assert wait <= 900
    assert wait <= canary_in(failures, retry_after=retry_after) <= max(900, LONGEST_RETRY_AFTER)
