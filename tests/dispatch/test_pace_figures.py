"""A pace's arithmetic: room before the horizon, the instant of each request, and what throttling and bursts do to the rate."""

import time
from datetime import UTC, date, datetime

import pytest

from sms.dispatch import rate
from sms.dispatch.rate import Grant
from sms.models import Pace
from tests.support.sends import a_service

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("used", "held", "room", "wait"),
    [
        (
            -10.0,
            -10.0,
            23,
            0.0,
        ),  # 0.25 s less the lead of 0.03 s, of 100 a second, and one that begins in time
        (0.03, 0.0, 23, 0.0),
        (0.125, 0.0, 13, 0.0),
        (0.135, 0.0, 12, 0.01),
        (0.24, 0.0, 2, 0.115),
        (0.25, 0.0, 0, 0.125),
        (0.30, 0.0, 0, 0.175),
        (0.30, 0.5, 0, 0.5),
        (-10.0, 0.5, 0, 0.5),
    ],
)
def test_room_and_wait_follow_from_what_is_reserved_and_held(used, held, room, wait):
    row = Pace(used_until=1000 + used, held_until=1000 + held)
    grant = Grant(row, now=1000.0, rate=100.0 + 1e-6, base=5.0)
    assert grant.room == room
    assert grant.wait == pytest.approx(wait, abs=1e-6)


@pytest.mark.parametrize("bursting", [False, True])
def test_each_request_has_the_instant_after_those_before_it(bursting):
    row = Pace(used_until=0.0, burst_day_seconds=1.0, burst_month_seconds=7.0)
    grant = Grant(row, now=1000.0, rate=100.0, base=5.0, bursting=bursting)
    assert [round(grant.take(size), 6) for size in (1, 8, 1)] == [5.03, 5.04, 5.12]
    assert row.used_until == pytest.approx(1000.13)
    used = 0.1 if bursting else 0.0
    assert (row.burst_day_seconds, row.burst_month_seconds) == (
        pytest.approx(1 + used),
        pytest.approx(7 + used),
    )


def test_without_a_contract_everything_goes_now():
    grant = rate.open_grant(1, rate=None)
    assert (grant.room, grant.wait, grant.row, grant.bursting) == (1_000_000, 0.0, None, False)
    assert grant.take(7) == grant.base <= time.monotonic()
    grant.close()


@pytest.mark.django_db
def test_what_was_taken_is_kept_for_the_next(monkeypatch):
    monkeypatch.setattr(rate, "_now", lambda: NOW)
    service = a_service(rate=100)
    grant = rate.open_grant(service.pk, rate=100)
    grant.take(10)
    assert Pace.objects.get(pk=service.pk).used_until == 0
    grant.close()
    assert Pace.objects.get(pk=service.pk).used_until == pytest.approx(NOW + 0.03 + 10 / 99)


@pytest.mark.django_db
def test_each_throttling_leaves_seven_tenths_down_to_a_tenth_and_two_percent_come_back_each_second(
    monkeypatch,
):
    at = NOW
    monkeypatch.setattr(rate, "_now", lambda: at)
    service = a_service(rate=100)

    def factor() -> float:
        return rate.open_grant(service.pk, rate=100).rate / 99

    rate.slow_down(service.pk, retry_after=None)
    assert factor() == pytest.approx(0.7)
    assert Pace.objects.get(pk=service.pk).held_until == NOW + 0.5, (
        "half a second where no wait was asked for"
    )
    at = NOW + 1.0
    rate.slow_down(service.pk, retry_after=2.0)
    assert factor() == pytest.approx(0.72), "the same event"
    assert Pace.objects.get(pk=service.pk).held_until == NOW + 3.0
    at = NOW + 1.01
    rate.slow_down(service.pk, retry_after=0.1)
    assert factor() == pytest.approx((0.7 + 1.01 * 0.02) * 0.7), "another one"
    assert Pace.objects.get(pk=service.pk).held_until == NOW + 3.0, "a shorter wait shortens nothing"
    for _ in range(20):
        at += 1.01
        rate.slow_down(service.pk, retry_after=None)
    assert factor() == pytest.approx(0.1)
    at += 44.9
    assert factor() == pytest.approx(0.998)
    at += 0.2
    assert factor() == 1.0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "today", "month", "found"),
    [
        (None, 5.0, 9.0, (0.0, 0.0)),
        (date(2027, 1, 31), 5.0, 9.0, (5.0, 9.0)),
        (date(2027, 1, 30), 5.0, 9.0, (0.0, 9.0)),
        (date(2026, 12, 31), 5.0, 9.0, (0.0, 0.0)),
        (date(2026, 1, 31), 5.0, 9.0, (0.0, 0.0)),
    ],
)
def test_a_burst_is_counted_by_day_and_by_month(monkeypatch, day, today, month, found):
    monkeypatch.setattr(rate, "_now", lambda: NOW)
    service = a_service(rate=100)
    Pace.objects.create(service=service, burst_day=day, burst_day_seconds=today, burst_month_seconds=month)
    assert rate.burst_used([service.pk]) == {service.pk: found}
    grant = rate.open_grant(service.pk, rate=100, burst=True)
    assert grant.bursting
    grant.close()
    assert rate.burst_used([service.pk]) == {service.pk: found}
    assert Pace.objects.get(pk=service.pk).burst_day == date(2027, 1, 31)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("today", "month", "left"),
    [(1799.9, 0.0, True), (1800.0, 0.0, False), (0.0, 28_799.9, True), (0.0, 28_800.0, False)],
)
def test_a_burst_ends_after_half_an_hour_a_day_and_eight_hours_a_month(monkeypatch, today, month, left):
    monkeypatch.setattr(rate, "_now", lambda: NOW)
    service = a_service(rate=100)
    Pace.objects.create(
        service=service, burst_day=date(2027, 1, 31), burst_day_seconds=today, burst_month_seconds=month
    )
    grant = rate.open_grant(service.pk, rate=100, burst=True)
    assert (grant.bursting, grant.rate) == (left, pytest.approx(99 * (1.5 if left else 1)))


@pytest.mark.parametrize(
    ("size", "contract", "batch"),
    [(8, None, 8), (8, 100, 5), (5, 100, 5), (3, 100, 3), (8, 5, 5), (1, 7, 1), (100, 99, 99), (7, 100, 5)],
)
def test_a_batch_fills_a_second_but_for_a_hundredth(size, contract, batch):
    assert rate.whole_batches(size, contract) == batch
