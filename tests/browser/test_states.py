"""Every state of the pages around a send, and of reports and personal data: accessible, and no sideways scroll, in both looks.

The states are made in the database, once, and each page is opened once. `SCREENSHOTS=folder` keeps a picture of each in each look.
"""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import User
from sms.catalogue import api_keys
from sms.compliance import erasure
from sms.compose import drafts
from sms.inbound.receipts import receipt_addresses, rotate
from sms.models import (
    Draft,
    Preparation,
    Price,
    Purpose,
    ReportSchedule,
    Send,
    SendState,
    Service,
    ShortLinkDomain,
    Upload,
)
from sms.reports import facts
from sms.webex import signature
from tests.browser.accessibility import problems
from tests.browser.large_drafts import LIMITS, a_large_draft, checked
from tests.browser.signed_in import a_request_with_changes, sign_in
from tests.support.jobs import run_job
from tests.support.partners import Partner
from tests.support.past_sends import a_past_send
from tests.support.receipts import receipt
from tests.support.sends import BY, a_send, numbers

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # what a page looks like does not depend on the database
]


def drafts_in_every_state(service: Service) -> Iterator[tuple[str, str]]:
    """Names of states and addresses of pages."""
    reading = a_large_draft(service, "Reading")
    yield "reading", f"drafts/{reading.pk}/review/"
    yield "compose, reading", f"drafts/{reading.pk}/"
    stopped = a_large_draft(service, "Stopped")
    drafts.stop_preparing(stopped)
    yield "reading stopped", f"drafts/{stopped.pk}/review/"
    failed = a_large_draft(service, "Failed")
    trouble = "people.csv is a PDF, no table. Save it as CSV or XLSX and choose that."
    work = Preparation.objects.filter(pk=failed.version.preparation.pk)
    work.update(state="failed", trouble=trouble, trouble_code="not_a_spreadsheet", ended_at=timezone.now())
    yield "compose, reading failed", f"drafts/{failed.pk}/"
    counting = checked(a_large_draft(service, "Counting"), wholly=False)
    Preparation.objects.filter(draft=counting).update(rows=1_000, done=1_000, total=2_500)
    yield "checking", f"drafts/{counting.pk}/review/"
    halted = checked(a_large_draft(service, "Halted"), wholly=False)
    drafts.stop_preparing(halted)
    yield "check stopped", f"drafts/{halted.pk}/review/"
    ready = checked(a_large_draft(service, "Ready"), wholly=True)
    yield "flight plan, large", f"drafts/{ready.pk}/review/"
    yield "compose, large", f"drafts/{ready.pk}/"
    yield "test, large", f"drafts/{ready.pk}/test/"
    for name, end in (("Stale", False), ("Stale and stopped", True)):
        stale = checked(a_large_draft(service, name), wholly=True)
        Draft.objects.filter(pk=stale.pk).update(text="Hello $(Customer), it is late.")
        drafts.totals_of(Draft.objects.select_related(*drafts.RELATED).get(pk=stale.pk), limits=LIMITS)
        if end:
            drafts.stop_preparing(stale)
        yield name.lower(), f"drafts/{stale.pk}/review/"
    yield from small_drafts(service)


def small_drafts(service: Service) -> Iterator[tuple[str, str]]:
    """One row; rejects; the same file once more."""
    fields = {"service": service, "sender": service.senders.get(), "country": "GB"}
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    links = {"link_domain": domain, "tag1": "spring", "receipts": ["DELIVERED", "FAILED"], "validity": 7200}
    one = Draft.objects.create(
        text="See https://shop.example.test/a", pasted="07700 900001", **fields, **links
    )
    yield "flight plan of one row, another asked for", f"drafts/{one.pk}/review/?row=7"
    upload = Upload.keep(
        b"Mobile,Name\n07700900001,Ada\n12,Ben\n", service=service, name="again.csv", user=None
    )
    first = Draft.objects.create(text="Hi $(Name)", upload=upload, **fields)
    drafts.send_draft(first, by=BY, limits=LIMITS)
    again = Draft.objects.create(text="Hi $(Name) – once more", upload=upload, **fields)
    yield "sent before", f"drafts/{again.pk}/review/"
    yield "compose, sent before", f"drafts/{again.pk}/"
    doubtful = "07712 345678\n0151 496 0123\n0121 496 0123\n0800 123 4567\n33612345678"
    asked = Draft.objects.create(text="Hi", pasted=doubtful, **fields)
    yield "flight plan of doubtful numbers", f"drafts/{asked.pk}/review/"
    yield "compose, doubtful numbers", f"drafts/{asked.pk}/"
    empty = Draft.objects.create(service=service)
    yield "test, nothing there yet", f"drafts/{empty.pk}/test/"


def sends_in_every_state(service: Service) -> Iterator[tuple[str, str]]:
    """A large send on its way into messages, and one that failed there; requests that were answered."""
    for state, trouble in (("waiting", ""), ("failed", "The rows of this audience were erased meanwhile.")):
        send = a_send(service, audience=numbers(2, start=900), name=f"Preparing, {state}")
        Send.objects.filter(pk=send.pk).update(state=SendState.PREPARING)
        work = {"rows": 43_000, "done": 43_000, "total": 100_000, "trouble": trouble}
        Preparation.objects.create(service=service, kind="expand", send=send, state=state, **work)
        yield f"send {state}", f"sends/{send.pk}/"
    asked = a_request_with_changes(service)
    yield "approvals", "approvals/"
    yield "approval with changes", f"approvals/{asked.pk}/"
    yield "approval that was taken back", f"approvals/{asked.previous_id}/"


def personal_data(service: Service) -> Iterator[tuple[str, str]]:
    """A number that is erased, with its certificate, and one that waits for a message of its own."""
    old = a_past_send(service, 2, days=40, ends=("delivered", "failed"))
    a_send(service, audience=numbers(1, start=800))
    done = erasure.ask(service, old.messages.first().msisdn, reason="Request 7", by=BY)
    waits = erasure.ask(service, "+447710000800", reason="Request 8", by=BY)
    run_job("erasures")
    yield "personal data", "settings/personal-data/"
    yield "certificate", f"settings/personal-data/{done.pk}/"
    yield "erasure that waits", f"settings/personal-data/{waits.pk}/"
    yield "number", f"messages/{old.messages.last().pk}/number/"


def refused_posts(service: Service) -> Iterator[tuple[str, str]]:
    """A secret that was proved for receipts and is on trial for SMS, with posts refused at every kind of address."""
    Service.objects.filter(pk=service.pk).update(receipt_secret="hub-secret", receipt_secret_before="earlier")
    rotate.rotate(service, by=BY)
    rotate.retire(service, by=BY)
    receipt_addresses.forget()
    for path, token, secret in (
        ("receipts", service.webhook_token, "hub-secret"),
        ("receipts", service.webhook_token, ""),
        ("inbound", service.webhook_token, ""),
        ("receipts", service.receipt_token, ""),
        ("receipts", "of-nobody", ""),
    ):
        raw = receipt(f"at {token} with {secret or 'none'}")
        headers = {"x-hub-signature": signature.sign(raw, secret=secret)} if secret else {}
        Client().post(f"/{path}/{token}/", raw, content_type="application/json", headers=headers)
    yield "home with refused posts", ""
    yield "receipts refused", "receipts/"
    yield "refused receipts are taken in", "receipts/refused/take-in/"
    yield "refused receipts are deleted", "receipts/refused/delete/"
    yield "settings with a secret", "settings/"


def reports(service: Service) -> Iterator[tuple[str, str]]:
    """Costs, labels, a schedule, and retention with something due."""
    Price.objects.create(service=service, country="GB", amount="0.031", currency="EUR")
    a_past_send(service, 3, days=1, ends=("delivered", "failed"), labels=["spring-sale"])
    a_past_send(service, 30, days=2)  # enough for percentiles
    facts.fold()
    for by in ("label", "country"):
        yield f"report by {by}", f"reports/?by={by}"
    yield "service levels", "reports/levels/"
    schedule = {"name": "Weekly", "every": "week", "query": "by=day", "recipients": ["ada@example.test"]}
    ReportSchedule.objects.create(service=service, next_at=timezone.now(), made_by="Ada", **schedule)
    yield "report schedules", "report-schedules/"
    Service.objects.filter(pk=service.pk).update(keep_bodies=10, keep_messages=30)
    yield "retention with something due", "settings/retention/"


def keys(service: Service) -> Iterator[tuple[str, str]]:
    """One of each purpose, its policies, and what approval says of it."""
    for name, purpose in (("Shop's order system", Purpose.TRANSACTIONAL), ("Newsletter", Purpose.MARKETING)):
        api_keys.make(service, name=name, scopes=["send", "read"], by=BY, purpose=purpose)
    yield "keys", "api-keys/"
    yield "policies of a key", f"api-keys/{service.api_keys.get(purpose=Purpose.TRANSACTIONAL).pk}/"
    key, token = api_keys.make(service, name="Shop", scopes=["send", "read", "catalogue"], by=BY)
    yield "a key that was refused nothing", f"api-keys/{key.pk}/refused/"
    partner = Partner(token)
    asked = {
        "text": "Hi",
        "strict": True,
        "recipients": ["+447700900101", "12", "07700 900 1", "+447700900101"],
    }
    partner.post("sends", asked, Idempotency_Key="1")
    partner.post("sends", {"text": "Hi", "sender": "SHOPPING", "recipients": ["12"]}, Idempotency_Key="2")
    partner.get("sends?state=done&limit=20")
    partner.get("nothing/here")
    yield "refused requests of a key", f"api-keys/{key.pk}/refused/"
    yield "a refused request that is not there", f"api-keys/{key.pk}/refused/?request_id=req_x&status=x"
    yield "approval with transactional keys", "settings/approval/"
    yield "limits", "settings/limits/"


def test_the_states_of_api_keys_are_accessible_and_fit(page, live_server, shop):
    sign_in(page, live_server)
    found = []
    for state, address in keys(shop):
        page.goto(f"{live_server.url}/s/shop/{address}")
        found += problems(page, state)
    for address in ("problems", "problems/opted_out", "problems/invalid"):
        page.goto(f"{live_server.url}/api/{address}")
        found += problems(page, address.replace("/", " of "))
    assert not found, "\n".join(found)


def test_every_state_is_accessible_and_fits(page, live_server, shop, state_folder, settings):
    settings.VAR_DIR = state_folder
    User.objects.filter(email="ada@example.test").update(first_name="Ada")
    # what is erased waits for nothing that is made later
    made = [*personal_data(shop), *drafts_in_every_state(shop), *sends_in_every_state(shop)]
    made += [*reports(shop), *refused_posts(shop)]
    sign_in(page, live_server)
    found = []
    for state, address in made:
        page.goto(f"{live_server.url}/s/shop/{address}")
        found += problems(page, state)
        if state == "number":
            page.get_by_label("Reason").fill("Request 9")
            with page.expect_navigation():
                page.get_by_role("button", name="Show the number").click()
            found += problems(page, "number shown")
    assert not found, "\n".join(found)
