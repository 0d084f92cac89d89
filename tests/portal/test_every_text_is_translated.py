"""Every page in a language of other letters: what is left in plain letters never went through a catalogue."""

from datetime import timedelta
from pathlib import Path

import pytest
from babel import Locale
from django.utils import timezone
from django.utils.translation import trans_real

from portal.costly_pages import CostlyPages
from portal.models import Role, User
from sms.models import Draft
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.people import a_cast
from tests.support.sends import a_send
from tests.support.strange_letters import CODE, StrangeLetters, of_catalogue, plain_texts, stored_texts

CATALOGUE = Path(__file__).resolve().parents[2] / "portal/locale/fr/LC_MESSAGES/django.po"
pytestmark = pytest.mark.django_db
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
    *("APAC", "EMEA", "USA"),  # regions
    "not named",  # a region that the provider has no name for
}


@pytest.fixture
def in_strange_letters(monkeypatch):
    monkeypatch.setitem(trans_real._translations, CODE, StrangeLetters(of_catalogue(CATALOGUE)))


def test_no_text_of_a_page_is_in_plain_letters(in_strange_letters):
    cast = a_cast()
    User.objects.update(language=CODE)
    send = a_send(cast.service, 3, due_at=timezone.now() + timedelta(days=1))
    draft = Draft.objects.create(service=cast.service)
    pages = {}
    for path, name, _ in SERVICE_PAGES:
        at = address(path, cast.service, send, draft, furnished=True)
        for role in (Role.ADMIN, Role.COMPOSER, Role.AUDITOR):
            CostlyPages.forget()
            answer = cast[role].get(at)
            if not answer.streaming and "html" in answer.headers.get("Content-Type", ""):
                pages[f"{name} of {role}"] = answer.content.decode()
    assert len(pages) > 200
    data = stored_texts() | SAME | set(Locale(CODE).territories.values()) | set(Locale(CODE).territories)
    left = {}
    for name, html in pages.items():
        for text in plain_texts(html):
            if text not in SAME and not any(text in one for one in data):
                left.setdefault(text, name)
    assert left == {}
