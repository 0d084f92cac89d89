"""The settings pages: what is stored, what is refused with which sentence, and how far going live is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms.models import ApprovalRules, AuditEvent, Hold, Region, RetentionClock, Service
from tests.support.pages import text_of
from tests.support.people import Cast, a_cast
from tests.support.provider import Provider
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def kept(cast: Cast) -> Service:
    return Service.objects.get(pk=cast.service.pk)


def test_every_settings_page_leads_to_the_others(cast):
    sections = ("catalogue/", "settings/", "settings/limits/", "settings/people/", "api-keys/")
    beside = {
        "": ("receipts/", "settings/going-live/"),
        "limits/": ("settings/approval/", "settings/retention/"),
        "approval/": ("settings/limits/", "settings/retention/"),
        "retention/": ("settings/limits/", "settings/approval/"),
        "people/": ("settings/second-factor/",),
    }
    for page, others in beside.items():
        shown = cast["admin"].get(f"/s/shop/settings/{page}").content.decode()
        for other in (*sections, *others):
            assert f'href="/s/shop/{other}"' in shown, (page, other)


def test_retention_is_stored_with_its_audit_row(cast):
    fields = {"keep_bodies": "90", "keep_numbers": "365", "keep_receipts": "30"}
    assert cast["admin"].post("/s/shop/settings/retention/", fields).status_code == 302
    found = kept(cast)
    assert (found.keep_bodies, found.keep_numbers, found.keep_receipts) == (90, 365, 30)
    assert set(AuditEvent.objects.get(act="service.changed").details["fields"]) == set(fields)
    page = text_of(cast["admin"].get("/s/shop/settings/retention/"))
    assert "Nothing is due now" in page
    assert RetentionClock.objects.get().next_at > timezone.now() + timedelta(minutes=50), (
        "time to think again"
    )


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"keep_bodies": "6"}, "keep_bodies", "greater than or equal to 7"),
        ({"keep_bodies": "3651"}, "keep_bodies", "less than or equal to 3650"),
        ({"keep_numbers": "30", "keep_receipts": "31"}, "keep_receipts", "30 days or less"),
        ({"keep_numbers": "30"}, "keep_receipts", "Receipts hold numbers too"),
        ({"keep_bodies": "soon"}, "keep_bodies", "whole number"),
    ],
)
def test_a_retention_that_cannot_be_is_refused(cast, changes, field, says):
    page = cast["admin"].post("/s/shop/settings/retention/", changes)
    assert page.status_code == 422
    assert says in str(page.context["form"].errors[field])


def rules(**changes) -> dict[str, str]:
    fields = dict.fromkeys(
        ("size_approvers", "new_sender", "new_domain", "new_country", "outside_hours"), "0"
    )
    return fields | {"valid_hours": "24"} | changes


def test_approval_rules_are_stored_once_per_service(cast):
    url = "/s/shop/settings/approval/"
    posted = rules(size_approvers="2", size="5000", outside_hours="1", hours="8:00 - 18:00")
    assert cast["admin"].post(url, posted).status_code == 302
    found = ApprovalRules.objects.get()
    assert (found.service_id, found.size, found.hours, found.most) == (
        cast.service.pk,
        5000,
        "08:00-18:00",
        2,
    )
    assert "asks for more approvers than there are: 1" in text_of(cast["admin"].get(url))
    assert cast["admin"].post(url, rules()).status_code == 302
    assert ApprovalRules.objects.get().most == 0
    assert AuditEvent.objects.filter(act="approval.changed").count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"size_approvers": "1"}, "size"),
        ({"size_approvers": "3", "size": "1"}, "size_approvers"),
        ({"size": "0"}, "size"),
        ({"outside_hours": "1"}, "hours"),
        ({"hours": "25:00-26:00"}, "hours"),
        ({"hours": "08:00-08:00"}, "hours"),
        ({"hours": "in the morning"}, "hours"),
        ({"valid_hours": "0"}, "valid_hours"),
        ({"valid_hours": ""}, "valid_hours"),
    ],
)
def test_an_approval_rule_that_cannot_be_is_refused_at_its_field(cast, changes, field):
    page = cast["admin"].post("/s/shop/settings/approval/", rules(**changes))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert not ApprovalRules.objects.exists()


def connection(**changes) -> dict[str, object]:
    fields = {"name": "Shop", "region": Region.objects.get(key="uk").pk, "auth_kind": "key"}
    return fields | {"receipt_algorithm": "sha256"} | changes


def test_a_changed_credential_makes_the_last_test_worthless_and_a_changed_name_does_not(cast):
    Service.objects.update(check_verdict="works", checked_at="2026-01-01T00:00Z")
    cast["admin"].post("/s/shop/settings/", connection(name="Corner shop"))
    assert (kept(cast).check_verdict, kept(cast).name) == ("works", "Corner shop")
    cast["admin"].post("/s/shop/settings/", connection(api_key="another-key"))
    assert (kept(cast).check_verdict, kept(cast).checked_at) == ("", None)


def test_what_was_made_for_the_sandbox_waits_when_textdesk_is_connected_to_people(cast):
    here = "http://127.0.0.1:9"
    Service.objects.update(base_url=here, live_since=None)
    send = a_send(kept(cast), 2)
    cast["admin"].post("/s/shop/settings/", connection(name="Corner shop", base_url=here))
    assert not Hold.objects.active().exists()
    moved = connection(base_url="https://api-uk.webexconnect.io", api_key="k")
    page = text_of(cast["admin"].post("/s/shop/settings/", moved, follow=True))
    assert "1 send that was made for the connection before is paused" in page
    assert Hold.objects.active().get().send == send
    provider = Provider()
    provider.dispatch()
    assert provider.bodies == []


def test_two_pages_do_not_undo_each_other(cast):
    """Each writes its own columns: a service that pauses itself while a form is open stays paused."""
    from portal.forms.connection import ConnectionForm
    from portal.forms.settings import LimitsForm

    form = ConnectionForm(connection(name="New"), instance=kept(cast))
    limits = LimitsForm(
        {"text_limit": "4000", "default_country": "us", "time_zone": "UTC", "batch_size": ""},
        instance=kept(cast),
    )
    Service.objects.update(paused_at="2026-01-01T00:00Z", paused_because="Out of credit.")
    assert form.is_valid(), form.errors
    form.save()
    assert limits.is_valid(), limits.errors
    limits.save()
    found = kept(cast)
    assert (found.name, found.text_limit, found.default_country) == ("New", 4000, "US")
    assert found.paused_because == "Out of credit."


def test_home_and_settings_show_how_far_going_live_is_to_those_who_can_do_something(cast):
    for page in ("/s/shop/", "/s/shop/settings/"):
        assert "steps done" in text_of(cast["admin"].get(page)), page
    assert "steps done" not in text_of(cast["composer"].get("/s/shop/"))


def test_the_connection_test_shows_its_verdict_and_resets_nothing_else(cast):
    Service.objects.update(base_url="http://127.0.0.1:9", secrets_origin="http://127.0.0.1:9")
    page = cast["admin"].post("/s/shop/settings/connection-test/", follow=True)
    assert "No server answered there. Check the region, the base URL" in text_of(page)
    assert kept(cast).check_verdict == "unreachable"
    assert AuditEvent.objects.get(act="service.tested").details == {"verdict": "unreachable"}
