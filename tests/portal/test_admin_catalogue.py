"""The Django admin beside the pages: the same rules, no query per row, and what is used is not deleted."""

import re

import pytest
from django.contrib import admin

from portal.models import Membership, User
from sms import models
from sms.sends import holds
from tests.support.people import Cast, a_cast
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_every_list_asks_no_query_per_row(cast, django_assert_max_num_queries):
    user = User.objects.get(email="admin@example.test")
    root = User.objects.create_superuser("root@example.test", "correct horse battery")
    cast["admin"].force_login(root)
    for index in range(30):
        service = a_service(slug=f"s{index}", name=f"S {index}")
        send = a_send(service)
        models.Send.objects.filter(pk=send.pk).update(created_by=user)
        holds.hold(send, by=BY, because="Wait")
        models.ApprovalRules.objects.create(service=service)
        models.MessageTemplate.objects.create(service=service, name="T", text="Hi")
        models.ShortLinkDomain.objects.create(
            service=service, host=f"go{index}.example.test", region=service.region
        )
        models.ContactPolicyGroup.objects.create(
            service=service, name="G", group_id=f"g{index}", check_consent=True
        )
        models.OptOut.objects.create(service=service, msisdn="+447700900001", source="page")
        Membership.objects.create(user=user, service=service, role="auditor")
    for model in admin.site._registry:
        meta = model._meta
        address = f"/admin/{meta.app_label}/{meta.model_name}/"
        if meta.app_label in ("sms", "portal"):
            with django_assert_max_num_queries(12, info=address):
                assert cast["admin"].get(address).status_code == 200, address


def test_what_is_used_is_not_deleted_and_the_sentence_says_what_to_do(cast):
    send = a_send(cast.service)
    page = cast["admin"].post(f"/admin/sms/sender/{send.sender_id}/delete/", {"post": "yes"}, follow=True)
    assert "“SHOP” is used in 1 place, whose history names it, so it stays. Untick “active”" in text_of(page)
    assert models.Sender.objects.filter(pk=send.sender_id).exists()
    free = models.Sender.objects.create(service=cast.service, address="12345", kind="short_code")
    assert cast["admin"].post(f"/admin/sms/sender/{free.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not models.Sender.objects.filter(pk=free.pk).exists()


def service_form(**changes) -> dict[str, str]:
    fields = {
        "name": "Shop",
        "rate": "100",
        "batch_size": "50",
        "text_limit": "1024",
        "length_unit": "utf16",
        "link_fields": "all",
        "link_tag1": "textdesk",
        "link_tag2": "sms",
        "smartlink_unit": "minutes",
        "default_country": "gb",
        "time_zone": "Europe/London",
        "quiet_hours": "21:00 - 8:00",
        "unconfirmed_hours": "4",
    }
    return fields | changes


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"batch_size": "101"}, "more than the contracted 100"),
        ({"quiet_hours": "at night"}, "at night"),
        ({"default_country": "XX"}, "is not a country"),
        ({"keep_numbers": "30"}, "Receipts hold numbers too"),
        ({"keep_bodies": "1"}, "greater than or equal to 7"),
    ],
)
def test_the_rules_of_a_service_are_those_of_its_pages(cast, changes, says):
    address = f"/admin/sms/service/{cast.service.pk}/change/"
    page = cast["admin"].post(address, service_form(**changes))
    assert page.status_code == 200
    assert says in text_of(page)
    path = "retention" if any(name.startswith("keep_") for name in changes) else "limits"
    shown = cast["admin"].post(f"/s/shop/settings/{path}/", service_form(**changes))
    assert says in text_of(shown)


def test_a_service_saved_in_the_admin_keeps_its_secrets_and_its_pause(cast):
    models.Service.objects.update(paused_at="2026-01-01T00:00Z", paused_because="Out of credit.")
    address = f"/admin/sms/service/{cast.service.pk}/change/"
    assert cast["admin"].post(address, service_form(name="New name")).status_code == 302
    found = models.Service.objects.get(pk=cast.service.pk)
    assert (found.name, found.quiet_hours, found.default_country) == ("New name", "21:00-08:00", "GB")
    assert (found.api_key, found.paused_because) == ("a-key", "Out of credit.")
    assert not re.search(r"\ba-key\b", cast["admin"].get(address).text)
