"""The reference at /api/docs/reference/ in Chromium under the CSP: every operation is there, one can be tried, it fits a dark phone."""

import pytest
from playwright.sync_api import expect

from tests.support.partners import a_key, a_partner_service
from tests.support.processes import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]  # it is about a page, not rows


def test_the_reference_shows_every_operation_and_tries_one(page, live_server):
    token = a_key(a_partner_service(), scopes=["catalogue"])
    page.goto(f"{live_server.url}/api/docs/reference/")
    page.locator("#operations-sends-sends_create").wait_for()
    assert page.locator(".opblock").count() >= 55
    page.locator("button.authorize").first.click()
    page.locator(".modal-ux input").first.fill(token)
    page.locator(".modal-ux button.authorize").first.click()
    page.locator(".modal-ux button.btn-done").first.click()
    operation = page.locator("#operations-senders-senders_list")
    operation.locator("button.opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.locator(".live-responses-table .response-col_status").filter(has_text="200").wait_for()
    assert "SHOP" in operation.locator(".live-responses-table").inner_text()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 800})
    # asked from here: a function that waits in the page is an eval there, which the CSP forbids
    expect(page.locator("html.dark-mode")).to_have_count(1)
    until(lambda: page.evaluate("document.documentElement.scrollWidth") <= 360, "it fits")
