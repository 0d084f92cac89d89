"""Wherever one types, however the session is lost: the words are posted by the press that follows, or offered by the page."""

from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import Page, expect

from portal.models import PersonsSession
from sms.models import Comment, Draft
from tests.browser.signed_in import PASSWORD, sign_in
from tests.support.sends import a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]
WORDS = "An hour of work"
PATHS = (  # page, and the field in which one types
    ("drafts/{draft}/", "text"),
    ("drafts/{draft}/review/", "comment"),
    ("sends/{send}/", "comment"),
    ("sends/{send}/", "reason"),
    ("templates/new/", "text"),
    ("audiences/new/", "note"),
    ("opt-outs/", "evidence"),
    ("callbacks/", "name"),
    ("api-keys/", "networks"),
    ("settings/", "jwt_service_id"),
    ("senders/new/", "note"),
    ("recurring/holidays/", "lines"),
)


def session_ends(page: Page) -> None:
    """At the desk: twelve hours are over, or another device ended it."""
    PersonsSession.objects.all().delete()


def cookies_go(page: Page) -> None:
    page.context.clear_cookies()


def token_changes(page: Page) -> None:
    """As by a sign-in in another tab before this page's session ended."""
    PersonsSession.objects.all().delete()
    page.context.clear_cookies(name="csrftoken")


def is_press(asked) -> bool:
    return asked.is_navigation_request() and asked.method == "POST"


def form_of(page: Page, field: str):
    form = page.locator(f"#content form[method=post]:has([name={field}])")
    form.evaluate(
        "form => { form.noValidate = true }"
    )  # what the desk says of the other fields is not asked here
    return form


WAYS = [session_ends, cookies_go, token_changes]


@pytest.mark.parametrize("lost", WAYS)
def test_a_press_after_the_session_was_lost_takes_every_word_along(page, complaints, live_server, shop, lost):
    draft = Draft.objects.create(service=shop, sender=shop.senders.get(), pasted="07700 900001", text="Hi")
    made = {"draft": draft.pk, "send": a_send(shop, 1).pk}
    sign_in(page, live_server)
    walked = PATHS[WAYS.index(lost) :: len(WAYS)]  # each with every way takes two minutes
    for path, field in walked:
        page.goto(f"{live_server.url}/s/shop/{path.format(**made)}")
        form = form_of(page, field)
        lost(page)
        form.locator(f"[name={field}]").fill(WORDS)
        form.locator("button:not([tabindex='-1'], [type=button], [form])").first.click()
        dialog = page.get_by_role("dialog", name="You were signed out")
        with page.expect_popup() as opened:
            dialog.get_by_role("button", name="Sign in in a new tab").click()
        with (
            page.expect_navigation(),
            page.expect_request(
                lambda asked: WORDS in unquote_plus(asked.post_data or "") and is_press(asked)
            ) as posted,
        ):
            opened.value.get_by_label("E-mail address").fill("ada@example.test")
            opened.value.get_by_label("Password").fill(PASSWORD)
            opened.value.get_by_role("button", name="Sign in", exact=True).click()
        assert posted.value.response().status in {200, 302, 422}, (path, field)
    assert Draft.objects.get(pk=draft.pk).text == (WORDS if lost is session_ends else "Hi")
    assert Comment.objects.count() == sum(field == "comment" for _, field in walked)
    complaints[:] = [one for one in complaints if "Failed to load resource" not in one]


def test_what_was_not_taken_is_offered_by_its_page(page, complaints, live_server, shop):
    address = f"{live_server.url}/s/shop/sends/{a_send(shop, 1).pk}/"
    sign_in(page, live_server)
    page.goto(address)
    form = page.locator("form[action$='/keep/']")
    reason, press = form.locator("[name=reason]"), form.get_by_role("button")

    def offered() -> None:
        page.goto(address)
        expect(reason).to_have_value("")
        page.get_by_role("button", name="Put it back").click()
        expect(reason).to_have_value(WORDS)

    reason.fill(WORDS)
    page.goto("about:blank")  # as a tab that was closed, or crashed, and is opened again
    offered()
    page.context.set_offline(True)
    press.click()
    expect(page.get_by_role("dialog", name="No connection")).to_be_visible()
    page.get_by_role("button", name="Not now").click()
    page.context.set_offline(False)
    expect(reason).to_have_value(WORDS)
    for status in (500, 403):
        page.route(
            "**/keep/", lambda route, _asked, status=status: route.fulfill(status=status, body="broke off")
        )
        press.click()
        page.get_by_text("broke off").wait_for()
        page.unroute("**/keep/")
        offered()
    press.click()
    page.get_by_text(WORDS).first.wait_for()
    page.goto(address)
    expect(page.get_by_text("was not saved")).to_have_count(0)
    # of what the test broke off, and of figures that the page asked for as it was left
    broken = ("Failed to load resource", "htmx:sendError", "htmx:afterRequest")
    complaints[:] = [one for one in complaints if not one.startswith(broken)]
