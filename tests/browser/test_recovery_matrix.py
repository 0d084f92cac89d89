"""Each way to lose a session, with each way back: the words that were typed are stored in the end.

The table of both is in `WAYS_BACK` and `WAYS_LOST`; which pages and fields keep what is typed is in `test_recovery.py`.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from portal.models import Membership, PersonsSession, User
from sms.models import Draft, Send, SendKeeping, Service
from tests.browser.large_drafts import until
from tests.browser.signed_in import PASSWORD
from tests.support.sends import a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]
WORDS = "An hour of work"
NEW_PASSWORD = "another horse battery"
OUT = "You were signed out"


class Desk:
    """Ada at the page of a send, where she has written why it is kept and has not pressed yet."""

    def __init__(self, page: Page, url: str, service: Service) -> None:
        self.page, self.url, self.service = page, url, service
        self.user = User.objects.get(email="ada@example.test")
        self.password = PASSWORD
        self.send: Send = a_send(service, 1)
        self.draft = Draft.objects.create(service=service, sender=service.senders.get(), text="Hi")
        self.comes_in()

    def comes_in(self) -> None:
        person = Client()
        person.force_login(self.user)
        name = settings.SESSION_COOKIE_NAME
        self.page.context.add_cookies([{"name": name, "value": person.cookies[name].value, "url": self.url}])

    @property
    def at(self) -> str:
        return f"{self.url}/s/shop/sends/{self.send.pk}/"

    @property
    def field(self):
        return self.page.locator("form[action$='/keep/'] [name=reason]")

    def writes(self) -> None:
        self.page.goto(self.at)
        self.field.fill(WORDS)

    def presses(self) -> None:
        self.page.locator("form[action$='/keep/']").get_by_role("button").click()

    def signs_in(self, page: Page, email: str = "ada@example.test") -> None:
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(self.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/accounts/login/" not in url)

    def signs_in_beside(self) -> None:
        """In another tab, by hand."""
        tab = self.page.context.new_page()
        tab.goto(f"{self.url}/accounts/login/")
        self.signs_in(tab)
        tab.close()

    def signs_in_from_the_dialog(self) -> None:
        with self.page.expect_popup() as opened:
            self.page.get_by_role("button", name="Sign in in a new tab").click()
        opened.value.get_by_label("E-mail address").fill("ada@example.test")
        opened.value.get_by_label("Password").fill(self.password)
        opened.value.get_by_role("button", name="Sign in", exact=True).click()

    def signs_in_here(self) -> None:
        """On the page that took the place of hers."""
        expect(self.page.get_by_role("heading", name=OUT)).to_be_visible()
        expect(self.page.get_by_text("What you wrote is kept in this tab")).to_be_visible()
        self.signs_in(self.page)

    def puts_it_back(self) -> None:
        expect(self.field).to_have_value("")
        self.page.get_by_role("button", name="Put it back").click()
        expect(self.field).to_have_value(WORDS)

    def stored(self) -> None:
        kept = SendKeeping.objects.filter(send=self.send, held_because=WORDS)
        until(self.page, kept.exists, what="the words are stored")


def signs_in_in_the_tab_of_the_dialog(desk: Desk) -> None:
    desk.presses()
    expect(desk.page.get_by_role("dialog", name=OUT)).to_be_visible()
    desk.signs_in_from_the_dialog()


def waits_and_presses_again(desk: Desk) -> None:
    desk.presses()
    desk.page.get_by_role("button", name="Not now").click()
    expect(desk.field).to_have_value(WORDS)
    desk.signs_in_beside()
    desk.presses()


def loads_the_page_again(desk: Desk) -> None:
    desk.page.reload()
    desk.signs_in_here()
    desk.page.wait_for_url(desk.at)
    desk.puts_it_back()
    desk.presses()


def follows_a_link_away(desk: Desk) -> None:
    desk.page.get_by_role("link", name="Duplicate").click()
    desk.signs_in_here()
    desk.page.wait_for_url("**/duplicate/")
    desk.page.goto(desk.at)
    desk.puts_it_back()
    desk.presses()


def goes_back_by_the_button_of_the_browser(desk: Desk) -> None:
    desk.page.get_by_role("link", name="Duplicate").click()
    desk.signs_in_here()
    desk.page.wait_for_url("**/duplicate/")
    for _ in range(3):
        if desk.page.url != desk.at:
            desk.page.go_back()
    desk.puts_it_back()
    desk.presses()


def is_signed_in_by_another_tab(desk: Desk) -> None:
    desk.signs_in_beside()
    desk.presses()


def another_person_was_there_meanwhile(desk: Desk) -> None:
    other = User.objects.create_user("ben@example.test", desk.password)
    Membership.objects.create(user=other, service=desk.service, role="composer")
    tab = desk.page.context.new_page()
    tab.goto(f"{desk.url}/accounts/login/")
    desk.signs_in(tab, "ben@example.test")
    desk.presses()
    expect(desk.page.get_by_role("dialog", name="Another person is signed in")).to_be_visible()
    assert not SendKeeping.objects.exists(), "nobody else's press"
    tab.goto(f"{desk.url}/accounts/logout/")
    tab.get_by_role("main").get_by_role("button", name="Sign out").click()
    tab.wait_for_url("**/accounts/login/**")
    desk.signs_in(tab)
    tab.close()


def opens_the_tab_again_after_a_crash(desk: Desk) -> None:
    desk.page.goto("about:blank")
    desk.page.goto(desk.at)
    desk.signs_in_here()
    desk.puts_it_back()
    desk.presses()


def was_cut_off_too(desk: Desk) -> None:
    desk.page.context.set_offline(True)
    desk.presses()
    expect(desk.page.get_by_role("dialog", name="No connection")).to_be_visible()
    desk.page.context.set_offline(False)
    expect(desk.page.get_by_role("dialog", name=OUT)).to_be_visible()
    desk.signs_in_from_the_dialog()


def the_desk_breaks_off_after_signing_in(desk: Desk) -> None:
    desk.signs_in_beside()
    desk.page.route("**/keep/", lambda route: route.fulfill(status=500, body="broke off"))
    desk.presses()
    desk.page.get_by_text("broke off").wait_for()
    desk.page.unroute("**/keep/")
    desk.page.goto(desk.at)
    desk.puts_it_back()
    desk.presses()


def the_page_stands_still_and_says_where_to_sign_in(desk: Desk) -> None:
    still = desk.page.get_by_role("alert").filter(has_text="this page stands still")
    with desk.page.expect_popup() as opened:
        still.get_by_role("link", name="Sign in again in a new window").click()
    desk.signs_in(opened.value)
    opened.value.close()
    expect(still).to_be_hidden()
    expect(desk.field).to_have_value(WORDS)
    desk.presses()


def the_browser_forgot_its_cookies_too(desk: Desk) -> None:
    desk.page.context.clear_cookies()
    desk.presses()
    expect(desk.page.get_by_role("dialog", name=OUT)).to_be_visible()
    desk.signs_in_from_the_dialog()


WAYS_BACK: tuple[Callable[[Desk], None], ...] = (
    signs_in_in_the_tab_of_the_dialog,
    waits_and_presses_again,
    loads_the_page_again,
    follows_a_link_away,
    goes_back_by_the_button_of_the_browser,
    is_signed_in_by_another_tab,
    another_person_was_there_meanwhile,
    opens_the_tab_again_after_a_crash,
    was_cut_off_too,
    the_desk_breaks_off_after_signing_in,
    the_page_stands_still_and_says_where_to_sign_in,
    the_browser_forgot_its_cookies_too,
)


def not_used_for_too_long(desk: Desk) -> None:
    PersonsSession.objects.update(used_at=timezone.now() - timedelta(days=1))


def ended_on_another_device(desk: Desk) -> None:
    PersonsSession.objects.all().delete()


def password_was_changed(desk: Desk) -> None:
    desk.password = NEW_PASSWORD
    desk.user.set_password(NEW_PASSWORD)
    desk.user.save()


WAYS_LOST: tuple[Callable[[Desk], None], ...] = (
    not_used_for_too_long,
    ended_on_another_device,
    password_was_changed,
)


@pytest.mark.parametrize("lost", WAYS_LOST)
@pytest.mark.parametrize("back", WAYS_BACK)
def test_no_word_is_lost(page, complaints, live_server, shop, lost, back):
    desk = Desk(page, live_server.url, shop)
    desk.writes()
    lost(desk)
    back(desk)
    desk.stored()
    complaints.clear()  # the browser reports each refused answer


@pytest.mark.parametrize("lost", WAYS_LOST)
def test_a_draft_saves_itself_again(page, complaints, live_server, shop, lost):
    desk = Desk(page, live_server.url, shop)
    page.goto(f"{live_server.url}/s/shop/drafts/{desk.draft.pk}/")
    lost(desk)
    page.get_by_label("Text", exact=True).fill(WORDS)
    expect(page.locator("[data-state]")).to_contain_text(f"Not saved. {OUT}.")
    desk.signs_in_beside()
    until(page, Draft.objects.filter(text=WORDS).exists, what="the draft is saved")
    complaints.clear()


def test_what_a_role_that_was_taken_away_refused_is_offered_when_it_is_back(
    page, complaints, live_server, shop
):
    desk = Desk(page, live_server.url, shop)
    desk.writes()
    roles = list(Membership.objects.filter(user=desk.user).values_list("role", flat=True))
    desk.user.memberships.exclude(role="composer").delete()
    desk.presses()
    expect(page.get_by_role("heading", name="Not for your role")).to_be_visible()
    expect(page.get_by_text("What you wrote there is still in this tab")).to_be_visible()
    for role in roles:
        Membership.objects.get_or_create(user=desk.user, service=shop, role=role)
    page.get_by_role("link", name="Back to the page").click()
    desk.puts_it_back()
    desk.presses()
    desk.stored()
    complaints.clear()
