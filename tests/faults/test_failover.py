"""A primary dies in mid-send and its standby is promoted, while the dispatcher runs on: nothing goes twice, and nothing is forgotten.

Plain streaming replication between servers of our own. A pair under Patroni is in `tests/bench/failover.py`.
"""

from collections import Counter

import pytest

from tests import postgres
from tests.faults.test_restore import COUNT, NOT_EXPORTED, RESUME, arrived, export_of, states
from tests.support import backups
from tests.support.dispatchers import Bench, bench
from tests.support.processes import stop, until

pytestmark = pytest.mark.postgresql

SEND_AGAIN = (
    "from sms import dispatch; from sms.models import *\n"
    "dispatch.by_person(Send.objects.latest('pk'), dispatch.Settlement.SEND_AGAIN, by=Actor.system('cli'))"
)
RAISE = "from sms import dispatch; dispatch.epochs.keep()"
RUN = "from sms import dispatch; dispatch.run(public_url='http://127.0.0.1', seconds=60)"
FOUND = "RestoredCopy.objects.values('why')"


def leads_to(*servers: postgres.Cluster) -> str:
    """It knows both, and takes the one that may be written."""
    hosts = ",".join(f"127.0.0.1:{one.port}" for one in servers)
    return f"postgres://textdesk:{servers[0].password}@{hosts}/textdesk"


def is_in_mid_send(made: Bench, tmp_path, *, count: int = COUNT) -> None:
    audience = tmp_path / "numbers.csv"
    audience.write_text("number\n" + "\n".join(f"07712{index:06d}" for index in range(count)))
    made.manage(
        *("send", "--service", "demo", "--sender", "TEXTDESK", "--text", "Hi", "--audience", str(audience))
    )
    made.run(RAISE)
    made.dispatcher()
    until(lambda: len(arrived(made)) > count // 8, what="it is in the middle of the send")


def most_of_one_number(made: Bench) -> int:
    return max(Counter(one["msisdn"] for one in arrived(made)).values())


@pytest.fixture
def first(migrated_database_url, tmp_path):
    with postgres.cluster(next(postgres.program_folders()), postgres.FORGETFUL) as made:
        backups.restore(f"{made.base_url}/textdesk", backups.back_up(migrated_database_url, tmp_path))
        yield made


def test_a_promoted_standby_sends_nothing_twice_and_forgets_nothing(first, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNCHRONOUS_STANDBY", "true")
    with (
        first.standby(*postgres.FORGETFUL) as second,
        bench(tmp_path, leads_to(first, second)) as made,
    ):
        made.run("from sms.models import Service; Service.objects.update(rate=20)")
        first.execute("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        has_all_of_it(made, first, second, tmp_path)
        with second.standby(*postgres.FORGETFUL) as third:
            made.end_commands()
            made.forget_at_provider()
            made.env |= {"SYNCHRONOUS_STANDBY": "false", "DATABASE_URL": leads_to(second, third)}
            has_a_part_of_it(made, second, third, tmp_path)


def has_all_of_it(made, primary, standby, tmp_path):
    """It was waited for: the same dispatcher goes on by itself, and comes to an end."""
    is_in_mid_send(made, tmp_path)
    primary.kill()
    assert len(arrived(made)) < COUNT
    standby.execute("SELECT pg_promote()")
    until(lambda: len(arrived(made)) == COUNT, what="the send has ended")
    until(lambda: states(made) == {"queued": COUNT}, what="all is recorded")
    assert most_of_one_number(made) == 1
    assert made.rows(FOUND) == []
    made.end()
    made.run(RAISE)


def has_a_part_of_it(made, primary, standby, tmp_path):
    """It lagged: a new timeline, by which the running dispatcher knows a restored copy."""
    is_in_mid_send(made, tmp_path)
    standby.execute("ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
    until(lambda: not primary.execute("SELECT 1 FROM pg_stat_replication"), what="the standby lags")
    behind = len(arrived(made))
    until(lambda: len(arrived(made)) > behind + COUNT // 8, what="something is sent that it does not know")
    primary.kill()
    standby.execute("SELECT pg_promote()")
    until(lambda: made.rows(FOUND), what="the dispatcher looked")
    assert "it is on timeline 3, and was on 2" in made.rows(FOUND)[0]["why"]
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
    earlier = {"queued": COUNT}
    assert states(made) == earlier | {"delivered": len(sent), "unconfirmed": COUNT - len(sent)}
    made.run(SEND_AGAIN)
    made.run(RUN)
    assert (len(arrived(made)), most_of_one_number(made)) == (COUNT, 1), "each went out, and once"
