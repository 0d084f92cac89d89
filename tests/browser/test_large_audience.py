"""Many rows in Chromium: bad ones shown, downloaded and given back, columns known the next time, and no file sent twice unseen."""

import pytest
from playwright.sync_api import expect

from sms.models import Draft, Send
from tests.browser.large_drafts import a_file, prepared, uploaded
from tests.browser.signed_in import sign_in

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_bad_rows_are_mended_columns_remembered_and_a_file_is_not_sent_twice_unseen(
    page,
    live_server,
    shop,
    tmp_path,
    complaints,
):
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/compose/")
    first = a_file(tmp_path, "march.csv", first=0)
    uploaded(page, first, text="Hi $(name)")
    expect(page.get_by_role("region", name="First rows")).to_contain_text("only 2 digits")
    page.get_by_label("Column for name").select_option("Customer")
    expect(page.locator("mark.value")).to_contain_text("Person")

    with page.expect_download() as download:
        page.get_by_role("link", name="Rejected rows as CSV").click()
    rejects = download.value.path().read_text(encoding="utf-8-sig")
    mended = tmp_path / "mended.csv"
    mended.write_text(rejects.replace(",12,", ",07712 345678,"), encoding="utf-8")
    page.get_by_label("Rows that you put right").set_input_files(mended)
    with page.expect_navigation():
        page.get_by_role("button", name="Take them in").click()
    prepared(page, page.get_by_text("1,100 rows kept"))
    page.get_by_role("button", name="Review what will happen").click()
    page.wait_for_url("**/review/")
    send = page.get_by_role("button", name="Send to 1,100 recipients")
    prepared(page, send)
    send.click()
    page.wait_for_url("**/sends/*/")
    assert Send.objects.get().recipients == 1_100

    page.goto(f"{live_server.url}/s/shop/compose/")
    uploaded(page, a_file(tmp_path, "april.csv", first=5_000), text="Hello $(name)")
    expect(page.get_by_label("Column for name")).to_have_value("Customer")
    expect(page.locator("mark.value")).to_contain_text("Person")

    page.goto(f"{live_server.url}/s/shop/compose/")
    uploaded(page, first, text="Hello again, $(name)")
    expect(page.get_by_text("This was already sent")).to_be_visible()
    page.get_by_role("button", name="Review what will happen").click()
    page.wait_for_url("**/review/")
    send = page.get_by_role("button", name="Send to 1,099 recipients")
    prepared(page, send)
    send.click()
    expect(page.get_by_label("Send it again all the same")).to_be_focused()
    assert Send.objects.count() == 1, "the browser asks for the tick first"
    page.get_by_label("Send it again all the same").check()
    send.click()
    page.wait_for_url("**/sends/*/")
    assert Send.objects.count() == 2
    assert Draft.objects.filter(send=None).count() == 1
