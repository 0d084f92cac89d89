"""The going-live page: each step is ticked when its check passed and not before, and unticked when what it was checked for changed."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from portal.going_live.checks import CHECKS
from portal.going_live.progress import progress_of
from portal.going_live.steps import STEPS
from portal.models import User
from sms import callbacks
from sms.catalogue import api_keys
from sms.catalogue.tenant_probe import DOUBTS
from sms.inbound import receipts
from sms.inbound.receipts import rotate
from sms.models import (
    AuditEvent,
    ContactPolicyGroup,
    DomainState,
    GoingLiveStep,
    InboundMessage,
    ProbeFinding,
    ProbePost,
    ProbeReceipt,
    ProbeStep,
    Receipt,
    RefusedPost,
    Region,
    Sender,
    Service,
    ShortLinkDomain,
    TenantProbe,
)
from sms.values import correlation_id
from tests.support.pages import text_of
from tests.support.people import a_person, signed_in
from tests.support.provider import Provider
from tests.support.receipts import posted_message, receipt
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db
PAGE = "/s/shop/settings/going-live/"


@pytest.fixture
def service(settings) -> Service:
    settings.PUBLIC_URL = "https://desk.example.test"
    return a_service()


@pytest.fixture
def ada(service) -> Client:
    return signed_in("ada@example.test", service, "admin")


def state_of(step: str) -> str:
    """As the page says it."""
    one = next(one for one in progress_of(Service.objects.get(slug="shop")).steps if one.step.key == step)
    return "done" if one.done else str(one.finding.outcome)


def tested(**changes) -> None:
    Service.objects.update(**{"check_verdict": "works", "checked_at": timezone.now()} | changes)


def settings_form(service: Service, **changes):
    fields = {"name": "Shop", "region": service.region_id, "auth_kind": "key", "receipt_algorithm": "sha256"}
    return fields | changes


def test_every_step_has_its_check_and_every_check_its_step():
    assert set(STEPS) == set(CHECKS)
    for step in STEPS.values():
        assert step.title and step.do.endswith("."), step.key


def test_an_empty_service_has_nothing_ticked_but_what_is_true(service, ada):
    page = text_of(ada.get(PAGE))
    done = {one.step.key for one in progress_of(service).steps if one.done}
    assert done == {"public_address", "admin", "demo_ended", "older_keys", "sender"}
    assert "5 of 17 steps are done" in page, "there is no policy group and no domain"
    assert f"https://desk.example.test/inbound/{service.webhook_token}/" in page, "where STOP goes"


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example.test",
        "https://localhost",
        "https://10.0.0.5",
        "https://desk",
        "https://127.0.0.1:8000",
    ],
)
def test_a_public_address_that_nobody_reaches_is_no_public_address(service, settings, url):
    settings.PUBLIC_URL = url
    assert state_of("public_address") == "failed"


@pytest.mark.parametrize(
    ("verdict", "region", "credentials"),
    [
        ("", "open", "open"),
        ("works", "done", "done"),
        ("credentials", "done", "failed"),
        ("unreachable", "failed", "failed"),
        ("address", "failed", "failed"),
        ("account", "done", "failed"),
    ],
)
def test_region_and_credentials_follow_the_connection_test(service, verdict, region, credentials):
    tested(check_verdict=verdict)
    assert (state_of("region"), state_of("credentials")) == (region, credentials)


def test_a_changed_key_is_to_be_tested_again_though_it_worked_before(service, ada):
    tested()
    ada.get(PAGE)
    ada.post("/s/shop/settings/", settings_form(service, api_key="another"))
    assert (state_of("region"), state_of("credentials")) == ("open", "open")


def test_an_address_that_the_provider_does_not_document_needs_a_persons_word(service, ada):
    tested(base_url="https://gateway.example", secrets_origin="https://gateway.example")
    assert state_of("region") == "ask"
    ada.post(f"{PAGE}region/confirm/", {"reason": "ticket 7"})
    assert state_of("region") == "done"
    tested(base_url="https://other.example", secrets_origin="https://other.example")
    assert state_of("region") == "ask", "it was said of the other address"
    tested(base_url="https://api.imiconnect.eu", secrets_origin="https://api.imiconnect.eu")
    assert state_of("region") == "done"


def test_a_guessed_host_says_so_until_it_answers(service, ada):
    Service.objects.update(region=Region.objects.get(key="sg"))
    assert "That address is a guess" in text_of(ada.get(PAGE))
    tested()
    assert state_of("region") == "done"


def test_an_accepted_message_a_receipt_and_a_stop_tick_their_steps(service, ada, client):
    waiting = ("allow_list", "service_live", "firewall", "receipts", "delivered")
    assert {state_of(step) for step in waiting} == {"open"}
    send = a_send(service)
    provider = Provider()
    provider.dispatch()
    assert (state_of("allow_list"), state_of("service_live"), state_of("receipts")) == (
        "done",
        "done",
        "open",
    )
    name = correlation_id.write(message_id=send.messages.get().pk, attempt=1, key=service.correlation_key)
    client.post(f"/receipts/{service.receipt_token}/", receipt(name), content_type="application/json")
    assert (state_of("firewall"), state_of("receipts")) == ("done", "done")
    provider.dispatch()
    stop = {
        "oa": "447700900001",
        "da": "72345",
        "message": "STOP",
        "tid": "1",
        "ts": "2026-03-02T09:20:00.266Z",
    }
    assert state_of("incoming") == "ask"
    client.post(f"/inbound/{service.receipt_token}/", json.dumps(stop), content_type="application/json")
    assert state_of("incoming") == "done"
    assert client.head(f"/receipts/{service.receipt_token}/").status_code == 200
    assert state_of("webhook") == "ask", "the address in messages is no webhook"
    assert client.head(f"/receipts/{service.webhook_token}/").status_code == 200
    assert state_of("webhook") == "done"


def test_a_post_of_a_stranger_to_the_receipt_address_proves_nothing(service, client):
    client.post(f"/receipts/{service.receipt_token}/", receipt("theirs"), content_type="application/json")
    client.post(f"/inbound/{service.receipt_token}/", "{}", content_type="application/json")
    assert (state_of("receipts"), state_of("incoming")) == ("open", "ask")


def test_refused_receipts_take_the_tick_away_until_they_are_dealt_with(service, client):
    _, name = posted_message(service)
    client.post(f"/receipts/{service.receipt_token}/", receipt(name), content_type="application/json")
    assert state_of("receipts") == "done"
    client.post("/receipts/unknown/", receipt(name), content_type="application/json")
    rotate.rotate(service, by=BY)
    rotate.retire(service, by=BY)
    client.post(f"/receipts/{service.receipt_token}/", receipt(name), content_type="application/json")
    assert state_of("receipts") == "failed"
    RefusedPost.objects.all().delete()
    assert state_of("receipts") == "done"


def test_what_a_person_called_sent_is_no_acceptance(service):
    a_send(service).messages.update(state="queued")
    assert state_of("service_live") == "open"


def test_messages_of_a_tenant_probe_prove_the_same(service):
    probe = TenantProbe.objects.create(
        service=service, origin=service.secrets_origin, by="ada", started_at=timezone.now()
    )
    step = ProbeStep.objects.create(probe=probe, question="plain")
    post = ProbePost.objects.create(step=step, variant="digits", cost=1, accepted=False, at=timezone.now())
    assert (state_of("service_live"), state_of("firewall")) == ("open", "open")
    ProbePost.objects.filter(pk=post.pk).update(accepted=True)
    assert (state_of("service_live"), state_of("allow_list"), state_of("firewall")) == (
        "done",
        "done",
        "open",
    )
    ProbeReceipt.objects.create(post=post, place=0, raw="{}", at=timezone.now())
    assert (state_of("firewall"), state_of("receipts")) == ("done", "done")
    Service.objects.update(live_since=timezone.now() + timedelta(seconds=1))
    assert (state_of("service_live"), state_of("receipts")) == ("open", "open"), "of another connection"


def test_what_passed_stays_when_its_evidence_is_deleted_and_goes_with_its_address(service, ada, client):
    send = a_send(service)
    name = correlation_id.write(message_id=send.messages.get().pk, attempt=1, key=service.correlation_key)
    client.post(f"/receipts/{service.receipt_token}/", receipt(name), content_type="application/json")
    ada.get(PAGE)
    Receipt.objects.all().delete()
    assert state_of("receipts") == "done"
    kept = GoingLiveStep.objects.get(step="receipts")
    assert (kept.done_by, service.receipt_token in kept.holds_for) == ("", False)
    ada.post("/s/shop/receipts/rotate/")
    assert (state_of("receipts"), state_of("firewall")) == ("open", "done"), (
        "another address, the same firewall"
    )


def test_another_public_address_begins_the_receipts_anew(service, ada, client, settings):
    send = a_send(service)
    name = correlation_id.write(message_id=send.messages.get().pk, attempt=1, key=service.correlation_key)
    client.post(f"/receipts/{service.receipt_token}/", receipt(name), content_type="application/json")
    ada.get(PAGE)
    Receipt.objects.all().delete()
    settings.PUBLIC_URL = "https://new.example.test"
    assert (state_of("receipts"), state_of("firewall")) == ("open", "open")


def test_what_the_sandbox_proved_counts_no_more_when_the_service_is_live(service, ada, client):
    sandbox = "http://127.0.0.1:9"
    Service.objects.update(base_url=sandbox, secrets_origin=sandbox, live_since=None)
    found = Service.objects.get(slug="shop")
    send = a_send(found)
    Provider().dispatch()
    name = correlation_id.write(message_id=send.messages.get().pk, attempt=1, key=found.correlation_key)
    client.post(f"/receipts/{found.receipt_token}/", receipt(name), content_type="application/json")
    client.head(f"/receipts/{found.webhook_token}/")
    page = text_of(ada.get(PAGE))
    assert "speaks to the sandbox" in page and state_of("receipts") == "done"
    assert (state_of("region"), state_of("demo_ended")) == ("failed", "open")
    ada.post("/s/shop/settings/", settings_form(service, base_url="", api_key="live"))
    for step in ("receipts", "firewall", "service_live", "allow_list", "webhook"):
        assert state_of(step) != "done", step


def test_domains_follow_their_check(service):
    assert state_of("cname") == "not_needed" and state_of("links_enabled") == "not_needed"
    domain = ShortLinkDomain.objects.create(service=service, host="go.shop.example", region=service.region)
    assert (state_of("cname"), state_of("certificate"), state_of("links_enabled")) == ("open", "open", "ask")
    for state, cname, certificate in (
        (DomainState.NOT_SET_UP, "failed", "failed"),
        (DomainState.PENDING, "done", "failed"),
        (DomainState.HEALTHY, "done", "done"),
        (DomainState.BROKEN, "failed", "failed"),
    ):
        ShortLinkDomain.objects.update(state=state, checked_at=timezone.now())
        assert (state_of("cname"), state_of("certificate")) == (cname, certificate), state
    domain.delete()


def test_a_person_confirms_what_textdesk_cannot_see_by_name_and_takes_it_back(service, ada):
    ContactPolicyGroup.objects.create(service=service, name="g", group_id="g", apply_frequency_cap=True)
    page = text_of(ada.get(f"{PAGE}policy_enabled/confirm/"))
    assert "You state: “Support said that Contact Policy is enabled for our tenant.”" in page
    ada.post(f"{PAGE}policy_enabled/confirm/", {"reason": "Case 4711"})
    assert state_of("policy_enabled") == "done"
    assert "Confirmed by ada@example.test" in text_of(ada.get(PAGE))
    row = AuditEvent.objects.get(act="service.step_confirmed")
    assert (row.actor_label, row.details["step"]) == ("ada@example.test", "policy_enabled")
    ada.post(f"{PAGE}policy_enabled/take-back/")
    assert state_of("policy_enabled") == "ask"
    assert AuditEvent.objects.filter(act="service.step_taken_back").count() == 1


@pytest.mark.parametrize(
    "step", ["credentials", "receipts", "delivered", "sender", "policy_enabled", "region"]
)
def test_no_word_of_a_person_replaces_a_check(service, ada, step):
    service.senders.all().delete()
    before = state_of(step)
    ada.post(f"{PAGE}{step}/confirm/", {"reason": "trust me"})
    assert state_of(step) == before != "done"
    assert not AuditEvent.objects.filter(act="service.step_confirmed").exists()


def test_a_check_that_passed_keeps_its_first_time(service, ada):
    ada.get(PAGE)
    GoingLiveStep.objects.update(done_at=timezone.now() - timedelta(days=3))
    one = next(one for one in progress_of(service).steps if one.step.key == "admin")
    assert one.at is not None and one.at < timezone.now() - timedelta(days=2)


def test_an_unknown_step_is_no_page(service, ada):
    assert ada.get(f"{PAGE}nothing/confirm/").status_code == 404
    assert ada.post(f"{PAGE}nothing/take-back/").status_code == 404


def test_the_record_says_when_and_by_what_and_holds_no_secret(service, ada):
    tested()
    ada.post(f"{PAGE}backup/confirm/", {"reason": "restored on a spare machine"})
    auditor = signed_in("audit@example.test", service, "auditor")
    answer = auditor.get(f"{PAGE}record/")
    page = text_of(answer)
    assert (
        "Stated by ada@example.test: “A backup" in page and "Checked by Textdesk: The Service key was" in page
    )
    assert "restored on a spare machine" in page and "https://api.uk.webexconnect.io" in page
    assert service.receipt_token not in answer.content.decode()
    assert auditor.get(PAGE).status_code == 403
    assert signed_in("c@example.test", service, "composer").get(f"{PAGE}record/").status_code == 403


def test_the_demo_ends_once_more_where_someone_let_it_in_again(settings):
    from portal.demo.loading import load

    demo = load("http://127.0.0.1:8001", "sandbox-key", password="demo-password-1")
    assert demo is not None
    ada = signed_in("ada@example.test", demo, "admin")
    here = "/s/demo/settings/"
    ada.post(
        here,
        {
            "name": "Demo",
            "region": demo.region_id,
            "auth_kind": "key",
            "receipt_algorithm": "sha256",
            "api_key": "k",
        },
    )
    User.objects.filter(email="admin@demo.test").update(is_active=True)
    Sender.objects.filter(address="TEXTDESK").update(active=True)
    page = text_of(ada.get(f"{here}going-live/"))
    assert (
        "Demo people can sign in and entries of the demo are in the catalogue." in page
        and "End the demo" in page
    )
    ada.post(f"{here}going-live/end-the-demo/")
    assert "End the demo" not in text_of(ada.get(f"{here}going-live/"))
    assert not User.objects.filter(email="admin@demo.test", is_active=True).exists()
    assert AuditEvent.objects.filter(act="service.demo_ended").count() == 1


def test_the_card_goes_when_everything_is_done(service, ada, client):
    a_person("bob@example.test", service, "approver")
    tested()
    send = a_send(service)
    Provider().dispatch()
    name = correlation_id.write(message_id=send.messages.get().pk, attempt=1, key=service.correlation_key)
    delivered = receipt(name, code="7500", status="Delivered")
    client.post(f"/receipts/{service.receipt_token}/", delivered, content_type="application/json")
    receipts.fold()
    for step in ("backup", "probe", "webhook", "incoming", "team"):
        ada.post(f"{PAGE}{step}/confirm/", {"reason": ""})
    left = [one.step.key for one in progress_of(Service.objects.get()).steps if one.needed and not one.done]
    assert left == []
    assert "steps done" not in text_of(ada.get("/s/shop/"))


def test_incoming_messages_that_cannot_be_read_are_no_proof(service):
    InboundMessage.objects.create(
        service=service, dedupe=b"1" * 16, raw=b"{}", why="unreadable", received_at=timezone.now()
    )
    assert state_of("incoming") == "ask"


def test_keys_and_callbacks_of_the_time_before_are_looked_at(service, ada):
    assert state_of("older_keys") == "done"
    Service.objects.update(
        base_url="http://127.0.0.1:9", secrets_origin="http://127.0.0.1:9", live_since=None
    )
    api_keys.make(service, by=BY, name="shop", scopes=["send"])
    a_callback = {"name": "Orders", "url": "https://partner.example/in", "by": BY}
    callbacks.add(service, **a_callback, policy=callbacks.AddressPolicy())
    ada.post("/s/shop/settings/", settings_form(service, base_url="", api_key="live"))
    assert "1 key and 1 callback to look at." in text_of(ada.get(PAGE))
    ada.post(f"{PAGE}older_keys/confirm/", {"reason": ""})
    assert state_of("older_keys") == "done"


def test_the_probe_is_done_when_every_doubt_is_proved_or_a_person_leaves_it_so(service, ada):
    ada.get(PAGE)
    asked = TenantProbe.objects.create(
        service=service, origin=service.secrets_origin, by="ada", started_at=timezone.now()
    )
    step = ProbeStep.objects.create(probe=asked, question="plain")
    assert state_of("probe") == "ask"
    for doubt in DOUBTS:
        found = {"service": service, "step": step, "doubt": doubt, "value": "yes", "by": "ada"}
        ProbeFinding.objects.create(**found, origin=service.secrets_origin, at=timezone.now())
    assert state_of("probe") == "done"
    Service.objects.update(answers_since=timezone.now())
    assert state_of("probe") == "ask", "the credentials are others"
    ada.post(f"{PAGE}probe/confirm/", {"reason": ""})
    assert state_of("probe") == "done"
