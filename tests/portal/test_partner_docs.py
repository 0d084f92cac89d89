"""`/api/docs/`: every page for everybody, with the reader's own address and, signed in, the names of keys; nothing that leads nowhere."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.test import Client

from portal.partner_docs import drawing, postman
from portal.partner_docs.pages import FOLDER, pages
from sms.models.event_types import EVENT_TYPES
from tests.environment import ROOT
from tests.support.partners import a_key, a_partner_service
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db
ADDRESS = "http://testserver"


class Page(HTMLParser):
    """Its links, anchors, and tags that no page of ours has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        assert not {"style", "onclick"} & given.keys(), f"the CSP forbids it: {tag} {attrs}"
        if tag == "a":
            self.links.append(given["href"])
        if "id" in given:
            assert given["id"] not in self.anchors, f"twice: {given['id']}"
            self.anchors.add(given["id"])


def shown(path: str, client: Client | None = None) -> str:
    answer = (client or Client()).get(path)
    assert answer.status_code == 200, path
    assert answer["Content-Type"].startswith("text/html")
    return answer.content.decode()


def leads_somewhere(path: str) -> bool:
    answer = Client().get(path)
    list(answer)  # which closes a file
    return answer.status_code in (200, 302)


def test_each_file_is_a_page_and_every_link_leads_somewhere():
    assert set(pages()) == {path.stem for path in FOLDER.glob("*.md")}
    addresses = ["/api/docs/", *(f"/api/docs/{name}/" for name in pages())]
    read = {address: Page(shown(address)) for address in addresses}
    dead = []
    for address, page in read.items():
        for link in page.links:
            path, _, anchor = link.partition("#")
            target = read.get(path or address)
            if link.startswith("https://"):
                continue
            found = target is not None or leads_somewhere(path)
            if not found or (anchor and target and anchor not in target.anchors):
                dead.append(f"{address}: {link}")
    assert dead == []


def test_a_visitor_reads_their_own_address_and_no_names_of_keys(settings):
    settings.ALLOWED_HOSTS = ["sms.partner.example", "testserver"]
    key = a_key(a_partner_service())
    html = shown("/api/docs/quick-start/", Client(headers={"host": "sms.partner.example"}))
    assert "export DESK=http://sms.partner.example\n" in html
    for name in pages():
        page = shown(f"/api/docs/{name}/")
        assert "Shop" not in re.findall(r"Your API key[^:]*", page)
        assert not {drawing.ADDRESS, drawing.KEYS} & set(page) and "$DESK" not in page, name
        assert key not in page
    # a proxy ended TLS: PUBLIC_URL knows the scheme
    settings.PUBLIC_URL = "https://sms.partner.example"
    html = shown("/api/docs/quick-start/", Client(headers={"host": "sms.partner.example"}))
    assert "export DESK=https://sms.partner.example\n" in html


def test_people_see_the_names_of_their_services_keys_and_no_secrets():
    cast = a_cast()
    mine = a_key(cast.service, name="Shop's & `rm` <b>")
    a_key(cast.other, name="Elsewhere")
    html = shown("/api/docs/quick-start/", cast["auditor"])
    assert re.findall(r"Your API key[^:]*: ", html) == ["Your API key (Shop s rm b): "]
    assert "Elsewhere" not in html and "<b>" not in html and mine not in html


def test_raw_html_of_a_file_stays_text(tmp_path, monkeypatch):
    page = next(iter(pages().values()))
    monkeypatch.setattr("portal.partner_docs.pages.FOLDER", tmp_path)
    (tmp_path / f"{page.name}.md").write_text("# A\n\n<script>x</script> [b](javascript:alert(1)) `<i>`\n")
    html = drawing.drawn.__wrapped__(page).html
    assert "<script" not in html and "javascript:" not in re.findall(r'href="([^"]*)', html)
    assert "<i>" not in html


def test_what_is_no_page_is_404_and_nothing_else_is_done_there():
    assert Client().get("/api/docs/nothing/").status_code == 404
    assert Client().post("/api/docs/").status_code == 405
    assert Client().get("/api/docs")["Location"] == "/api/docs/"
    assert Client().get("/docs/api/")["Location"] == "/api/docs/reference/"


def test_the_page_about_events_lists_each_type_as_the_product_says_it():
    listed = re.findall(
        r"^\| `([a-z_.]+)` \| (.+) \|$", (FOLDER / "events.md").read_text("utf-8"), re.MULTILINE
    )
    assert dict(listed) == {one.name: one.when for one in EVENT_TYPES.values()}


def test_the_postman_collection_has_every_operation_of_the_document():
    document = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
    answer = Client().get("/api/docs/textdesk.postman_collection.json")
    made = answer.json()
    assert answer["Content-Type"] == "application/json" and made["info"]["schema"] == postman.FORMAT
    items = [item for folder in made["item"] for item in folder["item"]]
    wanted = {
        (method.upper(), "{{desk}}" + re.sub(r"\{(\w+)\}", r":\1", path))
        for path, operations in document["paths"].items()
        for method in operations.keys() & set(postman.METHODS)
    }
    assert {(one["request"]["method"], one["request"]["url"]["raw"]) for one in items} == wanted
    assert made["variable"][0] == {"key": "desk", "value": ADDRESS, "type": "string"}
    for item in items:
        request = item["request"]
        assert item["name"] and {"host", "path", "raw"} <= request["url"].keys()
        in_path = {part[1:] for part in request["url"]["path"] if part.startswith(":")}
        assert in_path == {one["key"] for one in request["url"].get("variable", [])}
        if request.get("body", {}).get("mode") == "raw":
            json.loads(request["body"]["raw"])
