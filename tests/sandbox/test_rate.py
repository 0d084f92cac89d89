"""The tenant's rate, its bursts and its quota, on a clock that the tests move."""

from datetime import UTC, datetime

import pytest

from sms.webex.sandbox.rate import Rate
from tests.sandbox.running import Clock, Running, sandbox

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
SHAPES = {"429": (429, ""), "7020": (400, "7020")}


def passed(running: Running, calls: int, numbers: int = 1) -> int:
    """How many of so many calls were accepted."""
    to = [f"4479460{n:05}" for n in range(numbers)]
    return [running.send(to).status for _ in range(calls)].count(201)


def test_a_second_takes_as_many_destinations_as_the_rate_and_no_more():
    with sandbox(tps=5, clock=Clock(NOON)) as running:
        assert passed(running, 8) == 5
        running.listening.sandbox.tenant.clock.at += 1
        assert passed(running, 8) == 5
        running.listening.sandbox.tenant.clock.at += 3600
        assert passed(running, 8) == 5, "what was not used is not saved up"
        assert len(running.log("message")) == 15


def test_tokens_come_back_evenly():
    with sandbox(tps=4, clock=Clock(NOON)) as running:
        assert passed(running, 4) == 4
        running.listening.sandbox.tenant.clock.at += 0.5
        assert passed(running, 4) == 2


def test_destinations_count_not_calls():
    with sandbox(tps=6, clock=Clock(NOON)) as running:
        assert passed(running, 3, numbers=3) == 2
        assert passed(running, 1) == 0


def test_a_refused_request_takes_nothing_from_the_rate():
    with sandbox(tps=2, clock=Clock(NOON)) as running:
        assert [running.send(sendAt="soon").code for _ in range(5)] == ["7004"] * 5
        assert passed(running, 4) == 2


@pytest.mark.parametrize("shape", SHAPES)
def test_the_fault_chooses_the_shape_with_and_without_a_rate(shape: str):
    with sandbox(tps=1, fault=f"throttle={shape}", clock=Clock(NOON)) as running:
        assert running.send().status == 201
        answer = running.send()
        assert (answer.status, answer.code) == SHAPES[shape]
    with sandbox(fault=f"throttle={shape}") as running:
        answer = running.send()
        assert (answer.status, answer.code) == SHAPES[shape]
        assert "retry-after" not in answer.headers


def test_a_call_of_more_destinations_than_the_rate_never_passes():
    with sandbox(tps=3, clock=Clock(NOON)) as running:
        answer = running.send([f"4479460{n:05}" for n in range(4)])
        assert (answer.status, answer.code) == (400, "7009")
        assert passed(running, 1, numbers=3) == 1


def test_burst_lets_half_as_much_again_through_and_works_it_off_at_the_rate():
    with sandbox(tps=10, switch="burst=on", clock=Clock(NOON)) as running:
        assert passed(running, 30) == 15
        running.listening.sandbox.tenant.clock.at += 1
        assert passed(running, 30) == 15


def burst_seconds(rate: Rate, start: float, seconds: int) -> int:
    """In how many of so many seconds more than the rate got through."""
    found = 0
    for second in range(seconds):
        now = start + second
        taken = sum(rate.take(1, now, burst=True) is not None for _ in range(int(rate.rate * 1.5) + 3))
        found += taken > rate.rate
    return found


@pytest.mark.parametrize(("tps", "most"), [(2, 3), (100, 150), (300, 400)])
def test_burst_is_half_the_rate_and_at_most_a_hundred(tps: int, most: int):
    rate = Rate(tps, NOON)
    assert sum(rate.take(1, NOON, burst=True) is not None for _ in range(1000)) == most


def test_burst_ends_after_half_an_hour_of_a_day_and_comes_back_at_midnight_utc():
    start = datetime(2026, 3, 2, 22, tzinfo=UTC).timestamp()
    rate = Rate(2, start)
    assert burst_seconds(rate, start, 7200) == 1800
    assert burst_seconds(rate, start + 7200, 100) == 100


def test_burst_seconds_need_not_be_in_a_row():
    rate = Rate(2, NOON)
    assert burst_seconds(rate, NOON, 1000) == 1000
    assert burst_seconds(rate, NOON + 5000, 1000) == 800


def test_burst_ends_after_eight_hours_of_a_month_and_comes_back_with_the_next():
    first = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    rate = Rate(2, first)
    used = [burst_seconds(rate, first + day * 86400, 1800) for day in range(18)]
    assert used == [1800] * 16 + [0, 0]
    assert burst_seconds(rate, datetime(2026, 4, 1, tzinfo=UTC).timestamp(), 10) == 10


def test_burst_delay_is_the_queue_before_it_over_the_rate():
    rate = Rate(10, NOON)
    assert [rate.take(1, NOON, burst=True) for _ in range(10)] == [0.0] * 10
    assert [round(rate.take(1, NOON, burst=True) or 0, 2) for _ in range(3)] == [0.1, 0.2, 0.3]


def test_a_message_of_a_burst_waits_its_turn_and_may_expire_on_it():
    with sandbox(tps=2, switch="burst=on", clock=Clock(NOON)) as running:
        assert [running.send(expireAt="2026-03-02T12:00:00.300Z").status for _ in range(3)] == [201] * 3
        outcomes = [line["outcome"] for line in running.log("message")]
    assert outcomes == ["delivered", "delivered", "expired-before-sending"]


def test_quota_counts_destinations_for_good():
    with sandbox(quota=3) as running:
        assert passed(running, 1, numbers=2) == 1
        assert passed(running, 1, numbers=2) == 0
        assert passed(running, 3) == 1


def test_retry_after_says_when_there_is_room_again():
    with sandbox(tps=0.1, switch="retry_after=seconds", clock=Clock(NOON)) as running:
        running.send()
        running.listening.sandbox.tenant.clock.at += 4
        assert running.send().headers["retry-after"] == "6"
    with sandbox(tps=0.1, switch="retry_after=date", clock=Clock(NOON)) as running:
        running.send()
        assert running.send().headers["retry-after"] == "Mon, 02 Mar 2026 12:00:10 GMT"
