"""Lists that ask again by themselves: what changed is drawn under the reader, and they say when their answers stop."""

import pytest
from playwright.sync_api import expect

from portal.models import PersonsSession, User
from sms.models import Actor, Conversation
from sms.sends import answers
from sms.sends.replies import handling
from tests.browser.signed_in import a_request_with_changes, sign_in
from tests.support.every_page import a_conversation
from tests.support.provider import Provider, refused
from tests.support.sends import BY, a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they show is proved on both databases in tests/portal
]


def test_sends_change_under_a_reader_and_rest_when_all_are_over(page, live_server, shop):
    a_send(shop, 3, name="Spring")
    a_send(shop, 2, name="Summer")
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/sends/")
    part = page.locator("#sends-list")
    expect(part).to_have_attribute("hx-get", "/s/shop/sends/list/")
    page.get_by_label("Choose Spring").check()
    link = part.get_by_role("link", name="Summer")
    link.focus()
    Provider(lambda _: refused("7102")).dispatch()
    expect(part.get_by_text("Nothing more is expected of these.")).to_be_visible()
    expect(part.locator("tbody tr")).to_contain_text(["2 not delivered", "3 not delivered"])
    expect(part).not_to_have_attribute("hx-get", "/s/shop/sends/list/")
    expect(page.get_by_label("Choose Spring")).to_be_checked()
    expect(page.get_by_label("Choose Summer")).not_to_be_checked()
    expect(link).to_be_focused()
    page.get_by_label("Labels to add").fill("vip")
    page.get_by_role("button", name="Label …").click()
    page.wait_for_url("**/bulk/**")
    expect(page.get_by_role("main")).to_contain_text("Spring")
    expect(page.get_by_role("main")).not_to_contain_text("Summer")


def test_a_list_keeps_what_it_was_narrowed_to(page, live_server, shop):
    a_send(shop, 3, name="Spring")
    a_send(shop, 2, name="Summer")
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/sends/?q=spring&state=sending")
    rows = page.locator("#sends-list tbody tr")
    expect(rows).to_have_count(1)
    Provider(lambda _: refused("7102")).dispatch()
    expect(page.get_by_text("No send fits that any more.")).to_be_visible()


def test_approvals_and_their_count_change_together(page, live_server, shop):
    request = a_request_with_changes(shop)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/approvals/?show=open")
    part = page.locator("#approvals-list")
    expect(part.get_by_role("link", name="Needs me (1)")).to_be_visible()
    ada = User.objects.get(email="ada@example.test")
    answers.reject(request, by=Actor.person(ada), seen=request.fingerprint, comment="No")
    expect(part.get_by_role("link", name="Needs me", exact=True)).to_be_visible()
    expect(part.get_by_text("None of these is open.")).to_be_visible()
    expect(part.locator("tbody tr")).to_have_count(0)


@pytest.mark.parametrize("address", ["sends/", "approvals/?show=open", "replies/", "replies/{reply}/"])
def test_a_list_says_when_its_answers_stop_and_when_its_reader_is_signed_out(
    page, complaints, live_server, shop, address
):
    a_request_with_changes(shop)
    made = a_conversation(shop)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/{address.format(reply=made.pk)}")
    line = page.locator("[data-as-of]")
    expect(line).not_to_have_attribute("data-as-of", line.get_attribute("data-as-of"))
    asked = page.locator("[hx-trigger^=every]").get_attribute("hx-get")
    page.route(f"**{asked}", lambda route: route.abort())
    expect(page.get_by_text("No answer since")).to_contain_text("These figures are from then.")
    page.unroute(f"**{asked}")
    expect(page.get_by_text("No answer since")).to_have_count(0)
    PersonsSession.objects.all().delete()
    expect(page.get_by_role("alert").filter(has_text="this page stands still")).to_be_visible()
    complaints.clear()  # of the answers that did not come


def test_a_conversation_that_is_done_is_looked_at_no_more(page, live_server, shop):
    made = a_conversation(shop)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/replies/{made.pk}/")
    seen = Conversation.objects.get(pk=made.pk).last_inbound_id
    handling.mark_done(made, seen=seen, by=BY)
    expect(page.get_by_text("The conversation is done;")).to_be_visible()
    expect(page.locator("#thread[hx-get]")).to_have_count(0)
