"""Pages that ask again by themselves: what they show agrees, says when its answers stop, and leaves the reader where they are."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.signed_in import sign_in
from tests.support.provider import Provider, refused
from tests.support.sends import a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they show is proved on both databases in tests/portal
]


def asked_again(page: Page) -> None:
    line = page.locator("[data-as-of]")
    expect(line).not_to_have_attribute("data-as-of", line.get_attribute("data-as-of"))


def test_a_send_and_its_messages_change_together_under_a_reader(page, live_server, shop):
    send = a_send(shop, 3)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/sends/{send.pk}/?state=failed")
    expect(page.get_by_text("No message fits all of that")).to_be_visible()
    page.goto(f"{live_server.url}/s/shop/sends/{send.pk}/")
    rows = page.locator("#send-messages tbody tr")
    expect(rows.first).to_contain_text("Waiting")
    person = rows.nth(1).get_by_role("link", name="Person")
    person.focus()
    Provider(lambda _: refused("7102")).dispatch()
    expect(page.locator("#progress-head")).to_have_text("Finished: 0 of 3 delivered")
    expect(rows).to_contain_text(["Failed", "Failed", "Failed"])
    expect(person).to_be_focused()
    page.locator("#code-7102").click()
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Send again to these").click()
    page.get_by_role("button", name="Make the draft").click()
    expect(page).to_have_url(re.compile("/drafts/"))


def test_a_page_whose_answers_stop_says_since_when_and_goes_on(page, live_server, shop, complaints):
    send = a_send(shop, 3)
    sign_in(page, live_server)
    for address, part in ((f"/s/shop/sends/{send.pk}/", "**/progress/**"), ("/s/shop/", "**/live/**")):
        page.goto(live_server.url + address)
        said = page.locator("[data-as-of]").first.get_attribute("data-as-of")
        page.route(part, lambda route: route.abort())
        expect(page.get_by_text("No answer since")).to_contain_text("These figures are from then.")
        page.unroute(part)
        page.route(part, lambda route: route.fulfill(status=503, body="away"))
        expect(page.get_by_text("No answer since")).to_be_visible()
        page.unroute(part)
        expect(page.get_by_text("No answer since")).to_have_count(0)
        assert page.locator("[data-as-of]").first.get_attribute("data-as-of") != said
    complaints.clear()  # of the answers that did not come


def test_home_shows_what_goes_out_until_it_has(page, live_server, shop):
    a_send(shop, 3, name="Spring sale")
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/")
    expect(page.get_by_role("heading", name="Going out now")).to_be_visible()
    asked_again(page)
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#home-recent h2'))")
    asked_again(page)
    assert page.evaluate("getSelection().toString()") == "Last sends", (
        "nothing has changed, so nothing is drawn again"
    )
    Provider(lambda _: refused("7102")).dispatch()
    expect(page.get_by_role("heading", name="Going out now")).to_have_count(0)
    expect(page.locator("#home-recent")).to_contain_text("3 failed")
