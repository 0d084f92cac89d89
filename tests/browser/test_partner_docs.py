"""The documentation in Chromium under the CSP: accessible, a block is copied with the reader's address, and a phone gets text first."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import problems

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]  # it is about pages, not rows


def test_the_documentation_reads_and_copies(page, live_server):
    found = []
    for name in ("", "quick-start/", "older-apis/"):
        page.goto(f"{live_server.url}/api/docs/{name}")
        found += problems(page, f"docs {name}")
    assert found == []
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_server.url}/api/docs/quick-start/")
    block = page.locator(".block").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button", name="Copied")).to_be_visible()
    assert f"export DESK={live_server.url}\n" in page.evaluate("navigator.clipboard.readText()")
    contents = page.get_by_role("navigation", name="Documentation").get_by_role("link", name="Errors")
    expect(contents).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 800})
    expect(contents).to_be_hidden()
