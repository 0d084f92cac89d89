"""A person's e-mail address: asked for by an admin, confirmed by the new mailbox, and written into the audit from what to what."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from portal import addresses
from portal.models import User
from sms.models import AuditEvent
from tests.support.people import a_cast
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
NEW = "new@example.test"


@pytest.fixture
def cast():
    return a_cast(waiting=True)


@pytest.fixture
def person(cast) -> User:
    return cast.users["composer"]


@pytest.fixture
def superuser(cast) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.test", PASSWORD))
    return client


def change(client: Client, person: User, email: str):
    """As the admin page posts it."""
    rows = "memberships"
    typed = {"email": email, "is_active": "on", "first_name": "", "last_name": "", "time_zone": ""}
    typed |= {f"{rows}-TOTAL_FORMS": 0, f"{rows}-INITIAL_FORMS": 0}
    return client.post(f"/admin/portal/user/{person.pk}/change/", typed, follow=True)


def signs_in(email: str) -> bool:
    return Client().post("/accounts/login/", {"login": email, "password": PASSWORD}).status_code == 302


def test_the_new_mailbox_confirms_and_the_old_address_opens_nothing(person, superuser):
    assert signs_in(person.email)
    EmailAddress.objects.get_or_create(user=person, email=person.email, primary=True, verified=True)
    change(superuser, person, NEW.upper())
    person.refresh_from_db()
    assert person.email == "composer@example.test", "nothing changes before"
    (asked,) = mail.outbox
    assert asked.to == [NEW]
    path = re.search(r"/accounts/address/[^/\s]+/", asked.body)[0]
    assert NEW in Client().get(path).content.decode()
    assert User.objects.get(pk=person.pk).email == "composer@example.test", "nor by looking"
    assert Client().post(path).status_code == 302
    assert User.objects.get(pk=person.pk).email == NEW
    assert (signs_in(NEW), signs_in("composer@example.test")) == (True, False)
    assert list(EmailAddress.objects.filter(user=person).values_list("email", flat=True)) == [NEW]
    assert mail.outbox[-1].to == ["composer@example.test"], "the old mailbox is told"
    assert Client().post(path).status_code == 410, "once"
    acts = AuditEvent.objects.filter(act__startswith="user.address_").order_by("pk")
    assert [event.act for event in acts] == ["user.address_asked", "user.address_changed"]
    assert [event.actor_label for event in acts] == ["root@example.test", "composer@example.test"]
    for event in acts:
        assert (event.details["before"], event.details["after"]) == ("composer@example.test", NEW)


def test_an_address_that_is_taken_is_refused_when_it_is_asked_for_and_when_it_is_confirmed(person, superuser):
    page = change(superuser, person, "Admin@example.test")
    assert "Another person has this address." in page.content.decode()
    link = addresses.ask(person, NEW, by=BY)
    User.objects.create_user(NEW, PASSWORD)
    assert Client().post(link).status_code == 410
    assert User.objects.get(pk=person.pk).email == "composer@example.test"
    assert EmailAddress.objects.filter(email=NEW, user=person).count() == 0


def test_a_link_that_was_altered_or_is_old_leads_nowhere(person, monkeypatch):
    link = addresses.ask(person, NEW, by=BY)
    assert Client().get(link[:-3] + "xx/").status_code == 410
    monkeypatch.setattr(addresses, "HOLDS_FOR", -1)
    assert Client().post(link).status_code == 410


def test_without_a_mail_server_the_admin_hands_the_link_over(person, superuser, settings, capsys):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    page = change(superuser, person, NEW).content.decode()
    assert "/accounts/address/" in page
    assert "/accounts/address/" not in capsys.readouterr().out


def test_nobody_but_a_superuser_asks_and_the_librarys_rows_have_no_page(cast, person, superuser):
    assert change(cast["admin"], person, NEW).status_code == 403
    assert superuser.get("/admin/account/emailaddress/").status_code == 404
