"""Spend caps where a stolen key or a mistake would come in: floods by each door end at the cap, and what is left can be read."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sms.api import authentication
from sms.catalogue.caps import notices
from sms.models import AuditEvent, CapNotice, Draft, Message, MessageState, Service, SpendCount
from tests.support.drop_in import body, post
from tests.support.jobs import run_job
from tests.support.pages import ADD_SEND, add_send
from tests.support.partners import Partner, a_key, a_partner_service
from tests.support.people import signed_in
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return a_partner_service(cap_key=5, cap_number=3, cap_country=2)


def sendable() -> int:
    return Message.objects.exclude(state=MessageState.FAILED).count()


def test_a_stolen_key_ends_at_its_cap_by_every_address_together(service):
    token = a_key(service)
    answers = [post(token, body(f"4477009001{at:02d}")).status_code for at in range(4)]
    partner = Partner(token)
    for at in range(4, 8):
        given = {"text": "Hi", "recipients": [f"+4477009001{at:02d}"]}
        answers.append(partner.post("sends", given, Idempotency_Key=f"flood-{at}").status_code)
    assert answers == [201] * 5 + [429] * 3
    assert post(token, body("447700900199")).status_code == 429
    assert sendable() == 5
    assert post(a_key(service, name="Till"), body("447700900199")).status_code == 201


def test_one_request_of_many_is_refused_whole(service):
    many = [{"msisdn": [f"4477009001{at:02d}" for at in range(6)]}]
    assert post(a_key(service), body(to=many)).status_code == 429
    assert not Message.objects.exists()


def test_one_number_again_and_again_is_answered_and_not_written_to(service):
    Service.objects.update(cap_key=None)
    token = a_key(service)
    for _ in range(6):
        assert post(token, body("447700900101")).status_code == 201
    assert sendable() == 3
    assert set(Message.objects.filter(state=MessageState.FAILED).values_list("code", flat=True)) == {"9006"}
    (same,) = [{"msisdn": ["447700900102"] * 5}]
    assert post(token, body(to=[same])).status_code == 201
    assert sendable() == 6


def test_numbers_abroad_end_at_the_cap_of_their_country(service):
    token = a_key(service)
    answers = [post(token, body(f"3361234567{at}")).status_code for at in range(4)]
    assert answers == [201, 201, 429, 429]


def test_pages_commands_and_tests_take_from_the_same_day(service, tmp_path):
    file = tmp_path / "people.csv"
    Service.objects.update(cap_day=2)
    composer = signed_in("composer@example.test", service, "composer")
    file.write_text("mobile\n+447700900101\n+447700900102\n")
    given = {"service": "shop", "sender": "SHOP", "text": "Hi", "audience": file}
    call_command("send", **given)
    file.write_text("mobile\n+447700900103\n")
    with pytest.raises(CommandError, match="is 2 segments a day"):
        call_command("send", **given)
    fields = {"sender": service.senders.get().pk, "text": "Hi", "when": "now", "review": "1"}
    page = composer.post("/s/shop/compose/", fields | {"pasted": "+447700900103", "country": "GB"})
    assert page.status_code == 422 and "is 2 segments a day" in page.content.decode()
    admin = signed_in("admin@example.test", service, "admin")
    page = admin.post("/s/shop/settings/test/", {"sender": "SHOP", "number": "+447700900103"})
    assert "is 2 segments a day" in page.content.decode()
    assert sendable() == 2


OLDER = {
    "/v1/sms/messages": {"from": "SHOP", "content": "Hello"},
    "/resources/v1/messaging": {
        "deliverychannel": "sms",
        "channels": {"sms": {"senderid": "SHOP", "text": "Hello"}},
    },
}


@pytest.mark.parametrize("path", OLDER)
def test_the_older_apis_refuse_over_a_cap_in_their_own_words(service, path):
    token, client = a_key(service), Client()

    def ask(number: str) -> Any:
        to = number if path == "/v1/sms/messages" else [{"msisdn": [number]}]
        given = OLDER[path] | ({"to": to} if isinstance(to, str) else {"destination": to})
        return client.post(path, given, content_type="application/json", headers={"key": token})

    for at in range(6):
        answer = ask(f"4477009001{at:02d}")
    assert sendable() == 5, answer.content
    assert "is 5 segments a day" in answer.content.decode()


def test_a_send_that_is_added_in_the_admin_ends_at_the_cap(service):
    Service.objects.update(cap_day=1)
    admin = signed_in("admin@example.test", service, "admin", is_staff=True)
    fields = {"service": service.pk, "sender": service.senders.get().pk, "text": "Hello"}
    typed = fields | {"recipients_text": "07700 900123\n07700 900124", "send_at_0": "", "send_at_1": ""}
    page = admin.post(ADD_SEND, typed)
    assert page.status_code == 200 and "is 1 segment a day" in page.text
    assert not Message.objects.exists()
    assert add_send(admin, typed | {"recipients_text": "07700 900123"}).status_code == 302
    assert Message.objects.count() == 1


def test_a_test_of_a_draft_takes_from_the_day_and_from_its_number(service):
    composer = signed_in("composer@example.test", service, "composer", own_number="+447700900111")
    draft = Draft.objects.create(
        service=service, text="Hello", sender=service.senders.get(), pasted="07700900001", country="GB"
    )
    url = f"/s/shop/drafts/{draft.pk}/test/"
    answers = [composer.post(url, {"to": "own", "row": ""}) for _ in range(4)]
    assert [one.status_code for one in answers] == [302] * 3 + [422] and sendable() == 3
    Service.objects.update(cap_day=3, cap_number=None)
    page = composer.post(url, {"to": "own", "row": ""})
    assert page.status_code == 422 and "is 3 segments a day" in page.text


def test_the_plan_says_before_the_button_that_a_cap_comes_near(service):
    Service.objects.update(cap_day=10)
    partner = Partner(a_key(service))
    given = {"text": "Hi"}
    numbers = [f"+4477009001{at:02d}" for at in range(5)]
    plan = partner.post("sends/plan", given | {"recipients": numbers}).json()
    (said,) = [one["detail"] for one in plan["cautions"] if one["code"] == "spend_cap"]
    assert "100 % of the spend cap of the API key Shop" in said
    plan = partner.post("sends/plan", given | {"recipients": numbers[:1]}).json()
    assert "spend_cap" not in {one["code"] for one in plan["cautions"]}


def test_a_key_reads_what_is_left(service):
    partner = Partner(a_key(service, scopes=["send"]))
    post(partner.token, body("447700900101"))
    shown = partner.get("caps").json()
    assert (shown["per_number"], shown["countries"]) == (3, [])
    (own,) = [one for one in shown["caps"] if one["name"].startswith("key:")]
    assert (own["unit"], own["limit"], own["used"], own["left"]) == ("segments", 5, 1, 4)
    assert Partner(a_key(service, name="Reader", scopes=["read"])).get("caps").status_code == 403


def test_a_cap_of_a_key_is_typed_with_its_policies(service):
    admin = signed_in("admin@example.test", service, "admin")
    token = a_key(service)
    key = service.api_keys.get()
    admin.post(f"/s/shop/api-keys/{key.pk}/", {"purpose": "marketing", "resend": "evidence", "cap_day": "1"})
    key.refresh_from_db()
    assert key.cap_day == 1
    assert [post(token, body(f"44770090010{at}")).status_code for at in range(2)] == [201, 429]


def test_admins_raise_caps_on_a_page_and_the_audit_says_what_was_raised(service):
    admin = signed_in("admin@example.test", service, "admin")
    page = admin.get("/s/shop/settings/caps/")
    assert page.status_code == 200
    given = {"cap_day": "100", "cap_key": "9", "cap_country": "", "cap_number": "2", "countries": "gb fr 7"}
    assert admin.post("/s/shop/settings/caps/", given).status_code == 302
    service.refresh_from_db()
    assert (service.cap_day, service.cap_key, service.cap_country, service.countries) == (
        100,
        9,
        None,
        "GB, FR 7",
    )
    row = AuditEvent.objects.get(act="service.caps_changed")
    assert set(row.details["raised"]) == {"cap_key", "cap_country", "countries"}
    bad = admin.post("/s/shop/settings/caps/", given | {"countries": "GB 5 6"})
    assert bad.status_code == 422 and "does not stand behind a country" in bad.content.decode()
    bad = admin.post("/s/shop/settings/caps/", given | {"cap_money": "5"})
    assert "needs its currency" in bad.content.decode()
    composer = signed_in("composer@example.test", service, "composer")
    assert composer.post("/s/shop/settings/caps/", given).status_code == 403


def test_near_and_reached_are_told_once_a_day_on_home_by_mail_and_in_the_audit(service):
    Service.objects.update(cap_day=10, cap_key=None)
    service.refresh_from_db()
    admin = signed_in("admin@example.test", service, "admin")
    a_send(service, 8)
    assert [notices.tell(), notices.tell()] == [1, 0]
    assert "comes near" in admin.get("/s/shop/").content.decode()
    a_send(service, 2)
    assert [notices.tell(), notices.tell()] == [1, 0]
    assert "is reached" in admin.get("/s/shop/").content.decode()
    run_job("notice mails")
    (told,) = mail.outbox
    assert told.to == ["admin@example.test"] and told.subject == "Textdesk sandbox: 2 notices"
    assert "comes near" in told.body and "is reached" in told.body
    acts = AuditEvent.objects.filter(act__startswith="service.cap_").values_list("act", flat=True)
    assert sorted(acts) == ["service.cap_near", "service.cap_reached"]


def test_old_counters_go(service):
    a_send(service, 2)
    later = timezone.now() + timedelta(days=4)
    assert notices.forget() == 0
    assert notices.forget(now=later) == 3 and not SpendCount.objects.exists()
    notices.forget(now=timezone.now() + timedelta(days=60))
    assert not CapNotice.objects.exists()


def test_a_message_costs_two_queries(service):
    token = a_key(service)
    post(token, body("447700900101"))
    authentication._known.clear()
    with CaptureQueriesContext(connection) as queries:
        assert post(token, body("447700900102")).status_code == 201
    assert sum("sms_spendcount" in one["sql"] for one in queries) == 2
