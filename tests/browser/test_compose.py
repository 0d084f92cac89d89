"""The compose page in Chromium while people write: saved, shown, undisturbed by others, and accessible in every state."""

from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, Route, expect

from portal.models import Membership, User
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.models import Draft, DraftPresence, ShortLinkDomain
from tests.browser.accessibility import problems
from tests.browser.large_drafts import stored, until
from tests.browser.signed_in import PASSWORD, sign_in
from tests.support.sends import BY

pytestmark = pytest.mark.django_db(transaction=True)


def state_of(page: Page):
    return page.locator("[data-state]")


def test_a_reload_after_a_refused_press_keeps_what_was_changed_since(page, live_server, shop, complaints):
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/compose/")
    page.get_by_label("Text", exact=True).fill("Hello")
    page.get_by_role("button", name="Review what will happen").click()
    expect(page.get_by_text("Please fix")).to_be_visible()
    page.get_by_label("Text", exact=True).fill("Hello again")
    stored(page, "Hello again")
    expect(state_of(page)).to_contain_text("Saved")
    page.reload()
    expect(page.get_by_text("Please fix")).to_be_hidden()
    expect(page.get_by_label("Text", exact=True)).to_have_value("Hello again")
    complaints.clear()  # the browser reports the refusal


def test_two_people_write_one_draft(page, live_server, shop, context, browser, complaints):
    colleague = User.objects.create_user("ben@example.test", PASSWORD, first_name="Ben")
    Membership.objects.create(user=colleague, service=shop, role="composer")
    people = "Mobile,Name\n" + "".join(f"+44771000000{at},{'Zoe' * (at + 1)}\n" for at in range(5))
    packed = packing.pack_pasted(people, country="GB", limits=Limits())
    saved.create(shop, packed, name="Regulars", by=BY)
    ShortLinkDomain.objects.create(service=shop, region=shop.region, host="go.example.test")
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/compose/")
    found = problems(page, "empty")

    page.get_by_label("Saved audience").select_option("Regulars")
    text = page.get_by_label("Text", exact=True)
    text.press_sequentially("Hi $(name), it’s $(time) – ż")
    expect(page.locator("mark.value")).to_have_text("ZoeZoeZoeZoeZoe")
    expect(page.locator("mark.placeholder")).to_have_text("$(time)")
    stored(page, "Hi $(name), it’s $(time) – ż")
    expect(state_of(page)).to_contain_text("Saved")
    assert page.url.endswith(f"/drafts/{Draft.objects.get().pk}/"), "a reload finds it again"
    found += problems(page, "Unicode and a placeholder")
    text.press("Alt+PageDown")
    expect(page.locator("mark.value")).to_have_text("ZoeZoeZoeZoe")
    text.press("Alt+KeyR")
    expect(text).to_have_value("Hi $(name), it's $(time) - z")
    stored(page, "Hi $(name), it's $(time) - z")
    expect(state_of(page)).to_contain_text("Saved")

    # a beat before Ada writes would bring her what Ben wrote, and nothing would clash
    beats: list[Route] = []
    page.route("**/here/", lambda route: beats.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    window = browser.new_context(viewport={"width": 1280, "height": 900})
    other = window.new_page()
    other.goto(f"{live_server.url}/accounts/login/")
    other.get_by_label("E-mail address").fill("ben@example.test")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.goto(page.url)
    other.get_by_label("Labels").fill("spring")
    expect(state_of(other)).to_contain_text("Saved")
    other.get_by_label("Text", exact=True).fill("Ben's")
    stored(other, "Ben's")
    at_the_text = DraftPresence.objects.filter(user=colleague, field="text")
    until(other, at_the_text.exists, what="it is told where his cursor rests")

    text.fill("Ada's")
    expect(page.get_by_text("Ben changed the same field while you did")).to_be_visible()
    expect(page.get_by_label("Labels")).to_have_value("spring")
    page.unroute("**/here/")
    for beat in beats:
        with suppress(Error):  # one that the page has given up since
            beat.continue_()
    page.get_by_label("Name", exact=True).focus()
    expect(page.get_by_text("Ben is editing text")).to_be_visible()
    assert Draft.objects.get().text == "Ben's"
    found += problems(page, "two people, a clash")
    page.get_by_label("Keep yours").check()
    page.get_by_role("button", name="Save what I chose").click()
    expect(page.get_by_text("Ben changed the same field")).to_be_hidden()
    assert Draft.objects.get().text == "Ada's"
    window.close()

    context.set_offline(True)
    text.fill("Written on a train")
    expect(state_of(page)).to_contain_text("Not saved. No connection")
    found += problems(page, "offline")
    context.set_offline(False)
    expect(state_of(page)).to_contain_text("Saved")
    assert Draft.objects.get().text == "Written on a train"
    page.locator("summary", has_text="Expiry").click()
    page.get_by_label("After a while").check()
    page.get_by_label("How long").fill("100")
    page.get_by_label("Unit").select_option("hours")
    expect(state_of(page)).to_contain_text("At most 72 hours")
    found += problems(page, "a mistake while typing")
    assert found == []
    complaints.clear()  # the browser reports the answer to a clash, and the lost connection
