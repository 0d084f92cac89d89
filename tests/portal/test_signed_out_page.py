"""The sign-in page of whoever was signed in until now: it says so, and leads back; a visitor reads nothing of it."""

import pytest
from django.test import Client

from portal.models import PersonsSession, User
from tests.support.factors import PASSWORD
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db
SAID = "<h1>You were signed out</h1>"
PAGE = "/s/shop/sends/"


def sessions_go(person: User) -> None:
    PersonsSession.objects.all().delete()


def password_changes(person: User) -> None:
    person.set_password("another horse battery")
    person.save()


def account_is_closed(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def is_unused_too_long(person: User) -> None:
    PersonsSession.objects.update(used_at=person.date_joined.replace(year=2020))


@pytest.mark.parametrize("lost", [sessions_go, password_changes, account_is_closed, is_unused_too_long])
@pytest.mark.parametrize("address", [PAGE, "/"])
def test_whoever_was_signed_in_reads_that_the_session_is_over(lost, address):
    person = a_cast(waiting=True).users["composer"]
    browser = Client()
    browser.force_login(person)
    assert browser.get(PAGE).status_code == 200
    lost(person)
    page = browser.get(address, follow=True)
    assert SAID in page.content.decode()
    assert f'name="next" value="{address}"' in page.content.decode()


def test_it_stays_said_after_a_wrong_password_and_leads_back():
    cast = a_cast(waiting=True)
    browser = Client()
    browser.force_login(cast.users["composer"])
    PersonsSession.objects.all().delete()
    at = browser.get(PAGE).headers["Location"]
    typed = {"login": cast.users["composer"].email, "next": PAGE}
    wrong = browser.post(at, typed | {"password": "not this one"})
    assert SAID in wrong.content.decode()
    right = browser.post(at, typed | {"password": PASSWORD})
    assert right.headers["Location"] == PAGE


def test_a_visitor_and_whoever_signed_out_read_nothing_of_it():
    cast = a_cast(waiting=True)
    assert SAID not in Client().get(PAGE, follow=True).content.decode()
    browser = Client()
    browser.force_login(cast.users["composer"])
    own_page = {"Referer": f"http://testserver{PAGE}"}
    out = browser.post("/accounts/logout/", headers=own_page, follow=True)
    assert out.redirect_chain[-1][0].startswith("/accounts/login/")
    assert SAID not in out.content.decode()


def test_a_link_of_a_page_that_stayed_open_says_so_when_its_cookie_is_gone():
    a_cast(waiting=True)
    own_page = {"Referer": f"http://testserver{PAGE}"}
    assert SAID in Client().get("/s/shop/", headers=own_page, follow=True).content.decode()
    docs = {"Referer": "http://testserver/accounts/login/"}
    assert SAID not in Client().get("/s/shop/", headers=docs, follow=True).content.decode()
