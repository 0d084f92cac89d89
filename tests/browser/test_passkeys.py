"""Passkeys in Chromium, whose virtual authenticators stand for a laptop's fingerprint reader and for a key that is plugged in."""

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from playwright.sync_api import Page, expect

from portal.models import User
from sms.models import AuditEvent
from tests.browser.signed_in import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


class Device:
    """A virtual authenticator of a page's browser."""

    def __init__(self, page: Page, **changes) -> None:
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options | changes})
        self.id = {"authenticatorId": added["authenticatorId"]}

    def credentials(self) -> list[dict]:
        return self.cdp.send("WebAuthn.getCredentials", self.id)["credentials"]

    def put(self, credential: dict) -> None:
        self.cdp.send("WebAuthn.addCredential", self.id | {"credential": credential})

    def refuse(self) -> None:
        """The person presses Cancel."""
        self.cdp.send("WebAuthn.setUserVerified", self.id | {"isUserVerified": False})


@pytest.fixture
def desk(live_server, settings):
    """At its own address, which is localhost: browsers make no passkey for an IP address."""
    settings.PUBLIC_URL = live_server.url.replace("127.0.0.1", "localhost")
    return live_server


def url(path: str) -> str:
    return f"{django_settings.PUBLIC_URL}{path}"


def signed_in(page: Page) -> None:
    page.goto(url("/accounts/login/"))
    page.get_by_label("E-mail address").fill("ada@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add(page: Page, name: str, *, alone: bool = True) -> None:
    page.goto(url("/accounts/2fa/passkeys/add/"))
    if page.get_by_label("Password").count():
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Sign in with it alone").set_checked(alone)
    page.get_by_role("button", name="Add the passkey").click()


def sign_out(page: Page) -> None:
    page.context.clear_cookies()
    page.goto(url("/accounts/login/"))


def with_a_passkey(page: Page, **changes) -> Device:
    device = Device(page, **changes)
    signed_in(page)
    page.wait_for_url("**/s/shop/")
    add(page, "Laptop", alone=device_alone(changes))
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return device


def device_alone(changes: dict) -> bool:
    return changes.get("hasResidentKey", True)


def alone_button(page: Page):
    return page.get_by_role("button", name="Sign in with a passkey")


def test_a_passkey_is_added_and_signs_in_without_a_password(page, desk, shop):
    with_a_passkey(page)
    expect(page.get_by_role("list", name="Recovery codes").get_by_role("listitem")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("signs in alone")).to_be_visible()
    sign_out(page)
    alone_button(page).click()
    page.wait_for_url("**/s/shop/")
    stored = Authenticator.objects.get(type="webauthn")
    assert stored.data["name"] == "Laptop"
    assert stored.data["sign_count"] > 0
    assert AuditEvent.objects.filter(act="user.signed_in").count() == 2


def test_a_key_without_a_place_for_passkeys_is_asked_for_after_the_password(page, desk, shop):
    with_a_passkey(page, hasResidentKey=False, transport="usb")
    sign_out(page)
    signed_in(page)
    expect(page.get_by_role("heading", name="Show that it is you")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/s/shop/")


def test_a_passkey_is_renamed_and_removed_and_then_opens_nothing(page, desk, shop, complaints):
    with_a_passkey(page)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Rename Laptop").click()
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Work laptop").first).to_be_visible()
    page.get_by_role("link", name="Remove Work laptop").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Work laptop")).to_have_count(0)
    assert not Authenticator.objects.exists()
    acts = set(AuditEvent.objects.values_list("act", flat=True))
    assert {"user.second_factor_added", "user.passkey_renamed", "user.second_factor_removed"} <= acts
    sign_out(page)
    alone_button(page).click()
    expect(page.get_by_text("This passkey was not taken")).to_be_visible()
    assert AuditEvent.objects.filter(act="user.sign_in_refused").count() == 1


def test_who_cancels_is_told_that_nothing_was_done_and_can_try_again(page, desk, shop):
    device = with_a_passkey(page)
    sign_out(page)
    device.refuse()
    alone_button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
    device.cdp.send("WebAuthn.setUserVerified", device.id | {"isUserVerified": True})
    alone_button(page).click()
    page.wait_for_url("**/s/shop/")


def test_a_copy_of_a_key_is_found_by_its_counter(page, desk, shop):
    device = with_a_passkey(page)
    sign_out(page)
    alone_button(page).click()
    page.wait_for_url("**/s/shop/")
    [original] = device.credentials()
    device.cdp.send("WebAuthn.clearCredentials", device.id)
    device.put(original | {"signCount": 0})
    sign_out(page)
    alone_button(page).click()
    expect(page.get_by_text("its counter went back, as if there were a copy of it")).to_be_visible()
    page.goto(url("/s/shop/"))
    expect(page.get_by_label("Password")).to_be_visible()
    assert AuditEvent.objects.filter(act="user.sign_in_refused").count() == 1


def test_the_same_device_is_not_added_twice(page, desk, shop):
    with_a_passkey(page)
    add(page, "Once more")
    expect(page.get_by_role("alert")).to_contain_text("has a passkey for this account already")
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_at_another_address_of_the_desk_no_passkey_is_made_or_used(page, desk, shop, settings):
    """The browser itself refuses a passkey for the first one, and the page says where to go."""
    with_a_passkey(page)
    other = settings.PUBLIC_URL.replace("localhost", "127.0.0.1")
    page.context.clear_cookies()
    page.goto(f"{other}/accounts/login/")
    alone_button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("only where Textdesk is opened at its own address")
    assert AuditEvent.objects.filter(act="user.signed_in").count() == 1


def test_an_answer_that_was_made_at_another_origin_is_refused(page, desk, shop, settings):
    """A subdomain of the desk may ask for the desk's passkey, as the rules of browsers have it. The desk does not take its answer."""
    with_a_passkey(page)
    sign_out(page)
    public = settings.PUBLIC_URL
    alone_button(page).wait_for()
    settings.PUBLIC_URL = public.replace("http://", "https://")
    alone_button(page).click()
    expect(page.get_by_text("This passkey was not taken")).to_be_visible()
    assert AuditEvent.objects.filter(act="user.sign_in_refused").count() == 1
    settings.PUBLIC_URL = public


def test_a_person_who_may_not_sign_in_does_not_by_passkey(page, desk, shop):
    with_a_passkey(page)
    sign_out(page)
    User.objects.update(is_active=False)
    alone_button(page).click()
    page.wait_for_url("**/accounts/inactive/")


def test_without_javascript_the_password_signs_in_and_no_button_leads_nowhere(browser, desk, shop):
    window = browser.new_context(java_script_enabled=False)
    page = window.new_page()
    page.goto(url("/accounts/login/"))
    expect(alone_button(page)).to_be_hidden()
    signed_in(page)
    page.wait_for_url("**/s/shop/")
    window.close()
