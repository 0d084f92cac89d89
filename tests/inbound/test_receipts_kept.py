"""Receipts while things go wrong: the database away, the disk full, too many at once, an address that changes, poison among them."""

import multiprocessing
import os
import sys
import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import (
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)
from django.test import Client
from django.utils import timezone

from sms.inbound import receipts
from sms.inbound.receipts import fold as folding
from sms.inbound.receipts import inbox
from sms.inbound.receipts.addresses import ReceiptAddresses
from sms.inbound.receipts.inbox import GroupCommit, Overloaded, Stuck, insert, spool
from sms.inbound.receipts.incoming import Incoming
from sms.inbound.receipts.rotate import retire, rotate
from sms.inbound.spool import Spool
from sms.inbound.spool_records import MAGIC
from sms.models import Actor, Receipt, ReceiptInbox
from tests.support.receipts import address, post, posted_message, receipt
from tests.support.sends import a_service
from tests.support.server_entry import ask

fold_module = sys.modules["sms.inbound.receipts.fold"]  # the package's name `fold` is the function
pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def no_database(monkeypatch):
    """The write that fails as it does when the server is gone; everything before it was remembered."""

    def gone(batch):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(inbox.intake.database, "write", gone)
    return monkeypatch


def incoming(index: int, service_id: int = 1) -> Incoming:
    return Incoming(service_id, b'{"n": %d}' % index, NOW)


def test_with_the_database_away_a_receipt_is_on_the_disk_before_200_and_is_swept_in_later(no_database):
    service = a_service()
    message, name = posted_message(service)
    receipts.receipt_addresses.find(service.receipt_token)
    raw = receipt(name)
    assert post(service, raw).status_code == 200
    assert not Receipt.objects.exists()
    assert spool.waiting()[0] == 1
    no_database.setattr(inbox.intake.database, "write", insert)
    assert receipts.sweep() == 1
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "delivered"


def test_what_is_on_the_spool_comes_in_once_and_is_applied(tmp_path):
    service = a_service()
    message, name = posted_message(service)
    item = Incoming.of(receipt(name), address=receipts.receipt_addresses.find(service.receipt_token))
    spool.append([item, item])
    spool.append([item])
    assert receipts.sweep() == 3
    assert spool.waiting() == (0, 0)
    stored = Receipt.objects.get()
    assert (bytes(stored.raw), stored.received_at) == (item.raw, item.received_at)
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "delivered"
    assert receipts.sweep() == 0


def test_what_a_wrong_migration_or_grant_refuses_is_answered_and_waits_until_that_is_mended():
    service = a_service()
    _, name = posted_message(service)
    table = ReceiptInbox._meta.db_table

    def renamed(*names: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE {} RENAME TO {}".format(*names))

    renamed(table, "elsewhere")
    assert post(service, receipt(name)).status_code == 200
    assert spool.waiting()[0] == 1
    with pytest.raises(Error), transaction.atomic():
        receipts.sweep()
    assert (spool.waiting()[0], spool.kept()) == (1, 0), "it waits by itself, and for no person"
    renamed("elsewhere", table)
    assert receipts.sweep() == 1
    assert ReceiptInbox.objects.count() == 1


def test_a_receipt_that_alone_is_refused_is_answered_and_set_apart(monkeypatch):
    service = a_service()

    def refuses(batch):
        raise IntegrityError("violates foreign key constraint")

    monkeypatch.setattr(inbox.intake.database, "write", refuses)
    assert post(service, receipt("x")).status_code == 200
    assert spool.sweep(refuses) == 0
    assert (spool.waiting()[0], spool.kept()) == (0, 1)


def test_no_room_on_the_disk_and_no_database_is_503_and_leaves_no_half_record(no_database, tmp_path):
    service = a_service()
    receipts.receipt_addresses.find(service.receipt_token)
    spool.append([incoming(1, service.pk)])
    size = spool.waiting()[1]
    real = os.write

    def full(fd, data):
        real(fd, data[:10])
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", full)
        answer = post(service, receipt("x"))
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert spool.waiting()[1] == size
    assert post(service, receipt("x")).status_code == 200, "there is room again"


def test_a_full_disk_leaves_no_empty_file(tmp_path, monkeypatch):
    mine = Spool(Incoming, tmp_path / "s")

    def full(fd, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            mine.append([incoming(1)])
    assert list((tmp_path / "s").iterdir()) == []
    mine.append([incoming(2)])
    assert mine.waiting()[0] == 1


def test_files_are_swept_oldest_first_and_their_number_has_an_end(tmp_path, monkeypatch):
    mine, found = Spool(Incoming, tmp_path / "s", full=0), []
    monkeypatch.setattr("sms.inbound.spool.MOST", 3)
    for index in range(3):
        mine.append([incoming(index)])
    with pytest.raises(OSError, match="is full"):
        mine.append([incoming(3)])
    assert mine.waiting()[0] == 3, "each append has a file of its own"
    assert mine.sweep(found.extend) == 3
    assert found == [incoming(index) for index in range(3)]


def test_a_spool_folder_that_cannot_be_written_is_503(no_database, state_folder):
    service = a_service()
    receipts.receipt_addresses.find(service.receipt_token)
    (state_folder / "spool").write_text("a file is in the way")
    assert post(service, receipt("x")).status_code == 503


def _write_some(folder, start) -> None:
    mine = Spool(Incoming, folder)
    for index in range(start, start + 40):
        mine.append([incoming(index)])


def test_several_processes_write_while_a_sweep_runs_and_nothing_is_lost(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_some, args=(tmp_path / "s", start)) for start in (0, 100, 200)]
    for writer in writers:
        writer.start()
    found: list[Incoming] = []
    mine = Spool(Incoming, tmp_path / "s")
    while any(writer.is_alive() for writer in writers):
        mine.sweep(found.extend)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    mine.sweep(found.extend)
    assert sorted({item.raw for item in found}) == sorted(
        incoming(start + index).raw for start in (0, 100, 200) for index in range(40)
    )
    assert mine.waiting() == (0, 0)


def test_a_torn_tail_is_dropped_and_damage_in_the_middle_is_kept_for_a_person(tmp_path):
    mine = Spool(Incoming, tmp_path / "s")
    mine.append([incoming(1), incoming(2)])
    (path,) = (tmp_path / "s").glob("*.spool")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])
    found: list[Incoming] = []
    assert mine.sweep(found.extend) == 2
    assert (mine.waiting(), mine.kept()) == ((0, 0), 0)

    path.write_bytes(MAGIC + b"\x00" * 40 + whole)
    assert mine.sweep(found.extend) == 2
    assert mine.kept() == 1, "the file stays, for a person"


def test_a_sweep_that_the_database_interrupts_leaves_the_file(tmp_path):
    mine = Spool(Incoming, tmp_path / "s")
    mine.append([incoming(1)])

    def gone(batch):
        raise OperationalError

    with pytest.raises(OperationalError):
        mine.sweep(gone)
    found: list[Incoming] = []
    assert mine.sweep(found.extend) == 1


def test_more_than_may_wait_is_overload_and_a_write_that_hangs_is_stuck():
    go, entered = threading.Event(), threading.Event()

    def hang(batch):
        entered.set()
        go.wait(60)

    group = GroupCommit(hang, room=1)
    threads = [threading.Thread(target=lambda: group.store(incoming(1), patience=10)) for _ in range(2)]
    threads[0].start()
    assert entered.wait(60)
    threads[1].start()
    while not group._waiting:
        time.sleep(0.001)
    with pytest.raises(Overloaded):
        group.store(incoming(2))
    with pytest.raises(Stuck):
        GroupCommit.store(_stuck(group), incoming(3), patience=0.01)
    go.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def _stuck(group: GroupCommit) -> GroupCommit:
    group.room = 10
    return group


def test_overload_is_503(monkeypatch):
    service = a_service()
    monkeypatch.setattr(inbox.intake.database, "room", 0)
    assert post(service, receipt("x")).status_code == 503
    monkeypatch.setattr(inbox.intake.database, "room", 10)
    assert post(service, receipt("x")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_one_receipt_that_the_database_refuses_does_not_take_the_batch_with_it():
    service = a_service()
    group = GroupCommit(insert)
    tickets = [inbox._Ticket(incoming(1, service.pk)), inbox._Ticket(incoming(2, 987_654))]
    group._waiting.extend(tickets)
    group._write()
    assert [ticket.error is None for ticket in tickets] == [True, False]
    assert Receipt.objects.count() == 1


def test_without_a_length_the_body_is_read_to_its_end():
    service = a_service()
    raw = receipt("chunked")
    assert ask("POST", address(service), raw)[0] == 200
    assert bytes(Receipt.objects.get().raw) == raw


def test_a_receipt_that_breaks_off_is_to_be_posted_again_and_not_kept():
    service = a_service()
    raw = receipt("broken")
    for status, headers, content in (
        ask("POST", address(service), raw[:-1]),
        ask("POST", address(service), b""),
        ask("POST", address(service), raw[:-1], length=len(raw)),
    ):
        assert (status, headers["Retry-After"], content) == (503, "30", b"")
    assert not Receipt.objects.exists()


def test_what_is_no_json_is_kept_without_a_length_too():
    service = a_service()
    raw = receipt("x").decode().encode("utf-16")
    assert ask("POST", address(service), raw)[0] == 200
    assert bytes(Receipt.objects.get().raw) == raw


def test_two_addresses_are_answered_until_the_previous_one_ends():
    service = a_service()
    before = address(service)
    changed = rotate(service, by=Actor.system("cli"))
    receipts.receipt_addresses.forget()
    assert Client().head(before).status_code == Client().head(address(changed)).status_code == 200
    changed.receipt_token_until = timezone.now() - timedelta(seconds=1)
    changed.save(update_fields=["receipt_token_until"])
    receipts.receipt_addresses.forget()
    assert Client().head(before).status_code == 404
    assert Client().head(address(changed)).status_code == 200
    again = rotate(changed, by=Actor.system("cli"))
    retire(again, by=Actor.system("cli"))
    receipts.receipt_addresses.forget()
    assert Client().head(address(changed)).status_code == 404


def test_poison_is_set_aside_alone_with_its_reason_and_can_be_tried_again(monkeypatch):
    service = a_service()
    message, name = posted_message(service)
    post(service, receipt(name))
    post(service, receipt(name, code="7777", status="Poison"))
    real = fold_module._change_of

    def breaks(entry):
        if entry.note.code == "7777":
            raise ZeroDivisionError("a bug of ours")
        return real(entry)

    monkeypatch.setattr(fold_module, "_change_of", breaks)
    folding()
    message.refresh_from_db()
    assert message.state == "delivered"
    left = ReceiptInbox.objects.get()
    assert left.why == "broke"
    assert "a bug of ours" in left.reason
    assert folding() == 0, "it is not tried again by itself"
    monkeypatch.setattr(fold_module, "_change_of", real)
    assert receipts.retry(service, left.pk) == 1
    assert folding() == 1
    assert not ReceiptInbox.objects.exists()


def test_a_record_that_the_database_refuses_holds_up_no_other(tmp_path):
    """Like one of a service that was deleted meanwhile."""
    mine, found = Spool(Incoming, tmp_path / "s"), []
    mine.append([incoming(1), incoming(2), incoming(3, service_id=99), incoming(4)])

    def insert(batch) -> None:
        if any(item.service_id == 99 for item in batch):
            raise IntegrityError("violates foreign key constraint")
        found.extend(batch)

    assert mine.sweep(insert) == 3
    assert sorted(item.raw for item in found) == [incoming(n).raw for n in (1, 2, 4)]
    assert (mine.waiting(), mine.kept()) == ((0, 0), 1)


def test_what_was_kept_is_taken_in_later_and_what_is_damaged_stays(tmp_path):
    """Also the files of earlier versions, which put all there that a read-only database refused."""
    mine, found = Spool(Incoming, tmp_path / "s"), []
    mine.append([incoming(1), incoming(2)])
    (path,) = (tmp_path / "s").glob("*.spool")
    path.replace(path.with_suffix(".kept"))
    (tmp_path / "s" / "1-damaged.kept").write_bytes(MAGIC + b"\x00" * 40 + mine.format.packed([incoming(3)]))

    def away(batch) -> None:
        raise OperationalError

    with pytest.raises(OperationalError):
        mine.take_in_kept(away)
    assert mine.waiting()[0] + mine.kept() == 2, "nothing is lost where the database is away again"
    assert mine.sweep(found.extend) + mine.take_in_kept(found.extend) >= 3
    assert {item.raw for item in found} == {incoming(n).raw for n in (1, 2, 3)}
    assert (mine.waiting()[0], mine.kept()) == (0, 1)


def test_empty_files_of_a_full_disk_hold_up_none_and_go(tmp_path):
    mine, found = Spool(Incoming, tmp_path / "s"), []
    mine.append([incoming(1)])
    for number in range(60):
        (tmp_path / "s" / f"0-{number}.spool").touch()
    assert mine.sweep(found.extend, files=1) == 1
    assert list((tmp_path / "s").iterdir()) == []


@pytest.mark.parametrize("problem", [InternalError, OperationalError])
def test_a_database_that_was_in_the_way_of_a_sweep_has_refused_nothing(tmp_path, problem):
    """A deadlock, or a database that may only be read, which is of a kind that wrong statements are of too."""
    mine = Spool(Incoming, tmp_path / "s")
    mine.append([incoming(1)])
    cause = (
        psycopg.errors.ReadOnlySqlTransaction if problem is InternalError else psycopg.errors.DeadlockDetected
    )

    def insert(batch) -> None:
        raise problem("as Django raises it") from cause("as the driver does")

    with pytest.raises(problem):
        mine.sweep(insert)
    assert (mine.waiting()[0], mine.kept()) == (1, 0)


def test_a_writer_never_waits_for_a_sweep(tmp_path):
    mine, other = Spool(Incoming, tmp_path / "s"), Spool(Incoming, tmp_path / "s")
    mine.append([incoming(1)])
    inside, go_on = threading.Event(), threading.Event()

    def slow(batch) -> None:
        inside.set()
        assert go_on.wait(60)

    sweeping = threading.Thread(target=other.sweep, args=(slow,))
    sweeping.start()
    assert inside.wait(60)
    mine.append([incoming(2)])  # would wait for ever
    assert sweeping.is_alive()
    go_on.set()
    sweeping.join(60)
    found: list[Incoming] = []
    assert mine.sweep(found.extend) == 1
    assert found[0].raw == incoming(2).raw


def test_a_damaged_end_is_kept_and_only_what_was_cut_short_is_dropped(tmp_path):
    mine = Spool(Incoming, tmp_path / "s")
    mine.append([incoming(1), incoming(2)])
    (path,) = (tmp_path / "s").glob("*.spool")
    data = bytearray(path.read_bytes())
    data[-3] ^= 0xFF
    path.write_bytes(data)
    found: list[Incoming] = []
    assert mine.sweep(found.extend) == 1
    assert mine.kept() == 1


def test_while_the_database_is_away_an_unknown_address_is_not_refused():
    service, doors = a_service(), ReceiptAddresses()
    assert doors.find(service.receipt_token)
    doors._read_at -= 2 * doors.ttl

    def away(execute, sql, params, many, context):
        raise InterfaceError("the connection is closed")

    with connection.execute_wrapper(away):
        with pytest.raises(InterfaceError):
            doors.find("made-a-moment-ago-by-another-process")
        assert doors.find(service.receipt_token)
    doors._read_at -= 2 * doors.ttl
    assert doors.find("made-a-moment-ago-by-another-process") is None
