"""Presses while the page is drawn again under them: each reaches the server, and a chosen file goes with it."""

import pytest
from playwright.sync_api import Page, Route, expect

from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.compose import background, drafts
from sms.models import AudienceVersion, Draft, Hold
from tests.browser.large_drafts import (
    LIMITS,
    a_file,
    a_large_draft,
    checked,
    prepared,
    stored,
    until,
    uploaded,
)
from tests.browser.signed_in import a_request_with_changes, sign_in
from tests.support.sends import BY, a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]


def with_a_bad_row(page: Page, live_server, folder) -> None:
    """A draft of 1,100 rows, one of them rejected."""
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/compose/")
    uploaded(page, a_file(folder, "march.csv", first=0), text="Hello")


def mend(page: Page, folder, *, heading: str = "Mobile") -> None:
    """Choose a file in which the rejected row is right."""
    file = folder / "mended.csv"
    file.write_text(f"{heading},Customer,Note\n07712 345678,Person 7,x", encoding="utf-8")
    page.get_by_label("Rows that you put right").set_input_files(file)


def test_a_press_while_a_save_is_under_way_takes_the_chosen_file(page, live_server, shop, tmp_path):
    with_a_bad_row(page, live_server, tmp_path)
    saves: list[Route] = []
    page.route("**/save/", lambda route: route.continue_() if saves else saves.append(route))
    page.get_by_label("Text", exact=True).fill("Hello again")
    mend(page, tmp_path)
    until(page, lambda: saves, what="the page saves")
    with page.expect_navigation():
        page.get_by_role("button", name="Take them in").click()
        saves[0].continue_()
    prepared(page, page.get_by_text("1,100 rows kept"))
    assert Draft.objects.get().text == "Hello again"


def test_a_chosen_file_outlasts_a_save(page, live_server, shop, tmp_path):
    with_a_bad_row(page, live_server, tmp_path)
    mend(page, tmp_path)
    with page.expect_response("**/save/"):
        page.get_by_label("Text", exact=True).fill("Hello again")
    stored(page, "Hello again")
    expect(page.locator("[data-state]")).to_contain_text("Saved")
    with page.expect_navigation():
        page.get_by_role("button", name="Take them in").click()
    prepared(page, page.get_by_text("1,100 rows kept"))


def test_a_press_outlasts_the_figures_that_are_drawn_again(page, live_server, shop):
    send = a_send(shop, 3)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/sends/{send.pk}/")
    page.locator("#pause").hover()
    with page.expect_response("**/progress/"):
        page.mouse.down()
    with page.expect_response("**/progress/"):
        pass  # by then the answer before was put into the page, if it was
    page.mouse.up()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert Hold.objects.filter(send=send).exists()


def test_a_press_right_after_another_one_outlasts_what_waited_for_the_first(page, live_server, shop):
    draft = Draft.objects.create(
        service=shop, sender=shop.senders.get(), pasted="Mobile,Name\n07700900001,Ada\n12,Bob\n"
    )
    previews: list[Route] = []
    page.route("**/preview/", lambda route: route.continue_() if previews else previews.append(route))
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/drafts/{draft.pk}/")
    page.get_by_label("Mobile, row 3").fill("07700900002")
    until(page, lambda: previews, what="the page asks for its parts")
    page.locator("summary").first.focus()
    page.keyboard.down(" ")  # not let go, so that the parts wait for it
    with page.expect_response("**/preview/") as answer:
        previews[0].continue_()
    answer.value.finished()
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    with page.expect_navigation():
        page.get_by_role("button", name="Save corrections and check again").click()
    expect(page.get_by_text("2 recipients").first).to_be_visible()


def test_a_chosen_file_outlasts_new_figures(page, live_server, shop, tmp_path):
    draft = checked(a_large_draft(shop, "Stale"), wholly=True)
    Draft.objects.filter(pk=draft.pk).update(text="Hello $(Customer), it is late.")
    check = drafts.totals_of(Draft.objects.select_related(*drafts.RELATED).get(pk=draft.pk), limits=LIMITS)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/drafts/{draft.pk}/review/")
    expect(page.get_by_text("These figures are from before your last change")).to_be_visible()
    mend(page, tmp_path, heading="Mobile number")
    background.work_on(check.preparation.pk)
    for _ in range(2):
        with page.expect_response("**/progress/"):
            pass
    with page.expect_navigation():
        page.get_by_role("button", name="Add the corrected rows").click()
    prepared(page, page.get_by_role("button", name="Send to 2,476 recipients"))


def test_what_a_press_asks_for_is_drawn_at_once(page, live_server, shop):
    """Its answer comes within the 300 ms after a click in which other news is dropped."""
    request = a_request_with_changes(shop)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/approvals/{request.pk}/")
    phone = page.locator("#phone")
    before = phone.inner_text()
    with page.expect_response("**?message=*"):
        phone.get_by_role("link", name="Next").click()
    expect(phone).not_to_have_text(before, use_inner_text=True)


def test_a_column_is_inserted_where_the_cursor_is(page, live_server, shop):
    packed = packing.pack_pasted("07700 900001", country="GB", limits=Limits())
    audience = saved.create(shop, packed, name="Customers", by=BY)
    AudienceVersion.objects.filter(audience=audience).update(headings=["Mobile", "First name"])
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/templates/new/")
    text = page.get_by_label("Text", exact=True)
    text.fill("Hello XX, bye")
    text.evaluate("field => field.setSelectionRange(6, 8)")
    with page.expect_response("**/preview/"):
        page.get_by_role("button", name="$(First name)").click()
    expect(text).to_have_value("Hello $(First name), bye")
    expect(text).to_be_focused()
    page.keyboard.type("!")
    expect(text).to_have_value("Hello $(First name)!, bye")
