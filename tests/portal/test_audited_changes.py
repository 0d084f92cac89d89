"""A change of what a thing is known by says from what to what, on the page and in the admin alike."""

import pytest
from django.urls import reverse

from sms.models import AuditEvent, Region, Sender, ShortLinkDomain
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def recorded(act: str) -> dict:
    return AuditEvent.objects.filter(act=act).order_by("-pk")[0].details


def typed_again(form, **changed) -> dict:
    """What a browser posts for a form with some fields changed."""
    values = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in (values | changed).items() if value not in (None, False)}


def test_a_senders_address(cast):
    sender = Sender.objects.create(service=cast.service, kind="alphanumeric", address="FIRST")
    at = reverse("sender_edit", args=[cast.service.slug, sender.pk])
    page = cast["admin"].get(at)
    cast["admin"].post(at, typed_again(page.context["form"], address="BANKALERT"))
    said = recorded("sender.changed")
    assert (said["before"]["address"], said["after"]["address"]) == ("FIRST", "BANKALERT")


def test_a_senders_address_in_the_admin(cast):
    sender = Sender.objects.create(service=cast.service, kind="alphanumeric", address="FIRST")
    at = reverse("admin:sms_sender_change", args=[sender.pk])
    page = cast["admin"].get(at)
    cast["admin"].post(at, typed_again(page.context["adminform"].form, address="BANKALERT"))
    said = recorded("sender.changed")
    assert said["fields"] == ["address"]
    assert (said["before"], said["after"]) == ({"address": "FIRST"}, {"address": "BANKALERT"})


def test_a_domain_and_its_region(cast):
    one, other = Region.objects.order_by("pk")[:2]
    domain = ShortLinkDomain.objects.create(service=cast.service, host="go.example.com", region=one)
    at = reverse("admin:sms_shortlinkdomain_change", args=[domain.pk])
    page = cast["admin"].get(at)
    cast["admin"].post(
        at, typed_again(page.context["adminform"].form, host="at.example.com", region=other.pk)
    )
    said = recorded("domain.changed")
    assert (said["before"], said["after"]) == (
        {"host": "go.example.com", "region": one.name},
        {"host": "at.example.com", "region": other.name},
    )


def test_the_address_that_a_service_speaks_to_but_not_its_key(cast):
    at = reverse("settings", args=[cast.service.slug])
    page = cast["admin"].get(at)
    before = cast.service.base_url
    typed = typed_again(page.context["form"], base_url="https://api.example.com/", api_key="a-new-key")
    cast["admin"].post(at, typed)
    said = recorded("service.changed")
    assert (said["before"]["base_url"], said["after"]["base_url"]) == (before, "https://api.example.com")
    assert "api_key" in said["fields"]
    assert "a-new-key" not in str(said)


def test_a_number_in_a_name_is_masked(cast):
    group = cast.service.policy_groups.create(name="News", group_id="g1")
    at = reverse("policy_group_edit", args=[cast.service.slug, group.pk])
    page = cast["admin"].get(at)
    cast["admin"].post(at, typed_again(page.context["form"], name="News of +447700900123"))
    said = recorded("policy_group.changed")
    assert said["before"]["name"] == "News"
    assert "447700900123" not in str(said)
