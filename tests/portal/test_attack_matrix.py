"""Every address × every role × GET and POST, with things of another service in the path, in the query and in each field of each form:
nothing of the other service is shown, nothing of it changes, nothing of one's own leads to it, and nothing breaks."""

import json
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client

from portal.access import ACTS
from sms.api.v1.urls import RESOURCES
from tests.support.every_page import SERVICE_PAGES, THINGS
from tests.support.partners import ALL, a_key
from tests.support.routes import patterns
from tests.support.two_services import MARK, FormFields, TwoServices, rows

pytestmark = [pytest.mark.django_db, pytest.mark.once]  # whose row it is, is asked alike on both
KINDS = {(path, entry) for path, _, entry in THINGS}
API = [path for path, _, _ in patterns() if path.startswith("api/v1/") and path != "api/v1/"]
ACCOUNTS = [
    path for path, _, _ in patterns() if path.startswith("accounts/") and "<" not in path and "^" not in path
]
LINKS_OF_ADMIN = {
    "service",
    "sender",
    "template",
    "policy_group",
    "link_domain",
    "region",
    "memberships-0-service",
}
DROP_IN = ("v2/messages/", "v1/sms/messages/", "resources/v1/messaging/status/")


@pytest.fixture
def two() -> TwoServices:
    return TwoServices()


def body_of(answer: Any) -> str:
    return (b"".join(answer) if answer.streaming else answer.content).decode(errors="replace")


class Tries:
    """Requests, each undone after it was judged. A superuser belongs to both services, and is shown the names of both."""

    def __init__(self, two: TwoServices) -> None:
        self.two, self.wrong, self.count = two, list[str](), 0
        self.of_superuser = two.cast["superuser"]
        self.wrote = False

    def _note(self, execute: Any, sql: str, *given: Any) -> Any:
        self.wrote |= not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK"))
        return execute(sql, *given)

    def __call__(self, client: Client, method: str, at: str, refused: bool = False, **sent: Any) -> None:
        self.count, self.wrote = self.count + 1, False
        with transaction.atomic(), connection.execute_wrapper(self._note):
            answer = getattr(client, method)(at, **sent)
            done = self.wrote and answer.status_code in (200, 201, 202, 204, 302)
            said = f"{method} {at} {str(sent)[:200]} → {answer.status_code}"
            if answer.status_code >= 500 or (
                refused and answer.status_code < 400 and "/login/" not in answer.get("Location", "")
            ):
                self.wrong.append(said)
            if client is not self.of_superuser and MARK in body_of(answer):
                self.wrong.append(f"{said}: shows what is theirs")
            if done and (crossed := self.two.crossed()):
                self.wrong.append(f"{said}: {crossed}")
            if done and rows(self.two.theirs) != self.two.before:
                self.wrong.append(f"{said}: changed what is theirs")
            transaction.set_rollback(True)

    def end(self, least: int) -> None:
        assert self.wrong == []
        assert rows(self.two.theirs) == self.two.before
        assert self.count >= least, self.count


def test_their_pages_and_their_things_under_ones_own_service(two):
    tries = Tries(two)
    for at, (path, _, entry) in enumerate(SERVICE_PAGES):
        # whom their role lets in, each role in its turn; the others get a 403 before anything is looked for (test_access)
        holders = sorted(ACTS[entry.callback.act])
        role = holders[at % len(holders)]
        theirs = two.page(path, two.theirs)
        mixed = theirs.replace(f"/s/{two.theirs.slug}/", f"/s/{two.own.slug}/")
        for method in ("get", "post"):
            for who in ("visitor" if at % 2 else "staff", role):
                tries(two.cast[who], method, theirs, refused=True)
            if (path, entry) in KINDS:
                for who in (role, "superuser"):
                    tries(two.cast[who], method, mixed, refused=True)
    tries.end(800)


@pytest.mark.parametrize("part", range(4))
def test_their_things_in_every_field_of_every_form(two, part):
    tries, known = Tries(two), set[tuple[str, ...]]()
    for at, (path, _, entry) in enumerate(SERVICE_PAGES):
        if at % 4 != part:
            continue
        holders = ACTS[entry.callback.act]
        client, own = two.cast["admin" if "admin" in holders else min(holders)], two.page(path, two.own)
        page = client.get(own)
        read = FormFields("" if page.status_code != 200 or page.streaming else page.text)
        forms = read.forms
        names = sorted({name for form in forms for name in form if name != "csrfmiddlewaretoken"})
        typed = {name: value for form in forms for name, value in form.items()}
        ids = {name: two.their_id(name) for name in names}
        tries(client, "get", own, data=ids | {"audience": two.their_id("audience"), "row": 1, "next": "1"})
        tries(client, "post", own, data=ids)
        if (kind := tuple(names)) not in known:  # the compose page stands at several addresses
            known.add(kind)
            things = [name for name in names if name in read.choices or two.has(name)]
            for (
                name
            ) in things:  # what takes a thing, each by itself; what takes words and figures, all together
                tries(client, "post", own, data=typed | {name: ids[name]})
            tries(client, "post", own, data=ids | {name: typed[name] for name in things})
    tries.end(80)


@pytest.mark.parametrize("who", ["admin", "staff"])
def test_their_things_in_the_admin(two, who):
    tries, client = Tries(two), two.cast[who]
    for model in admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        theirs = [row["id"] for row in two.before.get(model._meta.label, []) if "id" in row][:2]
        tries(client, "get", base)
        for pk in theirs:
            for verb in ("change", "delete", "history"):
                for method in ("get", "post"):
                    tries(client, method, f"{base}{pk}/{verb}/", data={"post": "yes"})
        tries(
            client,
            "post",
            base,
            data={"action": "delete_selected", "_selected_action": theirs, "post": "yes"},
        )
        own = model._base_manager.order_by("pk").values_list("pk", flat=True).first()
        for page_at in (f"{base}add/", f"{base}{own}/change/"):
            page = client.get(page_at)
            forms = FormFields(page.text).forms if page.status_code == 200 else []
            typed = forms[-1] if forms else {}
            for name in typed.keys() & LINKS_OF_ADMIN:
                tries(client, "post", page_at, data=typed | {name: two.their_id(name)})
    for name in ("sender", "template", "policy_group", "link_domain", "service"):
        asked = {"app_label": "sms", "model_name": "send", "field_name": name, "term": ""}
        tries(client, "get", "/admin/autocomplete/", data=asked)
    tries.end(100)


@pytest.mark.parametrize("scopes", [*([one] for one in ALL), ALL], ids="+".join)
def test_their_things_by_the_api(two, scopes):
    tries, headers = Tries(two), {"key": a_key(two.own, name="Theirs?", scopes=scopes)}
    named = {
        "audience": two.their_id("audience"),
        "template": f"{MARK}{two.their_id('template')}",
        "sender": f"{MARK}{two.their_id('sender')}",
        "policy_group": f"{MARK}{two.their_id('policy_group')}",
        "link_domain": f"{MARK}{two.their_id('link_domain')}",
    }
    client = Client()
    for path in API:
        noun = path.split("/")[2]
        their = two.their_row(RESOURCES[noun]) if noun in RESOURCES else 1
        at = "/" + path.replace("<int:pk>", str(their))
        for method in ("get", "post", "patch", "put", "delete"):
            sent: dict[str, Any] = {"headers": headers | {"Idempotency-Key": f"{path}{method}"}}
            if method != "get":
                sent |= {"data": json.dumps(named), "content_type": "application/json"}
            tries(client, method, at, refused="<int:pk>" in path, **sent)
    for name, value in named.items():
        order = {"text": "Hi", "recipients": ["+447700900351"]} | {name: value}
        kept = {other: order[other] for other in order if not (name == "template" and other == "text")}
        kept = {other: kept[other] for other in kept if not (name == "audience" and other == "recipients")}
        for at in ("/api/v1/sends/plan", "/api/v1/sends"):
            sent = {"data": json.dumps(kept), "content_type": "application/json"}
            tries(
                client,
                "post",
                at,
                refused=True,
                headers=headers | {"Idempotency-Key": name},
                **sent,
            )
    for base in DROP_IN:
        tries(client, "get", f"/{base}{two.things[two.theirs.pk][0].pk}", headers=headers)
    tries.end(100)


def test_another_person_by_the_pages_of_an_account(two):
    tries, other = Tries(two), two.cast.users["foreigner"]
    before = type(other).objects.filter(pk=other.pk).values().get()
    for role in ("visitor", "composer"):
        for path in ACCOUNTS:
            page = two.cast[role].get(f"/{path}")
            forms = FormFields(page.text).forms if page.status_code == 200 else []
            names = {name for form in forms for name in form} | {"user", "id", "email", "pk"}
            for value in (other.pk, other.email):
                tries(two.cast[role], "post", f"/{path}", data=dict.fromkeys(names, value))
                tries(
                    two.cast[role],
                    "get",
                    f"/{path}",
                    data={"user": value, "email": value, "next": "/s/foreign/"},
                )
    assert type(other).objects.filter(pk=other.pk).values().get() == before
    tries.end(60)
