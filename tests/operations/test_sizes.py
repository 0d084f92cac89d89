"""What an installation needs, against figures computed by hand."""

from dataclasses import replace

import pytest

from tests.bench.rig.sizes import SECONDS_A_MONTH, Costs, House, pages_met, size_of

COSTS = Costs(disk=2300, wal=4700, dispatch_ms=3, web_ms=0.5, fold_ms=1, folding_ms=2, database_ms=4)


def test_what_grows_in_proportion():
    size = size_of(100 * SECONDS_A_MONTH, COSTS, House(months_kept=3, peak=5))  # 259.2 million
    assert (size.mean_per_second, size.peak_per_second) == (100, 500)
    assert size.disk_a_month_gb == pytest.approx(596.16)
    assert size.disk_kept_gb == pytest.approx(1788.48)
    assert size.wal_a_month_gb == pytest.approx(1218.24)
    assert size.wal_peak_mb_per_second == pytest.approx(2.35)
    assert size.receipts_a_partition == 518_400_000
    assert size.messages_kept == 777_600_000
    assert size.partitions == 7  # three kept, the one that runs, two ahead, the rest


def test_hosts_cores_and_connections():
    size = size_of(100 * SECONDS_A_MONTH, COSTS, House(peak=10))  # 1,000 a second, 2,000 receipts
    assert size.dispatch_processes == 10  # 1,000 x (3 + 2 x 1) ms, on half of each core
    assert size.dispatch_hosts == 3
    assert size.web_hosts == 2  # 2,000 x 0.5 ms is one core, so two half busy ones: the least
    assert size.folder_busy == pytest.approx(4)
    assert size.database_cores == 8
    assert size.connections == 2 * 4 * 24 + 10 * 14 + 20


def test_a_small_one_has_two_of_each():
    size = size_of(1_000_000, COSTS, House())
    assert (size.dispatch_hosts, size.dispatch_processes, size.web_hosts, size.database_cores) == (2, 2, 2, 2)


def test_entries_into_a_large_index_meet_a_page_each():
    # 900 entries between checkpoints into ten million pages, of which hardly two meet
    assert pages_met(1.0, 1_000_000_000, {"number": 81.92}, 900) == pytest.approx(1, rel=0.001)


def test_pages_of_a_small_index_are_met_once_between_checkpoints():
    # 90,000 entries into 100 pages: 100 / 90,000
    assert pages_met(100.0, 8192, {"number": 100.0}, 900) == pytest.approx(0.001111, rel=0.001)


def test_as_many_entries_as_pages_meet_five_of_eight():
    # 1 - 1/e, of each of two indexes
    assert pages_met(1.0, 8192, {"a": 100.0, "b": 100.0}, 100) == pytest.approx(2 * 0.63212, rel=0.001)


def test_nothing_is_met_where_nothing_is_sent():
    assert pages_met(0.0, 0, {"number": 40.0}, 900) == 0


def test_pages_in_the_log_come_on_top():
    costs = replace(COSTS, random_entries={"number": 81.92, "id": 81.92}, whole_page=3000)
    size = size_of(100 * SECONDS_A_MONTH, costs, House(months_kept=40, checkpoint=0.001))
    assert size.wal_a_message == pytest.approx(4700 + 2 * 3000, rel=0.001)
