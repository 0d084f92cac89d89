"""Policies of API keys: changed by admins only, from the next request on, and always with a line in the audit."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from sms.catalogue import api_keys, key_policies
from sms.dispatch.claim import RESEND_AFTER
from sms.models import ApiKey, AuditEvent, Purpose, Resend, Send
from tests.support.drop_in import body, post
from tests.support.partners import a_key, a_partner_service
from tests.support.people import a_cast
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
POLICIES = {"purpose": "transactional", "resend": "never", "needs_notify_url": True}


def page_of(cast, url: str) -> str:
    return " ".join(cast["admin"].get(url).content.decode().split())


def changes() -> list[dict]:
    return [event.details for event in AuditEvent.objects.filter(act="api_key.changed").order_by("pk")]


def test_a_new_key_is_careful():
    a_key(a_partner_service())
    key = ApiKey.objects.get()
    assert (key.purpose, key.resend, key.needs_notify_url, key.takes_jwt) == (
        "marketing",
        "evidence",
        False,
        False,
    )
    made = AuditEvent.objects.get(act="api_key.added").details
    assert (made["purpose"], made["resend"]) == ("marketing", "evidence")


def test_a_message_is_short_lived_if_evidence_would_come_too_late_for_it():
    assert RESEND_AFTER[Resend.EVIDENCE] == key_policies.SHORT_LIVED


def test_a_change_holds_with_the_next_request_and_says_what_was_before():
    token = a_key(a_partner_service())
    assert post(token, body()).status_code == 201
    key = ApiKey.objects.get()
    assert api_keys.change(key, by=BY, **POLICIES) == list(POLICIES)
    assert api_keys.change(key, by=BY, **POLICIES) == []
    assert post(token, body(notifyUrl="https://10.0.0.1/")).status_code == 400
    assert post(token, body()).status_code == 201
    assert list(Send.objects.order_by("pk").values_list("resend", flat=True)) == ["evidence", "never"]
    (details,) = changes()
    assert (details["fields"], details["after"]) == (list(POLICIES), POLICIES)
    assert details["before"] == {"purpose": "marketing", "resend": "evidence", "needs_notify_url": False}
    event = AuditEvent.objects.get(act="api_key.changed")
    assert (event.noun_key, event.actor_label, details["name"]) == (key.prefix, BY.label, "Shop")


def test_a_revoked_key_and_a_policy_that_there_is_not_are_refused():
    a_key(a_partner_service())
    key = ApiKey.objects.get()
    with pytest.raises(ValidationError):
        api_keys.change(key, by=BY, purpose="fun")
    api_keys.revoke(key, by=BY)
    with pytest.raises(ValidationError, match="revoked"):
        api_keys.change(key, by=BY, purpose=Purpose.TRANSACTIONAL)
    assert changes() == []


def test_admins_change_policies_on_the_keys_page_and_nobody_else_does():
    cast = a_cast()
    a_key(cast.service)
    key = ApiKey.objects.get()
    url = f"/s/shop/api-keys/{key.pk}/"
    assert "Transactional: codes" in page_of(cast, url)
    for role in ("composer", "approver", "auditor"):
        assert cast[role].post(url, POLICIES).status_code == 403
    assert cast["admin"].post(url, {"purpose": "fun", "resend": "never"}).status_code == 422
    assert cast["admin"].post(url, POLICIES | {"needs_notify_url": "on"}).status_code == 302
    key.refresh_from_db()
    assert (key.purpose, key.resend, key.needs_notify_url) == ("transactional", "never", True)
    assert "transactional" in page_of(cast, "/s/shop/api-keys/")
    said = cast["admin"].post(url, {"purpose": "transactional", "resend": "never", "takes_jwt": "on"})
    assert said.status_code == 422 and "no service ID and secret" in said.content.decode()
    assert len(changes()) == 1


def test_the_approval_page_names_the_keys_that_need_less_of_it():
    cast = a_cast()
    assert "transactional" not in page_of(cast, "/s/shop/settings/approval/")
    a_key(cast.service, name="Codes", purpose=Purpose.TRANSACTIONAL)
    page = page_of(cast, "/s/shop/settings/approval/")
    assert "Codes" in page and "100 recipients" in page
    ApiKey.objects.update(purpose=Purpose.MARKETING)
    assert "Codes" not in page_of(cast, "/s/shop/settings/approval/")


def test_the_admin_site_changes_policies_and_neither_makes_nor_shows_a_key():
    cast = a_cast()
    token = a_key(cast.service)
    key = ApiKey.objects.get()
    url = f"/admin/sms/apikey/{key.pk}/change/"
    page = page_of(cast, url)
    assert key.prefix in page and key.digest not in page and token not in page
    assert cast["admin"].get("/admin/sms/apikey/add/").status_code == 403
    assert cast["admin"].post(url, POLICIES | {"needs_notify_url": "on"}).status_code == 302
    key.refresh_from_db()
    assert key.purpose == "transactional"
    assert changes()[0]["fields"]
    wrong = cast["admin"].post(url, {"purpose": "transactional", "resend": "never", "takes_jwt": "on"})
    assert wrong.status_code == 200 and "no service ID and secret" in wrong.content.decode()
    api_keys.revoke(key, by=BY)
    assert cast["admin"].post(url, {"purpose": "marketing", "resend": "never"}).status_code == 403


def test_the_command_makes_a_key_with_policies_and_changes_them(capsys):
    service = a_partner_service(jwt_service_id="SVC", jwt_secret="c2VjcmV0")
    call_command(
        "api_key",
        "--service",
        service.slug,
        "--name",
        "Codes",
        "--scopes",
        "send",
        "--purpose",
        "transactional",
    )
    key = ApiKey.objects.get()
    assert key.purpose == "transactional" and capsys.readouterr().out.startswith(key.prefix)
    change = ("api_key", "--service", service.slug, "--change", key.prefix)
    call_command(*change, "--resend", "always", "--takes-jwt")
    key.refresh_from_db()
    assert (key.purpose, key.resend, key.takes_jwt) == ("transactional", "always", True)
    call_command(*change, "--no-takes-jwt")
    assert "takes_jwt changed" in capsys.readouterr().out
    for wrong, says in (
        (change, "Say what to change"),
        (("api_key", "--service", service.slug, "--change", "td_x", "--resend", "never"), "has no key"),
        (("api_key", "--service", service.slug, "--name", "x"), "--scopes"),
    ):
        with pytest.raises(CommandError, match=says):
            call_command(*wrong)
