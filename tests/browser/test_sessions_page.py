"""Where one is signed in: accessible and narrow enough, and a device that is signed out is gone from the list."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from portal.models import User
from tests.browser.accessibility import problems
from tests.browser.signed_in import PASSWORD, sign_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/604.1"


def test_a_device_is_signed_out_from_the_list(page, live_server, shop):
    user = User.objects.get()
    elsewhere = [Client(headers={"user-agent": PHONE}, REMOTE_ADDR=f"2001:db8::{n}") for n in (7, 8)]
    for client in elsewhere:
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    sign_in(page, live_server)
    page.get_by_label("Your account").click()
    page.get_by_role("link", name="Where you are signed in").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("(this one)")
    found = problems(page, "sessions")
    rows.filter(has_text="2001:db8::7").get_by_role("button").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(rows).to_have_count(1)
    page.goto(f"{live_server.url}/s/shop/settings/people/{user.pk}/sign-out/")
    found += problems(page, "sign out a person")
    assert found == []
    assert [client.get("/s/shop/").status_code for client in elsewhere] == [302, 302]
