"""Every page in a language of other letters: what is left in plain letters never went through a catalogue."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from babel import Locale
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import trans_real

from portal.costly_pages import CostlyPages
from portal.models import Role, User
from sms.models import Draft
from tests.network import NetworkBlocked
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.people import a_cast
from tests.support.sends import a_send
from tests.support.strange_letters import CODE, PLAIN, StrangeLetters, of_catalogue, plain_texts, stored_texts

CATALOGUE = Path(__file__).resolve().parents[2] / "portal/locale/fr/LC_MESSAGES/django.po"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sqlite,  # what a page says does not depend on the database
]
# names and marks that are the same in every language
SAME = {
    *(
        "Textdesk",
        "Webex Connect",
        "UTC",
        "GSM-7",
        "CSV",
        "JSON",
        "SMS",
        "API",
        "URL",
        "HTTP",
        "HTTPS",
        "JWT",
        "ID",
        "PDF",
        "XLSX",
    ),
    *("Deutsch", "Français", "Español", "English", "Europe", "London", "GMT", "CNAME", "CNAME star-"),
    *("APAC", "AWS", "EMEA", "UK", "USA"),  # regions
    *("True", "False", "None", "TOTAL", "FORMS", "INITIAL", "MSISDN"),  # as Django writes them
    *("http", "https", "name"),  # of an address, and of $(name)
    "not named",  # a region that the provider has no name for
}


@pytest.fixture
def in_strange_letters(monkeypatch):
    monkeypatch.setitem(trans_real._translations, CODE, StrangeLetters(of_catalogue(CATALOGUE)))


@pytest.fixture
def desk(in_strange_letters):
    """A service with one of everything, whose people read the other letters."""
    cast = a_cast()
    User.objects.update(language=CODE)
    send = a_send(cast.service, 3, due_at=timezone.now() + timedelta(days=1))
    draft = Draft.objects.create(service=cast.service)
    found = {
        name: address(path, cast.service, send, draft, furnished=True) for path, name, _ in SERVICE_PAGES
    }
    return cast, found


def test_no_text_of_a_page_is_in_plain_letters(desk):
    cast, found = desk
    pages = {}
    for name, at in found.items():
        for role in (Role.ADMIN, Role.COMPOSER, Role.AUDITOR):
            CostlyPages.forget()
            pages[f"{name} of {role}"] = cast[role].get(at)
    left = in_plain_letters(pages)
    assert left == {}


def test_no_error_of_a_form_is_in_plain_letters(desk):
    cast, found = desk
    pages = {}
    for name, at in found.items():
        CostlyPages.forget()
        with transaction.atomic(), suppress(NetworkBlocked):
            pages[name] = cast[Role.ADMIN].post(at)
            transaction.set_rollback(True)
    left = in_plain_letters(pages, least=20)
    assert left == {}


def test_no_text_of_the_admin_or_of_an_account_is_in_plain_letters(desk):
    cast, _ = desk
    User.objects.filter(email="admin@example.test").update(is_superuser=True)
    addresses = [reverse("admin:index"), "/", "/notices/", "/status", "/audit/"]
    addresses += [
        f"/accounts/{name}/" for name in ("details", "sessions", "notices", "password/change", "2fa")
    ]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses.append(reverse(f"{name}_changelist"))
        addresses.append(reverse(f"{name}_add"))
        if (row := model._default_manager.first()) is not None:
            addresses.append(reverse(f"{name}_change", args=[row.pk]))
            addresses.append(reverse(f"{name}_delete", args=[row.pk]))
    pages = {}
    for at in addresses:
        CostlyPages.forget()
        pages[at] = cast[Role.ADMIN].get(at)
    left = in_plain_letters(pages, least=40)
    assert left == {}


def in_plain_letters(answers: dict[str, HttpResponse], *, least: int = 200) -> dict[str, str]:
    """What is data nowhere, and on which page it stands."""
    pages = {
        name: answer.content.decode()
        for name, answer in answers.items()
        if not answer.streaming and "html" in answer.headers.get("Content-Type", "")
    }
    assert len(pages) > least
    data = stored_texts() | SAME | set(Locale(CODE).territories.values()) | set(Locale(CODE).territories)
    words = {text for one in data for text in PLAIN.findall(one)}
    left = dict[str, str]()
    for name, html in pages.items():
        for text in plain_texts(html):
            # a short one stands by chance in what is random, such as a token
            if text not in words and not (len(text) > 5 and any(text in one for one in data)):
                left.setdefault(text, name)
    return left
