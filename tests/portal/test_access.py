"""Every address × every role × a foreign service, walked from the URL configuration itself: a new page is covered the day it is added."""

from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client

from portal.access import ACTS
from portal.costly_pages import CostlyPages
from portal.models import Role, User
from sms.models import (
    AuditEvent,
    Draft,
    Send,
    Service,
)
from tests.support.every_page import SERVICE_PAGES, THINGS, address
from tests.support.people import Cast, a_cast
from tests.support.routes import patterns
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db

# What a visitor may reach: sign-in, health, and the machine doors, which have locks of their own.
OPEN = {
    "services",
    "first_run",
    "own_session",
    "healthz",
    "readyz",
    "metrics",
    "receipts",
    "inbound",
    "v2_messages",
    "v2_message",
    "sms_v1_messages",
    "sms_v1_message",
    "messaging_v1",
    "messaging_v1_status",
    "api_schema",
    "api_schema_webex",
    "api_docs",
    "api_docs_page",
    "api_client",
    "api_postman",
    "api_reference",
    "api_reference_webex",
    "api_reference_known",
    "problem_list",
    "problem_page",
    "invitation",
    "address_confirm",
    "admin:login",
    "admin:jsi18n",
}
OPEN_ACCOUNT = {
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "account_reauthenticate",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "mfa_reauthenticate",
}


CLOSED_PAGES = [
    (path, name)
    for path, name, _ in patterns()
    if not path.startswith("s/<slug:service>/") and name not in OPEN | OPEN_ACCOUNT
]

# Who is let in is decided before a page looks for anything, by rows that are read alike on both databases. That every page opens and
# takes a press on both is what `test_every_page_of_a_service_opens_and_shows_times_in_its_zone` looks at.
ROLES_ARE_ROWS = pytest.mark.sqlite


@pytest.fixture
def cast() -> Cast:
    made = a_cast(waiting=True)
    # where nobody listens, so that the connection test ends at once
    Service.objects.update(base_url="http://127.0.0.1:9")
    return made


def status(answer) -> int:
    if answer.streaming:
        list(answer)  # which closes a file
    return answer.status_code


def statuses(client, url: str) -> set[int]:
    """By both ways in; 405 says nothing about who is asking."""
    return {status(client.get(url)), status(client.post(url))} - {405}


def test_the_walk_finds_the_pages():
    names = {name for _, name, _ in SERVICE_PAGES}
    assert {
        "home",
        "compose",
        "draft",
        "draft_review",
        "sends",
        "send",
        "send_cancel",
        "messages",
        "settings",
    } <= names
    assert len(SERVICE_PAGES) > len(THINGS) > 50 < len(CLOSED_PAGES)


@ROLES_ARE_ROWS
@pytest.mark.parametrize(("path", "name", "entry"), SERVICE_PAGES, ids=[name for _, name, _ in SERVICE_PAGES])
def test_a_page_of_a_service_opens_for_the_roles_of_its_act_and_no_others(path, name, entry, cast):
    act = entry.callback.act
    send, draft = a_send(cast.service), Draft.objects.create(service=cast.service)
    url = address(path, cast.service, send, draft, furnished=True)
    visitor = cast["visitor"].get(url)
    assert visitor.status_code == 302
    assert visitor.url.startswith("/accounts/login/")
    assert cast["visitor"].post(url).status_code == 302
    assert statuses(cast["foreigner"], url) == {404}
    for role in Role.values:
        if role in ACTS[act]:
            continue
        assert statuses(cast[role], url) == {403}, role
    for at, role in enumerate(sorted(ACTS[act])):
        draft = Draft.objects.create(service=cast.service)
        fresh = address(path, cast.service, send, draft, furnished=True)
        opened = {status(cast[role].get(fresh))} - {405}
        if not opened or at == 0:  # whose press is let in is the same rule: one of a page's roles does
            opened.add(status(cast[role].post(fresh)))
        assert opened - {405} <= {200, 302, 404, 422}, (role, opened)
        assert opened & {200, 302, 422}, (role, opened)


def test_every_page_of_a_service_opens_and_shows_times_in_its_zone(cast):
    """Also those that Django draws only after the view has returned."""
    Service.objects.filter(pk=cast.service.pk).update(time_zone="Asia/Tokyo")
    send = a_send(cast.service)
    shown, broken = {}, []
    address(
        SERVICE_PAGES[0][0], cast.service, send, Draft.objects.create(service=cast.service)
    )  # one of everything
    for path, name, entry in SERVICE_PAGES:
        holders = ACTS[entry.callback.act]
        who = cast["admin" if "admin" in holders else min(holders)]
        with transaction.atomic():  # what the press did is undone, so that the next page finds what it needs
            draft = Draft.objects.create(service=cast.service)
            url = address(path, cast.service, send, draft, furnished=True)
            CostlyPages.forget()  # nobody opens all of them within a minute
            page, pressed = who.get(url), who.post(url)
            found = {status(page), status(pressed)} - {405}
            if not (found <= {200, 302, 404, 422} and found & {200, 302, 422}):
                broken.append((name, found))
            transaction.set_rollback(True)
        text = "" if page.streaming else page.content.decode(errors="replace")
        if page.status_code == 200 and "Times are in" in text:
            shown[name] = "Times are in Asia/Tokyo" in text
    assert broken == []
    assert [name for name, right in shown.items() if not right] == []
    assert len(shown) > 50


@pytest.mark.parametrize(("path", "name", "entry"), THINGS, ids=[name for _, name, _ in THINGS])
def test_things_of_another_service_are_not_found_under_ones_own(path, name, entry, cast):
    send, draft = a_send(cast.other), Draft.objects.create(service=cast.other)
    url = address(path, cast.service, send, draft, furnished=True)
    holders = ACTS[entry.callback.act]
    assert statuses(cast["admin" if "admin" in holders else min(holders)], url) == {404}


@ROLES_ARE_ROWS
@pytest.mark.parametrize(("path", "name"), CLOSED_PAGES, ids=[name for _, name in CLOSED_PAGES])
def test_a_visitor_reaches_nothing_but_sign_in_and_health(path, name, cast):
    url = "/" + path
    for variable, value in (
        ("<path:object_id>", "1"),
        ("<int:content_type_id>", "1"),
        ("<app_label>", "sms"),
        ("<int:pk>", "1"),
    ):
        url = url.replace(variable, value)
    if url.startswith("/^admin") or "(?P<" in url or "<" in url:
        url = "/admin/sms/"
    response = cast["visitor"].get(url)
    if url.startswith("/api/v1/"):  # keys only; a page to sign in on would be no answer to a program
        assert cast["admin"].get(url).status_code == response.status_code
        assert response.status_code == 401 or url == "/api/v1/", "what is not there may be said to anybody"
        return
    assert response.status_code in (302, 301, 404), (url, response.status_code)
    if response.status_code in (301, 302):
        assert (
            "login" in response.url
            or response.url.startswith("/static/")
            or response.url.startswith("/admin/")
        ), response.url


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMIN])
def test_the_admin_is_for_admins(role, cast):
    for url in ("/admin/", "/admin/sms/sender/", "/admin/sms/message/", "/admin/sms/send/add/"):
        assert cast[role].get(url).status_code == 302, url


def test_an_admin_sees_the_rows_of_their_own_services_only(cast):
    a_send(cast.other, name="Somebody else's")
    a_send(cast.service, name="Ours")
    page = cast["admin"].get("/admin/sms/send/").content.decode()
    assert "Ours" in page
    assert "Somebody else" not in page
    foreign = Send.objects.get(service=cast.other)
    assert cast["admin"].get(f"/admin/sms/send/{foreign.pk}/change/").status_code == 302


def test_records_cannot_be_edited_in_the_admin(cast):
    send = a_send(cast.service)
    message = send.messages.get()
    for url in (
        "/admin/sms/message/add/",
        f"/admin/sms/message/{message.pk}/delete/",
        "/admin/sms/receipt/add/",
        "/admin/sms/auditevent/add/",
        f"/admin/sms/send/{send.pk}/delete/",
    ):
        assert cast["admin"].get(url).status_code == 403, url
    cast["admin"].post(f"/admin/sms/message/{message.pk}/change/", {"state": "delivered"})
    message.refresh_from_db()
    assert message.state == "pending"


def test_django_q2s_own_pages_are_gone(cast):
    page = cast["admin"].get("/admin/").content.decode()
    assert "django_q" not in page
    assert cast["admin"].get("/admin/django_q/ormq/").status_code == 404


def test_a_button_whose_press_led_to_the_sign_in_says_that_nothing_was_done(cast):
    send = a_send(cast.service)
    url = f"/s/shop/sends/{send.pk}/pause/"
    here, part = f"/s/shop/sends/{send.pk}/?state=sent", {"Sec-Fetch-Dest": "empty"}
    for method, came_from, leads_to in (
        ("post", here, f"ended=1&next={quote(here)}"),
        ("post", "/s/shop/callbacks/add/", "ended=1&next=/s/shop/"),  # the page of a press that was refused
        ("post", "https://elsewhere.test/s/shop/", "next=/"),
        ("post", "/accounts/session/", "next=/"),
        ("get", here, f"ended=1&next={quote(here)}"),
    ):
        origin = "" if came_from.startswith("https:") else "http://testserver"
        ask = getattr(cast["visitor"], method)
        signed_in = ask(url, headers={"Referer": f"{origin}{came_from}"})
        assert signed_in.headers["Location"] == f"/accounts/login/?{leads_to}", (method, came_from)
        assert (
            ask(url, headers=part).status_code == ask(url, headers={"HX-Request": "true"}).status_code == 401
        )
    page = cast["composer"].get(url)
    assert (page.status_code, page.headers["Allow"]) == (405, "POST")
    for came_from, leads_to in (
        ({}, "next=/"),
        ({"Referer": f"http://testserver{here}"}, f"ended=1&next={quote(here)}"),
    ):
        part_alone = cast["visitor"].get(f"/s/shop/sends/{send.pk}/progress/", headers=came_from)
        assert part_alone.headers["Location"] == f"/accounts/login/?{leads_to}", "never a part of a page"
    assert "<h1>Nothing was done</h1>" in page.content.decode()
    assert 'href="/s/shop/"' in page.content.decode()
    assert "<h1>Nothing was done</h1>" in cast["composer"].get("/notices/read/").content.decode()
    with_navigation = [
        cast["composer"].get("/s/shop/nowhere/"),
        cast["composer"].get("/s/shop/settings/"),
        Client(enforce_csrf_checks=True, headers={"Referer": f"http://testserver{here}"}),
    ]
    browser = with_navigation.pop()
    browser.force_login(User.objects.get(email="composer@example.test"))
    with_navigation.append(browser.post(url))
    assert [one.status_code for one in with_navigation] == [404, 403, 403]
    for one in with_navigation:
        assert 'href="/s/shop/sends/"' in one.content.decode(), "the navigation"
    assert f'href="{here}">Back to the page' in with_navigation[-1].content.decode()
    assert not AuditEvent.objects.filter(act="send.paused").exists()


def test_a_form_from_before_a_sign_in_says_that_nothing_was_done(cast):
    client = Client(enforce_csrf_checks=True)
    client.cookies = cast["composer"].cookies
    page = client.post("/s/shop/compose/", {"text": "Hi"})
    assert page.status_code == 403
    assert "<h1>Nothing was done</h1>" in page.content.decode()
    assert "DEBUG" not in page.content.decode()
    assert not Draft.objects.exists()


def test_every_answer_carries_the_security_headers(cast):
    for client, url in (
        (cast["visitor"], "/accounts/login/"),
        (cast["composer"], "/nowhere/"),
        (cast["composer"], "/s/shop/"),
    ):
        response = client.get(url)
        policy = response.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
