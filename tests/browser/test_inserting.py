"""Buttons that write a placeholder or a smartlink into the text: where the cursor is, to be undone, and counted at once."""

import pytest
from playwright.sync_api import expect

from sms.models import Draft, Smartlink
from tests.browser.large_drafts import stored
from tests.browser.signed_in import sign_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]


@pytest.fixture
def text(page, live_server, shop):
    """The field of a draft whose rows have a name."""
    rows = f"Mobile,First name\n07700900001,{'Ada' * 60}\n"
    Smartlink.objects.create(service=shop, name="Shop", smartlink_id=7)
    draft = Draft.objects.create(service=shop, sender=shop.senders.get(), text="Hello XX, bye", pasted=rows)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/drafts/{draft.pk}/")
    return page.get_by_label("Text", exact=True)


def test_a_column_is_written_over_what_is_marked_and_can_be_undone(page, text):
    text.evaluate("field => field.setSelectionRange(6, 8)")
    page.get_by_role("button", name="$(First name)").click()
    expect(text).to_have_value("Hello $(First name), bye")
    expect(text).to_be_focused()
    expect(page.locator("mark.value").first).to_contain_text("AdaAda")
    expect(page.get_by_text("2 segments").first).to_be_visible()
    stored(page, "Hello $(First name), bye")
    page.keyboard.type("!")
    expect(text).to_have_value("Hello $(First name)!, bye")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(text).to_have_value("Hello XX, bye")
    expect(page.get_by_role("button", name="$(Mobile)")).to_have_count(0)


def test_a_smartlink_is_written_at_the_cursor_by_the_keyboard(page, text):
    text.evaluate("field => field.setSelectionRange(13, 13)")
    page.locator("summary", has_text="Smartlinks").click()
    button = page.get_by_role("button", name="Insert", exact=True)
    token = button.get_attribute("data-insert")
    button.focus()
    page.keyboard.press("Enter")
    expect(text).to_have_value(f"Hello XX, bye{token}")
    expect(text).to_be_focused()
    page.keyboard.press("Control+z")
    expect(text).to_have_value("Hello XX, bye")
