"""Pages about oneself: only those of allauth that are listed exist, and none changes a person's address."""

import pytest
from allauth.account.models import EmailAddress

from portal.models import User
from tests.support.people import a_cast
from tests.support.routes import patterns

pytestmark = pytest.mark.django_db

LISTED = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_index",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_add_webauthn",
    "mfa_login_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
}
OWN = {
    *("own_details", "own_number_code", "own_sessions", "own_notices", "own_mail_again"),
    *("address_confirm", "sso_leave", "sso_callback", "own_session", "script_words"),
}


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def test_the_pages_of_allauth_are_the_listed_ones():
    assert {name for path, name, _ in patterns() if path.startswith("accounts/")} == LISTED | OWN
    elsewhere = {
        path for path, _, entry in patterns() if (entry.callback.__module__ or "").startswith("allauth.")
    }
    assert all(path.startswith("accounts/") or path == "admin/login/" for path in elsewhere)


@pytest.mark.parametrize(
    "page", ["email/", "confirm-email/", "confirm-email/x:y/", "password/set/", "3rdparty/"]
)
def test_a_page_that_is_not_listed_is_not_there(cast, page):
    assert cast["composer"].get(f"/accounts/{page}").status_code == 404
    posted = cast["composer"].post(f"/accounts/{page}", {"action_add": "", "email": "boss@example.test"})
    assert posted.status_code == 404


def test_no_one_takes_the_identity_of_another(cast):
    person = cast.users["composer"]
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    EmailAddress.objects.create(user=person, email="admin@example.test")
    for act in ("action_primary", "action_send", "action_remove"):
        answer = cast["composer"].post("/accounts/email/", {act: "", "email": "admin@example.test"})
        assert answer.status_code == 404
    details = {"own_number": "", "time_zone": "", "country": "GB", "email": "admin2@example.test"}
    cast["composer"].post("/accounts/details/", details)
    assert User.objects.get(pk=person.pk).email == "composer@example.test"


def test_the_pages_that_are_listed_open(cast):
    for page in ("login/", "signup/", "password/reset/", "password/reset/done/", "inactive/"):
        assert cast["visitor"].get(f"/accounts/{page}").status_code == 200, page
    for page in ("password/change/", "2fa/", "details/"):
        assert cast["composer"].get(f"/accounts/{page}").status_code == 200, page
