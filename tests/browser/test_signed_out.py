"""The session ends while a page is open: nothing typed is lost, and after signing in in another window the page goes on."""

import pytest
from playwright.sync_api import Page, expect

from sms.models import Draft
from tests.browser.large_drafts import stored
from tests.browser.signed_in import sign_in
from tests.support.sends import a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]


def signs_in_again(page: Page, live_server) -> None:
    """In another window of the same browser, which gets a new token with it."""
    with_page = page.context.new_page()
    sign_in(with_page, live_server)
    with_page.close()


def test_what_is_composed_while_signed_out_waits_for_the_next_sign_in(page, complaints, live_server, shop):
    draft = Draft.objects.create(service=shop, sender=shop.senders.get(), pasted="07700 900001")
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/drafts/{draft.pk}/")
    text, state = page.get_by_label("Text", exact=True), page.locator("[data-state]")
    text.fill("Hello")
    stored(page, "Hello")
    expect(state).to_contain_text("Saved")
    page.context.clear_cookies(name="sessionid")

    text.fill("Hello, an hour of work")
    expect(state).to_contain_text("Not saved. You were signed out.")
    page.get_by_role("button", name="Review").click()
    expect(state).to_contain_text("Not saved. You were signed out.")
    expect(text).to_have_value("Hello, an hour of work")
    page.get_by_role("button", name="Not now").click()
    with page.expect_popup() as opened:
        state.get_by_role("link", name="Sign in again in a new window").click()
    expect(opened.value.get_by_label("E-mail address")).to_be_visible()
    opened.value.close()
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("dialog", name="You were signed out")).to_be_visible()
    signs_in_again(page, live_server)

    expect(page.get_by_role("button", name="Send to 1 recipient")).to_be_enabled(timeout=60_000)
    assert Draft.objects.get().text == "Hello, an hour of work"
    complaints.clear()


def test_a_press_counts_on_a_page_that_was_open_across_a_sign_in(page, complaints, live_server, shop):
    send = a_send(shop, 3)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/sends/{send.pk}/")
    page.context.clear_cookies(name="sessionid")
    signs_in_again(page, live_server)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    complaints.clear()  # the page may have asked how the send goes while nobody was signed in


def test_a_page_that_follows_a_send_says_so_and_goes_on(page, complaints, live_server, shop):
    send = a_send(shop, 3)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/sends/{send.pk}/")
    page.context.clear_cookies(name="sessionid")
    said = page.get_by_role("alert").get_by_text("You were signed out")
    expect(said).to_be_visible()
    expect(page.get_by_label("Password")).to_have_count(0)
    signs_in_again(page, live_server)
    expect(said).to_be_hidden()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    complaints.clear()
