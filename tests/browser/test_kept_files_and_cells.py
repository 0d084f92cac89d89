"""What a tab keeps beyond words: the name of a chosen file, and cells of rows that are being put right."""

import re

import pytest
from playwright.sync_api import expect

from portal.models import PersonsSession
from sms.models import Draft
from tests.browser.large_drafts import stored
from tests.browser.signed_in import PASSWORD, sign_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]
LOST = "numbers.csv was chosen; choose it again."


@pytest.fixture
def numbers(tmp_path):
    file = tmp_path / "numbers.csv"
    file.write_text("Mobile,Name\n07700900001,Ada\n12,Bob\n", encoding="utf-8")
    return file


def signs_in_again(page) -> None:
    page.get_by_label("E-mail address").fill("ada@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_lost_file_is_named_beside_its_field(page, live_server, shop, numbers):
    sign_in(page, live_server)
    address = f"{live_server.url}/s/shop/audiences/new/"
    page.goto(address)
    file, name = page.locator("#content input[type=file]"), page.get_by_label("Name", exact=True)
    file.set_input_files(numbers)
    PersonsSession.objects.all().delete()
    page.goto(address)
    signs_in_again(page)
    page.wait_for_url(address)
    expect(page.get_by_text(LOST)).to_be_visible()
    expect(page.get_by_text("was not saved")).to_have_count(0)  # no word was
    expect(file).to_have_accessible_description(re.compile(re.escape(LOST)))

    name.fill("Regulars")  # what is typed since takes nothing of it away
    page.goto("about:blank")
    page.goto(address)
    page.get_by_role("button", name="Put it back").click()
    expect(name).to_have_value("Regulars")
    expect(page.get_by_text(LOST)).to_be_visible()
    file.set_input_files(numbers)
    expect(page.get_by_text(LOST)).to_have_count(0)
    with page.expect_navigation():
        page.locator("#content form[method=post]:has([type=file]) button:not([type=button])").first.click()
    page.goto(address)
    expect(page.get_by_text(LOST)).to_have_count(0)


def test_a_cell_that_is_being_put_right_outlasts_saves_and_a_lost_session(
    page, complaints, live_server, shop, numbers
):
    Draft.objects.create(service=shop, sender=shop.senders.get(), pasted=numbers.read_text("utf-8"))
    address = f"{live_server.url}/s/shop/drafts/{Draft.objects.get().pk}/"
    page.on("dialog", lambda asked: asked.accept())  # of leaving with cells that are changed
    sign_in(page, live_server)
    page.goto(address)
    cell = page.get_by_label("Mobile, row 3")
    cell.press_sequentially("0770")  # and the field is not left
    page.get_by_label("Text", exact=True).evaluate(
        "text => { text.value = 'Hello'; text.dispatchEvent(new Event('input', { bubbles: true })) }"
    )
    stored(page, "Hello")
    expect(page.locator("[data-state]")).to_contain_text("Saved")
    PersonsSession.objects.all().delete()
    page.goto(address)
    expect(page.get_by_text("What you wrote is kept in this tab")).to_be_visible()
    signs_in_again(page)
    page.wait_for_url(address)
    expect(cell).to_have_value("12")
    page.get_by_role("button", name="Put it back").click()
    expect(cell).to_have_value("077012")
    cell.fill("07700900002")
    with page.expect_navigation():
        page.get_by_role("button", name="Save corrections and check again").click()
    expect(page.get_by_text("2 recipients").first).to_be_visible()
    expect(page.get_by_role("button", name="Put it back")).to_have_count(0)
    complaints.clear()
