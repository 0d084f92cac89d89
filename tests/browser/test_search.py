"""The search by keyboard in Chromium: opened from anywhere, chosen with arrows, said to a screen reader, and never in the way of typing."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import problems
from tests.browser.signed_in import sign_in
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db(transaction=True)


def test_everything_is_reached_by_keys(page, live_server, shop):
    send = a_send(shop, 2, name="March invoices")
    message = send.messages.first()
    sign_in(page, live_server)
    field, dialog = page.get_by_role("combobox", name="Search Shop"), page.locator("#search-dialog")

    page.get_by_role("link", name="Search", exact=True).focus()
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.insert_text(
        "march"
    )  # at once: a slow machine asks between two letters, and htmx complains of what it gives up
    expect(page.get_by_role("option", name="March invoices")).to_be_visible()
    expect(dialog.get_by_role("status")).to_have_text("1 result")
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_id(field.get_attribute("aria-activedescendant"))
    assert problems(page, "search, dialog") == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Search", exact=True)).to_be_focused()

    page.keyboard.press("Control+k")
    page.keyboard.insert_text(f"0{message.msisdn[3:]}")  # over what was typed before
    expect(page.get_by_role("option").first).to_contain_text("+44 7710 ••• 000")
    page.keyboard.press("Enter")  # nothing is chosen: all of it, as a page
    page.wait_for_url("**/search/?for=*")
    assert message.msisdn[3:] not in page.url
    assert problems(page, "search, page") == []
    page.get_by_role("link", name="+44 7710 ••• 000").last.click()
    page.wait_for_url(f"**/messages/{message.pk}/")
    page.go_back()
    expect(page.get_by_role("heading", name="Messages")).to_be_visible()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Opt-outs")
    assert problems(page, "search, shortcuts") == []
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/sends/")
    page.keyboard.press("c")
    page.wait_for_url("**/compose/")
    text = page.get_by_label("Text", exact=True)
    text.fill("")
    text.press_sequentially("c/?gs")
    expect(text).to_have_value("c/?gs")
    expect(dialog).to_be_hidden()

    page.goto(f"{live_server.url}/s/shop/shortcuts/")
    page.get_by_label(re.compile("shortcuts of one key")).uncheck()
    page.goto(f"{live_server.url}/s/shop/sends/")
    page.keyboard.press("c")
    page.keyboard.press("/")
    expect(dialog).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    assert page.url.endswith("/sends/")
