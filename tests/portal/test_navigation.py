"""Where one is, is marked on every page: in the bar, and below it in the row of the group's pages."""

import re

import pytest
from django.db import transaction

from portal.access import ACTS
from portal.costly_pages import CostlyPages
from sms.models import Draft
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.people import Cast, a_cast
from tests.support.routes import patterns
from tests.support.sends import a_send

pytestmark = [pytest.mark.django_db, pytest.mark.once]
MAST = re.compile(r'<header class="masthead">.*?<main', re.DOTALL)
ROW = re.compile(r'<nav class="nav".*?</nav>', re.DOTALL)
WITHOUT_GROUP = {"home", "search", "shortcuts", "settings_pause", "settings_stop"}  # marked in the bar itself


@pytest.fixture
def cast() -> Cast:
    return a_cast(waiting=True)


def bar(page) -> str:
    found = MAST.search(page.content.decode(errors="replace")) if not page.streaming else None
    return found[0] if found else ""


def test_every_page_of_a_service_marks_its_place(cast):
    send = a_send(cast.service)
    address(SERVICE_PAGES[0][0], cast.service, send, Draft.objects.create(service=cast.service))
    seen, unmarked, groupless = set(), [], []
    for path, name, entry in SERVICE_PAGES:
        holders = ACTS[entry.callback.act]
        who = cast["admin" if "admin" in holders else min(holders)]
        CostlyPages.forget()
        with transaction.atomic():
            draft = Draft.objects.create(service=cast.service)
            shown = bar(who.get(address(path, cast.service, send, draft, furnished=True)))
            transaction.set_rollback(True)
        if not shown:
            continue
        seen.add(name)
        if "aria-current=" not in shown:
            unmarked.append(name)
        if name not in WITHOUT_GROUP and "aria-current=" not in ROW.search(shown)[0]:
            groupless.append(name)
    assert unmarked == groupless == []
    assert {"sender_stop", "policy_group", "api_keys", "callback_entry", "drafts", "recurring_end"} <= seen
    assert len(seen) > 90


def test_every_page_of_ones_own_marks_its_place_and_keeps_the_way_back(cast):
    paths = [
        f"/{path}"
        for path, *_ in patterns()
        if path.startswith("accounts/") and "<" not in path and "(" not in path
    ]
    opened = {path: cast["composer"].get(path) for path in paths}
    shown = {path: bar(page) for path, page in opened.items() if page.status_code == 200}
    own = {path: found for path, found in shown.items() if found}
    assert [path for path, found in own.items() if 'aria-current="' not in found] == []
    assert [path for path, found in own.items() if '<nav class="nav"' not in found] == []
    assert {
        "/accounts/details/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/sessions/",
    } <= set(own)


def test_the_bar_leads_to_what_a_role_may_open_and_to_nothing_else(cast):
    for role in ("composer", "approver", "admin", "auditor"):
        found = bar(cast[role].get("/s/shop/"))
        for url in set(re.findall(r'href="(/s/shop/[^"]*)"', found)):
            assert cast[role].get(url).status_code == 200, (role, url)
    assert "Drafts" in bar(cast["composer"].get("/s/shop/"))
    assert "Drafts" not in bar(cast["auditor"].get("/s/shop/"))
