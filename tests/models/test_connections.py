"""What every connection to PostgreSQL is told, and how long it is waited for."""

from urllib.parse import quote

import pytest
from django.db import OperationalError, connection

from portal import server_urls
from portal.database import replica_of, role, with_defaults
from sms.models.sql import limits
from sms.models.sql.limits import WorkKind, work_as
from sms.models.sql.trouble import is_away
from sms.worker.jobs import SIGNS, Job, JobContext
from sms.worker.loop import Loop


@pytest.mark.django_db
@pytest.mark.postgresql
def test_no_statement_is_compiled() -> None:
    fresh = connection.copy()
    try:
        with fresh.cursor() as cursor:
            cursor.execute("SHOW jit")
            assert cursor.fetchone() == ("off",)
    finally:
        fresh.close()


def told(*names, **settings):
    fresh = connection.copy()
    fresh.settings_dict |= settings
    try:
        with fresh.cursor() as cursor:
            return [cursor.execute(f"SHOW {name}").fetchone()[0] for name in names]
    finally:
        fresh.close()


@pytest.fixture
def of_a_post():
    work_as(WorkKind.POST)
    yield
    work_as(WorkKind.LONG)


@pytest.mark.django_db
@pytest.mark.postgresql
def test_the_session_has_limits_by_kind_of_work(of_a_post, monkeypatch):
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
    assert told(*names) == ["2s", "10s", "30s", "on"]
    work_as(WorkKind.LONG)
    assert told(*names) == ["0", "10s", "10min", "on"]
    work_as(WorkKind.POST)
    monkeypatch.setattr(limits, "given", {"statement_timeout": "7s", "synchronous_commit": "remote_apply"})
    assert told(*names) == ["7s", "10s", "30s", "remote_apply"], "what DATABASE_URL says wins"


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("loop", "limit"), [(SIGNS, "3s"), ("sending", "12s"), ("retention", "0"), ("chores", "2min")]
)
def test_a_loop_waits_for_the_database_as_its_work_may(of_a_post, loop, limit):
    """Who looks for faults, and who sends, must find out soon that it is silent."""
    found: list[str] = []
    context = JobContext(lambda: bool(found))
    job = Job("asks", 0, lambda _: found.extend(told("statement_timeout")), loop=loop)
    Loop([job], context).run()
    assert found == [limit]


@pytest.mark.django_db
@pytest.mark.postgresql
def test_a_server_that_does_not_answer_is_given_up_by_our_own_deadline(of_a_post, monkeypatch):
    """Its own limit is taken away: a silent server has none."""
    monkeypatch.setattr(limits, "given", {"statement_timeout": "0"})
    fresh = connection.copy()
    try:
        with pytest.raises(OperationalError, match="no answer within") as caught, fresh.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        assert is_away(caught.value)
        with pytest.raises(OperationalError), fresh.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        fresh.close()


def test_options_of_the_address_win():
    given = {"connect_timeout": 9, "lock_timeout": "1s", "options": "-c statement_timeout=5 -c work_mem=1MB"}
    options, session = with_defaults(given, ["manage.py", "dispatch"])
    assert (options["connect_timeout"], options["tcp_user_timeout"]) == (9, 10_000)
    assert options["application_name"] == "textdesk dispatch"
    assert options["target_session_attrs"] == "read-write"
    assert session == {"lock_timeout": "1s", "statement_timeout": "5"}
    assert "lock_timeout" not in options, "libpq does not know it"


@pytest.mark.django_db
@pytest.mark.postgresql
@pytest.mark.parametrize(
    "words",
    [
        "-c lock_timeout=1s",
        "-clock_timeout=1s",
        "--lock_timeout=1s",
        "--lock-timeout=1s -c jit=off",
        r"-c application_name=a\ -c\ lock_timeout=3s --LOCK_TIMEOUT=1s",
    ],
)
def test_options_win_in_every_form_that_libpq_takes_on_the_primary_and_on_a_replica(words, monkeypatch):
    primary = connection.settings_dict
    name, password = (quote(primary[part], safe="") for part in ("USER", "PASSWORD"))
    where = f"postgres://{name}:{password}@{primary['HOST']}:{primary['PORT']}/{primary['NAME']}"
    url = f"{where}?options={quote(words)}"
    options, session = with_defaults(dict(server_urls.database(url)["OPTIONS"]), ["manage.py"])
    with monkeypatch.context() as patch:
        patch.setattr(limits, "given", session)
        assert told("lock_timeout", OPTIONS=options) == ["1s"]
    for address in (url, f"{where}?lock_timeout=1s"):
        with monkeypatch.context() as patch:
            patch.setenv("DATABASE_REPLICA_URL", address)
            assert told("lock_timeout", **replica_of(primary)) == ["1s"]


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["/x/site-packages/granian/__main__.py", "--port", "1"], "web"),
        (["/x/bin/granian"], "web"),
        (["manage.py", "qcluster"], "cluster"),
        (["/x/manage.py", "retain"], "retain"),
        (["-c"], "python"),
    ],
)
def test_a_database_administrator_can_tell_processes_apart(argv, name):
    assert role(argv) == name
