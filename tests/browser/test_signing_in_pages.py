"""The pages about signing in and second factors: accessible in both looks, with somebody lacking a factor and with rules of groups."""

import pytest

from portal.models import FactorRule, GroupRole, User
from tests.browser.accessibility import problems
from tests.browser.signed_in import PASSWORD
from tests.support.factors import asked, with_app
from tests.support.single_sign_on import set_up

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]


def test_every_page_about_signing_in_is_accessible(page, live_server, shop, settings, complaints):
    settings.PUBLIC_URL = live_server.url
    set_up(settings, "http://127.0.0.1:9/o")
    User.objects.update(is_superuser=True)
    home = live_server.url
    page.goto(f"{home}/accounts/login/")
    found = problems(page, "sign in")
    page.get_by_role("button", name="Sign in with single sign-on").click()
    page.wait_for_selector("[data-code=away]")
    found += problems(page, "single sign-on refused")
    complaints.clear()  # the page that refuses is a 403
    page.goto(f"{home}/accounts/login/")
    page.get_by_label("E-mail address").fill("ada@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/s/shop/")
    asked(shop, role="composer", days_ago=10, grace_days=14)
    GroupRole.objects.create(group="texters of the london office", service=shop, role="composer")
    for path in (
        "/s/shop/",
        "/s/shop/settings/second-factor/",
        "/second-factor/",
        "/single-sign-on/",
        "/accounts/2fa/",
    ):
        page.goto(f"{home}{path}")
        found += problems(page, f"in grace, {path}")
    FactorRule.objects.update(grace_days=1)
    page.goto(f"{home}/s/shop/")
    page.wait_for_url("**/accounts/2fa/")
    found += problems(page, "shut")
    page.goto(f"{home}/accounts/2fa/totp/activate/")
    found += problems(page, "is it still you")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="Confirm").click()
    found += problems(page, "new app")
    with_app(User.objects.get(email="ada@example.test"))
    for path in ("/accounts/2fa/recovery-codes/", "/accounts/2fa/recovery-codes/generate/", "/accounts/2fa/"):
        page.goto(f"{home}{path}")
        found += problems(page, f"with an app, {path}")
    assert found == []


def test_the_second_step_is_accessible(page, live_server, shop):
    with_app(User.objects.get())
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("E-mail address").fill("ada@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/authenticate/")
    assert problems(page, "second step") == []
