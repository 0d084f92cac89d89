"""What is coming: every open send and draft at its time, when each ends, and who is late because of whom."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from sms.models import Draft, Lane, Service
from sms.sends import calendar, control, holds, rate_sharing
from sms.sends.plan.shared_rate import Load, together
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_slow_service(**changes) -> Service:
    return a_service(rate=1, **changes)


def look(*services, now=None, **options):
    options = {"until": timezone.now() + 7 * DAY, "drafts_of": services} | options
    return calendar.entries_between(services, now=now or timezone.now(), **options).entries


@pytest.mark.django_db
def test_everything_open_is_there_at_its_time_and_nothing_that_is_over():
    service, other = a_service(), a_service(slug="other", name="Other")
    later = a_send(service, due_at=timezone.now() + 2 * HOUR, name="Later")
    soon = a_send(other, due_at=timezone.now() + HOUR, name="Soon")
    a_send(service, due_at=timezone.now() + 30 * DAY, name="Not in this time")
    control.stop(a_send(service, due_at=timezone.now() + HOUR, name="Cancelled"), by=BY)
    a_send(service, name="Over")
    Provider().dispatch()
    Draft.objects.create(service=service, name="Idea", send_at=timezone.now() + 3 * HOUR)
    Draft.objects.create(service=service, name="Of no time")
    assert [one.name for one in look(service, other)] == ["Soon", "Later", "Idea"]
    assert [one.name for one in look(service, drafts_of=())] == ["Later"], "drafts are for who may write them"
    holds.hold(soon, by=BY, because="Wait")
    holds.hold(later, by=BY, because="Wait")
    assert [one.state for one in look(service, other)] == ["held", "held", "draft"]


@pytest.mark.django_db
def test_what_was_due_and_has_not_begun_stays_in_sight_until_it_has():
    service = a_service()
    send = a_send(service, due_at=timezone.now() + HOUR)
    late = timezone.now() + 5 * HOUR
    assert [one.send for one in look(service, now=late)] == [send]
    assert look(service, since=timezone.now() + 2 * DAY) == []


@pytest.mark.django_db
def test_sends_that_meet_are_late_and_say_because_of_whom():
    service = a_slow_service()
    start = timezone.now() + HOUR
    a_send(service, 300, due_at=start, name="First")
    a_send(service, 300, due_at=start + MINUTE, name="Second")
    a_send(service, 5, due_at=start + 5 * HOUR, name="Alone")
    first, second, alone = look(service)
    assert alone.late == timedelta(0)
    assert alone.beside == ()
    assert first.beside == ("Second",)
    assert second.beside == ("First",)
    # together they take what 600 messages take at 0.99 a second
    assert abs((second.ends_at - start).total_seconds() - 600 / 0.99) < 5
    assert second.late >= 4 * MINUTE


@pytest.mark.django_db
def test_a_more_urgent_send_is_hardly_late_and_another_service_is_in_nobodys_way():
    service, other = a_slow_service(), a_service(slug="other", name="Other", rate=1)
    start = timezone.now() + HOUR
    a_send(service, 600, due_at=start, name="Bulk", lane=Lane.BULK)
    a_send(service, 300, due_at=start, name="Urgent", lane=Lane.URGENT)
    a_send(other, 600, due_at=start, name="Elsewhere")
    bulk, elsewhere, urgent = sorted(look(service, other), key=lambda one: one.name)
    assert urgent.late == elsewhere.late == timedelta(0)
    assert bulk.late >= 4 * MINUTE


@pytest.mark.django_db
def test_the_end_is_unknown_without_a_rate_or_on_hold():
    service = a_service()
    send = a_send(service, 3, due_at=timezone.now() + HOUR)
    assert look(service)[0].ends_at is None
    Service.objects.update(rate=1)
    service.refresh_from_db()
    assert look(service)[0].ends_at is not None
    holds.hold(send, by=BY, because="Wait")
    assert look(service)[0].ends_at is None


@pytest.mark.django_db
def test_quiet_hours_put_the_end_into_the_morning():
    service = a_slow_service(quiet_hours="21:00-08:00", time_zone="UTC")
    tomorrow = timezone.now() + DAY
    due = datetime(tomorrow.year, tomorrow.month, tomorrow.day, 20, 55, tzinfo=UTC)
    a_send(service, 600, due_at=due)
    (entry,) = look(service)
    # five minutes before the night, the rest from eight on
    morning = datetime(due.year, due.month, due.day, 8, tzinfo=UTC) + DAY
    assert abs((entry.ends_at - morning).total_seconds() - (600 / 0.99 - 300)) < 5


@pytest.mark.django_db
def test_a_page_of_many_is_cut_and_says_so():
    service = a_service()
    for hours in range(4):
        a_send(service, due_at=timezone.now() + HOUR * (hours + 1))
    found = calendar.entries_between([service], until=timezone.now() + DAY, now=timezone.now(), most=3)
    assert (len(found.entries), found.more) == (3, 1)


def test_shares_are_those_of_the_lanes_and_nothing_is_lost():
    loads = [Load(1, 8.0, 0.0, 990.0), Load(2, 1.0, 0.0, 990.0), Load(3, 8.0, 5000.0, 99.0)]
    spans = together(loads, rate=1.0, allowed=lambda quiet, at: at)
    assert spans[1].last == pytest.approx(990 / (0.99 * 8 / 9))
    assert spans[2].last == pytest.approx(2000)
    assert (spans[3].first, spans[3].last) == (pytest.approx(5000), pytest.approx(5100))


def test_what_takes_longer_than_a_month_has_no_end():
    spans = together([Load(1, 8.0, 0.0, 1e9)], rate=1.0, allowed=lambda quiet, at: at)
    assert spans[1].last is None


def test_quiet_stretches_are_those_of_the_clock_of_the_service():
    service = Service(quiet_hours="21:00-08:00", time_zone="Europe/Berlin")
    since = datetime(2026, 3, 2, 23, tzinfo=UTC)  # midnight in Berlin
    spans = rate_sharing.quiet_spans(service, since=since, until=since + DAY)
    assert spans == [
        (since, since + 8 * HOUR),
        (since + 21 * HOUR, since + 24 * HOUR),
    ]
