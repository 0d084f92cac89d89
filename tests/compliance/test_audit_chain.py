"""The audit proves itself: rows are made with a MAC, sealed into a chain, and whatever SQL does to them is found and named."""

import json
import random
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from sms.compliance import audit
from sms.compliance.audit import stretches
from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.stretches import in_stretches
from sms.compliance.audit.walk import wrong_with
from sms.models import Actor, ApiKey, AuditEvent, AuditLeave, AuditSeal, Region, ShortLinkDomain, audit_proof
from sms.models.audit import UnknownAct
from sms.models.audit import audit as record
from sms.models.sql import audit_guard
from sms.models.sql.insert import StatementBatch
from tests.support.audit_tampering import SLUG, Tamperer, nullable, sql
from tests.support.logs import written_log
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
BY = Actor("user", "1", "ada@example.test", "page", "192.0.2.7")


def acts(count: int, *, slug: str = SLUG) -> None:
    for index in range(count):
        record(
            "send.created",
            by=BY,
            service=slug,
            noun="send",
            key=index,
            share=0.1 + index,
            name="Grüße \x1f",
            roles=["a", "b"],
        )


def chain(count: int = 30) -> dict[str, audit.Head]:
    acts(count)
    acts(2, slug="foreign")
    return audit.seal()


def checkpoints() -> list[Checkpoint]:
    return [Checkpoint.of(head) for head in audit.heads_of(audit.services()).values()]


def numbers(slug: str = SLUG) -> list[tuple[int, int]]:
    rows = AuditSeal.objects.filter(service_slug=slug).order_by("number")
    return list(rows.values_list("number", "event_id"))


@pytest.fixture
def unguarded():
    audit_guard.remove(connection)


def test_what_is_recorded_holds_and_says_so():
    chain()
    verdict = audit.verify(SLUG, checkpoints=checkpoints())
    assert (verdict.rows, verdict.checkpoints, verdict.broken, verdict.guarded) == (30, 1, None, True)
    assert verdict.sentence == "shop: 30 rows hold, 1 checkpoint agree."
    assert audit.verify("foreign").rows == 2
    assert audit.services() == ["foreign", SLUG]
    row = AuditEvent.objects.filter(service_slug=SLUG).first()
    assert row.details == {"share": 29.1, "name": "Grüße \x1f", "roles": ["a", "b"]}


def test_an_act_outside_the_registry_is_not_recorded():
    with pytest.raises(UnknownAct, match="audit_acts"):
        record("send.vanished", by=BY)


@pytest.mark.parametrize("mark", ["\x1f", "\n", "\n3:", "\n-"])
def test_text_cannot_move_from_one_column_to_the_next(unguarded, mark):
    record("send.paused", by=Actor("user", "1", f"ada{mark}p", "page"), service=SLUG)
    audit.seal()
    assert audit.verify(SLUG).broken is None
    sql("UPDATE sms_auditevent SET actor_label = 'ada', door = %s || door", f"p{mark}")
    assert audit.verify(SLUG).broken.number == 1


def test_a_column_that_is_null_is_a_change(unguarded):
    """Also where its text went into the column before: a join that leaves NULL out would say the same."""
    chain(3)
    pk = numbers()[1][1]
    nullable("details")
    for joint in ("''", "char(31)" if connection.vendor == "sqlite" else "chr(31)"):
        before = transaction.savepoint()
        sql(
            f"UPDATE sms_auditevent SET noun_key = noun_key || {joint} || details, details = NULL WHERE id = %s",
            pk,
        )
        assert audit.verify(SLUG).broken.number == 2, joint
        transaction.savepoint_rollback(before)


def test_rows_and_seals_can_only_be_added():
    chain(2)
    for table in ("sms_auditevent", "sms_auditseal"):
        key = "act" if table == "sms_auditevent" else "hash"
        for text in (f"UPDATE {table} SET {key} = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
                sql(text)
        if connection.vendor == "postgresql":
            with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
                sql(f"TRUNCATE {table}")
    assert AuditEvent.objects.count() == 4


def test_triggers_that_are_gone_are_noticed_and_made_again():
    chain(1)
    audit_guard.remove(connection)
    assert not audit.verify(SLUG).guarded
    audit_guard.install(connection)
    audit_guard.install(connection)
    assert audit.verify(SLUG).guarded


@pytest.mark.parametrize("seed", range(6))
def test_whatever_sql_does_is_found_and_its_first_row_named(seed, unguarded):
    chain()
    known, seals = checkpoints(), numbers()
    tamperer = Tamperer(seals, random.Random(seed))
    for kind in tamperer.kinds:
        before = transaction.savepoint()
        expected = kind()
        verdict = audit.verify(SLUG, checkpoints=known)
        assert verdict.broken, kind.__name__
        assert verdict.broken.number == expected, (kind.__name__, verdict.sentence)
        shared = in_stretches(SLUG, checkpoints=known, parts=4, mapped=map)
        assert shared.broken == verdict.broken, kind.__name__
        transaction.savepoint_rollback(before)
    verdict = audit.verify(SLUG, checkpoints=known)
    assert verdict.broken is None
    shared = in_stretches(SLUG, checkpoints=known, parts=4, mapped=map)
    assert (shared.sentence, shared.hash) == (verdict.sentence, verdict.hash)


def test_a_long_chain_is_walked_in_stretches(monkeypatch, unguarded):
    """In this process: others would not see this transaction. `tests.bench.audit` walks one with several."""
    monkeypatch.setattr(stretches, "_processes", lambda count: nullcontext(map))
    monkeypatch.setattr(stretches, "LONG", 4)
    chain(20)
    known = checkpoints()
    verdict = audit.verify_long(SLUG, checkpoints=known, processes=2)
    assert (verdict.rows, verdict.checkpoints, verdict.broken, verdict.complete) == (20, 1, None, True)
    sql("UPDATE sms_auditevent SET door = 'cli' WHERE id = %s", numbers()[14][1])
    assert audit.verify_long(SLUG, checkpoints=known, processes=2).broken.number == 15


def test_every_column_counts(unguarded):
    chain(3)
    (_, pk), (_, other), _ = numbers()
    for column in (*AuditEvent.PROVEN, "mac"):
        before = transaction.savepoint()
        same = f"(SELECT {column} FROM sms_auditevent WHERE id = {other})"
        value = same if column in ("at", "nonce", "mac", "noun_key", "details") else "'x'"
        sql(f"UPDATE sms_auditevent SET {column} = {value} WHERE id = %s", pk)
        verdict = audit.verify(SLUG)
        assert verdict.broken, column
        assert verdict.broken.number == 1, (column, verdict.sentence)
        transaction.savepoint_rollback(before)


def test_one_row_says_by_itself_whether_it_holds(unguarded):
    chain(3)
    _, (_, second), (_, third) = numbers()
    assert wrong_with(second) == ""
    sql("UPDATE sms_auditevent SET actor_label = 'eve@example.test' WHERE id = %s", second)
    assert "do not fit its MAC" in wrong_with(second)
    assert wrong_with(third) == ""


@pytest.mark.sqlite
def test_bytes_that_are_no_text_are_reported(unguarded):
    chain(3)
    (_, first), (_, second), _ = numbers()
    sql("UPDATE sms_auditseal SET hash = CAST(x'ff' AS TEXT) WHERE event_id = %s", second)
    assert audit.verify(SLUG).broken.number == 2
    sql("UPDATE sms_auditevent SET act = CAST(x'ff' AS TEXT) WHERE id = %s", first)
    assert audit.verify(SLUG).broken.number == 1


def test_who_commits_late_gets_a_later_number(unguarded):
    acts(3)
    audit.seal()
    first = numbers()[0][1]
    record("send.paused", by=BY, service=SLUG)
    AuditEvent.objects.filter(act="send.paused").update(id=first - 1)
    audit.seal()
    assert numbers()[-1] == (4, first - 1)
    assert audit.verify(SLUG).broken is None


def test_sealing_goes_on_in_pieces_and_an_idle_look_writes_nothing(django_assert_num_queries):
    acts(7)
    assert audit.seal(at_once=3)[SLUG].number == 7
    with django_assert_num_queries(2):
        assert audit.seal() == {}


def test_an_older_key_still_verifies_and_a_foreign_one_does_not(settings):
    chain(2)
    audit_proof.audit_keys.load(["n" * 40, *settings.AUDIT_KEYS])
    acts(2)
    assert audit.verify(SLUG).rows == 4
    audit_proof.audit_keys.load(["f" * 40])
    assert audit.verify(SLUG).broken.number == 1


def test_the_precomputed_mac_is_hmac():
    import hashlib
    import hmac

    for secret in (b"k", b"k" * 32, b"k" * 64):
        for said in (b"", b"a" * 500):
            assert audit_proof.MacKey(secret).mac(said) == hmac.new(secret, said, hashlib.sha256).hexdigest()


# --- checkpoints --------------------------------------------------------------------------------------------------------


def test_the_checkpoints_keep_evidence_that_the_chain_lost(tmp_path, unguarded):
    files = audit.CheckpointFiles(tmp_path / "audit")
    files.begin()
    assert files.keep(chain(4)) == []
    audit.write_checkpoints(files, audit.heads_of(audit.services()))
    sql("DELETE FROM sms_auditevent WHERE id = %s", numbers()[-1][1])
    sql("DELETE FROM sms_auditseal WHERE number = 4 AND service_slug = %s", SLUG)
    acts(2)
    assert files.keep(audit.seal()) == [SLUG], "a head that is not in the chain is not replaced"
    verdict = audit.verify(SLUG, checkpoints=files.read_all())
    assert "another one than the checkpoint" in verdict.broken.why
    lines = (tmp_path / "audit" / "checkpoints.jsonl").read_text().splitlines()
    assert {json.loads(line)["service"] for line in lines} == {SLUG, "foreign"}


def test_checkpoints_keep_the_newest_head_of_any_process(tmp_path):
    chain(2)
    sealer, files = audit.ChainSealer(tmp_path / "audit"), audit.CheckpointFiles(tmp_path / "audit")
    sealer.run()
    assert len(files.read_all()) == 6, (
        "a checkpoint and a head for each of two services and of Textdesk itself"
    )
    acts(3)
    audit.seal()  # as the page's button does
    acts(1)
    sealer.run()
    assert max(one.number for one in files.read_all() if one.service == SLUG) == 6
    assert len(files.read_all()) == 6


def test_a_line_that_we_did_not_make_is_no_checkpoint():
    chain(1)
    (one,) = [one for one in checkpoints() if one.service == SLUG]
    line = {name: getattr(one, name) for name in Checkpoint.__slots__}
    assert Checkpoint.read(line) == one
    assert Checkpoint.read(line | {"number": 9}) is None
    assert Checkpoint.read({"number": 9}) is None


def test_the_command_names_the_first_broken_row(tmp_path, settings, capsys):
    settings.VAR_DIR = tmp_path
    chain(3)
    audit.ChainSealer(tmp_path / "audit").run()
    call_command("verify_audit")
    assert "All 6 rows hold" in capsys.readouterr().out
    audit_guard.remove(connection)
    sql("UPDATE sms_auditevent SET actor_label = 'eve@example.test' WHERE id = %s", numbers()[1][1])
    audit_guard.install(connection)
    with pytest.raises(CommandError, match="1 of 3 chains do not hold"):
        call_command("verify_audit")
    assert "shop: row 2 is the first that does not hold" in capsys.readouterr().err
    call_command("verify_audit", service="foreign")
    with pytest.raises(CommandError, match="no audit of a service 'nobody'"):
        call_command("verify_audit", service="nobody")


def test_the_command_takes_checkpoints_from_the_log_stream(tmp_path, settings):
    settings.VAR_DIR = tmp_path / "empty"
    chain(3)
    log = tmp_path / "collected.log"
    with written_log("json") as lines:
        audit.ChainSealer(tmp_path / "elsewhere").run()
    # a collector puts its own words before each line
    log.write_text(
        "noise\n" + "".join(f"<38>Nov 30 desk: {line}" for line in lines.getvalue().splitlines(True))
    )
    call_command("verify_audit", checkpoints=[log])
    audit_guard.remove(connection)
    sql("DELETE FROM sms_auditevent WHERE id = %s", numbers()[-1][1])
    sql("DELETE FROM sms_auditseal WHERE service_slug = %s AND number = 3", SLUG)
    audit_guard.install(connection)
    call_command("verify_audit")
    with pytest.raises(CommandError):
        call_command("verify_audit", checkpoints=[log])


def test_a_changed_row_is_named_with_when_who_and_what(unguarded):
    chain(3)
    at = AuditEvent.objects.get(pk=numbers()[1][1]).at
    sql("UPDATE sms_auditevent SET actor_label = 'eve@example.test' WHERE id = %s", numbers()[1][1])
    verdict = audit.verify(SLUG)
    assert verdict.rows < 3
    assert f"({at:%Y-%m-%d %H:%M:%S} UTC, send.created, eve@example.test) was changed" in verdict.sentence


# --- retention and the rows from before -----------------------------------------------------------------------------------


def test_rows_leave_by_retention_alone_and_the_chain_stays():
    chain(5)
    cut = timezone.now()
    acts(2)
    audit.seal()
    system = Actor.system()
    assert audit.retire(SLUG, before=cut, by=system, at_once=3) == 3
    assert audit.retire(SLUG, before=cut, by=system, at_once=3) == 2
    assert audit.retire(SLUG, before=cut, by=system, at_once=3) == 0
    assert AuditLeave.objects.count() == 0
    verdict = audit.verify(SLUG)
    assert (verdict.left, verdict.rows, verdict.broken) == (5, 4, None)
    assert AuditEvent.objects.filter(act="audit.retired").first().details["until"] == 5
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.all().delete()


def test_a_row_that_only_claims_to_be_retention_is_not_believed(unguarded):
    chain(5)
    sql("DELETE FROM sms_auditevent WHERE id = %s", numbers()[0][1])
    AuditEvent.objects.create(
        service_slug=SLUG, actor_kind="system", actor_label="x", door="system", act="audit.retired", noun="audit",
        details={"until": 5}, nonce="n", mac="0" * 64,
    )  # fmt: skip
    assert audit.verify(SLUG).broken.number == 1


def test_a_row_without_a_mac_does_not_hold():
    chain(1)
    AuditEvent.objects.create(service_slug=SLUG, actor_kind="user", actor_label="x", door="page", act="a")
    assert audit.verify(SLUG).broken.number == 2


def test_old_rows_are_retired_by_time_of_the_act_not_of_the_seal():
    acts(1)
    audit.seal()
    assert audit.retire(SLUG, before=timezone.now() - timedelta(days=1), by=Actor.system()) == 0


def test_a_thing_says_its_own_noun_key_and_service():
    service = a_service()
    sender = service.senders.get()
    by_itself = {"by": BY, "because": "+447700900123"}
    record("service.paused", service, **by_itself)
    record("sender.paused", sender, **by_itself)
    record("domain.paused", ShortLinkDomain(pk=7, service=service), noun="domain", **by_itself)
    record("region.changed", Region(pk=3), **by_itself)
    record("api_key.revoked", ApiKey(pk=5, service_id=service.pk), key="tk_5", **by_itself)
    rows = AuditEvent.objects.order_by("pk").values_list("service_slug", "noun", "noun_key")
    assert list(rows) == [
        (service.slug, "service", str(service.pk)),
        (service.slug, "sender", str(sender.pk)),
        (service.slug, "domain", "7"),
        ("", "region", "3"),
        (service.slug, "api_key", "tk_5"),
    ]
    assert {str(row.details) for row in AuditEvent.objects.all()} == {"{'because': '+44•••23'}"}


def test_a_row_of_a_batch_is_the_same_row():
    service = a_service()
    batch = StatementBatch()
    with transaction.atomic():
        record("service.paused", service, by=BY, rule="x")
        record("service.paused", service, by=BY, rule="x", batch=batch)
        batch.run()
    said = [name for name in AuditEvent.PROVEN if name not in ("at", "nonce")]
    one, two = AuditEvent.objects.values(*said)
    assert one == two
    audit.seal()
    assert audit.verify(service.slug).broken is None
