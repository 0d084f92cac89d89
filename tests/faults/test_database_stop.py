"""PostgreSQL is stopped at once in the middle of a send and comes back: nothing lost, nothing twice."""

import time

import pytest

from tests import postgres
from tests.faults import proxy
from tests.faults.crash import Pack, field_of
from tests.faults.frozen import through_a_proxy
from tests.support.processes import until

pytestmark = [pytest.mark.postgresql]

MESSAGES = 200
STOPS = 2


@pytest.fixture
def server():
    with postgres.own_cluster() as made:
        assert made.execute("SHOW fsync") == [("on",)], "or its stops would prove nothing"
        yield made


@pytest.fixture
def field(server, tmp_path):
    with (
        postgres.fresh_database(postgres.Server(server.base_url, "our own")) as url,
        field_of(tmp_path, url, "--retry-seconds", "1.5") as made,
    ):
        yield made


def test_an_immediate_stop_of_the_database_loses_nothing_and_sends_nothing_twice(server, field):
    text = "no database"
    field.rate = 60  # so that a stop finds a few under way, and most still waiting
    with through_a_proxy(field) as between:
        between.otherwise(proxy.Fault("stall", seconds=0.1, exchange=0))
        send = field.send(text, MESSAGES)
        pack = Pack(field, 2)

        def posted_since(before: int) -> bool:
            pack.revive()  # a dispatcher may end with an error; its supervisor starts it again
            return between.statistics.exchanges >= before + 20

        try:
            for stop in range(STOPS):
                before = between.statistics.exchanges
                until(lambda before=before: posted_since(before), "it posts")
                server.stop_immediately()
                time.sleep(0.2 + 0.3 * stop)
                server.start()
                field.clerk.let_leases_run_out()
        finally:
            pack.end()
        assert between.statistics.exchanges < MESSAGES, "the last stop came too late to prove anything"
        field.clerk.let_leases_run_out()
        field.settle(send, text)
        verdict = field.verdict(send, text)
    assert verdict.good, f"{verdict.sentence}\n{field.log}"
    assert verdict.arrived + len(verdict.parked) >= MESSAGES
