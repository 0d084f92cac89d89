"""Single sign-on in Chromium, with its policy on scripts and forms: to the issuer, back, and back once more."""

import pytest
from playwright.sync_api import Page, expect

from tests.support import oidc_issuer
from tests.support.single_sign_on import set_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def issuer(live_server, settings, tmp_path):
    settings.PUBLIC_URL = live_server.url
    with oidc_issuer.running(tmp_path, redirect=f"{live_server.url}/accounts/sso/callback/") as running:
        set_up(settings, running.url)
        running.knows(ada={"email": "ada@example.test", "email_verified": True})
        yield running


def forgive(complaints: list[str]) -> None:
    """The issuer has no icon, and the page that refuses is a 403. What the policy on content forbids is no failed load."""
    complaints[:] = [one for one in complaints if "Failed to load resource" not in one]


def to_the_issuer(page: Page, live_server) -> None:
    page.goto(f"{live_server.url}/s/shop/sends/")
    page.get_by_role("button", name="Sign in with single sign-on").click()
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(oidc_issuer.PASSWORD)
    page.get_by_role("button", name="Sign in there").click()


def test_there_and_back_and_the_back_button_does_no_harm(page, live_server, shop, issuer, complaints):
    to_the_issuer(page, live_server)
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url("**/s/shop/sends/")
    expect(page.get_by_role("heading", name="Sends")).to_be_visible()
    # the address that led back, opened again from the history
    cookies = page.context.cookies()
    assert any(one["name"] == "sessionid" for one in cookies)
    page.goto(f"{live_server.url}/accounts/sso/callback/?state=old&code=used")
    expect(page.get_by_role("heading", name="used already, or took too long")).to_be_visible()
    page.goto(f"{live_server.url}/s/shop/")
    expect(page.get_by_role("navigation", name="Shop")).to_be_visible()
    forgive(complaints)


def test_who_cancels_there_begins_again_from_the_page(page, live_server, shop, issuer, complaints):
    to_the_issuer(page, live_server)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="You cancelled signing in")).to_be_visible()
    page.get_by_role("button", name="Use single sign-on again").click()
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url("**/s/shop/")
    forgive(complaints)
