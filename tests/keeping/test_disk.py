"""Files of this host lose a number where they lie: no line is lost, no writer is disturbed, and what has a checksum keeps one that fits."""

import os

import pytest
from django.utils import timezone

from sms.compliance import archive, erasure
from sms.compliance.erasure import disk
from sms.inbound.optouts import inbound_spool
from sms.inbound.receipts import Incoming, spool
from tests.support.receipts import receipt
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "+447710000000", "+447710000001"


@pytest.fixture
def subject(tmp_path, monkeypatch):
    monkeypatch.setattr(archive.store, "folder", tmp_path / "archive")
    monkeypatch.setattr(spool, "folder", tmp_path / "spool")
    monkeypatch.setattr(inbound_spool, "folder", tmp_path / "inbound")
    return erasure.Subject(a_service(), NUMBER)


def test_a_log_that_is_written_on_loses_no_line(subject, tmp_path):
    path = tmp_path / "logs" / "desk.log"
    path.parent.mkdir()
    with path.open("a") as writer:
        writer.write(f"é to {NUMBER}, {OTHER}\n")
        writer.flush()
        before = path.stat()
        looked = disk.erase_logs(subject, tmp_path)
        writer.write("and on\n")
    assert looked.changed == ["logs/desk.log"]
    assert looked.naming == []
    assert path.stat().st_ino == before.st_ino
    assert path.read_text() == f"é to +000000000000, {OTHER}\nand on\n"


@pytest.mark.parametrize("at", range(100, 121))
def test_a_number_over_the_edge_of_a_piece_is_found_and_a_longer_one_is_not(
    at, subject, tmp_path, monkeypatch
):
    monkeypatch.setattr(disk, "PIECE", 64)
    monkeypatch.setattr(disk, "OVERLAP", 40)
    path = tmp_path / "desk.log"
    for said, gone in ((NUMBER, True), ("07710000000", True), (f"{NUMBER[1:]}77"[3:] + "1", False)):
        path.write_bytes(b"." * at + said.encode() + b"." * 200)
        disk.erase_logs(subject, tmp_path)
        after = path.read_bytes()
        assert len(after) == at + len(said) + 200
        assert (said.encode() in after) != gone, said


def test_the_proofs_of_the_audit_and_foreign_files_are_only_looked_at(subject, tmp_path):
    proof = tmp_path / "audit" / "checkpoints.jsonl"
    proof.parent.mkdir()
    proof.write_text(f"planted {NUMBER}\n")
    looked = disk.erase_logs(subject, tmp_path)
    assert (looked.changed, looked.naming) == ([], ["audit/checkpoints.jsonl"])
    assert NUMBER in proof.read_text()


def test_a_file_of_another_program_is_told_and_not_broken(subject, tmp_path):
    foreign = tmp_path / "copy.db"
    foreign.write_bytes(b"SQLite format 3\0 447710000000")
    looked = disk.erase_logs(subject, tmp_path)
    assert (looked.changed, looked.naming) == ([], ["copy.db"])
    assert foreign.read_bytes() == b"SQLite format 3\0 447710000000"


def test_what_was_kept_for_a_person_has_checksums_that_fit(subject, tmp_path):
    now, key = timezone.now(), subject.service.correlation_key
    for one in ("one", "two"):
        raw = receipt(one, info={"destination": NUMBER[1:] if one == "one" else OTHER[1:]})
        spool.append([Incoming.read(raw, service_id=subject.service.pk, key=key, received_at=now)])
    spool._leave()
    for path in spool.folder.glob("*.spool"):
        with path.open("ab") as file:
            file.write(b"torn 447710000000, and more")
        path.replace(path.with_suffix(".kept"))
    assert disk.erase_waiting(subject) == 1
    assert disk.left_waiting(subject) == 0
    (kept,) = spool.folder.glob("*.kept")
    fd = os.open(kept, os.O_RDONLY)
    records, damaged = type(spool).sweep.__globals__["_read"](fd)
    os.close(fd)
    assert [NUMBER[3:].encode() in one.raw for one in records] == [False, False]
    assert OTHER[1:].encode() in records[1].raw
    assert damaged == len(b"torn 447710000000, and more")
    assert b"torn 000000000000, and more" in kept.read_bytes()
