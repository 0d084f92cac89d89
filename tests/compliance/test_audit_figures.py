"""The audit's own files and verdicts to the letter: sentences, checkpoints, the export's lines, and what sealing leaves for later."""

import fcntl
import importlib
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from sms.compliance import audit
from sms.compliance.audit import Selection, checkpoint, export, sealer, stretches
from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.checkpoint_files import CheckpointFiles
from sms.compliance.audit.seal import head_of
from sms.compliance.audit.verdict import Broken, ChainVerdict
from sms.compliance.audit.verify import first_copy, services
from sms.compliance.audit.walk import walked, wrong_with
from sms.models import Actor, AuditEvent, AuditSeal
from sms.models.audit import audit as record
from sms.models.audit_proof import START
from sms.models.sql import audit_guard
from tests.support.audit_tampering import sql

pytestmark = pytest.mark.django_db
BY = Actor("user", "1", "ada@example.test", "page", "192.0.2.7")
SLUG = "shop"


@pytest.fixture
def unguarded():
    audit_guard.remove(connection)


def acts(count: int, *, slug: str = SLUG) -> None:
    for index in range(count):
        record("send.created", by=BY, service=slug, noun="send", key=index)


def chain(count: int) -> None:
    acts(count)
    audit.seal()


def known_at(*numbers: int) -> list[Checkpoint]:
    heads = [
        audit.Head(SLUG, number, AuditSeal.objects.get(service_slug=SLUG, number=number).hash)
        for number in numbers
    ]
    return [Checkpoint.of(head, now=datetime(2027, 3, 2, tzinfo=UTC)) for head in heads]


@pytest.mark.parametrize(
    ("rows", "left", "checkpoints", "broken", "sentence"),
    [
        (0, 0, 0, None, "shop: 0 rows hold, 0 checkpoints agree."),
        (1, 0, 1, None, "shop: 1 row hold, 1 checkpoint agree."),
        (1234, 2, 2, None, "shop: 1,234 rows hold, 2 left by retention, 2 checkpoints agree."),
        (5, 0, 0, Broken(1234, 9, "Why."), "shop: row 1,234 is the first that does not hold. Why."),
    ],
)
def test_a_verdict_in_a_sentence(rows, left, checkpoints, broken, sentence):
    verdict = ChainVerdict(SLUG, rows=rows, left=left, checkpoints=checkpoints, broken=broken)
    assert verdict.sentence == sentence


def test_every_checkpoint_that_agrees_counts_and_the_first_that_does_not_is_named(unguarded):
    chain(6)
    known = known_at(2, 4, 6)
    verdict = audit.verify(SLUG, checkpoints=known)
    assert (verdict.checkpoints, verdict.broken, verdict.complete, verdict.number, verdict.rows) == (
        3,
        None,
        True,
        6,
        6,
    )
    assert verdict.hash == known[-1].hash
    others = [one for one in known if one.number != 4]
    false = Checkpoint(SLUG, 4, "f" * 64, "2027-03-02T00:00:00Z", "", "")
    verdict = audit.verify(SLUG, checkpoints=[*others, false])
    assert verdict.checkpoints == 1
    why = (
        "Number 4 is another one than the checkpoint of 2027-03-02T00:00:00Z knows; all up to 2 is as it was."
    )
    assert verdict.broken == Broken(3, None, why)
    foreign = Checkpoint("other", 4, "f" * 64, "x", "", "")
    assert audit.verify(SLUG, checkpoints=[*known, foreign]).broken is None
    gone = AuditSeal.objects.filter(number__gt=4).values_list("event_id", flat=True)
    ids = ", ".join(map(str, gone))
    sql(f"DELETE FROM sms_auditevent WHERE id IN ({ids})")
    sql(f"DELETE FROM sms_auditseal WHERE event_id IN ({ids})")
    verdict = audit.verify(SLUG, checkpoints=known)
    why = (
        "The chain ends at 4, and a checkpoint of 2027-03-02T00:00:00Z knows number 6. "
        "Rows were cut off, or the database is an older copy."
    )
    assert (verdict.broken, verdict.checkpoints) == (Broken(5, None, why), 2)


def test_a_verification_that_stops_in_between_is_gone_on_with(monkeypatch):
    from sms.compliance.audit import walk

    chain(5)
    monkeypatch.setattr(walk, "PAGE", 2)
    verdict = audit.verify(SLUG, seconds=-1.0, checkpoints=known_at(4))
    assert (verdict.number, verdict.rows, verdict.complete, verdict.checkpoints) == (2, 2, False, 0)
    verdict = audit.verify(SLUG, seconds=-1.0, after=(verdict.number, verdict.hash))
    assert (verdict.number, verdict.rows, verdict.complete) == (4, 2, False)
    verdict = audit.verify(SLUG, seconds=-1.0, after=(verdict.number, verdict.hash))
    assert (verdict.number, verdict.rows, verdict.complete, verdict.broken) == (5, 1, True, None)
    assert walked(SLUG, until=3).number == 3
    assert head_of(SLUG).number == 5 and head_of("none").number == 0


def test_a_walk_that_should_go_further_than_the_chain_says_what_is_missing():
    chain(3)
    assert walked(SLUG, until=4).broken is not None
    assert walked(SLUG, until=4).broken.number == 4


def test_the_first_copy_is_named(unguarded):
    chain(3)
    names = ", ".join((*AuditEvent.PROVEN, "mac"))
    sql(f"INSERT INTO sms_auditevent ({names}) SELECT {names} FROM sms_auditevent WHERE id = "
        f"(SELECT event_id FROM sms_auditseal WHERE number = 2)")  # fmt: skip
    audit.seal()
    copy = AuditSeal.objects.get(number=4).event_id
    assert first_copy(SLUG) == Broken(4, copy, f"Row id {copy} is a copy of number 2.")
    assert first_copy("none") is None


def test_services_are_those_of_seals_and_of_rows_that_are_not_sealed_yet():
    chain(1)
    acts(1, slug="new")
    record("region.changed", by=BY)
    assert services() == ["", "new", SLUG]


def test_a_row_that_follows_a_missing_seal(unguarded):
    chain(3)
    third = AuditSeal.objects.get(number=3).event_id
    first = AuditSeal.objects.get(number=1).event_id
    assert wrong_with(third) == wrong_with(first) == ""
    sql("DELETE FROM sms_auditseal WHERE number = 2")
    assert wrong_with(third) == "The seal before its own is missing."
    assert wrong_with(first) == ""


# --- sealing ------------------------------------------------------------------------------------------------------------
def test_sealing_looks_back_and_thoroughly_at_everything(monkeypatch):
    chain(3)
    first = AuditSeal.objects.get(number=1).event_id
    monkeypatch.setattr(importlib.import_module("sms.compliance.audit.seal"), "LOOK_BACK", 1)
    record("send.paused", by=BY, service=SLUG)
    late = AuditEvent.objects.get(act="send.paused")
    audit_guard.remove(connection)
    AuditEvent.objects.filter(pk=late.pk).update(id=first - 1)
    assert audit.seal() == {}, "so late is looked for before a checkpoint only"
    assert audit.seal(thorough=True)[SLUG].number == 4


def test_the_sealer_writes_a_checkpoint_an_hour_and_the_newest_heads_always(tmp_path, monkeypatch):
    clock = SimpleNamespace(now=5000.0)
    monkeypatch.setattr(sealer, "time", SimpleNamespace(monotonic=lambda: clock.now))
    one, files = audit.ChainSealer(tmp_path), CheckpointFiles(tmp_path)

    def written() -> list[int]:
        path = tmp_path / "checkpoints.jsonl"
        lines = map(json.loads, path.read_text().splitlines() if path.exists() else ())
        return [line["number"] for line in lines if line["service"]]  # without Textdesk's own chain

    def heads() -> dict[str, int]:
        said = json.loads((tmp_path / "heads.json").read_text())["heads"]
        return {line["service"]: line["number"] for line in said if line["service"]}

    acts(1)
    one.run()
    assert (written(), heads()) == ([1], {SLUG: 1})
    acts(2)
    clock.now += 3599
    one.run()
    assert (written(), heads()) == ([1], {SLUG: 3})
    acts(1, slug="b")
    one.run()
    assert heads() == {SLUG: 3, "b": 1}
    assert one._fresh() == []
    clock.now += 1
    one.run()
    assert sorted(written()) == [1, 1, 3]
    clock.now += 1
    acts(1)
    one.run()
    assert (sorted(written()), heads()) == ([1, 1, 3], {SLUG: 4, "b": 1})
    assert len([one for one in files.read_all() if one.service]) == 5


def test_before_an_hours_checkpoint_a_late_row_is_looked_for_among_all(tmp_path, monkeypatch):
    chain(3)
    first = AuditSeal.objects.get(number=1).event_id
    monkeypatch.setattr(importlib.import_module("sms.compliance.audit.seal"), "LOOK_BACK", 1)
    record("send.paused", by=BY, service=SLUG)
    audit_guard.remove(connection)
    AuditEvent.objects.filter(act="send.paused").update(id=first - 1)
    one = audit.ChainSealer(tmp_path)
    one.run()
    assert AuditSeal.objects.filter(event_id=first - 1).exists()
    record("send.resumed", by=BY, service=SLUG)
    AuditEvent.objects.filter(act="send.resumed").update(id=first - 2)
    one.run()
    assert not AuditSeal.objects.filter(event_id=first - 2).exists(), "not at every look"


# --- checkpoints --------------------------------------------------------------------------------------------------------
def test_two_processes_never_write_the_files_at_once(tmp_path):
    files = CheckpointFiles(tmp_path / "new" / "audit")
    with (
        files._alone(),
        (tmp_path / "new" / "audit" / "lock").open("a") as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (tmp_path / "new" / "audit" / "lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free again


def test_a_checkpoint_is_read_back_from_its_line_alone(tmp_path):
    chain(2)
    head, files = head_of(SLUG), CheckpointFiles(tmp_path)
    files.begin()
    now = datetime(2027, 3, 2, 9, 30, 15, tzinfo=UTC)
    made = audit.write_checkpoints(files, {SLUG: head}, now=now)
    assert [(one.service, one.number, one.hash, one.at) for one in made] == [
        (SLUG, 2, head.hash, "2027-03-02T09:30:15Z")
    ]
    (line,) = (tmp_path / "checkpoints.jsonl").read_text().splitlines()
    assert json.loads(line) == {"event": "audit_checkpoint"} | asdict(made[0])
    log = tmp_path / "log"
    log.write_text(
        f'noise\n{line}\n["audit_checkpoint"]\n{{"audit_checkpoint"\n{line.replace("shop", "shoq")}\n'
    )
    read = checkpoint.checkpoints_in(log)
    assert (read.checkpoints, read.foreign) == (made, 2)
    assert checkpoint.holds(made[0])
    assert not checkpoint.holds(Checkpoint(SLUG, 1, head.hash, "", "", ""))
    assert files.keep({}) == []
    assert files.note([]) == []
    assert len((tmp_path / "checkpoints.jsonl").read_text().splitlines()) == 1
    (tmp_path / "heads.json").write_text("{")
    assert files.read_all() == made
    assert audit.heads_of([SLUG, "none"]) == {SLUG: head}


# --- stretches ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rows", "processes", "shared"), [(7, 2, False), (8, 2, True), (8, 1, False), (12, 9, True)]
)
def test_a_chain_is_shared_out_from_two_parts_on(monkeypatch, rows, processes, shared):
    parts: list[int] = []

    class Mapped:
        def __init__(self, count: int) -> None:
            parts.append(count)

        def __enter__(self):
            return map

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(stretches, "_processes", Mapped)
    monkeypatch.setattr(stretches, "LONG", 4)
    chain(rows)
    verdict = audit.verify_long(SLUG, processes=processes)
    assert (verdict.rows, verdict.broken, verdict.number) == (rows, None, rows)
    assert parts == ([min(processes, rows // 4)] if shared else [])


def test_stretches_cover_a_chain_without_gaps():
    chain(10)
    cut = stretches._cut(SLUG, 3)
    assert [(after[0], end) for _, after, end in cut] == [(0, 3), (3, 6), (6, 10)]
    hashes = dict(AuditSeal.objects.values_list("number", "hash"))
    assert [after[1] for _, after, _ in cut][1:] == [hashes[3], hashes[6]]
    assert stretches._cut("none", 3) == []
    assert [(after[0], end) for _, after, end in stretches._cut(SLUG, 20)][-1][1] == 10


# --- the export ---------------------------------------------------------------------------------------------------------
def test_an_export_has_a_line_about_itself_one_for_each_row_and_one_that_ends_it():
    acts(3)
    head_before = head_of(SLUG)
    lines = [json.loads(line) for line in export.json_lines_of(SLUG, Selection(noun="send"))]
    head = head_of(SLUG)
    assert head_before.number == 0 and head.number == 3, "sealed first"
    about, *rows, last = lines
    assert (about["textdesk_audit_export"], about["service"], about["head"]["number"]) == (2, SLUG, 3)
    assert about["head"]["hash"] == head.hash
    assert about["selection"] == {"noun": "send"}
    assert abs(datetime.fromisoformat(about["made_at"]).timestamp() - time.time()) < 60
    seals = {one.number: one for one in AuditSeal.objects.all()}
    assert sorted(row["number"] for row in rows) == [1, 2, 3]
    for row in rows:
        place = seals[row["number"]]
        event = AuditEvent.objects.get(pk=row["id"])
        assert (row["hash"], row["digest"], row["seal"], row["mac"]) == (
            place.hash,
            place.digest,
            place.mac,
            event.mac,
        )
        assert (row["act"], row["actor_label"], row["noun_key"]) == ("send.created", BY.label, event.noun_key)
        assert row["id"] == place.event_id
        before = seals.get(row["number"] - 1)
        assert row["previous"] == (before.hash if before else START)
    assert last == {"rows": 3}
    csv = "".join(export.csv_of(SLUG, Selection())).splitlines()
    assert len(csv) == 4 and csv[0].lstrip("\ufeff").startswith("number,id,")
    assert [line.split(",")[0] for line in csv[1:]] == [str(row["number"]) for row in rows]


def test_rows_leave_by_their_day_in_pieces_and_never_the_others():
    chain(4)
    day = timezone.now() - timedelta(days=30)
    audit_guard.remove(connection)
    old = list(AuditSeal.objects.filter(number__lte=2).values_list("event_id", flat=True))
    assert audit.retire(SLUG, before=day, by=Actor.system()) == 0
    assert audit.retire("none", before=timezone.now(), by=Actor.system()) == 0
    assert audit.retire(SLUG, before=timezone.now(), by=Actor.system(), at_once=2) == 2
    assert not AuditEvent.objects.filter(pk__in=old).exists()
    row = AuditEvent.objects.get(act="audit.retired")
    assert row.details["until"] == 2
    audit_guard.install(connection)
    verdict = audit.verify(SLUG)
    assert (verdict.left, verdict.rows, verdict.broken) == (2, 3, None)


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, ["send.paused", "optout.added", "send.created"]),
        ({"act": "send.paused"}, ["send.paused"]),
        ({"noun": "send"}, ["send.paused", "send.created"]),
        ({"noun": "sen"}, []),
        ({"door": "api"}, ["optout.added"]),
        ({"who": "EVE"}, ["optout.added"]),
        ({"who": "example"}, ["send.paused", "optout.added", "send.created"]),
        ({"words": "7"}, ["send.created"]),
        ({"words": "PRICE"}, ["send.paused"]),
        ({"since": 2}, ["send.paused", "optout.added"]),
        ({"until": 2}, ["send.created"]),
        ({"since": 2, "until": 3}, ["optout.added"]),
    ],
)
def test_rows_are_chosen(chosen, found):
    eve = Actor("key", "2", "eve@example.test", "api")
    record("send.created", by=BY, service=SLUG, noun="send", key=7)
    record("optout.added", by=eve, service=SLUG, noun="opt-out", key=70, source="x")
    record("send.paused", by=BY, service=SLUG, noun="send", key=71, because="Wrong price")
    record("send.paused", by=BY, service="other", noun="send", key=7)
    audit_guard.remove(connection)
    start = datetime(2027, 3, 1, tzinfo=UTC)
    for number, row in enumerate(AuditEvent.objects.order_by("pk"), start=1):
        AuditEvent.objects.filter(pk=row.pk).update(at=start + timedelta(days=number))
    moments = {
        name: start + timedelta(days=value) for name, value in chosen.items() if isinstance(value, int)
    }
    rows = audit.rows_of(SLUG, Selection(**chosen | moments))
    assert [row.act for row in rows] == found
