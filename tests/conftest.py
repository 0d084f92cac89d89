"""What every test can rely on: a known environment, no network, the databases as they really run, and a run that hides nothing."""

import gc
import itertools
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import hypothesis
import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from tests import environment, network

gc.disable()  # until all tests are collected: what is loaded by then stays

VAR_DIR = environment.isolate()

import django  # noqa: E402 - its settings read the environment that was just made

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.template import Context, Template  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from django.test import utils as test_utils  # noqa: E402

from portal.costly_pages import CostlyPages  # noqa: E402
from portal.going_live import this_host  # noqa: E402
from sms.api import refused_requests  # noqa: E402
from sms.compliance.archive import store  # noqa: E402
from sms.dispatch import epochs  # noqa: E402
from sms.inbound.optouts import inbound_spool  # noqa: E402
from sms.inbound.receipts import receipt_addresses, spool  # noqa: E402
from sms.inbound.refused.keeping import room as refused_room  # noqa: E402
from sms.ledger import progress_log, wakeups  # noqa: E402
from sms.models.audit_proof import audit_keys  # noqa: E402
from sms.models.fields import keyring  # noqa: E402
from sms.models.sql.availability import database  # noqa: E402
from sms.models.sql.clock import host_clock  # noqa: E402
from sms.operations.own_facts import troubles  # noqa: E402
from sms.values.meters import meters  # noqa: E402
from tests.support import databases, emptying  # noqa: E402

pytest_plugins = ["tests.no_skips"]

# Django's test client makes the middleware anew, each of hundreds in a file, and it would read all static files every time
settings.WHITENOISE_AUTOREFRESH = True
page_render, part_render = test_utils.instrumented_test_render, Template._render


def quick_render(template: Template, context: Context) -> str:
    """Tests look into the context of a page. Those of some hundred templates that it includes need no copy."""
    return (page_render if context.template is template else part_render)(template, context)


test_utils.instrumented_test_render = quick_render

# The same examples on every run, so that a red build is red for everyone; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile(
    "ci", derandomize=True, max_examples=100, deadline=None, database=None, print_blob=True
)
hypothesis.settings.register_profile("explore", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

DATABASE_FIXTURES = {"db", "fresh_database_url", "migrated_database_url"}
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
STATE_FOLDERS = itertools.count()
OTHER_DATABASE = {"postgresql": "sqlite", "sqlite": "postgresql"}[connection.vendor]
# what pages look like and do in a browser; what they ask for and are answered is tested on both databases without one
ONCE = "tests/browser/"
FIRST = (  # they take longest: start processes and wait, or ask for every page in every role
    *("tests/journey/", "tests/faults/", "tests/browser/"),
    *("tests/portal/test_attack_matrix.py", "tests/portal/test_access.py"),
    "tests/compliance/test_numbers_nowhere_shown.py",
)


def pytest_unconfigure() -> None:
    """The state folder goes with the run; a worker of xdist ends without running `atexit`."""
    shutil.rmtree(VAR_DIR, ignore_errors=True)
    if not IS_WORKER:
        with suppress(psycopg.Error):  # the server may be gone already
            databases.forget_migrated()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Mark what is `pure` or run `once`, leave out (not skip) what is for the other database only, and begin with what takes longest."""
    for item in items:
        marked = item.get_closest_marker("django_db") or item.get_closest_marker(connection.vendor)
        if not marked and not DATABASE_FIXTURES & set(item.fixturenames):
            item.add_marker(pytest.mark.pure)
        if item.nodeid.startswith(ONCE):
            item.add_marker(pytest.mark.once)
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker(OTHER_DATABASE)])
    items[:] = [item for item in items if not item.get_closest_marker(OTHER_DATABASE)]
    yield  # `-m` has its turn, and pytest-django, which sorts by the kind of database access
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Thousands of tests are not looked through again with every collection of garbage, which took a quarter of a pass."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


# --- The databases --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """A worker uses the copy that `django_db_modify_db_settings` makes: migrating takes seconds, and a run has many workers."""
    return django_db_keepdb or IS_WORKER


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, request: pytest.FixtureRequest
) -> None:
    """SQLite as it really runs, in a file with WAL; and no connection outlives its request, or the test database cannot go."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(VAR_DIR / "test.sqlite3")
    connection.settings_dict["CONN_MAX_AGE"] = 0
    if IS_WORKER:
        databases.copy_under_test(
            request.getfixturevalue("migrated_database_url"), connection.creation._get_test_db_name()
        )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests with real transactions leave what migrations made, and nothing else.

    At the end connections that threads of tests left open are cut, or PostgreSQL would not let the database go.
    """
    with django_db_blocker.unblock():
        bring_back = emptying.back_to_now()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", lambda case: bring_back())
        yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            connection.close()
            with connection._nodb_cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
                    [connection.settings_dict["NAME"]],
                )
                if IS_WORKER:
                    cursor.execute(
                        f"DROP DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])}"
                    )


@pytest.fixture
def ids_stay_low(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """For tests of restored copies, which leave out a hundred million ids: no transaction takes that back."""
    with django_db_blocker.unblock():
        bring_back = emptying.last_ids()
    yield
    with django_db_blocker.unblock():
        bring_back()


@pytest.fixture
def fresh_database_url(tmp_path: Path) -> Iterator[str]:
    """The DATABASE_URL of a new empty database, for journeys about a first start."""
    with databases.empty(tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The one that `databases.copied` copies for real processes; nobody writes to it."""
    if IS_WORKER:
        yield databases.migrated_once(tmp_path_factory.getbasetemp().parent)  # a folder of the run
        return
    with databases.migrated(tmp_path_factory.mktemp("migrated")) as url:
        yield url


@pytest.fixture
def prepared_database_url(migrated_database_url: str, tmp_path: Path) -> Iterator[str]:
    """The DATABASE_URL of a copy of it."""
    with databases.copied(migrated_database_url, tmp_path) as url:
        yield url


# --- Every test -----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Loopback only; see tests/network.py."""
    with network.blocked():
        yield


@pytest.fixture(autouse=True)
def calls_out_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out that the going-live page looks for ends on this machine too, though nothing is sent on it."""
    monkeypatch.setattr(this_host, "ELSEWHERE", ("127.0.0.1", 443))


@pytest.fixture(scope="session", autouse=True)
def quick_settings() -> None:
    """Costly on purpose in production, pointless here: password hashing, and names of collected files."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each test begins as a process does: its files are in an empty folder, and nothing is remembered from the test before."""
    folder = tmp_path_factory.getbasetemp() / f"state-{next(STATE_FOLDERS)}"
    folder.mkdir()
    spool.folder, inbound_spool.folder = folder / "spool", folder / "inbound"
    store.folder = folder / "archive"
    epochs.folders = (folder, folder / "archive")
    epochs.forget()
    receipt_addresses.forget()
    refused_room.forget()
    CostlyPages.forget()
    meters.take()
    troubles.forget()
    progress_log.forget()
    database.forget()
    host_clock.forget()
    keyring.load(settings.FIELD_KEYS)
    audit_keys.load(settings.AUDIT_KEYS)
    # `portal.wsgi`, which some tests import, gathers them for a thread that would act in another test
    wakeups.coalesce(0.0)
    refused_requests.gather(on=False)
    return folder


@pytest.fixture
def var_dir(tmp_path: Path) -> Path:
    """A state folder of the test's own, for a process that it starts with VAR_DIR."""
    folder = tmp_path / "var"
    folder.mkdir()
    return folder
