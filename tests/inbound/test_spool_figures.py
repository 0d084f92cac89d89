"""The spool record by record, and the addresses of receipts second by second."""

import fcntl
import os
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone

from sms.inbound import spool as spool_file
from sms.inbound.receipts import addresses, rotate
from sms.inbound.receipts.addresses import ReceiptAddresses
from sms.inbound.spool import Spool
from sms.inbound.spool_records import HEAD, MAGIC, IncomingPost, RecordFormat
from sms.models import AuditEvent, Service
from sms.models.service import HAND_OVER
from tests.support.sends import BY, a_service

NOW = timezone.now()
FORMAT = RecordFormat(IncomingPost)


def a_post(number: int) -> IncomingPost:
    return IncomingPost(number, b'{"n": %d}' % number, NOW)


def packed(*numbers: int) -> bytes:
    return FORMAT.packed(map(a_post, numbers))


# --- records ------------------------------------------------------------------------------------------------------------
def damaged(block: bytes, at: int = -1) -> bytes:
    """The same with one byte changed."""
    place = at % len(block)
    return block[:place] + bytes([block[place] ^ 1]) + block[place + 1 :]


ONE, TWO, THREE = packed(1), packed(2), packed(3)


@pytest.mark.parametrize(
    ("data", "read", "bad"),
    [
        (b"", [], 0),
        (ONE, [1], 0),
        (ONE + TWO + THREE, [1, 2, 3], 0),
        (ONE + TWO[:-1], [1], 0),
        (ONE + TWO[: HEAD.size], [1], 0),
        (ONE + TWO[: HEAD.size - 1], [1], 0),
        (ONE + MAGIC, [1], 0),
        (ONE + damaged(TWO), [1], len(TWO)),
        (ONE + damaged(TWO) + THREE, [1, 3], len(TWO)),
        (ONE + damaged(TWO, 0) + THREE, [1, 3], len(TWO)),
        (damaged(ONE) + damaged(TWO) + THREE, [3], len(ONE + TWO)),
        (damaged(ONE) + TWO[:-1], [], 0),
        (b"x" * 40, [], 40),
        (b"x" * 5 + ONE, [1], 5),
        (ONE + b"x" * HEAD.size, [1], HEAD.size),
        (ONE + b"x" * (HEAD.size - 1), [1], 0),
    ],
    ids=range(16),  # the bytes hold the time they were packed at
)
def test_whole_records_are_read_and_what_is_damaged_is_counted(data, read, bad):
    posts, count = FORMAT.read(data)
    assert ([one.service_id for one in posts], count) == (read, bad)
    assert posts == [a_post(one) for one in read]


def test_a_file_is_rewritten_record_by_record_and_damage_where_it_lies():
    data = ONE + damaged(TWO) + THREE
    same = FORMAT.rewritten(data, lambda raw: raw)
    assert same == data
    changed = FORMAT.rewritten(data, lambda raw: raw.replace(b"3", b"9").replace(b"2", b"8"))
    posts, bad = FORMAT.read(changed)
    assert [one.raw for one in posts] == [b'{"n": 1}', b'{"n": 9}'] and bad == len(TWO)
    assert b'{"n": 8}' in changed
    assert FORMAT.rewritten(b"junk 5", lambda raw: raw.replace(b"5", b"6")) == b"junk 6"


# --- the spool ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def spool(tmp_path) -> Spool:
    return Spool(IncomingPost, tmp_path / "spool")


def brought(spool: Spool, **options) -> list[int]:
    found: list[int] = []
    assert spool.sweep(lambda batch: found.extend(one.service_id for one in batch), **options) == len(found)
    return found


def test_posts_wait_in_one_file_until_it_is_full_and_are_swept_in_order(tmp_path):
    spool = Spool(IncomingPost, tmp_path / "spool", full=len(ONE + TWO))
    spool.append([a_post(1)])
    spool.append([a_post(2)])
    assert spool.waiting() == (1, len(ONE + TWO))
    spool.append([a_post(3)])
    assert spool.waiting() == (1, len(ONE + TWO + THREE)), "over it now, so it is left"
    spool.append([a_post(4)])
    assert spool.waiting()[0] == 2
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "spool").iterdir())
    assert brought(spool) == [1, 2, 3, 4]
    assert (spool.waiting(), spool.kept(), spool.untouched()) == ((0, 0), 0, [])
    assert brought(spool) == []
    spool.append([a_post(5)])
    assert brought(spool) == [5], "a sweep took its file, so it began another"


def test_a_sweep_takes_so_many_files(tmp_path):
    spool = Spool(IncomingPost, tmp_path / "spool", full=0)
    for number in (1, 2, 3):
        spool.append([a_post(number)])
    assert brought(spool, files=2) == [1, 2]
    assert brought(spool) == [3]


def test_a_file_that_another_process_holds_is_left_and_one_that_it_left_is_taken(spool):
    spool.append([a_post(1)])
    (path,) = spool.folder.glob("*.spool")
    held = os.open(path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert brought(spool) == []
    spool.append([a_post(2)])
    assert spool.waiting()[0] == 2, "never waits for a lock"
    os.close(held)
    assert sorted(brought(spool)) == [1, 2]


def test_what_is_refused_for_good_is_kept_beside_and_holds_up_no_other(spool):
    spool.append([a_post(number) for number in range(1, 8)])
    taken: list[int] = []

    def insert(batch):
        if any(one.service_id in (3, 6) for one in batch):
            raise ValueError("no such service")
        taken.extend(one.service_id for one in batch)

    assert spool.sweep(insert) == 5
    assert sorted(taken) == [1, 2, 4, 5, 7]
    assert (spool.waiting(), spool.kept()) == ((0, 0), 1)
    (kept,) = spool.folder.glob("*.kept")
    assert [one.service_id for one in FORMAT.read(kept.read_bytes())[0]] == [3, 6]
    assert spool.untouched() == [kept]


def test_a_damaged_file_is_brought_in_as_far_as_it_goes_and_kept(spool):
    spool.append([a_post(1), a_post(2)])
    (path,) = spool.folder.glob("*.spool")
    data = ONE + damaged(TWO)
    path.write_bytes(data)
    assert brought(spool) == [1]
    (kept,) = spool.folder.glob("*.kept")
    assert kept.read_bytes() == data and spool.waiting() == (0, 0)


def test_with_the_database_away_the_file_stays(spool):
    spool.append([a_post(1)])

    def away(batch):
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        spool.sweep(away)
    assert spool.waiting() == (1, len(ONE))
    assert brought(spool) == [1]


def test_a_disk_without_room_leaves_nothing_of_a_batch(spool, monkeypatch):
    spool.append([a_post(1)])
    real = spool_file.durable_file.write

    def half(fd, block):
        os.write(fd, block[:7])
        raise OSError("no space left")

    monkeypatch.setattr(spool_file.durable_file, "write", half)
    with pytest.raises(OSError, match="no space"):
        spool.append([a_post(2)])
    monkeypatch.setattr(spool_file.durable_file, "write", real)
    assert spool.waiting() == (1, len(ONE))
    monkeypatch.setattr(spool_file.durable_file, "write", half)
    with pytest.raises(OSError, match="no space"):
        Spool(IncomingPost, spool.folder).append([a_post(3)])
    assert spool.waiting() == (1, len(ONE)), "an empty file is removed"


def test_a_folder_with_ten_thousand_files_counts_as_full(spool, monkeypatch):
    monkeypatch.setattr(spool_file, "MOST", 2)
    spool.folder.mkdir()
    (spool.folder / "a").write_text("")
    spool.append([a_post(1)])
    with pytest.raises(OSError, match="full"):
        Spool(IncomingPost, spool.folder).append([a_post(2)])
    with pytest.raises(OSError, match="no spool folder"):
        Spool(IncomingPost).append([a_post(2)])
    assert Spool(IncomingPost).waiting() == (0, 0) and brought(Spool(IncomingPost)) == []


# --- addresses ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(addresses, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.mark.django_db
def test_a_known_address_costs_no_query_for_five_seconds(clock, django_assert_num_queries):
    service, known = a_service(), ReceiptAddresses()
    found = known.find(service.receipt_token)
    assert (found.service_id, found.correlation_key, found.secrets) == (
        service.pk, service.correlation_key, tuple(service.receipt_secrets),
    )  # fmt: skip
    with django_assert_num_queries(0):
        clock.now += 4.99
        assert known.find(service.receipt_token) == found
    with django_assert_num_queries(3):
        clock.now += 0.02
        assert known.find(service.receipt_token) == found
    known.forget()
    with django_assert_num_queries(3):
        assert known.find(service.receipt_token) == found


@pytest.mark.django_db
def test_an_unknown_address_is_looked_up_once_a_second(clock, django_assert_num_queries):
    known = ReceiptAddresses()
    with django_assert_num_queries(2):
        assert known.find("none") is None
        clock.now += 1.0
        assert known.find("none") is None
    with django_assert_num_queries(2):
        clock.now += 0.01
        assert known.find("none") is None


@pytest.mark.django_db
def test_two_addresses_hold_while_one_is_changed(clock):
    service, known = a_service(), ReceiptAddresses(ttl=0.0)
    before = service.receipt_token
    changed = rotate.rotate(service, by=BY)
    assert changed.receipt_token != before == changed.receipt_token_before
    assert abs((changed.receipt_token_until - timezone.now() - HAND_OVER).total_seconds()) < 60
    clock.now += 2
    assert known.find(before).service_id == known.find(changed.receipt_token).service_id == service.pk
    Service.objects.update(receipt_token_until=timezone.now() - timedelta(seconds=1))
    clock.now += 2
    assert known.find(before) is None and known.find(changed.receipt_token) is not None
    Service.objects.update(
        receipt_token_until=timezone.now() + timedelta(days=1), receipt_secret_before="x" * 20
    )
    rotate.retire(service, by=BY)
    clock.now += 2
    assert known.find(before) is None
    row = Service.objects.get()
    assert (row.receipt_token_before, row.receipt_token_until, row.receipt_secret_before) == (None, None, "")
    acts = list(AuditEvent.objects.order_by("pk").values_list("act", "noun_key", "actor_label"))
    assert acts == [
        ("service.receipt_address_changed", str(service.pk), BY.label),
        ("service.receipt_address_retired", str(service.pk), BY.label),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "noted"), [(59, False), (61, True)])
def test_that_an_address_was_asked_is_noted_once_an_hour(minutes, noted):
    service = a_service()
    rotate.asked(service.pk)
    first = Service.objects.get().receipt_asked_at
    assert first is not None
    earlier = first - timedelta(minutes=minutes)
    Service.objects.update(receipt_asked_at=earlier)
    rotate.asked(service.pk)
    assert (Service.objects.get().receipt_asked_at != earlier) == noted
