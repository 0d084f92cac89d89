"""Reports read the replica while it serves, and the primary while it is away or behind; nothing is written to it."""

from contextlib import contextmanager
from urllib.parse import quote

import pytest
from django.db import connection, connections
from django.db.utils import InternalError
from django.test.utils import CaptureQueriesContext

from portal import database
from sms.models import Heartbeat, Service
from sms.models.sql.replica import ALIAS, ReplicaRouter, replica
from sms.reports import facts
from tests.support import databases
from tests.support.past_sends import a_past_send
from tests.support.people import signed_in
from tests.support.sends import a_service

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@contextmanager
def at(**other):
    """The database of this test, or another one, at an address where it may only be read, as `portal.settings` makes it of the variable."""
    primary = connection.settings_dict
    name, password = (quote(primary[part], safe="") for part in ("USER", "PASSWORD"))
    where = f"{name}:{password}@{primary['HOST']}:{primary['PORT']}/{primary['NAME']}"
    options = quote("-c default_transaction_read_only=on")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_REPLICA_URL", f"postgres://{where}?options={options}")
        settings = database.replica_of(primary)
    connections.databases[ALIAS] = settings | {"CONN_HEALTH_CHECKS": False} | other
    replica.forget()
    try:
        connections[
            ALIAS
        ].connect()  # at once: later Django's tests forbid it, since they do not know the alias
        yield
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.databases[ALIAS]
        replica.forget()


@pytest.fixture
def page(settings):
    """The page of a report, asked for by a person."""
    settings.DATABASE_ROUTERS = ["sms.models.sql.replica.ReplicaRouter"]
    service = a_service(slug="shop")
    a_past_send(service, 4, days=1)
    facts.fold()
    Heartbeat.beat("1-a", host="here", pid=1, kind=Heartbeat.Kind.CLUSTER, doing="", progress=0)
    browser = signed_in("ada@example.test", service, "admin")

    def ask() -> str:
        answer = browser.get("/s/shop/reports/")
        assert answer.status_code == 200
        return answer.text

    return ask


def of_facts(captured: CaptureQueriesContext) -> int:
    return sum(
        "sms_sendfact" in one["sql"] or "sms_factfold" in one["sql"] for one in captured.captured_queries
    )


def test_a_report_is_read_from_the_replica_and_nothing_is_written_there(page):
    with (
        at(),
        CaptureQueriesContext(connection) as primary,
        CaptureQueriesContext(connections[ALIAS]) as copy,
    ):
        shown = page()
        assert (of_facts(primary), of_facts(copy) > 0) == (0, True)
        assert all(one["sql"].startswith("SELECT") for one in copy.captured_queries)
        assert "As of" in shown
        with pytest.raises(InternalError, match="read-only"):
            Service.objects.using(ALIAS).update(name="x")
        assert ReplicaRouter().allow_migrate(ALIAS, "sms") is False


def test_a_replica_that_is_away_or_behind_is_left_out_and_said_once(
    page, migrated_database_url, tmp_path, caplog
):
    with at():
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        page()
        page()
    assert [one.msg["event"] for one in caplog.records if one.levelname == "WARNING"] == ["replica_left_out"]
    caplog.clear()
    with (
        databases.copied(migrated_database_url, tmp_path) as url,
        at(NAME=url.rpartition("/")[2].partition("?")[0]),
    ):
        with CaptureQueriesContext(connections[ALIAS]) as copy:
            page()
        assert of_facts(copy) == 0
    assert "is more than 60 s behind" in str([one.msg for one in caplog.records])
