"""Requests that no page of ours sends, at every address of `portal/urls.py`: refused with a sentence, or taken; never a 500."""

import io
import json
import re
import zipfile
from html import unescape
from itertools import product
from urllib.parse import quote, urlencode

import pytest
import xlsxwriter
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from portal.models import User
from sms.models import Draft, InboundMessage, Service
from tests.environment import ROOT
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.pages import text_of
from tests.support.partners import a_key
from tests.support.people import a_cast
from tests.support.routes import patterns
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db

TAKEN = {  # by the cleaner; each view has to do something with it
    "long": "x" * 2_000,
    "digits": "9" * 40,
    "negative": "-1",
    "strange": "a\x01\x1f\x7f\x85\u2028\u202e\ufffe\uffff'\"\\%_$(a)${b}{{c}}<!--[1,null]\U0010ffff\U0001f600",
}
REFUSED = {
    "nul": "%00",
    "nul inside": "a%00b",
    "surrogate": "%ED%A0%80",
    "cut character": "%F0%9F%98",
    "latin-1": "Caf%E9",
}
_READ = re.compile(
    r"""(?:\.(?:GET|POST|query_params|FILES)\.get(?:list)?\(|(?:key|row|text)_of\([\w.]+\.(?:GET|POST), )"(\w+)\""""
)


def names_in_code() -> set[str]:
    """Whatever a view reads by itself, beside the fields of forms."""
    found = {
        name for path in (ROOT / "portal").rglob("*.py") for name in _READ.findall(path.read_text("utf-8"))
    }
    assert {"q", "before", "page", "comment", "base"} <= found
    return found | {"label", "by", "since", "until", "from", "who", "words", "act", "fields", "next", "of"}


def names_on(page) -> set[str]:
    if page.streaming:
        return set()
    return set(re.findall(r'<(?:input|select|textarea|button)\b[^>]*?\bname="([^"]+)"', page.text))


@pytest.fixture
def client():
    cast = a_cast(waiting=True)
    Service.objects.update(base_url="http://127.0.0.1:9")  # where nobody listens
    made = Client(raise_request_exception=False)
    user = cast.users["admin"]
    user.is_superuser = True  # every act
    user.save()
    made.force_login(user)
    made.service = cast.service  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize(("path", "name", "entry"), SERVICE_PAGES, ids=[name for _, name, _ in SERVICE_PAGES])
def test_no_page_of_a_service_breaks_on_what_it_is_asked(path, name, entry, client):
    send, draft = a_send(client.service), Draft.objects.create(service=client.service)
    url = address(path, client.service, send, draft, furnished=True)
    names = sorted(names_in_code() | names_on(client.get(url)))
    for odd, value in TAKEN.items():
        asked = client.get(f"{url}?{urlencode(dict.fromkeys(names, value))}")
        assert asked.status_code < 500, (odd, "GET")
        fields = dict.fromkeys(names, value) | {
            "file": SimpleUploadedFile(value[:200] or "x", b"mobile\n\0\xff")
        }
        posted = client.post(url, fields)
        assert posted.status_code < 500, (odd, "POST")
    for one in {
        "q",
        min(names_on(client.get(url)), default="q"),
    }:  # refused before any view: one of each does
        for query in (f"{one}=%00", f"{one}=a&{one}=b"):
            refused = client.get(f"{url}?{query}")
            assert refused.status_code == 400 and one[:40] in text_of(refused)
        refused = client.post(url, {one: "a\0b"})
        assert refused.status_code == 400 and f"“{one[:40]}” holds a character" in text_of(refused)


OTHERS = [path for path, _, _ in patterns() if not path.startswith("s/<slug:service>/")]


@pytest.mark.parametrize("path", OTHERS)
def test_no_other_address_breaks_either(path, client):
    """The admin's, those of accounts, and the machines'."""
    names = sorted(names_in_code())
    for value in ("1", *(quote(one[:300]) for one in TAKEN.values()), "a%00b", "%F0%9F%98"):
        url = "/" + re.sub(r"<[^>]+>|\(\?P<\w+>.*?\)", value, path.removeprefix("^").rstrip("$"))
        if path == "readyz":
            continue  # it says 503 where no worker runs
        asked = urlencode(dict.fromkeys({*names, "q"}, "1")).replace("q=1", f"q={value}")
        for query in ("", f"?{asked}"):
            assert client.get(url + query, headers={"key": "x"}).status_code < 500, url + query
    posted = client.post(url, dict.fromkeys(names, "a\0b"), headers={"key": "x"})
    assert posted.status_code < 500, url


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_no_list_of_the_admin_breaks_on_a_filter(model, client):
    listed = admin.site._registry[model]
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(is_superuser=True)
    filters = [one if isinstance(one, str) else one[0] for one in listed.get_list_filter(request)]
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for name in [*filters, "q", "o", "p", "all", "pk", "id", "e"]:
        for lookup, value in product(("", "__exact", "__gte"), (TAKEN["digits"], TAKEN["strange"])):
            page = client.get(f"{url}?{urlencode({name + lookup: value})}")
            assert page.status_code < 500, (name, lookup, value)


@pytest.mark.parametrize("odd", REFUSED)
def test_what_is_no_text_is_refused_as_the_caller_reads_it(odd, client):
    page = client.get(f"/s/shop/messages/?q={REFUSED[odd]}")
    assert page.status_code == 400 and "To the start" in text_of(page)
    assert "Content-Security-Policy" in page.headers
    key = a_key(client.service)
    answer = client.get(f"/api/v1/sends?sender={REFUSED[odd]}", headers={"key": key})
    problem = json.loads(answer.content)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert problem["code"] == "invalid"
    assert problem["errors"][0]["field"] in {"sender", "query"}


def test_one_value_is_expected_where_one_counts(client):
    page = client.get("/s/shop/messages/?q=a&q=b")
    assert page.status_code == 400
    assert "“q” 2 times, and one value is expected" in text_of(page)
    key = a_key(client.service)
    answer = client.get("/api/v1/sends?state=finished&state=cancelled", headers={"key": key})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "state")
    assert client.get("/admin/sms/send/?state__exact=finished&state__exact=cancelled").status_code == 200


def test_a_text_without_end_is_refused_and_not_cut_off(client):
    page = client.get(f"/s/shop/messages/?q={'x' * 301}")
    assert page.status_code == 400 and "“q” has 301 characters; at most 300" in text_of(page)
    assert client.get(f"/s/shop/messages/?q={'x' * 300}", follow=True).status_code == 200
    assert client.get(f"/s/shop/sends/?q={'x' * 101}").status_code == 400
    assert client.get(f"/s/shop/?{'n' * 101}=1").status_code == 400
    page = client.post("/s/shop/reports/export/", {"query": "label=%00", "kind": "csv"})
    assert page.status_code == 400 and "“label” holds a character" in text_of(page)


def test_a_cookie_that_no_database_takes_says_how_to_get_rid_of_it():
    visitor = Client(raise_request_exception=False)
    name = settings.SESSION_COOKIE_NAME
    page = visitor.get("/s/shop/", headers={"cookie": rf'{name}="a\000b"'})
    assert page.status_code == 400 and "Delete this site's cookies" in unescape(page.text)


@pytest.mark.parametrize("charset", ["hex", "unicode_escape", "utf-7", "nobody", "utf-16", "idna"])
def test_another_character_set_gets_nothing_past_it(charset, client):
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        raw = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\\ud800\\x00\r\n--x--\r\n'
        named = f"{kind}; charset={charset}"
        sent = client.generic("POST", "/s/shop/audiences/new/", raw, content_type=named)
        assert 200 <= sent.status_code < 500
        for query in (r"q=\ud800", "q=%5Cud800", "q=%00"):
            asked = client.generic("GET", "/s/shop/messages/", content_type=named, QUERY_STRING=query)
            assert asked.status_code < 500


BAD = (r"\ud83d", r"\u0000", r"a\udc00b")
BODIES = (
    ('"name": "a%s"', "name"),
    ('"labels": ["x", "a%s"]', "labels"),
    ('"recipients": [{"number": "+447700900001", "values": {"name": "a%s"}}]', "recipients[0]"),
    ('"csv": "mobile,name\\n07700900001,A%s\\n"', "csv"),
    ('"client_reference": "%s"', "client_reference"),
)


@pytest.mark.parametrize(("bad", "body"), [*product(BAD, BODIES)])
def test_json_of_partners_names_the_field(bad, body, client):
    written, field = body
    key = a_key(client.service)
    recipients = "" if "recipients" in written or "csv" in written else '"recipients": ["+447700900001"], '
    raw = "{" + '"text": "Hi", ' + recipients + written % bad + "}"
    answer = client.post(
        "/api/v1/sends", raw, content_type="application/json", headers={"key": key, "Idempotency-Key": "k1"}
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", ["correlationId", "callbackData", "text", "substitutions.name"])
def test_json_at_the_drop_in_names_the_parameter(bad, field, client):
    key = a_key(client.service)
    at = dict.fromkeys(("correlationId", "callbackData", "text", "substitutions.name"), "x") | {field: bad}
    named = f'"correlationId":"{at["correlationId"]}","substitutions":{{"name":"{at["substitutions.name"]}"}}'
    raw = (
        f'{{"channel":"sms","from":"TEXTDESK","to":[{{"msisdn":["447700900001"],{named}}}],'
        f'"content":{{"type":"text","text":"Hi {at["text"]}"}},"callbackData":"{at["callbackData"]}"}}'
    )
    answer = client.post("/v2/messages", raw, content_type="application/json", headers={"key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "7004"), answer.text
    assert field.partition(".")[0] in answer.json()["message"]


@pytest.mark.parametrize("bad", BAD)
def test_what_webex_connect_posts_is_never_refused_for_it(bad, client):
    service = client.service
    raw = f'{{"Channel":"SMS","oa":"447700900801","da":"TEXT{bad}","message":"STOP","tid":"t{bad}"}}'
    answer = client.post(f"/inbound/{service.receipt_token}/?q=%00&q=b", raw, content_type="application/json")
    assert answer.status_code == 200
    kept = InboundMessage.objects.filter(service=service).latest("pk")
    assert bytes(kept.raw) == raw.encode()
    page = client.get("/s/shop/opt-outs/")
    assert page.status_code == 200 and "\0" not in page.text


def a_workbook_with_nul() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        rows = [["Mobile", "Na-me"], ["0770-0900001", "Ann"], ["07700900002", "B-b"], ["07700900003", "Cy"]]
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(made := io.BytesIO(), "w") as new:
        for name in old.namelist():
            raw = old.read(name)
            new.writestr(name, raw.replace(b"-", b"_x0000_") if name == "xl/sharedStrings.xml" else raw)
    return made.getvalue()


def test_a_cell_with_nul_is_a_row_with_a_reason_wherever_a_file_comes_in(client):
    """As Excel writes the character; what a database keeps for padding is not shown by any program."""
    file = a_workbook_with_nul()
    sender = client.service.senders.get().pk
    fields = {"sender": sender, "text": "Hi", "country": "GB", "when": "now", "review": "1"}
    review = client.post("/s/shop/compose/", fields | {"file": SimpleUploadedFile("p\0.xlsx", file)})
    assert review.status_code == 302
    assert client.post(review.url).status_code == 302
    send = client.service.sends.get()
    assert list(send.messages.values_list("msisdn", flat=True)) == ["+447700900003"]
    assert set(send.rejects.values_list("row", "code")) == {(2, "not_a_number"), (3, "broken_text")}
    kept = client.post(
        "/s/shop/audiences/new/",
        {"name": "Kept", "country": "GB", "file": SimpleUploadedFile("p.xlsx", file)},
    )
    assert kept.status_code == 302
    upload = {"upload-file": SimpleUploadedFile("p.xlsx", file), "upload-evidence": "asked"}
    assert client.post("/s/shop/opt-outs/upload/", upload).status_code == 200
    headers = {"key": a_key(client.service), "Idempotency-Key": "k1"}
    sent = client.post(
        "/api/v1/audiences", {"name": "Api", "file": SimpleUploadedFile("p.xlsx", file)}, headers=headers
    )
    assert sent.status_code == 201, sent.text
    assert client.get(f"/api/v1/audiences/{sent.json()['id']}/rejects", headers=headers).status_code == 200


def test_trace_gives_nothing_back():
    cast = a_cast()
    for path in (
        "/",
        "/accounts/login/",
        "/healthz",
        "/readyz",
        "/v2/messages",
        "/api/v1/sends",
        "/admin/",
        "/nope",
    ):
        for client in (Client(), cast["admin"]):
            answer = client.trace(path, headers={"x-secret": "what a proxy adds"})
            assert answer.status_code >= 400 and b"what a proxy adds" not in answer.content, path
