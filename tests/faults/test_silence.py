"""Faults that say nothing: a connection that swallows bytes, a database that may only be read, a lock, a process that stands still."""

import contextlib

import psycopg
import pytest
from psycopg import sql

from tests.faults.silence import Posted, silence_of
from tests.support.processes import until

pytestmark = [pytest.mark.postgresql]
END_THE_WEBS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'textdesk web'
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, module_database_url):
    """Connections that may only read are taken, so that a write has to find out."""
    with silence_of(
        tmp_path_factory.mktemp("silence"), module_database_url, target_session_attrs="any"
    ) as made:
        yield made


@contextlib.contextmanager
def sweeping(place):
    dispatcher = place.field.dispatcher()
    try:
        yield
    finally:
        log = place.field.folder / "dispatchers.log"
        until(lambda: f'"pid": {dispatcher.pid}' in log.read_text(), "it has begun, and heeds signals")
        dispatcher.terminate()
        assert dispatcher.wait(timeout=60) == 0, place.field.log


def all_come_in(place, posted):
    until(lambda: not place.spooled(), "the web server has brought its spool in")
    assert posted.bodies <= place.stored() and not place.kept()
    assert set(posted.answers) == {200}, posted.answers


def usable(place):
    until(lambda: place.ask("GET", "/readyz") == 200, "the web server has found the database again")
    until(lambda: place.ask("GET", "/") == 302, "pages are shown again")


def test_a_connection_that_falls_silent_costs_no_receipt_and_no_probe(place):
    posted = Posted()
    usable(place)
    place.post_at_once(20, posted)
    place.way.hush()
    try:
        place.post_at_once(40, posted)
        assert place.ask("GET", "/healthz") == 200
        assert (place.ask("GET", "/readyz"), place.ask("GET", "/metrics")) == (503, 200)
        until(lambda: place.ask("GET", "/") == 503, "pages say that the database is away")
        swallowed = place.way.statistics.bytes_swallowed
        assert swallowed and place.spooled()
        place.post_at_once(200, posted)
        assert place.said("database_away")
    finally:
        place.way.heal()
    usable(place)
    all_come_in(place, posted)


def test_a_database_that_may_only_be_read_is_away_and_nothing_is_put_aside(place):
    posted = Posted()
    usable(place)
    with psycopg.connect(place.url, autocommit=True) as owner:
        read_only = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
        name = sql.Identifier(owner.info.dbname)
        owner.execute(read_only.format(name, sql.SQL("on")))
        try:
            owner.execute(END_THE_WEBS)
            place.post_at_once(30, posted)
            with sweeping(place):
                until(lambda: "job_waits" in place.field.log, "a sweep found it read-only")
            assert place.spooled() and not place.kept()
        finally:
            owner.execute(read_only.format(name, sql.SQL("off")))
            owner.execute(END_THE_WEBS)
    usable(place)
    all_come_in(place, posted)


def test_a_table_that_somebody_locked_sends_receipts_to_the_disk(place):
    posted = Posted()
    usable(place)
    with psycopg.connect(place.url) as owner:
        owner.execute("LOCK TABLE sms_receipt, sms_message IN ACCESS EXCLUSIVE MODE")
        place.post_at_once(30, posted)
        assert place.ask("GET", "/healthz") == 200
    usable(place)
    all_come_in(place, posted)


def test_receipts_are_applied_although_one_who_applied_them_stands_still(place):
    posted = Posted()
    usable(place)
    place.post_at_once(10, posted)
    with place.stopped_folder() as stopped, sweeping(place):
        until(lambda: place.field.clerk.waiting_receipts() == 0, "another has applied them")
        assert stopped.poll() is None
    assert set(posted.answers) == {200}
