"""From an empty installation to a connected service, and what the settings page keeps to itself."""

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from portal import first_run
from portal.models import FirstRunCode, Membership, User
from sms.models import AuditEvent, Send, Service
from tests.support.people import signed_in
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def connection_form(**changes) -> dict[str, object]:
    from sms.models import Region

    fields = {
        "name": "Parcel Post",
        "region": Region.objects.get(key="uk").pk,
        "base_url": "",
        "auth_kind": "key",
        "api_key": "live-key-1",
        "rate": "100",
        "text_limit": "1024",
        "default_country": "gb",
        "time_zone": "Europe/London",
        "receipt_algorithm": "sha256",
    }
    return fields | changes


def claim(**changes) -> dict[str, str]:
    """What the first admin types, with the code of a start."""
    typed = {"email": "a@example.test", "password": PASSWORD, "again": PASSWORD}
    return {"code": first_run.issue()} | typed | changes


def test_an_empty_installation_leads_to_its_first_admin_and_on_to_a_service():
    client = Client()
    assert client.get("/").url == "/setup/"
    response = client.post("/setup/", claim(email="Ada@Example.test"))
    assert response.url == "/services/new/"
    assert User.objects.get().is_superuser
    response = client.post("/services/new/", connection_form())
    assert response.url == "/s/parcel-post/settings/going-live/"
    service = Service.objects.get()
    assert (service.api_key, service.default_country, service.connected) == ("live-key-1", "GB", True)
    assert Membership.objects.get().role == "admin"
    page = client.get(response.url).content.decode()
    assert f"/receipts/{service.receipt_token}/" in page
    assert "live-key-1" not in page, "a stored key is never shown"
    assert {event.act for event in AuditEvent.objects.all()} >= {"user.first_admin", "service.connected"}


def test_the_first_run_page_is_gone_once_there_is_anybody():
    User.objects.create_user("a@example.test", PASSWORD)
    assert Client().get("/setup/").status_code == 404
    assert Client().post("/setup/", claim(email="b@example.test")).status_code == 404
    assert Client().get("/").url.startswith("/accounts/login/")


def test_only_the_latest_code_counts_and_only_once():
    before, code = claim(), claim()
    assert "code" in Client().post("/setup/", before).context["form"].errors
    assert Client().post("/setup/", code).status_code == 302
    assert first_run.issue() == "", "there is an admin"


def test_each_start_prints_a_code_until_somebody_is_there():
    said = io.StringIO()
    call_command("prepare", stdout=said)
    (code,) = re.findall(r"/setup/ with the code (\S+)", said.getvalue())
    typed = {"email": "a@example.test", "password": PASSWORD, "again": PASSWORD}
    assert Client().post("/setup/", typed | {"code": code}).status_code == 302
    said = io.StringIO()
    call_command("prepare", stdout=said)
    assert said.getvalue() == ""


def test_without_a_start_that_printed_a_code_no_one_gets_in():
    assert "code" in Client().post("/setup/", claim() | {"code": "x"}).context["form"].errors
    FirstRunCode.objects.all().delete()
    assert "code" in Client().post("/setup/", claim() | {"code": ""}).context["form"].errors
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_six_who_claim_an_installation_at_once_make_one_admin():
    typed = claim()
    together = threading.Barrier(6)

    def race(who: int) -> int:
        client = Client()
        client.get("/setup/")
        together.wait()
        try:
            return client.post("/setup/", typed | {"email": f"racer-{who}@example.test"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(race, range(6)))
    assert answers == [302, 404, 404, 404, 404, 404]
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "short"}, "password"),
        ({"again": "another one entirely"}, "again"),
        ({"email": "nobody"}, "email"),
        ({"code": ""}, "code"),
        ({"code": "a-guess"}, "code"),
    ],
)
def test_a_wrong_first_run_form_makes_no_account(changes, field):
    response = Client().post("/setup/", claim(**changes))
    assert field in response.context["form"].errors
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"api_key": ""}, "api_key"),
        ({"auth_kind": "jwt", "api_key": ""}, "jwt_secret"),
        ({"base_url": "http://example.com"}, "base_url"),
        ({"base_url": "ftp://example.com"}, "base_url"),
        ({"base_url": "http://127.0.0.1.evil.example"}, "base_url"),
        ({"base_url": "http://localhost@evil.example"}, "base_url"),
        ({"default_country": "XX"}, "default_country"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"rate": "0"}, "rate"),
        ({"text_limit": "5000"}, "text_limit"),
    ],
)
def test_a_connection_that_cannot_work_is_refused_at_its_field(changes, field):
    client = Client()
    client.force_login(User.objects.create_superuser("a@example.test", PASSWORD))
    response = client.post("/services/new/", connection_form(**changes))
    assert field in response.context["form"].errors
    assert not Service.objects.exists()


def test_secrets_are_encrypted_at_rest_and_an_empty_field_keeps_them():
    service = a_service(receipt_secret="hub-one")
    client = signed_in("admin@example.test", service, "admin")
    changes = connection_form(name="Shop", api_key="", receipt_secret="hub-two")
    assert client.post("/s/shop/settings/", changes).status_code == 302
    service.refresh_from_db()
    assert (service.api_key, service.receipt_secret, service.receipt_secret_before) == (
        "a-key",
        "hub-two",
        "hub-one",
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key, receipt_secret FROM sms_service")
        stored = " ".join(cursor.fetchone())
    assert "a-key" not in stored
    assert "hub-two" not in stored


def test_a_stored_key_never_goes_to_a_new_address():
    service = a_service()
    client = signed_in("admin@example.test", service, "admin")
    changes = connection_form(name="Shop", api_key="", base_url="https://elsewhere.example")
    assert "api_key" in client.post("/s/shop/settings/", changes).context["form"].errors
    service.refresh_from_db()
    assert service.base_url == ""


def test_a_test_message_is_an_ordinary_send():
    service = a_service()
    client = signed_in("admin@example.test", service, "admin")
    response = client.post("/s/shop/settings/test/", {"sender": "SHOP", "number": "07700 900001"})
    send = Send.objects.get()
    assert response.url == f"/s/shop/sends/{send.pk}/"
    assert send.messages.get().msisdn == "+447700900001"
    wrong = client.post("/s/shop/settings/test/", {"sender": "SHOP", "number": "nobody"})
    assert wrong.status_code == 422
    assert "number" in wrong.context["test_form"].errors


def test_a_paused_service_says_so_and_can_be_resumed():
    from django.utils import timezone

    service = a_service(
        paused_at=timezone.now(), paused_because="Webex Connect refused our credentials (401)."
    )
    client = signed_in("admin@example.test", service, "admin")
    assert "refused our credentials" in client.get("/s/shop/").content.decode()
    client.post("/s/shop/settings/resume/")
    service.refresh_from_db()
    assert service.paused_at is None
