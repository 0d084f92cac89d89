"""The calendar and the page that moves a send, as a person uses them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.models import Membership, User
from sms.models import AuditEvent, Draft, SendState, Service, Slice
from sms.sends import control, holds
from tests.support.people import signed_in
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def composer(service):
    return signed_in("composer@example.test", service, "composer")


def stamp(moment) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"


def test_month_and_week_show_upcoming_sends_and_lead_to_it(service, composer):
    due = timezone.now() + 2 * DAY
    send = a_send(service, due_at=due, name="Spring sale")
    Draft.objects.create(service=service, name="Newsletter", send_at=due)
    at = f"at={timezone.localtime(due):%Y-%m-%d}"
    for view in ("month", "week"):
        page = composer.get(f"/s/shop/calendar/?view={view}&{at}").content.decode()
        assert f"/s/shop/sends/{send.pk}/" in page
        assert "Newsletter" in page
    assert f"/s/shop/sends/{send.pk}/move/?from=calendar" in page
    approver = signed_in("approver@example.test", service, "approver")
    page = approver.get(f"/s/shop/calendar/?view=week&{at}").content.decode()
    assert "Spring sale" in page
    assert "Newsletter" not in page, "drafts are for those who may write them"
    assert "/move/" not in page


def test_all_my_services_are_those_that_i_belong_to(service, composer):
    mine, foreign = a_service(slug="bank", name="Bank"), a_service(slug="foreign", name="Foreign")
    Membership.objects.create(user=User.objects.get(), service=mine, role="auditor")
    for one in (service, mine, foreign):
        a_send(one, due_at=timezone.now() + HOUR, name=f"From {one.name}")
        Draft.objects.create(service=one, name=f"Idea of {one.name}", send_at=timezone.now() + HOUR)
    week = f"/s/shop/calendar/?view=week&at={timezone.localtime(timezone.now() + HOUR):%Y-%m-%d}"
    alone, everything = (composer.get(week + of).content.decode() for of in ("", "&of=all"))
    assert "From Bank" not in alone
    assert "From Shop" in everything
    assert "From Bank" in everything
    assert "Idea of Shop" in everything
    assert "Idea of Bank" not in everything, "an auditor writes nothing there"
    assert "Foreign" not in everything


@pytest.mark.parametrize(
    "asked", ["", "?at=2026-02-30", "?at=x&view=y", "?at=9999-12-31", "?at=0001-01-01&view=week"]
)
def test_any_address_of_the_calendar_opens(service, composer, asked):
    assert composer.get("/s/shop/calendar/" + asked).status_code == 200


def test_a_send_is_moved_from_its_page(service, composer):
    send = a_send(service, due_at=timezone.now() + HOUR)
    due = (timezone.now() + 3 * DAY).replace(second=0, microsecond=0)
    moved = composer.post(f"/s/shop/sends/{send.pk}/move/", {"send_at": stamp(due)})
    assert moved.url == f"/s/shop/sends/{send.pk}/"
    send.refresh_from_db()
    assert send.due_at == due
    assert AuditEvent.objects.get(act="send.rescheduled").actor_label == "composer@example.test"


def test_a_move_from_the_calendar_leads_back_to_its_new_week(service, composer):
    send = a_send(service, due_at=timezone.now() + HOUR)
    due = timezone.now() + 20 * DAY
    moved = composer.post(f"/s/shop/sends/{send.pk}/move/?from=calendar", {"send_at": stamp(due)})
    assert moved.url == f"/s/shop/calendar/?view=week&at={timezone.localtime(due):%Y-%m-%d}"


def test_send_now_goes_now(service, composer):
    send = a_send(service, 2, due_at=timezone.now() + DAY)
    composer.post(f"/s/shop/sends/{send.pk}/send-now/")
    provider = Provider()
    provider.dispatch()
    assert len(provider.bodies) == 2


def test_what_cannot_be_is_said_at_the_field_and_keeps_the_time(service, composer):
    due = timezone.now() + HOUR
    send = a_send(service, due_at=due, expires_at=due + HOUR)
    url = f"/s/shop/sends/{send.pk}/move/"
    for typed, sentence in (
        ({"send_at": ""}, "Give the day and time"),
        ({"send_at": stamp(timezone.now() - DAY)}, "has passed"),
        ({"send_at": stamp(due + DAY)}, "It expires before that"),
        ({"send_at": "tomorrow"}, "Enter a valid date"),
    ):
        page = composer.post(url, typed)
        assert page.status_code == 422
        assert sentence in page.content.decode()
    send.refresh_from_db()
    assert send.due_at == due


def test_what_begins_while_the_page_is_open_stays_and_the_page_says_so(service, composer):
    send = a_send(service, due_at=timezone.now() + HOUR)
    url = f"/s/shop/sends/{send.pk}/move/"
    assert composer.get(url).status_code == 200
    Slice.objects.update(owner="somebody", leased_until=timezone.now() + HOUR)
    page = composer.post(url, {"send_at": stamp(timezone.now() + DAY)}, follow=True)
    assert "It has begun, so it cannot be put off." in page.content.decode()
    send.refresh_from_db()
    assert send.state == SendState.SCHEDULED
    control.stop(send, by=BY)
    assert "Duplicate it" in composer.get(url, follow=True).content.decode()


def test_a_move_into_quiet_hours_or_on_hold_is_said(service, composer):
    Service.objects.update(quiet_hours="00:00-23:59", time_zone="UTC")
    service.refresh_from_db()
    send = a_send(service, due_at=timezone.now() + HOUR)
    holds.hold(send, by=BY, because="Wait")
    page = composer.post(
        f"/s/shop/sends/{send.pk}/move/", {"send_at": stamp(timezone.now() + DAY)}, follow=True
    )
    assert "within the quiet hours" in page.content.decode()
    assert "It is on hold" in page.content.decode()


def test_home_shows_what_comes_next(service, composer):
    a_send(service, due_at=timezone.now() + HOUR, name="Spring sale")
    Draft.objects.create(service=service, name="Newsletter", send_at=timezone.now() + 2 * HOUR)
    planned = composer.get("/s/shop/").context["planned"]
    assert [one.name for one in planned] == ["Spring sale", "Newsletter"]
