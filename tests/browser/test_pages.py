"""The main job in Chromium, and every page of it in light and dark, wide and narrow: accessible, and no sideways scroll."""

from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from portal import people
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.catalogue.domains.verdict import CheckLevel
from sms.inbound.receipts import Incoming, receipt_addresses
from sms.inbound.receipts.fold import fold
from sms.inbound.receipts.inbox import insert
from sms.models import (
    DomainState,
    Draft,
    Hold,
    Lane,
    Send,
    Service,
    ShortLinkDomain,
)
from sms.sends import holds
from sms.sends.person.identity import key_of
from tests.browser.accessibility import problems
from tests.browser.signed_in import a_request_with_changes, sign_in
from tests.support.every_page import a_bulk_act, a_callback, a_comment, a_conversation, a_recurring
from tests.support.provider import Provider
from tests.support.receipts import receipt
from tests.support.sends import BY, a_send

pytestmark = [pytest.mark.django_db(transaction=True)]
NOUNS = ("senders", "templates", "policy-groups", "smartlinks", "domains")


def a_history(service) -> Send:
    """A send with a delivered, a failed and a waiting message, and a rejected row."""
    from sms.values import correlation_id

    send = a_send(service, 3)
    Provider().dispatch()
    first, second, _ = send.messages.order_by("pk")
    address = receipt_addresses.find(service.receipt_token)
    for message, code, status in ((first, "7500", "Delivered"), (second, "7203", "Un-Delivered")):
        name = correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
        insert([Incoming.of(receipt(name, code=code, status=status), address=address)])
    fold()
    return send


def an_installation_in_trouble(service) -> tuple[Send, Send]:
    """A send held by a rule while it starts small, and one whose messages are not confirmed; its sender and a domain are paused."""

    def breaks(body: dict) -> httpx.Response:
        raise httpx.ReadError("broken")

    unsure = a_send(service, 2, expires_at=timezone.now() + timedelta(hours=2))
    Provider(answer=breaks).dispatch()
    held = a_send(service, 200, ramp=True, lane=Lane.BULK)
    reason = "61 % of the messages with a result have failed; this service holds a send at 60 %."
    Hold.objects.create(service=held.service, send=held, because=reason, rule="failures", placed_by="system")
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    for part in (unsure.sender, domain):
        holds.hold(part, by=BY, because="The operator moves this number to another route today.")
    return unsure, held


def test_composing_reviewing_and_sending_by_hand(page, live_server, shop):
    sign_in(page, live_server)
    page.get_by_role("link", name="Compose", exact=True).first.click()
    page.get_by_label("Numbers", exact=True).fill("07700 900001\nnot a number\n0044 7700 900002")
    page.get_by_label("Text", exact=True).fill("Hello from the browser")
    expect(page.locator(".bubble")).to_have_text("Hello from the browser")
    page.get_by_role("button", name="Review what will happen").click()
    page.wait_for_url("**/review/")
    assert page.get_by_text("2 messages will go out now").is_visible()
    page.get_by_role("button", name="Send to 2 recipients").click()
    page.wait_for_url("**/sends/*/")
    assert Send.objects.get().recipients == 2
    Provider().dispatch()
    page.get_by_text("All handed over; 2 still unanswered").wait_for()
    page.go_back()
    page.wait_for_url("**/sends/*/")
    assert Send.objects.count() == 1, "the back button sends nothing twice"


def test_a_mistake_is_shown_and_what_was_typed_is_still_there(page, live_server, shop, complaints):
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/compose/")
    page.get_by_label("Text", exact=True).fill("Hi $(name)")
    page.get_by_label("Numbers", exact=True).fill("07700 900001")
    page.get_by_role("button", name="Review what will happen").click()
    page.get_by_role("alert").wait_for()
    assert "$(name)" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Text", exact=True).input_value() == "Hi $(name)"
    assert Draft.objects.count() == 1
    complaints.clear()  # the browser reports the 422 that the page answers a mistake with


def test_the_main_job_works_without_javascript(browser, live_server, shop):
    window = browser.new_context(java_script_enabled=False)
    page = window.new_page()
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/compose/")
    page.get_by_label("Numbers", exact=True).fill("07700 900001")
    page.get_by_label("Text", exact=True).fill("No script")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".bubble")).to_have_text("No script")
    expect(page.get_by_text("1 recipient", exact=True)).to_be_visible()
    page.get_by_role("button", name="Review what will happen").click()
    page.get_by_role("button", name="Send to 1 recipient").click()
    page.wait_for_url("**/sends/*/")
    assert Send.objects.get().text == "No script"
    window.close()


@pytest.mark.sqlite  # what a page looks like does not depend on the database; that it opens does, and test_access looks at that
def test_every_page_is_accessible_and_fits(page, live_server, shop):
    send = a_history(shop)
    draft = Draft.objects.create(
        service=shop, sender=shop.senders.get(), text="Hello", pasted="07700 900001\nabc"
    )
    message = send.messages.first()
    unsure, held = an_installation_in_trouble(shop)
    doubtful, sender, domain = unsure.messages.first(), shop.senders.get(), shop.link_domains.get()
    domain.state, domain.says = DomainState.BROKEN, "go.example.test does not exist in DNS (NXDOMAIN)."
    domain.findings = [{"level": level, "part": "DNS", "text": domain.says} for level in CheckLevel]
    domain.checked_at = domain.since = timezone.now()
    domain.save()
    coming = a_send(shop, 2, due_at=timezone.now() + timedelta(hours=3))
    packed = packing.pack_pasted("07700 900001\nabc", country="GB", limits=Limits())
    audience = saved.create(shop, packed, name="Regulars", by=BY)
    saved.mark(audience, seed_list=True, by=BY)
    people.invite(shop, "new@example.test", ["auditor"], by=BY)
    again = Draft.objects.create(service=shop, sender=shop.senders.get(), text="Hello", audience=audience)
    recurring = a_recurring(shop)
    Service.objects.filter(pk=shop.pk).update(quiet_hours="21:00-08:00", rate=100)
    asked = a_request_with_changes(shop)
    page.goto(f"{live_server.url}/accounts/login/")
    found = problems(page, "login")
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/accounts/details/")
    found += problems(page, "details")
    for path in (
        "/notices/",
        "/accounts/notices/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/api/docs/",
        "/api/docs/quick-start/",
    ):
        page.goto(f"{live_server.url}{path}")
        found += problems(page, path.strip("/").replace("/", " "))
    for path in (
        "",
        "compose/",
        f"drafts/{draft.pk}/",
        f"drafts/{draft.pk}/review/",
        f"drafts/{draft.pk}/test/",
        "drafts/",
        "drafts/?discarded=1",
        f"sends/{coming.pk}/cancel/",
        f"sends/{coming.pk}/send-now/",
        "sends/",
        "calendar/",
        "calendar/?view=week",
        f"sends/{coming.pk}/move/",
        f"sends/{coming.pk}/duplicate/",
        f"sends/{send.pk}/",
        "messages/",
        f"people/{key_of(shop, message.msisdn)}/",
        "replies/",
        f"replies/{a_conversation(shop).pk}/",
        "replies/?show=all",
        "keywords/new/",
        "recurring/",
        "recurring/holidays/",
        f"recurring/{recurring.pk}/",
        f"recurring/{recurring.pk}/rhythm/",
        f"recurring/{recurring.pk}/end/",
        f"drafts/{again.pk}/repeat/",
        f"bulk/{a_bulk_act(send).pk}/",
        f"comments/{a_comment(send).pk}/withdraw/",
        f"callbacks/{a_callback(shop).endpoint_id}/",
        "search/",
        "shortcuts/",
        f"messages/{message.pk}/",
        f"sends/{held.pk}/",
        f"sends/{unsure.pk}/",
        f"sends/{unsure.pk}/settle/?verdict=send_again",
        f"messages/{doubtful.pk}/",
        f"messages/{doubtful.pk}/settle/?verdict=give_up",
        "approvals/?show=open",
        f"approvals/{asked.pk}/",
        f"sends/{asked.send_id}/",
        f"senders/{sender.pk}/pause/",
        f"senders/{sender.pk}/stop/",
        "catalogue/",
        "settings/",
        "settings/going-live/",
        "settings/going-live/record/",
        "settings/going-live/backup/confirm/",
        "settings/limits/",
        "settings/approval/",
        "settings/retention/",
        "settings/people/",
        *(f"{noun}/" for noun in (*NOUNS, "opt-outs", "receipts", "api-keys", "callbacks", "audit")),
        "reports/",
        "reports/levels/",
        "report-schedules/",
        "report-files/",
        *(f"{noun}/new/" for noun in NOUNS),
        f"senders/{sender.pk}/",
        f"domains/{domain.pk}/",
        "audiences/",
        "audiences/new/",
        f"audiences/{audience.pk}/",
        "settings/pause/",
    ):
        page.goto(f"{live_server.url}/s/shop/{path}")
        found += problems(page, path)
    assert found == []


def test_a_send_is_paused_and_resumed_and_a_doubt_is_settled_without_javascript(browser, live_server, shop):
    unsure, _ = an_installation_in_trouble(shop)
    window = browser.new_context(java_script_enabled=False)
    page = window.new_page()
    sign_in(page, live_server)
    waiting = a_send(shop)
    page.goto(f"{live_server.url}/s/shop/sends/{waiting.pk}/")
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused by ada@example.test").first.wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("Resumed.").wait_for()
    page.goto(f"{live_server.url}/s/shop/sends/{unsure.pk}/")
    page.get_by_role("link", name="Send again").click()
    page.get_by_label("Reason").fill("They never saw them.")
    page.get_by_role("button", name="Send 2 messages again").click()
    page.get_by_text("2 messages will be sent again.").wait_for()
    assert unsure.counts() == {"pending": 2}
    window.close()
