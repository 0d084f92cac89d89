"""What guards the audit from outside the chain: folder, checkpoints, triggers, the nightly check, a second place. Absence is a finding."""

import json
import random
import shutil
import socket
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from portal.models import Role, User
from sms.compliance import audit
from sms.compliance.audit import folder
from sms.compliance.audit.checkpoint_files import CheckpointFiles, FolderAltered
from sms.models import Actor, AuditCheck, AuditEvent, Notice, audit_proof
from sms.models.audit import audit as record
from sms.models.sql import audit_guard
from sms.values.meters import meters
from sms.worker.jobs import JOBS
from tests.support.audit_tampering import SLUG, nullable, sql
from tests.support.folder_tampering import FolderTamperer
from tests.support.guard_tampering import GuardTamperer
from tests.support.jobs import run_job
from tests.support.people import a_person, signed_in
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db
BY = Actor("user", "1", "ada@example.test", "page", "192.0.2.7")


def acts(count: int = 3, *, slug: str = SLUG) -> None:
    for index in range(count):
        record("send.created", by=BY, service=slug, noun="send", key=index)


@pytest.fixture
def files(tmp_path, settings):
    """A host that has worked for four hours."""
    settings.VAR_DIR = tmp_path
    sealer = audit.ChainSealer(tmp_path / "audit")
    for _ in range(4):
        acts()
        acts(1, slug="other")
        sealer._next = 0.0
        sealer.run()
    return CheckpointFiles(tmp_path / "audit")


def verified(**options: object) -> str:
    """What the command ends with; empty where it is content."""
    try:
        call_command("verify_audit", **options)
    except CommandError as problem:
        return str(problem)
    return ""


def test_what_the_sealer_wrote_is_what_is_there(files):
    assert files.wrong() == ""
    assert audit.witnesses(files) == []
    assert verified() == ""
    assert AuditEvent.objects.filter(act=folder.BEGUN).count() == 1


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_to_the_folder_is_found(files, tmp_path, seed):
    copy = tmp_path / "copy"
    shutil.copytree(files.folder, copy)
    for kind in FolderTamperer(files.folder, random.Random(seed)).kinds:
        kind()
        assert audit.witnesses(files), kind.__name__
        assert verified(), kind.__name__
        shutil.rmtree(files.folder, ignore_errors=True)
        shutil.copytree(copy, files.folder)
    assert verified() == ""


@pytest.mark.parametrize("kind", ["remove_everything", "change_a_head", "cut_off_lines"])
def test_a_loss_stays_a_finding_until_somebody_says_why(files, kind, capsys):
    getattr(FolderTamperer(files.folder, random.Random(1)), kind)()
    evidence = (files.folder / "heads.json").read_bytes() if files.begun else b""
    acts(1)
    audit.ChainSealer(files.folder).run()
    assert files.wrong() == "", "what comes after is guarded again"
    if evidence:
        (kept,) = files.folder.glob("heads.altered-*.json")
        assert kept.read_bytes() == evidence
    audit.ChainSealer(files.folder).run()
    assert AuditEvent.objects.filter(act=folder.LOST).count() == 1, "said once"
    assert "what guards them does not" in verified()
    assert f"on {socket.gethostname()}" in capsys.readouterr().err
    assert verified(accept_loss="The disk of this host was replaced.") == ""
    assert verified() == ""
    row = AuditEvent.objects.get(act=folder.ACCEPTED)
    assert (row.door, row.details) == ("cli", {"because": "The disk of this host was replaced.", "losses": 1})


def test_a_head_that_was_altered_is_not_written_over(files):
    said = (files.folder / "heads.json").read_text()
    (files.folder / "heads.json").write_text(said.replace('"number": 12', '"number": 3'))
    altered = (files.folder / "heads.json").read_bytes()
    with pytest.raises(FolderAltered, match=r"heads\.json was altered"):
        files.keep(audit.heads_of([SLUG]))
    with pytest.raises(FolderAltered):
        files.note(audit.heads_of([SLUG]).values())
    assert (files.folder / "heads.json").read_bytes() == altered


@pytest.mark.parametrize("written", [0.0, 0.3, 1.0])
def test_lines_that_a_kill_broke_off_are_completed(files, written):
    """A kill after `heads.json` promised them: nothing, some, or all of them stand in the other file."""
    lines = (files.folder / "checkpoints.jsonl").read_bytes()
    said = json.loads((files.folder / "heads.json").read_text())
    known = files._read_heads()
    pending = "".join(f"{line}\n" for line in lines.decode().splitlines()[-2:])
    before = lines[: -len(pending.encode())]
    known.last, known.pending = json.loads(before.splitlines()[-1])["mac"], pending
    (files.folder / "heads.json").write_text(known.text())
    (files.folder / "checkpoints.jsonl").write_bytes(
        before + pending.encode()[: round(written * len(pending))]
    )
    assert files.wrong() == ""
    assert (files.folder / "checkpoints.jsonl").read_bytes() == lines
    assert json.loads((files.folder / "heads.json").read_text())["last"] == said["last"]


def test_another_host_begins_a_folder_of_its_own(files, tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "second")
    second = CheckpointFiles(tmp_path / "second")
    assert audit.witnesses(second) == [], "a host without a dispatcher keeps no checkpoints"
    audit.ChainSealer(second.folder).run()
    assert AuditEvent.objects.filter(act=folder.BEGUN).count() == 2
    assert AuditEvent.objects.filter(act=folder.LOST).count() == 0


def test_an_audit_that_is_empty_after_use_does_not_hold(tmp_path, settings):
    settings.VAR_DIR = tmp_path
    assert verified() == "", "nothing has happened yet"
    User.objects.create(email="ada@example.test", last_login=timezone.now())
    assert audit.witnesses(CheckpointFiles(tmp_path / "audit")) == [
        "The audit is empty, although people have signed in."
    ]
    assert "what guards them does not" in verified()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_to_what_guards_the_audit_is_found(files, tmp_path, seed):
    audit.check_and_keep(files)
    copy = tmp_path / "copy"
    shutil.copytree(files.folder, copy)
    assert audit.witnesses(files) == []
    for kind in GuardTamperer(files.folder, random.Random(seed)).kinds:
        before = transaction.savepoint()
        kind()
        assert audit.witnesses(files), kind.__name__
        assert verified(), kind.__name__
        transaction.savepoint_rollback(before)
        shutil.rmtree(files.folder, ignore_errors=True)
        shutil.copytree(copy, files.folder)
    assert verified() == ""


UNREADABLE = {
    "a slug that is NULL": "UPDATE sms_auditevent SET service_slug = NULL WHERE service_slug = 'shop'",
    "a new row of no slug": "INSERT INTO sms_auditevent ({names}) SELECT {names_of_none} FROM sms_auditevent WHERE service_slug = 'shop'",
    "a slug of bytes": "INSERT INTO sms_auditevent ({names}) SELECT {names_of_bytes} FROM sms_auditevent WHERE service_slug = 'shop'",
    "a loss of no time": "UPDATE sms_auditevent SET act = 'audit.folder_lost', at = 'never' WHERE act = 'audit.folder_begun'",
    "details that are a list": "UPDATE sms_auditevent SET details = '[1]'",
    "details of bytes": "UPDATE sms_auditevent SET details = x'ff'",
    "a permit of text": "INSERT INTO sms_auditleave (service_slug, until_id) VALUES (x'ff', 'all')",
    "a seal of bytes": "UPDATE sms_auditseal SET service_slug = x'ff' WHERE service_slug = 'shop'",
    "a number of text": "UPDATE sms_auditseal SET number = 'x' WHERE service_slug = 'shop' AND number = 2",
}
BOTH = ("a slug that is NULL", "a new row of no slug", "details that are a list")


@pytest.mark.parametrize(
    "what", [what if what in BOTH else pytest.param(what, marks=pytest.mark.sqlite) for what in UNREADABLE]
)
def test_what_cannot_be_read_neither_ends_the_check_nor_stops_sealing(files, what):
    audit_guard.remove(connection)
    nullable("service_slug")
    names = [*AuditEvent.PROVEN, "mac"]
    of = {"service_slug": {"names_of_none": "NULL", "names_of_bytes": "CAST(service_slug AS BLOB)"}}
    chosen = {
        kind: ", ".join(of[name][kind] if name in of else name for name in names)
        for kind in ("names_of_none", "names_of_bytes")
    }
    sql(UNREADABLE[what].format(names=", ".join(names), **chosen))
    audit_guard.install(connection)
    made = audit.check_and_keep(files)
    assert (made.holds, bool(made.findings)) == (False, True)
    assert verified()
    acts(1, slug="later")
    with suppress(FolderAltered):
        audit.ChainSealer(files.folder).run()
    assert audit.heads_of(["later"])["later"].number == 1


@contextmanager
def damaged(row: AuditEvent, kind: str):
    """Reading it fails as where its page is damaged (PostgreSQL); where that is VOLATILE, so does every look for what it is not.

    Planned as for a table that is known to be small: all of it at once.
    """
    sql("ANALYZE sms_auditevent, sms_auditseal")
    names = [field.column for field in AuditEvent._meta.fields if field.column != "details"]
    sql("ALTER TABLE sms_auditevent RENAME TO whole")
    sql(
        f"""CREATE FUNCTION damaged(id bigint) RETURNS text {kind} LANGUAGE plpgsql AS $$ BEGIN
        RAISE 'invalid page in block 0' USING ERRCODE = 'data_corrupted'; END $$"""
    )
    sql(
        f"""CREATE VIEW sms_auditevent AS SELECT {", ".join(names)},
        CASE WHEN id = {row.pk} THEN damaged(id) ELSE details END AS details FROM whole"""
    )
    try:
        yield
    finally:
        sql("DROP VIEW sms_auditevent")
        sql("DROP FUNCTION damaged")
        sql("ALTER TABLE whole RENAME TO sms_auditevent")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["STABLE", "VOLATILE"])
def test_a_row_whose_page_is_damaged_is_a_finding(files, kind):
    """The check says which, as of a row that was altered, and does not wait for a database that is there."""
    with damaged(AuditEvent.objects.filter(service_slug="other").order_by("pk")[2], kind):
        broken = audit.check(files).broken
    found = {(one.service_slug, one.broken.number, one.broken.why) for one in broken}
    assert ("other", 3, "It cannot be read: it is damaged, or no text.") in found
    assert meters.take()["textdesk_database_errors_total", 'sqlstate="XX"'] >= 1, (
        "whoever reads it, this is told"
    )
    assert len(found) == 1


def test_a_key_that_was_lost_is_named(files, monkeypatch, capsys):
    monkeypatch.setattr(audit_proof, "audit_keys", audit_proof.AuditKeys())
    audit_proof.audit_keys.load(["another key, made where the file of the first was lost"])
    assert "chains do not hold" in verified()
    assert "The key that wrote the audit is not among today's AUDIT_KEYS." in capsys.readouterr().err


def test_a_service_without_a_row_is_found_by_its_sends(files):
    a_send(a_service(slug="third"))
    audit_guard.remove(connection)
    sql("DELETE FROM sms_auditevent WHERE service_slug = 'third'")  # before anything sealed it
    audit_guard.install(connection)
    assert audit.witnesses(files) == ["third: the audit is empty, although sends were made."]


def test_triggers_that_are_gone_fail_the_check(files, capsys):
    audit_guard.remove(connection)
    assert "what guards them does not" in verified()
    assert "triggers that refuse changes" in capsys.readouterr().err


def nightly(files: CheckpointFiles) -> AuditCheck:
    return audit.check_and_keep(files)


def test_the_check_runs_by_itself_and_is_green_everywhere(files, client):
    (job,) = [one for one in JOBS if one.name == "audit check"]
    job.run(None)
    made = AuditCheck.objects.get()
    assert (made.holds, made.findings, made.rows, made.host) == (True, "", 17, socket.gethostname())
    assert client.get("/readyz").json()["audit"] == "ok"
    assert "textdesk_audit_holds 1" in client.get("/metrics").text
    assert not Notice.objects.exists()


def test_a_broken_audit_is_red_on_every_page_that_watches(files, client):
    audit_guard.remove(connection)
    sql("UPDATE sms_auditevent SET actor_label = 'eve@example.test' WHERE service_slug = %s", SLUG)
    audit_guard.install(connection)
    service = a_service(slug=SLUG)
    people = {role: signed_in(f"{role}@example.test", service, role) for role in Role.values}
    mail.outbox.clear()
    assert not nightly(files).holds
    assert "row 1 is the first that does not hold" in client.get("/readyz").json()["audit"]
    assert "textdesk_audit_holds 0" in client.get("/metrics").text
    run_job("notice mails")
    (letter,) = mail.outbox
    assert letter.to == ["admin@example.test"]
    assert "row 1 is the first that does not hold" in letter.body
    says = "does not stand as it was written"
    seen = {role for role, person in people.items() if says in person.get(f"/s/{SLUG}/").text}
    assert seen == {Role.ADMIN, Role.AUDITOR}
    assert says in people[Role.AUDITOR].get(f"/s/{SLUG}/audit/").text


def test_a_check_that_no_process_makes_is_said(files):
    made = nightly(files)
    assert audit.sentence() == ""
    with time_machine.travel(made.at + timedelta(days=3)):
        AuditCheck.objects.all().delete()
        assert audit.sentence() == "The audit was never checked, or what its checks found was removed."
        made.save(force_insert=True)
        assert "no process has done its nightly check since" in audit.sentence()
        AuditCheck.objects.filter(pk=made.pk).update(at=timezone.now())
        assert (
            audit.sentence()
            == "What the last check of the audit found was altered, or made with another key."
        )


def test_a_good_result_cannot_be_made_with_sql(files, client):
    audit_guard.remove(connection)
    made = nightly(files)
    assert not made.holds
    AuditCheck.objects.filter(pk=made.pk).update(holds=True, findings="")
    assert "was altered" in client.get("/readyz").json()["audit"]
    assert "textdesk_audit_holds 0" in client.get("/metrics").text


def test_a_finding_is_mailed_once_and_a_new_one_again(files):
    a_person("admin@example.test", a_service(slug=SLUG), Role.ADMIN)
    audit_guard.remove(connection)
    for _ in range(3):
        nightly(files)
    assert Notice.objects.count() == 1
    sql("UPDATE sms_auditevent SET door = 'cli' WHERE service_slug = 'other'")
    nightly(files)
    assert Notice.objects.count() == 2
    assert "other: row 1" in Notice.objects.first().more


def test_old_checks_go(files):
    AuditCheck.objects.bulk_create(AuditCheck(host="a", rows=1, holds=True) for _ in range(120))
    nightly(files)
    assert AuditCheck.objects.count() == 100


def test_sealing_goes_on_while_the_folder_cannot_be_written(files, tmp_path):
    (tmp_path / "disk").write_text("no folder")
    sealer = audit.ChainSealer(tmp_path / "disk" / "audit")
    for number in range(2):
        acts()
        with pytest.raises(OSError, match="disk"):
            sealer.run()
        assert audit.seal(thorough=True) == {}, f"run {number} left rows without a seal"
