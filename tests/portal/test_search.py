"""The search of everything in a service: what is found by whom, what an address says of it, and that no page is forgotten."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.models import Role
from portal.search.pages import PAGES
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.catalogue import templates
from sms.models import Echo, Message, Send, Service
from sms.sends import by_name
from sms.values import correlation_id
from tests.support.every_page import SERVICE_PAGES
from tests.support.people import Cast, a_cast, a_person
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
AT = "/s/shop/search/"
WALK = re.compile(r"SCAN (sms_(send|message|echo|receipt|inboundmessage)|U\d+)\b")


@pytest.fixture
def cast() -> Cast:
    return a_cast(waiting=True)


def found(client: Client, text: str) -> dict[str, list[str]]:
    """Titles by heading, as the page shows them."""
    page = client.post(AT, {"q": text}, follow=True)
    assert page.status_code == 200
    return {group.title: [one.title for one in group.things] for group in page.context["answer"].groups}


def addresses(client: Client, text: str) -> list[str]:
    groups = client.post(AT, {"q": text}, follow=True).context["answer"].groups
    return [one.address for group in groups for one in group.things]


def furnish(service, *, word: str = "March") -> Send:
    """One of everything that has a name, with a word in it."""
    send = a_send(service, 2, name=f"{word} invoices", labels=[f"{word.lower()}-bills"])
    templates.create(service, f"{word.lower()}_reminder", templates.Wording("Please pay"), by=BY)
    packed = packing.pack_pasted("07700 900001", country="GB", limits=Limits())
    saved.create(service, packed, name=f"{word} regulars", by=BY)
    service.drafts.create(name=f"{word} draft")
    return send


def test_everything_with_a_name_is_found_by_its_words_and_by_no_ones_elses(cast):
    furnish(cast.service)
    furnish(cast.other)
    a_person("march.hare@example.test", cast.service, Role.COMPOSER)
    assert found(cast["admin"], "MARCH") == {
        "Sends": ["March invoices"],
        "Labels": ["march-bills"],
        "Templates": ["march_reminder"],
        "Audiences": ["March regulars"],
        "Drafts": ["March draft"],
        "People of the team": ["march.hare@example.test"],
    }
    assert found(cast["admin"], "invoices  march")["Sends"] == ["March invoices"], "words in any order"
    assert found(cast["auditor"], "march").keys() == {"Sends", "Labels", "Templates", "Audiences"}
    assert "Drafts" in found(cast["composer"], "march")
    assert cast["composer"].get(AT).status_code == 200


@pytest.mark.parametrize("role", Role.values)
def test_whatever_is_found_opens(cast, role):
    send = furnish(cast.service, word="settings")  # as many pages have
    message = send.messages.first()
    for text in ("settings", "se", str(send.pk), message.msisdn, "own"):
        for address in addresses(cast[role], text):
            assert cast[role].get(address).status_code == 200, (text, address)


def test_a_number_in_any_spelling_finds_its_person_and_messages_masked(cast):
    message = a_send(cast.service, 1).messages.get()
    national = f"0{message.msisdn[3:]}"
    for spelled in (message.msisdn, national, f"{national[:5]} {national[5:]}", f"00{message.msisdn[1:]}"):
        assert found(cast["composer"], spelled)["Number"] == ["+44 7710 ••• 000"], spelled
        assert found(cast["composer"], spelled)["Messages"] == ["+44 7710 ••• 000"], spelled
        page = cast["composer"].post(AT, {"q": spelled}, headers={"HX-Request": "true"})
        assert message.msisdn[3:] not in page.text
    assert found(cast["composer"], "+44 7700 900999").keys() == {"Number"}


def test_ids_find_their_message_and_names_of_partners_their_send(cast):
    send = a_send(cast.service, 1)
    message = send.messages.get()
    Message.objects.filter(pk=message.pk).update(provider_id="1f0c2b64-97f2", attempt=1)
    Echo.objects.create(service=cast.service, message=message, correlation_id="theirs-9", reference="cust-3")
    Send.objects.filter(pk=send.pk).update(client_reference="order-17")
    ours = correlation_id.write(message_id=message.pk, attempt=1, key=cast.service.correlation_key)
    for text in (ours, "1f0c2b64-97f2", "theirs-9", "cust-3"):
        assert addresses(cast["auditor"], text) == [f"/s/shop/messages/{message.pk}/"], text
    for text in ("order-17", str(send.pk), f"#{send.pk}"):
        assert f"/s/shop/sends/{send.pk}/" in addresses(cast["auditor"], text), text


def test_no_address_says_what_is_looked_for_and_the_back_button_finds_it_again(cast):
    message = a_send(cast.service, 1).messages.get()
    for page in (AT, "/s/shop/messages/"):
        answer = cast["composer"].post(page, {"q": f" {message.msisdn} "})
        assert answer.status_code == 302
        assert not re.search(r"\d{6}", answer.url)
        again = cast["composer"].get(answer.url)
        assert f'value="{message.msisdn}"' in again.text
        assert f"/s/shop/messages/{message.pk}/" in again.text
        sealed = parse_qs(urlsplit(answer.url).query)["for"][0]
        foreign = page.replace("shop", "foreign")
        assert message.msisdn not in cast["foreigner"].get(f"{foreign}?for={sealed}").text
        assert cast["composer"].get(f"{page}?for=x{sealed}").status_code == 200
        assert cast["composer"].get(f"{page}?q={message.msisdn[1:]}").url.startswith(f"{page}?for="), "old"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a", "at least 2 characters"),
        ("07700 900", "not complete or not right: It has only"),
        ("+44 7700 900123 4567", "the longest number there is has 15"),
        ("zebra", "Nothing found"),
    ],
)
def test_what_finds_nothing_says_why(cast, text, says):
    page = cast["approver"].post(AT, {"q": text}, follow=True)
    assert says in page.text
    assert page.context["answer"].groups == []
    assert says in cast["approver"].post(AT, {"q": text}, headers={"HX-Request": "true"}).text


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("quiet hours", "settings_limits"),
        ("spend caps", "settings_caps"),
        ("retention", "settings_retention"),
        ("eyes", "settings_approval"),
        ("policy", "policy_groups"),
    ],
)
def test_pages_are_found_by_words_by_those_who_may_open_them(cast, words, page):
    address = reverse(page, args=["shop"])
    assert address in addresses(cast["admin"], words)
    assert (address in addresses(cast["approver"], words)) is (page == "policy_groups")


def test_no_page_is_forgotten(cast):
    """Every address of a service that opens a page without naming a thing is known by words, and every known one opens."""
    assert "Handsets" not in str(found(cast["admin"], "handsets")), (
        "nobody has pretend phones on a live service"
    )
    Service.objects.update(base_url="http://127.0.0.1:9")
    assert "Handsets" in str(found(cast["admin"], "handsets"))
    root = Client()
    root.force_login(a_person("root@example.test", cast.service, Role.ADMIN, is_superuser=True))
    opening = set()
    for path, name, _ in SERVICE_PAGES:
        if "<" in path.removeprefix("s/<slug:service>/"):
            continue
        page = root.get("/" + path.replace("<slug:service>", "shop"))
        if page.status_code == 200 and not page.streaming and "<html" in page.text:
            opening.add(name)
    known = {page.name for page in PAGES if not page.alone}
    questions = {"demo_end", "receipts_retire"}  # asked by a button of a page that is known
    assert sorted(opening - known - questions - {"search"}) == []
    assert sorted(known - opening) == []
    assert {root.get(page.address(cast.service)).status_code for page in PAGES} == {200}


def test_shortcuts_are_listed_for_a_role_and_are_those_of_the_navigation(cast):
    for role in Role.values:
        listed = cast[role].get("/s/shop/shortcuts/")
        keys = {" ".join(one.keys): one.address for one in listed.context["shortcuts"]}
        shown = re.findall(r'<a\s+href="([^"]*)"\s+data-keys="([^"]*)"', listed.text)
        assert {of: address for address, of in shown} == keys
        assert ("c" in keys) is (role in (Role.COMPOSER, Role.ADMIN))
    part = cast["admin"].get("/s/shop/shortcuts/", headers={"HX-Request": "true"})
    assert "then <kbd>s</kbd>" in part.text
    assert "<html" not in part.text


def test_a_search_asks_few_questions_and_walks_no_large_table(cast):
    furnish(cast.service)
    for who in ("admin", "approver"):
        for text in ("march", "march 3 invoices", "07700 900123", "a1b2c3"):
            cast[who].post(AT, {"q": text}, follow=True)
            sealed = cast[who].post(AT, {"q": text}).url
            with CaptureQueriesContext(connection) as asked:
                cast[who].get(sealed)
            assert len(asked) <= 15, (who, text, len(asked))
            _walks_nothing(asked)


def _walks_nothing(asked: CaptureQueriesContext) -> None:
    """Nor does the plan that a database has for tables of every size; PostgreSQL rightly walks through so few rows."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = [row[3] for row in cursor.fetchall()]
            assert [line for line in plan if WALK.match(line)] == [], query["sql"]


def test_names_are_looked_for_among_the_newest_sends_of_people_beside_those_of_programs(cast, monkeypatch):
    monkeypatch.setattr(by_name, "NEWEST_SENDS", 2)
    made = [a_send(cast.service, 1, name=f"Sale {at}") for at in range(5)]
    owner = "5f0c2b64-97f2-4d6b-8f0a-111111111111"
    Send.objects.filter(pk__in=[one.pk for one in made[3:]]).update(owner=owner)
    assert found(cast["admin"], "sale")["Sends"] == ["Sale 4", "Sale 3", "Sale 2", "Sale 1"]
    assert found(cast["admin"], f"#{made[0].pk}")["Sends"] == ["Sale 0"], "older ones by their number"
