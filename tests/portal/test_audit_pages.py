"""The audit's pages: the list with its filter, one row, the button that verifies, exports that prove themselves, and who may see it."""

import csv
import io
import json
import re
import runpy

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.models import User
from sms.compliance import audit
from sms.compliance.audit import walk
from sms.models import Actor, AuditEvent, AuditSeal, Draft, Send, Service
from sms.models.audit import audit as record
from sms.models.sql import audit_guard
from tests.environment import ROOT
from tests.support.audit_tampering import sql
from tests.support.pages import text_of
from tests.support.people import Cast, a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
ADA = Actor("user", "1", "ada@example.test", "page", "192.0.2.7")
KEY = Actor("key", "2", "=shop system", "api")
PASSWORD = "correct horse battery"


@pytest.fixture
def cast(tmp_path, settings) -> Cast:
    settings.VAR_DIR = tmp_path
    made = a_cast()
    for index in range(60):
        record("send.created", by=ADA, service="shop", noun="send", key=index)
    record("optout.added", by=KEY, service="shop", noun="opt-out", source="api", added=7)
    record("send.created", by=ADA, service="foreign", noun="send", key=1)
    return made


@pytest.fixture
def superuser(cast) -> Client:
    User.objects.create_superuser("root@example.test", PASSWORD)
    client = Client()
    client.force_login(User.objects.get(email="root@example.test"))
    return client


def test_the_list_pages_by_key_in_few_queries(cast):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = cast["auditor"].get("/s/shop/audit/")
    assert len(queries) <= 13  # one for each kind of thing that the rows are about
    assert len(page.context["rows"]) == 50
    assert "foreign" not in page.content.decode()
    older = cast["auditor"].get(f"/s/shop/audit/?before={page.context['next_before']}")
    assert len(older.context["rows"]) == 11
    assert cast["composer"].get("/s/shop/audit/").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=SHOP", 1),
        ("act=optout.added", 1),
        ("noun=optout", 1),
        ("door=api", 1),
        ("words=api", 1),
        ("words=7", 2),
        ("since=2100-01-01", 0),
        ("until=2000-01-01", 0),
        ("since=2000-01-01&until=2100-01-01&door=api", 1),
    ],
)
def test_the_filter(query, found, cast):
    assert len(cast["auditor"].get(f"/s/shop/audit/?{query}").context["rows"]) == found


def test_a_wrong_filter_says_which_field(cast):
    page = cast["auditor"].get("/s/shop/audit/?since=2026-03-02&until=2026-03-01")
    assert page.status_code == 422
    assert "before the day that the search begins" in page.content.decode()


def test_a_row_with_its_proof(cast):
    row = AuditEvent.objects.get(act="optout.added")
    url = f"/s/shop/audit/{row.pk}/"
    assert "Not sealed yet" in cast["auditor"].get(url).content.decode()
    audit.seal()
    page = cast["auditor"].get(url).content.decode()
    assert "as it was written" in page
    assert AuditSeal.objects.get(pk=row.pk).hash in page
    other = AuditEvent.objects.filter(service_slug="foreign").first()
    assert cast["auditor"].get(f"/s/shop/audit/{other.pk}/").status_code == 404


def test_the_button_verifies_and_is_an_act_of_its_own(cast):
    page = cast["auditor"].post("/s/shop/audit/verify/").content.decode()
    assert "The audit stands as it was written" in page
    event = AuditEvent.objects.get(act="audit.verified")
    assert (event.details["rows"], event.details["holds"]) == (61, True)
    audit_guard.remove(connection)
    second = AuditEvent.objects.filter(service_slug="shop").order_by("pk")[1]
    sql("UPDATE sms_auditevent SET actor_label = 'eve@example.test' WHERE id = %s", second.pk)
    page = cast["auditor"].post("/s/shop/audit/verify/").content.decode()
    assert "Row 2 is the first that does not hold" in page
    assert "This row does not hold" in cast["auditor"].get(f"/s/shop/audit/{second.pk}/").content.decode()


def test_a_long_chain_is_verified_in_several_presses_and_no_row_is_left_out(cast, monkeypatch):
    monkeypatch.setattr("portal.views.audit.PATIENCE", 0.0)
    monkeypatch.setattr(walk, "PAGE", 20)

    def press(**fields) -> audit.ChainVerdict:
        return cast["auditor"].post("/s/shop/audit/verify/", fields).context["verdict"]

    first = press()
    assert (first.number, first.rows, first.broken) == (20, 20, None)
    page = cast["auditor"].post("/s/shop/audit/verify/", {"after": "20"})
    assert "All rows up to 40 hold" in page.content.decode()
    second = page.context["verdict"]
    assert (second.number, second.rows, second.broken, second.complete) == (40, 20, None, False)
    last = press(after="60")
    assert (last.number, last.complete) == (AuditSeal.objects.filter(service_slug="shop").count(), True)
    audit_guard.remove(connection)
    for number in (1, 20, 21, 40, 41, 60):
        before = transaction.savepoint()
        pk = AuditSeal.objects.get(service_slug="shop", number=number).pk
        sql("UPDATE sms_auditevent SET actor_label = 'eve@example.test' WHERE id = %s", pk)
        found = {after: press(after=str(after)).broken for after in (0, 20, 40)}
        assert [after for after, broken in found.items() if broken] == [(number - 1) // 20 * 20], number
        assert found[(number - 1) // 20 * 20].number == number
        transaction.savepoint_rollback(before)


# --- exports --------------------------------------------------------------------------------------------------------------


def exported(cast, **filters) -> str:
    answer = cast["auditor"].post("/s/shop/audit/export/", filters)
    return b"".join(answer.streaming_content).decode()


@pytest.fixture
def checker(tmp_path, capsys):
    """The stand-alone script, as (exit code, what it said)."""
    main = runpy.run_path(str(ROOT / "docs" / "operators" / "verify_audit_export.py"))["main"]
    key = tmp_path / "shop.key"
    call_command("audit_key", service="shop", stdout=(out := io.StringIO()))
    key.write_text(out.getvalue())

    def check(text: str, *more: str, with_key: bool = True) -> tuple[int, str]:
        path = tmp_path / "export"
        path.write_text(text)
        code = main([str(path), *(["--key-file", str(key)] if with_key else []), *more])
        said = capsys.readouterr()
        return code, said.out + said.err

    return check


def test_an_export_proves_itself_without_textdesk(cast, checker, tmp_path):
    text = exported(cast, form="jsonl")
    lines = text.splitlines()
    assert json.loads(lines[0])["head"]["number"] == len(lines) - 2 == 62
    assert checker(text)[0] == 0
    assert checker(text, with_key=False)[0] == 0
    files = audit.CheckpointFiles(tmp_path / "audit")
    files.begin()
    audit.write_checkpoints(files, audit.heads_of(["shop"]))
    known = ["--checkpoints", str(tmp_path / "audit" / "checkpoints.jsonl")]
    assert "1 checkpoints agree" in checker(text, *known)[1]

    changed = text.replace('"noun_key": "30"', '"noun_key": "31"')
    assert changed != text
    for with_key in (True, False):
        code, said = checker(changed, with_key=with_key)
        assert (code, "Row 31 (id" in said) == (1, True)
    without = "\n".join(line for line in lines if '"noun_key": "30"' not in line)
    assert checker(without)[1].startswith("The file says 62 rows and holds 61")
    code, said = checker(without.replace('{"rows": 62}', '{"rows": 61}'))
    assert (code, "Row 31 is missing" in said) == (1, True)
    assert checker("\n".join(lines[:-1]))[0] == 2
    shorter = "\n".join([*lines[:-2], '{"rows": 61}'])
    assert "Row 62 is missing" in checker(shorter)[1]


def test_rows_made_without_the_key_need_the_key_to_be_seen(cast, checker):
    text = exported(cast, form="jsonl").replace('"mac": "', '"mac": "0')
    assert checker(text, with_key=False)[0] == 0
    assert "not made with this key" in checker(text)[1]


def test_a_selection_proves_its_rows(cast, checker):
    text = exported(cast, form="jsonl", door="api")
    assert len(text.splitlines()) == 3
    code, said = checker(text)
    assert (code, "a selection proves the rows" in said) == (0, True)


def test_a_csv_is_disarmed_and_still_proves_itself(cast, checker):
    text = exported(cast, form="csv")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[60]["actor_label"] == "'=shop system"
    assert len(rows) == 62
    assert checker(text)[0] == 0
    assert checker(text.replace("'=shop system", "'=shop systen"))[0] == 1
    assert AuditEvent.objects.get(act="audit.exported").details["form"] == "csv"


# --- the installation itself, and the way in ------------------------------------------------------------------------------------------


def test_the_desks_own_audit_is_for_superusers(cast, superuser):
    record("keys.rotated", by=Actor.system("cli"), noun="secrets", renewed=3)
    row = AuditEvent.objects.get(act="keys.rotated")
    for path in ("", f"{row.pk}/"):
        assert superuser.get(f"/audit/{path}").status_code == 200
        assert cast["admin"].get(f"/audit/{path}").status_code == 403
    assert superuser.post("/audit/verify/").context["verdict"].rows == 1
    assert b"".join(superuser.post("/audit/export/").streaming_content).count(b"\n") == 5
    for path in ("verify/", "export/"):
        assert cast["admin"].post(f"/audit/{path}").status_code == 403


def test_sign_ins_refusals_and_sign_outs_are_audited_without_what_was_typed(cast):
    client = Client()
    sign_in = {"login": "auditor@example.test", "password": PASSWORD}
    client.post("/accounts/login/", sign_in | {"password": "wrong"})
    client.post("/accounts/login/", {"login": "my-password@example.test", "password": "x"})
    client.post("/accounts/login/", sign_in)
    client.post("/accounts/logout/")
    told = [
        (row.act, row.actor_label, row.details)
        for row in AuditEvent.objects.filter(service_slug="").order_by("pk")
    ]
    assert told == [
        ("user.sign_in_refused", "auditor@example.test", {"step": "password"}),
        ("user.sign_in_refused", "Unknown person", {"step": "password"}),
        ("user.signed_in", "auditor@example.test", {}),
        ("user.signed_out", "auditor@example.test", {}),
    ]
    assert audit.verify("").rows == 4


def test_a_change_of_settings_shows_before_and_after_of_figures_and_of_no_secret(cast):
    page = cast["admin"].get("/s/shop/settings/limits/")
    form = page.context["form"]
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    whole = next(
        name
        for name, field in form.fields.items()
        if type(field).__name__ == "IntegerField" and name in data and int(data[name]) > 1
    )
    before = int(data[whole])
    cast["admin"].post("/s/shop/settings/limits/", data | {whole: before - 1})
    details = AuditEvent.objects.get(act="service.changed").details
    assert (details["before"][whole], details["after"][whole]) == (before, before - 1)
    assert Service.objects.get(slug="shop").api_key not in json.dumps(details)


def test_drafts_are_reported_when_they_begin_and_end(cast):
    typed = {"save": "1", "sender": cast.service.senders.get().pk, "pasted": "07700900123\nabc"}
    cast["composer"].post("/s/shop/compose/", typed | {"text": "Hello"})
    draft = AuditEvent.objects.get(act="draft.created")
    cast["composer"].post(f"/s/shop/drafts/{draft.noun_key}/", typed | {"text": "Hello you"})
    cast["composer"].get(f"/s/shop/drafts/{draft.noun_key}/rejects.csv")
    cast["composer"].post(f"/s/shop/drafts/{draft.noun_key}/discard/")
    acts = list(AuditEvent.objects.filter(noun="draft").order_by("pk").values_list("act", flat=True))
    assert acts == ["draft.created", "draft.rejects_exported", "draft.discarded"]


def test_what_a_row_is_about_is_a_link_for_who_may_open_it_while_it_is_there(cast):
    send, draft = a_send(cast.service), Draft.objects.create(service=cast.service)
    gone = Draft.objects.create(service=cast.service)
    for thing in (send, draft, gone, cast.users["composer"]):
        act = {Send: "send.cancelled", Draft: "draft.discarded"}.get(type(thing), "user.signed_out")
        record(act, thing, by=ADA, service="shop")
    kept = gone.pk
    gone.delete()
    links = {
        who: set(
            re.findall(
                r'<td class="wrap" data-label="With">\s*<a href="([^"]+)"',
                cast[who].get("/s/shop/audit/").text,
            )
        )
        for who in ("auditor", "admin")
    }
    assert links["auditor"] == {f"/s/shop/sends/{send.pk}/"}
    assert links["admin"] == links["auditor"] | {
        f"/s/shop/drafts/{draft.pk}/",
        f"/s/shop/settings/people/{cast.users['composer'].pk}/",
    }
    assert f"Draft {kept}" in text_of(cast["admin"].get("/s/shop/audit/"))
    row = AuditEvent.objects.filter(noun="send").latest("pk")
    assert f'href="/s/shop/sends/{send.pk}/"' in cast["auditor"].get(f"/s/shop/audit/{row.pk}/").text


def test_a_filter_that_was_not_understood_looks_for_nothing(cast):
    """It would show, and export, more than was asked for."""
    page = cast["auditor"].get("/s/shop/audit/?since=2026-03-10&until=2026-03-09")
    assert (page.status_code, len(page.context["rows"])) == (422, 0)
    assert "Nothing was looked for" in text_of(page)
