"""An archive to the byte: what its manifest says, what is read back, and each thing that can be wrong with a file."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

import pytest
from django.db import connection
from django.utils import timezone

from sms.compliance import archive
from sms.compliance.archive import read
from sms.compliance.archive.files import MAGIC, Damaged, Missing, Placed, Store
from sms.compliance.archive.move import runs
from sms.compliance.archive.verify import unknown_files, verify
from sms.models import Archive, ArchiveBlock, Click, Echo, Message, Receipt, ReceiptInbox, SendKeeping
from tests.support.past_sends import a_past_send, an_old_service, no_rest, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(state_folder):
    return state_folder


def three_blocks() -> tuple[Archive, list[int]]:
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, 6, days=15, ends=("delivered",), content="Hi $(number)")
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    blocks = [ids[:1], ids[1:3], ids[3:]]
    made = archive.make(service, blocks, posted_until=timezone.now(), gone=archive.StripRule(), rest=no_rest)
    assert archive.move(made, rest=no_rest) == 6
    made.refresh_from_db()
    read.forget_blocks()
    return made, ids


def test_the_manifest_names_every_block_and_the_file_holds_them_one_after_the_other(folder):
    made, ids = three_blocks()
    blocks = list(made.blocks.order_by("number"))
    assert [(one.number, one.messages, one.first_id, one.last_id, one.moved) for one in blocks] == [
        (0, 1, ids[0], ids[0], True),
        (1, 2, ids[1], ids[2], True),
        (2, 3, ids[3], ids[5], True),
    ]
    assert {(one.first_send, one.last_send, one.service_id) for one in blocks} == {
        (blocks[0].first_send, blocks[0].first_send, made.service_id)
    }
    assert [a.offset + a.length for a in blocks[:-1]] == [b.offset for b in blocks[1:]]
    path = next(folder.rglob("*.tda"))
    raw = path.read_bytes()
    assert len(raw) == made.size == blocks[-1].offset + blocks[-1].length
    head = raw[: blocks[0].offset]
    assert head.startswith(MAGIC) and head.endswith(b"\n")
    about = json.loads(head[len(MAGIC) :])
    assert about == {"archive": made.pk, "made_at": made.made_at.isoformat(), "service": made.service.slug}
    assert (made.messages, made.spare) == (6, "")
    assert path.relative_to(folder / "archive").as_posix() == made.name
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [row.id for row in archive.every(made.service)] == ids
    (verdict,) = verify(made.service_id)
    assert (verdict.messages, verdict.broken) == (6, "")
    assert unknown_files() == []
    (path.parent / "other.tda").write_bytes(b"x")
    assert unknown_files() == [f"{made.service.slug}/other.tda"]


def test_a_moved_messages_ledger_rows_are_gone_and_its_send_says_so(folder):
    _, ids = three_blocks()
    assert not Message.objects.filter(pk__in=ids).exists()
    assert not Receipt.objects.filter(message_id__in=ids).exists()
    assert not Click.objects.exists() and not Echo.objects.exists()
    keeping = SendKeeping.objects.get()
    assert keeping.archived_at is not None and (keeping.stage, keeping.place) == ("", 0)


def test_blocks_that_change_places_are_noticed(folder):
    """Each is authentic by itself; its place is authenticated too."""
    made, _ = three_blocks()
    first, second = made.blocks.order_by("number")[:2]
    for mine, other in ((first, second), (second, first)):
        placed = Placed(other.offset, other.length, other.sha256)
        with pytest.raises(Damaged):
            archive.store.read(made.name, mine.number, placed, key=made.key)
    placed = Placed(first.offset, first.length, first.sha256)
    assert archive.store.read(made.name, 0, placed, key=made.key)
    other_name = made.name.replace(".tda", "x.tda")
    path = next(folder.rglob("*.tda"))
    (path.parent / path.name.replace(".tda", "x.tda")).write_bytes(path.read_bytes())
    with pytest.raises(Damaged):
        archive.store.read(other_name, 0, placed, key=made.key)
    for wrong in (replace(placed, sha256="0" * 64), replace(placed, length=placed.length - 1)):
        with pytest.raises(Damaged):
            archive.store.read(made.name, 0, wrong, key=made.key)


@pytest.mark.parametrize(("field", "by"), [("messages", 1), ("first_id", -1), ("last_id", 1)])
def test_a_block_that_holds_other_messages_than_listed(folder, field, by):
    made, _ = three_blocks()
    block = made.blocks.get(number=1)
    ArchiveBlock.objects.filter(pk=block.pk).update(**{field: getattr(block, field) + by})
    (verdict,) = verify()
    assert (verdict.messages, verdict.broken) == (1, f"Block 1 of {made.name} holds other messages.")


def test_a_file_that_is_another_or_gone(folder):
    made, _ = three_blocks()
    path = next(folder.rglob("*.tda"))
    raw = path.read_bytes()
    path.write_bytes(raw + b"x")
    (verdict,) = verify()
    assert verdict.broken == f"{made.name} is not the file that was written: its SHA-256 is another."
    assert verdict.messages == 0
    path.unlink()
    (verdict,) = verify()
    assert verdict.broken.startswith(f"The archive file {made.name} cannot be read here")
    with pytest.raises(Missing):
        list(archive.every(made.service))


def test_a_store_without_a_folder_says_what_to_set():
    with pytest.raises(archive.ArchiveError, match="Set ARCHIVE_DIR"):
        Store().write("a/b.tda", [b"x"], key="", about={})
    assert list(Store().names()) == []


def test_rows_are_found_by_id_number_provider_id_row_and_send(folder):
    made, ids = three_blocks()
    service = made.service
    rows = list(archive.every(service))
    found = read.one(service, ids[3])
    assert (found.message.pk, found.message.msisdn, found.archived) == (ids[3], rows[3].msisdn, True)
    assert found.message.text == f"Hi {rows[3].msisdn}"
    assert [one.raw for one in found.receipts] == [one.raw for one in rows[3].receipts]
    assert read.one(service, ids[-1] + 1) is None
    assert [row.id for row in read.to_number(service, rows[4].msisdn)] == [ids[4]]
    assert read.to_number(service, "+447710000099") == []
    assert [row.id for row in read.by_provider_id(service, rows[1].provider_id)] == [ids[1]]
    send = found.message.send
    assert [row.id for row in read.of_send(send)] == ids
    assert [row.id for row in read.of_send(send, most=2)] == ids[:2]
    assert [row.id for row in read.of_send(send, after=ids[1], most=2)] == ids[2:4]
    assert read.of_send(send, fits=lambda one: one.state == "failed") == []
    assert read.at_row(send, rows[2].row).message.pk == ids[2]
    assert read.at_row(send, 999) is None
    assert read.has(service) and not read.has(an_old_service())
    whole = read.histories_of(service, rows[:1])[0]
    assert whole.echo is not None and whole.echo.correlation_id == "theirs-1"
    ((_, click),) = whole.clicks.items()
    assert (click.url, click.ip, click.user_agent, click.message_id) == (
        "https://x.test/a",
        "203.0.113.9",
        "Safari",
        ids[0],
    )


def test_opened_blocks_are_kept_up_to_eight(monkeypatch):
    asked = []
    keeping = lru_cache(maxsize=read.read_block.cache_parameters()["maxsize"])
    monkeypatch.setattr(read, "read_block", keeping(lambda _, number, *__, key: asked.append(number) or []))

    def block(number: int):
        return read.rows_of(Archive(name="a"), ArchiveBlock(number=number))

    for number in range(8):
        block(number)
    block(0)
    assert asked == list(range(8)), "still there, and the newest now"
    block(8)
    block(0)
    assert asked == [*range(8), 8]
    block(1)
    assert asked == [*range(8), 8, 1], "the one not asked for longest went"
    read.forget_blocks()
    block(0)
    assert asked[-1] == 0


@pytest.mark.postgresql
def test_archiving_reads_no_receipts_but_its_own_also_where_clicks_name_some(
    folder, django_assert_max_num_queries
):
    """Those of another send stand for the five million that each block would read."""
    service = an_old_service(keep_messages=10)
    a_past_send(service, 20, days=1, ends=("delivered",))
    send = a_past_send(service, 6, days=15, ends=("delivered",))
    assert Click.objects.filter(message__send=send).exists()
    with django_assert_max_num_queries(100) as asked:
        run(service)
    assert not send.messages.exists()
    reads = [one["sql"] for one in asked.captured_queries if 'FROM "sms_receipt"' in one["sql"]]
    assert reads
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # which is right in a table of so few
        for sql in reads:
            cursor.execute(f"EXPLAIN ANALYZE {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Removed by Filter" not in plan, plan


def test_stretches_without_strangers(folder):
    service = an_old_service()
    send, other = (a_past_send(service, 5, days=20, clicks=False) for _ in range(2))
    mine = list(send.messages.order_by("pk").values_list("pk", flat=True))
    theirs = list(other.messages.order_by("pk").values_list("pk", flat=True))
    assert runs(mine) == [(mine[0], mine[-1])]
    assert runs([mine[0], mine[1], mine[3], mine[4]]) == [(mine[0], mine[1]), (mine[3], mine[4])]
    assert runs([mine[0], mine[2], mine[4]]) == [(one, one) for one in (mine[0], mine[2], mine[4])]
    assert runs([*mine[:2], *theirs]) == [(mine[0], mine[1]), (theirs[0], theirs[-1])]
    assert runs([mine[2]]) == [(mine[2], mine[2])]


def test_a_receipt_that_waits_keeps_its_block_in_the_ledger(folder):
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, 2, days=15, ends=("delivered",))
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    made = archive.make(service, [ids], posted_until=timezone.now(), gone=archive.StripRule(), rest=no_rest)
    waiting = Receipt.objects.filter(message_id=ids[1]).first()
    ReceiptInbox.objects.create(
        receipt=waiting,
        received_at=waiting.received_at,
        why="new",
        next_at=timezone.now() + timedelta(days=1),
    )
    assert archive.move(made, rest=no_rest) == 0
    assert send.messages.count() == 2


def test_a_run_that_rests_in_between_goes_on_and_leaves_no_file_that_is_not_listed(folder):
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, 3, days=15, ends=("delivered",))
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    turns = iter([False, True])
    made = archive.make(
        service, [ids[:1], ids[1:]], posted_until=timezone.now(), gone=archive.StripRule(), rest=lambda: next(turns)
    )  # fmt: skip
    assert made is None and not Archive.objects.exists() and list(folder.rglob("*.tda")) == []
    made = archive.make(
        service, [ids[:1], ids[1:]], posted_until=timezone.now(), gone=archive.StripRule(), rest=no_rest
    )
    turns = iter([False, True])
    assert archive.move(made, rest=lambda: next(turns)) == 1
    assert send.messages.count() == 2
    assert archive.resume(service, rest=no_rest) == 2
    assert not send.messages.exists()
    assert archive.resume(service, rest=no_rest) == 0
    now, name = timezone.now(), f"{service.slug}/x.tda"
    spare = Archive.objects.create(service=service, spare=name, made_at=now, posted_until=now)
    path = next(folder.rglob("*.tda")).parent / "x.tda"
    path.write_bytes(b"half")
    assert archive.resume(service, rest=no_rest) == 0
    assert not path.exists() and not Archive.objects.filter(pk=spare.pk).exists()
    assert run(service) is not None
