"""Pages leave compressed; a page that shows a secret does not."""

import gzip

import pytest
from django.db import transaction

from portal.access import ACTS
from portal.costly_pages import CostlyPages
from portal.people import invite
from sms.models import Draft, Service
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.people import Cast, a_cast
from tests.support.sends import BY, a_send

pytestmark = [pytest.mark.django_db, pytest.mark.once]
ASKS = {"HTTP_ACCEPT_ENCODING": "gzip"}


@pytest.fixture
def cast() -> Cast:
    return a_cast(waiting=True)


def text_of(page) -> str:
    if page.streaming:
        return ""
    zipped = page.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(page.content) if zipped else page.content).decode(errors="replace")


def test_a_page_leaves_compressed_where_the_browser_takes_it_and_never_twice_as_long(cast):
    page = cast["composer"].get("/s/shop/compose/", **ASKS)
    whole = cast["composer"].get("/s/shop/compose/")
    assert page.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in page.headers["Vary"]
    assert "Content-Encoding" not in whole.headers
    assert "Who gets it" in text_of(page)
    lengths = {len(cast["composer"].get("/s/shop/compose/", **ASKS).content) for _ in range(8)}
    assert len(lengths) > 1, "a random length is added"
    assert max(lengths) < len(whole.content) / 3


def test_no_page_that_shows_a_secret_leaves_compressed(cast):
    send = a_send(cast.service)
    address(SERVICE_PAGES[0][0], cast.service, send, Draft.objects.create(service=cast.service))
    invite(cast.service, "another@example.test", ["auditor"], by=BY)
    service = Service.objects.get(pk=cast.service.pk)
    secrets = [service.receipt_token, service.webhook_token, "/invitations/"]
    shown, compressed = set(), set()
    for path, name, entry in SERVICE_PAGES:
        if "<int:pk>" in path:
            continue
        holders = ACTS[entry.callback.act]
        CostlyPages.forget()
        who = cast["admin" if "admin" in holders else min(holders)]
        with transaction.atomic():
            draft = Draft.objects.create(service=cast.service)
            page = who.get(address(path, cast.service, send, draft, furnished=True), **ASKS)
            transaction.set_rollback(True)
        text = text_of(page)
        if any(one and one in text for one in secrets):
            shown.add(name)
            if "Content-Encoding" in page.headers:
                compressed.add(name)
    assert shown >= {"settings", "receipts_page", "going_live"}
    assert compressed == set()


def test_pages_of_the_own_account_and_answers_to_forms_leave_as_they_are(cast):
    for path in ("/accounts/details/", "/accounts/2fa/", "/accounts/login/"):
        assert "Content-Encoding" not in cast["admin"].get(path, **ASKS).headers, path
    made = cast["admin"].post("/s/shop/api-keys/", {"name": "Till", "scopes": ["read"]}, **ASKS)
    assert "Content-Encoding" not in made.headers
