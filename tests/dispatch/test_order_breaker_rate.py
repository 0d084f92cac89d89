"""The three that decide whose message goes, whether anything goes, and at which instant."""

import math
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.dispatch import rate as dispatch_rate
from sms.dispatch.breaker import Breaker
from sms.dispatch.fair_queue import WEIGHTS, FairQueue
from sms.models import Lane, Pace
from sms.webex.errors import NotSent, RequestRefused, Throttled, Unconfirmed
from tests.support.sends import a_service, an_order

pytestmark = pytest.mark.django_db


# --- queue (pure) --------------------------------------------------------------------------------------------------------
def test_an_urgent_send_goes_first_and_starves_none():
    order = FairQueue().order({1: (Lane.BULK, 500), 2: (Lane.URGENT, 500), 3: (Lane.NORMAL, 500)}, room=146)
    had = Counter(order)
    assert order.index(2) <= 2
    assert had[2] >= 126
    assert had[1] >= 2
    assert had[3] >= 14


def test_a_send_that_comes_later_does_not_wait_for_the_one_before():
    queue = FairQueue()
    queue.order({1: (Lane.NORMAL, 10_000)}, room=1000)
    order = queue.order({1: (Lane.NORMAL, 9000), 2: (Lane.NORMAL, 5)}, room=12)
    assert Counter(order)[2] == 5


def test_idling_earns_no_credit():
    queue = FairQueue()
    queue.order({1: (Lane.NORMAL, 1), 2: (Lane.NORMAL, 1)}, room=2)
    queue.order({1: (Lane.NORMAL, 500)}, room=500)
    assert Counter(queue.order({1: (Lane.NORMAL, 50), 2: (Lane.NORMAL, 50)}, room=20))[2] <= 11


@given(
    st.dictionaries(
        st.integers(1, 9), st.tuples(st.sampled_from(sorted(WEIGHTS)), st.integers(0, 40)), max_size=6
    ),
    st.integers(0, 100),
)
def test_fair_gives_every_place_there_is_and_no_more(wants, room):
    order = FairQueue().order(wants, room=room)
    had = Counter(order)
    assert len(order) == min(room, sum(count for _, count in wants.values()))
    assert all(had[send] <= wants[send][1] for send in had)


# --- breaker ---------------------------------------------------------------------------------------------------------------
def test_three_unconfirmed_in_a_row_break_the_circuit_and_only_a_probe_closes_it():
    breaker = Breaker()
    for _ in range(3):
        assert not breaker.closed
        breaker.answered(Unconfirmed("timeout"))
    assert breaker.closed
    breaker.hold_until = 0.0  # the pause is over
    assert breaker.closed, "still nothing real leaves"
    assert breaker.wants_probe
    breaker.probed_at = time.monotonic()
    assert not breaker.wants_probe, "one at a time"
    breaker.probed(RequestRefused("7003", 400))
    assert not breaker.closed
    assert breaker.room(in_flight=0) == 1, "one canary first"
    breaker.answered(object())
    assert breaker.room(in_flight=0) > 100


def test_a_probe_without_an_answer_waits_longer_each_time():
    breaker = Breaker()
    for _ in range(3):
        breaker.answered(Unconfirmed("http_503", 503))
    waits = []
    for _ in range(8):
        breaker.hold_until = 0.0
        breaker.probed(NotSent("connect"))
        waits.append(breaker.hold_until - time.monotonic())
    assert all(later > earlier - 0.01 for earlier, later in pairwise(waits))
    assert 25 < waits[-1] <= 30


def test_one_in_five_unconfirmed_breaks_it_too_even_if_never_in_a_row():
    breaker = Breaker()
    for index in range(60):
        breaker.answered(Unconfirmed("timeout") if index % 4 == 0 else object())
    assert breaker.broken


# --- pace ---------------------------------------------------------------------------------------------------------------
@given(st.integers(1, 5000), st.integers(1, 1000))
def test_whole_batches_never_fill_a_second_more_than_the_contract(rate, size):
    batch = dispatch_rate.whole_batches(size, rate)
    assert 1 <= batch <= min(size, rate)
    spacing = batch / (rate * dispatch_rate.MARGIN)
    assert math.ceil(1 / spacing - 1e-9) * batch <= rate, "batches in a window of one second"
    assert batch * (rate // batch) >= 0.98 * rate, "and the contract is used"


def test_a_throttled_contract_is_used_less_and_grows_back(monkeypatch):
    now = 1_800_000_000.0
    monkeypatch.setattr(dispatch_rate, "_now", lambda: now)
    service = a_service(rate=100)
    dispatch_rate.slow_down(service.pk, retry_after=2.0)
    assert dispatch_rate.open_grant(service.pk, rate=100).room == 0, "held as long as the provider asked"
    now += 2.1
    slowed = dispatch_rate.open_grant(service.pk, rate=100).rate
    assert 65 < slowed < 80
    now += 20
    assert dispatch_rate.open_grant(service.pk, rate=100).rate == 100 * dispatch_rate.MARGIN


def test_an_absurd_retry_after_is_bounded(monkeypatch):
    monkeypatch.setattr(dispatch_rate, "_now", lambda: 1_800_000_000.0)
    service = a_service(rate=10)
    dispatch_rate.slow_down(service.pk, retry_after=1e9)
    assert Pace.objects.get(pk=service.pk).held_until == 1_800_000_000.0 + 900


def test_the_burst_budget_is_used_only_if_wanted_and_ends_for_the_day_and_the_month(monkeypatch):
    now = datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp()
    monkeypatch.setattr(dispatch_rate, "_now", lambda: now)
    service = a_service(rate=100)
    assert dispatch_rate.open_grant(service.pk, rate=100).rate == 100 * dispatch_rate.MARGIN
    grant = dispatch_rate.open_grant(service.pk, rate=100, burst=True)
    assert grant.rate == 150 * dispatch_rate.MARGIN
    assert dispatch_rate.open_grant(service.pk, rate=1000, burst=True).rate == pytest.approx(
        1100 * dispatch_rate.MARGIN
    )
    grant.take(int(150 * dispatch_rate.MARGIN * 1800))
    grant.close()
    assert dispatch_rate.burst_used([service.pk])[service.pk][0] == pytest.approx(1800, abs=1)
    now += 1900
    assert dispatch_rate.open_grant(service.pk, rate=100, burst=True).rate == 100 * dispatch_rate.MARGIN, (
        "today's half hour is over"
    )
    now = datetime(2027, 2, 1, 0, 5, tzinfo=UTC).timestamp()
    assert dispatch_rate.open_grant(service.pk, rate=100, burst=True).rate == 150 * dispatch_rate.MARGIN, (
        "a new day and month"
    )


def test_a_throttled_reply_without_a_contract_holds_this_process_back():
    breaker = Breaker()
    breaker.answered(Throttled("429", 429, retry_after=3.0))
    assert 2.5 < breaker.held_for <= 3.0
    assert an_order(a_service()).options.lane == Lane.NORMAL
