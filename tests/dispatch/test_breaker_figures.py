"""The breaker by its own clock: how long each trouble holds, when a share breaks it, and what closes it again."""

from types import SimpleNamespace

import pytest

from sms.dispatch import breaker as breaker_file
from sms.dispatch.breaker import Breaker
from sms.webex.errors import NotSent, RequestRefused, ServicePaused, Throttled, Unconfirmed

ACCEPTED = object()
UNSURE = Unconfirmed("timeout")
REFUSED = RequestRefused("7003", 400)
NOT_SENT = NotSent("connect")


@pytest.fixture
def clock(monkeypatch):
    """The breaker's clock, in seconds; tests move it."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(breaker_file, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def broken() -> Breaker:
    breaker = Breaker()
    for _ in range(3):
        breaker.answered(UNSURE)
    assert breaker.broken
    return breaker


@pytest.mark.parametrize("trouble", [NOT_SENT, ServicePaused("401", 401), Throttled("429", 429)])
def test_a_pause_doubles_from_half_a_second_to_thirty_and_counts_once_for_all_that_met_it(clock, trouble):
    breaker, waits = Breaker(), []
    for _ in range(8):
        breaker.answered(trouble)
        breaker.answered(trouble)
        waits.append(breaker.held_for)
        clock.now += breaker.held_for
        assert (breaker.closed, breaker.held_for) == (False, 0.0), "open from that very moment on"
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30]
    breaker.answered(ACCEPTED)
    breaker.answered(trouble)
    assert breaker.held_for == 0.5, "an acceptance ends the trouble"


def test_a_pause_is_never_shortened(clock):
    breaker = Breaker()
    breaker.answered(Throttled("429", 429, retry_after=10.0))
    breaker.answered(Throttled("429", 429, retry_after=3.0))
    assert breaker.held_for == 10.0
    assert breaker.closed and breaker.room(in_flight=0) == 0
    clock.now += 9.99
    assert breaker.closed
    clock.now += 0.01
    assert not breaker.closed


def test_an_acceptance_opens_it_at_once_unless_the_circuit_broke_since(clock):
    breaker = Breaker()
    breaker.answered(NOT_SENT)
    assert breaker.closed
    breaker.answered(ACCEPTED)
    assert not breaker.closed and breaker.room(in_flight=0) == 10_000
    late = broken()
    late.answered(ACCEPTED)
    assert late.closed and late.held_for == 0.5, "a late answer to an earlier request"


@pytest.mark.parametrize(
    ("narrow", "in_flight", "room"),
    [(False, 0, 10_000), (False, 9_999, 1), (False, 10_001, 0), (True, 0, 1), (True, 1, 0), (True, 2, 0)],
)
def test_what_is_in_flight_counts_against_the_room(clock, narrow, in_flight, room):
    breaker = Breaker()
    if narrow:
        breaker.answered(NOT_SENT)
        clock.now += 1
    assert breaker.room(in_flight=in_flight) == room


@pytest.mark.parametrize("between", [REFUSED, Throttled("429", 429, retry_after=0.1), ACCEPTED])
def test_a_clear_answer_between_them_begins_the_row_of_three_again(clock, between):
    breaker = Breaker()
    for result in (UNSURE, UNSURE, between, UNSURE, UNSURE):
        breaker.answered(result)
    assert not breaker.broken
    breaker.answered(UNSURE)
    assert breaker.broken


def test_what_certainly_was_not_sent_does_not(clock):
    breaker = Breaker()
    for result in (UNSURE, UNSURE, NOT_SENT):
        breaker.answered(result)
    assert not breaker.broken and breaker.narrow
    breaker.answered(UNSURE)
    assert breaker.broken


def test_one_lost_while_it_is_narrow_breaks_it_at_once(clock):
    breaker = Breaker()
    breaker.answered(NOT_SENT)
    breaker.answered(UNSURE)
    assert breaker.broken


def outcomes(breaker: Breaker, *, bad: int, good: int) -> None:
    """So many of each, never three bad ones in a row, the last one bad."""
    for index in range(good):
        breaker.answered(ACCEPTED)
        if index < bad - 1:
            breaker.answered(UNSURE)
    breaker.answered(UNSURE)


@pytest.mark.parametrize(
    ("bad", "good", "breaks"),
    [(8, 32, False), (9, 31, True), (9, 30, False), (10, 30, True), (10, 40, False)],
)
def test_more_than_a_fifth_of_forty_and_more_breaks_it(clock, bad, good, breaks):
    breaker = Breaker()
    outcomes(breaker, bad=bad, good=good)
    assert breaker.broken == breaks


@pytest.mark.parametrize(("later", "breaks"), [(30.0, True), (30.01, False)])
def test_the_share_is_of_the_last_thirty_seconds(clock, later, breaks):
    breaker = Breaker()
    outcomes(breaker, bad=8, good=31)
    clock.now += later
    breaker.answered(UNSURE)
    assert breaker.broken == breaks


def test_a_probe_is_wanted_when_the_pause_is_over_and_again_when_no_answer_came_for_a_minute(clock):
    breaker = broken()
    assert not breaker.wants_probe
    assert breaker.held_for == 0.5
    clock.now += 0.5
    assert breaker.wants_probe
    assert breaker.closed and breaker.held_for == 0.05, "nothing real, and soon asked again"
    breaker.probed_at = clock.now
    clock.now += 60
    assert not breaker.wants_probe
    clock.now += 0.01
    assert breaker.wants_probe
    assert not Breaker().wants_probe, "an open one needs none"


@pytest.mark.parametrize("result", [UNSURE, NOT_SENT, ServicePaused("401", 401)])
def test_an_unclear_probe_holds_on_for_longer_and_lets_the_next_one_come(clock, result):
    breaker = broken()
    breaker.probed_at = clock.now
    breaker.probed(result)
    assert breaker.broken and breaker.held_for == 1.0
    clock.now += 1.0
    assert breaker.wants_probe


@pytest.mark.parametrize("result", [REFUSED, ACCEPTED, Throttled("429", 429)])
def test_a_clear_probe_lets_one_through_and_forgets_what_broke_it(clock, result):
    breaker = Breaker()
    outcomes(breaker, bad=9, good=31)
    clock.now += 0.5
    breaker.probed_at = clock.now
    breaker.probed(result)
    assert (breaker.closed, breaker.room(in_flight=0), breaker.room(in_flight=1)) == (False, 1, 0)
    assert not breaker.wants_probe
    breaker.answered(ACCEPTED)
    breaker.answered(UNSURE)
    assert not breaker.broken, "the old share is not counted again"
    breaker.answered(UNSURE)
    assert not breaker.broken
    breaker.answered(UNSURE)
    assert breaker.broken and breaker.held_for == 0.5, "its acceptance ended the trouble before"
