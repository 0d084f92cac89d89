"""A role that another admin has not confirmed is seen by who gave it and by who is to have it, and no sentence says that it counts."""

import pytest

from portal import people
from portal.models import Membership, Role, User
from sms.guard.words import title_of
from sms.models import ApprovalRules, WaitingChange
from tests.support.approvals import acting
from tests.support.people import Cast, a_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    made = a_cast()
    ApprovalRules.objects.create(service=made.service, size=10, size_approvers=1)
    return made


def test_a_role_that_waits_stands_on_the_page_of_people_and_nothing_is_said_to_count(cast):
    composer = cast.users["composer"]
    form = {"roles": ["composer", "approver"]}
    page = cast["admin"].post(f"/s/shop/settings/people/{composer.pk}/", form, follow=True).content.decode()
    assert "composer@example.test is not approver yet" in page
    assert "It counts for" not in page
    assert (
        "Role Approver for composer@example.test"
        in cast["admin"].get("/s/shop/settings/people/").content.decode()
    )
    assert (
        "Role of composer@example.test"
        in cast["admin"].get("/s/shop/settings/waiting-changes/").content.decode()
    )


def test_who_was_invited_to_a_role_that_waits_reads_so_at_every_visit(cast, client):
    invitation = people.invite(cast.service, "new@example.test", ["approver"], by=acting(cast.users["admin"]))
    link = f"/invitations/{people.token_of(invitation)}/"
    words = "correct horse battery"
    client.post(link, {"password": words, "again": words})
    for _ in range(2):
        assert "You become approver of Shop once another admin" in " ".join(
            client.get("/").content.decode().split()
        )
    WaitingChange.objects.all().delete()
    assert "You belong to no service yet" in client.get("/").content.decode()
    Membership.objects.create(
        user=User.objects.get(email="new@example.test"), service=cast.service, role=Role.APPROVER
    )
    assert client.get("/").url == "/s/shop/"


def test_who_asked_takes_it_back_and_others_decline(cast):
    composer = cast.users["composer"]
    form = {"roles": ["composer", "approver"]}
    cast["admin"].post(f"/s/shop/settings/people/{composer.pk}/", form)
    change = WaitingChange.objects.get()
    decline = f"/s/shop/settings/waiting-changes/{change.pk}/decline/"
    assert "Take back: Role Approver" in cast["admin"].get(decline).content.decode()
    User.objects.create_superuser("boss@example.test", "correct horse battery")
    cast.users["boss"] = User.objects.get(email="boss@example.test")
    assert "Decline: Role Approver" in cast["boss"].get(decline).content.decode()


def test_a_change_of_a_service_is_called_by_the_page_that_it_is_made_on(cast):
    assert title_of(cast.service, {"cap_day": (10, 20)}) == "Spend caps"
    assert title_of(cast.service, {"countries": ("", "GB")}) == "Spend caps"
    assert title_of(cast.service, {"keep_bodies": (90, 10)}) == "Retention"
    assert title_of(cast.service, {"hold_failures": (5, None)}) == "Limits and hours"
    assert title_of(cast.service, {"jwt_secret": ("a", "b")}) == "Connection to Webex Connect"
