"""Sessions: listed, ended by their person or an admin, at once where something changed that opens the account, and by themselves."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from portal import people, session_ends
from portal.models import Membership, PersonsSession, User
from sms.models import AuditEvent
from sms.worker.expired import forget
from tests.support.factors import PASSWORD, SECRET, a_code
from tests.support.people import a_cast
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PAGE = "/accounts/sessions/"


@pytest.fixture(autouse=True)
def emptied():
    cache.clear()


@pytest.fixture
def cast():
    return a_cast(waiting=True)


@pytest.fixture
def person(cast) -> User:
    return cast.users["composer"]


def signed_in(person: User, *, password: str = PASSWORD, address: str = "192.0.2.7") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"user-agent": FIREFOX})
    assert client.post("/accounts/login/", {"login": person.email, "password": password}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/s/shop/").status_code == 200


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_sign_in_gets_a_session_of_its_own(person):
    client = Client()
    client.cookies["sessionid"] = "chosen-by-another-" + "x" * 14
    keys = []
    for _ in range(2):
        client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
        keys.append(client.cookies["sessionid"].value)
        client.post("/accounts/logout/")
    assert len({*keys, "chosen-by-another-" + "x" * 14}) == 3


def test_one_sees_where_one_is_signed_in_and_ends_one_or_all_others(person):
    this, second, third = (signed_in(person, address=f"192.0.2.{n}") for n in (1, 2, 3))
    page = this.get(PAGE)
    for said in (
        "Firefox on Linux (this one)",
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
        "Sign out everywhere else",
    ):
        assert said in words(page)
    assert not any(client.session.session_key in page.content.decode() for client in (this, second, third))
    (name,) = re.findall(
        r'value="(\w+)">\s*Sign out<span class="unseen"> Firefox on Linux, 192.0.2.2', page.content.decode()
    )
    this.post(PAGE, {"end": name})
    assert [is_in(client) for client in (this, second, third)] == [True, False, True]
    this.post(PAGE)
    assert [is_in(client) for client in (this, third)] == [True, False]
    acts = (
        AuditEvent.objects.filter(act__startswith="user.session").order_by("pk").values_list("act", flat=True)
    )
    assert list(acts) == ["user.session_ended", "user.sessions_ended"]


def test_nobody_ends_a_session_of_another(cast, person):
    other, mine = signed_in(cast.users["auditor"]), signed_in(person)
    page = other.get(PAGE)
    names = [one.name for one in page.context["sessions"]]
    mine.post(PAGE, {"end": names[0]})
    assert is_in(other)


def test_an_admin_signs_a_colleague_out_and_the_colleague_is_told(
    cast, person, django_capture_on_commit_callbacks
):
    theirs = signed_in(person)
    url = f"/s/shop/settings/people/{person.pk}/sign-out/"
    assert "They are signed in on 1 device, for all services." in words(cast["admin"].get(url))
    with django_capture_on_commit_callbacks(execute=True):
        assert "(1 device)" in words(cast["admin"].post(url, follow=True))
    assert not is_in(theirs)
    (letter,) = mail.outbox
    assert letter.to == [person.email] and "admin@example.test signed you out" in letter.body
    assert cast["composer"].post(url).status_code == 403
    foreign = cast.users["foreigner"].pk
    assert cast["admin"].post(f"/s/shop/settings/people/{foreign}/sign-out/").status_code == 404


def changes(person: User, how: str) -> None:
    if how == "password":
        person.set_password("another horse battery")
        person.save()
    elif how == "deactivation":
        person.is_active = False
        person.save()
    elif how == "role":
        people.set_roles(person.memberships.get().service, person, ["auditor"], by=BY)
    elif how == "admin's role form":
        root = Client()
        root.force_login(User.objects.create_superuser("root@example.test", PASSWORD))
        row = Membership.objects.get(user=person)
        typed = {
            "email": person.email,
            "is_active": "on",
            "memberships-TOTAL_FORMS": 1,
            "memberships-INITIAL_FORMS": 1,
        }
        typed |= {"memberships-0-id": row.pk, "memberships-0-user": person.pk, "memberships-0-DELETE": "on"}
        typed |= {"memberships-0-service": row.service_id, "memberships-0-role": row.role}
        assert root.post(f"/admin/portal/user/{person.pk}/change/", typed).status_code == 302
    elif how == "admin's action":
        root = Client()
        root.force_login(User.objects.create_superuser("root@example.test", PASSWORD))
        root.post("/admin/portal/user/", {"action": "sign_out", "_selected_action": [person.pk]})


@pytest.mark.parametrize("how", ["password", "deactivation", "role", "admin's role form", "admin's action"])
def test_what_changes_who_may_come_in_ends_sessions_at_once(person, how):
    client = signed_in(person)
    assert is_in(client)
    changes(person, how)
    assert client.get(PAGE).status_code == 302
    assert not PersonsSession.objects.filter(user=person).exists()


def test_ones_own_new_password_ends_the_others_and_keeps_this_one(person, django_capture_on_commit_callbacks):
    this, other = signed_in(person), signed_in(person)
    typed = {
        "oldpassword": PASSWORD,
        "password1": "another horse battery",
        "password2": "another horse battery",
    }
    with django_capture_on_commit_callbacks(execute=True):
        assert this.post("/accounts/password/change/", typed).status_code == 302
    assert (is_in(this), is_in(other)) == (True, False)
    (letter,) = [one for one in mail.outbox if "password" in one.subject]
    assert letter.to == [person.email]
    assert "/" not in letter.body.replace("Where you are signed in", ""), "no link"
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        this.post("/accounts/logout/")
        this.post("/accounts/login/", {"login": person.email, "password": "another horse battery"})
    assert mail.outbox == [], "this device is known with the new password"


def test_a_second_factor_that_is_set_up_ends_the_others(person, django_capture_on_commit_callbacks):
    this, other = signed_in(person), signed_in(person)
    this.post("/accounts/reauthenticate/", {"password": PASSWORD})
    with time_machine.travel(timezone.now(), tick=False), django_capture_on_commit_callbacks(execute=True):
        secret = this.get("/accounts/2fa/totp/activate/").context["form"].secret
        code = a_code(secret)
        assert this.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
    assert (is_in(this), is_in(other)) == (True, False)
    (letter,) = [one for one in mail.outbox if "second factor" in one.subject]
    assert "an app for codes was set up" in letter.body


def test_the_code_that_set_the_app_up_opens_nothing_more(person):
    this = signed_in(person)
    this.post("/accounts/reauthenticate/", {"password": PASSWORD})
    with time_machine.travel(timezone.now(), tick=False) as clock:
        secret = this.get("/accounts/2fa/totp/activate/").context["form"].secret
        code = a_code(secret)
        assert this.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
        again = signed_in(person)
        page = again.post("/accounts/2fa/authenticate/", {"code": code})
        assert "used already" in words(page)
        clock.shift(timedelta(seconds=31))
        code = a_code(secret)
        assert again.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302


def test_a_taken_away_factor_is_told_and_ends_the_others(person, django_capture_on_commit_callbacks):
    this, other = signed_in(person), signed_in(person)
    TOTP.activate(person, SECRET)
    code = a_code()
    assert this.post("/accounts/2fa/reauthenticate/", {"code": code}).status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        assert this.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert (is_in(this), is_in(other)) == (True, False)
    assert "an app for codes was taken away" in mail.outbox[-1].body


def test_a_new_device_is_told_and_a_known_one_is_not(person, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        client = signed_in(person)
    assert mail.outbox == [], "the very first"
    client.post("/accounts/logout/")
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert mail.outbox == []
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(person, address="203.0.113.77")
    (letter,) = mail.outbox
    assert letter.to == [person.email]
    assert "Firefox on Linux, from 203.0.113.77" in letter.body
    assert "password" not in letter.body, "a passkey or single sign-on may have been the way"


# --- by themselves --------------------------------------------------------------------------------------------------------
def test_an_unused_session_ends_and_polls_are_no_use(cast, person):
    client = signed_in(person)
    send = a_send(cast.service)
    progress = f"/s/shop/sends/{send.pk}/progress/"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            clock.shift(timedelta(minutes=100))
            assert is_in(client), "used"
        for _ in range(11):
            clock.shift(timedelta(minutes=10))
            assert client.get(progress, headers={"HX-Request": "true"}).status_code == 200
        clock.shift(timedelta(minutes=11))
        assert client.get(progress, headers={"HX-Request": "true"}).status_code == 401
        assert not PersonsSession.objects.filter(user=person).exists()


def test_every_session_ends_after_twelve_hours(person):
    client = signed_in(person)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(7):
            assert is_in(client)
            clock.shift(timedelta(minutes=100))
        clock.shift(timedelta(minutes=25))
        assert client.get("/s/shop/").status_code == 302


@pytest.mark.parametrize("how", ["signed out", "unused"])
def test_what_was_shown_leaves_the_browser_with_the_session_and_the_device_stays_known(person, how):
    client = signed_in(person)
    assert "Clear-Site-Data" not in client.get("/s/shop/").headers
    with time_machine.travel(timezone.now(), tick=False) as clock:
        if how == "unused":
            clock.shift(timedelta(hours=3))
        answer = client.post("/accounts/logout/") if how == "signed out" else client.get("/s/shop/")
    assert (answer.status_code, answer.headers["Clear-Site-Data"]) == (302, '"cache"')
    assert client.cookies["device"].value
    assert "Clear-Site-Data" not in Client().get("/accounts/login/").headers


def test_what_pages_ask_by_themselves_is_known_to_be_no_use():
    polled = set()
    for path in Path("templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if re.search(r'hx-trigger="every ', text):
            polled |= set(re.findall(r"hx-get=\"{% url '(\w+)'", text))
    assert polled
    assert polled <= session_ends.POLLED


def test_sessions_that_are_over_are_deleted(person):
    signed_in(person)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        forget()
    assert not PersonsSession.objects.exists()


# --- passwords ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def real_hashers(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]


def test_an_old_hash_is_made_anew_at_sign_in_and_nobody_is_told(
    person, real_hashers, django_capture_on_commit_callbacks
):
    User.objects.filter(pk=person.pk).update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
    before = signed_in(person)
    assert User.objects.get(pk=person.pk).password.startswith("argon2$argon2id$")
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(person)
    assert is_in(before), "the session that made it anew goes on"
    assert not [one for one in mail.outbox if "password was changed" in one.subject]


def test_the_admins_own_page_for_passwords_is_ours(cast):
    assert cast["admin"].get("/admin/password_change/").url == "/accounts/password/change/"
