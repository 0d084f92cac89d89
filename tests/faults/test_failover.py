"""A primary dies in mid-send and a standby that lagged is promoted, while the dispatcher runs on: nothing goes twice or is forgotten.

Plain streaming replication between servers of our own, also to one that every commit waits for. Servers under Patroni are in
`tests/bench/failover.py`.
"""

from collections import Counter

import pytest

from tests import postgres
from tests.support import backups
from tests.support.dispatchers import Bench, bench
from tests.support.processes import stop, until
from tests.support.restoring import (
    COUNT,
    FOUND,
    NOT_EXPORTED,
    RESUME,
    RUN,
    SEND_AGAIN,
    arrived,
    export_of,
    is_in_mid_send,
    states,
)

pytestmark = pytest.mark.postgresql


def leads_to(*servers: postgres.Cluster) -> str:
    """It knows both, and takes the one that may be written."""
    hosts = ",".join(f"127.0.0.1:{one.port}" for one in servers)
    return f"postgres://textdesk:{servers[0].password}@{hosts}/textdesk"


def most_of_one_number(made: Bench) -> int:
    return max(Counter(one["msisdn"] for one in arrived(made)).values())


@pytest.fixture
def first(migrated_database_url, tmp_path):
    with postgres.own_cluster(*postgres.FORGETFUL) as made:
        made.execute("CREATE DATABASE textdesk")
        backups.restore(f"{made.base_url}/textdesk", backups.back_up(migrated_database_url, tmp_path))
        yield made


def test_a_standby_that_lagged_is_known_by_its_timeline_and_sends_nothing_twice(first, tmp_path):
    with (
        first.standby(*postgres.FORGETFUL) as second,
        bench(tmp_path, leads_to(first, second)) as made,
    ):
        made.run("from sms.models import Service; Service.objects.update(rate=20)")
        lags_and_is_promoted(made, first, second, tmp_path)


def lags_and_is_promoted(made, primary, standby, tmp_path):
    is_in_mid_send(made, tmp_path)
    standby.execute("ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
    until(lambda: not primary.execute("SELECT 1 FROM pg_stat_replication"), what="the standby lags")
    behind = len(arrived(made))
    until(lambda: len(arrived(made)) > behind + COUNT // 8, what="something is sent that it does not know")
    primary.kill()
    standby.execute("SELECT pg_promote()")
    until(lambda: made.rows(FOUND), what="the dispatcher looked")
    assert "it is on timeline 2, and was on 1" in made.rows(FOUND)[0]["why"]
    assert stop(made.started[0])
    sent = arrived(made)
    assert len(sent) < COUNT
    refused = made.manage("shell", "--no-imports", "-c", RESUME, check=False)
    assert "NotAfterRestore" in refused.stderr

    exported = export_of(sent[:-NOT_EXPORTED], tmp_path / "export.csv")
    made.manage("after_restore", "--service", "demo", "--export", str(exported))
    made.run(RESUME)
    made.run(RUN)
    assert len(arrived(made)) == len(sent), "nothing goes again by itself"
    late = export_of(sent, tmp_path / "late.csv")
    made.manage("import_receipts", str(late), "--service", "demo")
    made.run("from sms.inbound import receipts; receipts.fold()")
    assert states(made) == {"delivered": len(sent), "unconfirmed": COUNT - len(sent)}
    made.run(SEND_AGAIN)
    made.run(RUN)
    assert (len(arrived(made)), most_of_one_number(made)) == (COUNT, 1), "each went out, and once"


def test_a_standby_that_every_commit_waits_for_goes_on_by_itself_and_sends_nothing_twice(first, tmp_path):
    with (
        first.standby(*postgres.FORGETFUL) as second,
        bench(tmp_path, leads_to(first, second)) as made,
    ):
        made.run("from sms.models import Service; Service.objects.update(rate=20)")
        made.env["SYNCHRONOUS_STANDBY"] = "true"
        first.execute("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        synchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        until(lambda: first.execute(synchronous), what="commits wait for the standby")
        is_in_mid_send(made, tmp_path)
        first.kill()
        second.execute("SELECT pg_promote()")
        until(lambda: len(arrived(made)) == COUNT, what="the send goes on by itself")
        assert stop(made.started[0])
        assert made.rows(FOUND) == [], "no commit that was waited for is lost"
        assert states(made) == {"queued": COUNT}, "each answer that was heard is known"
        assert most_of_one_number(made) == 1
