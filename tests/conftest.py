"""What every test can rely on: a known environment, no network, both databases, and a run that hides nothing.

Marks are given here rather than by hand where they can be derived: `pure` to a test that touches no database, so that the second
pass leaves it out, and `browser` by the folder. `tests/order.py` says what runs when.
"""

import importlib
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from tests import environment, network, postgres

VAR_DIR = environment.isolate()

import django  # noqa: E402 - its settings read the environment that was just made

django.setup()

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import TestCase, TransactionTestCase  # noqa: E402
from pytest_django.plugin import blocking_manager_key  # noqa: E402

from sms.audiences import sample  # noqa: E402
from sms.models import audit_guard  # noqa: E402
from tests.prepared import Prepared, shared  # noqa: E402

pytest_plugins = ["tests.no_skips", "tests.order"]

# The same examples on every run, so that a red build is red for everyone; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile(
    "ci", derandomize=True, max_examples=100, deadline=None, database=None, print_blob=True
)
hypothesis.settings.register_profile("explore", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

DATABASE_FIXTURES = {
    "db",
    "transactional_db",
    "live_server",
    "django_db_setup",
    "fresh_database_url",
    "prepared",
    "admin_client",
    "admin_user",
}
OTHER_DATABASE = {"postgresql": "sqlite", "sqlite": "postgresql"}


def pytest_unconfigure() -> None:
    """The state folder goes with the run; a worker of xdist ends without running `atexit`."""
    shutil.rmtree(VAR_DIR, ignore_errors=True)


# --- Which tests run where ----------------------------------------------------------------------------------------------
def _uses_database(item: pytest.Item) -> bool:
    by_mark = any(item.get_closest_marker(name) for name in ("django_db", "journey", "sqlite", "postgresql"))
    by_class = issubclass(getattr(item, "cls", None) or object, TransactionTestCase)
    return by_mark or by_class or bool(DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))


def _is_transactional(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    if mark and mark.kwargs.get("transaction", bool(mark.args and mark.args[0])):
        return True
    cls = getattr(item, "cls", None) or object
    if issubclass(cls, TransactionTestCase):
        return not issubclass(cls, TestCase)
    return bool({"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ())))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Derive marks, and leave out (not skip) what is for the other database only."""
    other = OTHER_DATABASE[connection.vendor]
    left_out = [
        item
        for item in items
        if item.get_closest_marker(other) and not item.get_closest_marker(connection.vendor)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    for item in items:
        if Path(item.path).parent.name == "browser":
            item.add_marker(pytest.mark.browser)
        if not _uses_database(item):
            item.add_marker(pytest.mark.pure)
        elif _is_transactional(item):
            mark = item.get_closest_marker("django_db")
            kept = {} if mark is None else mark.kwargs
            item.add_marker(
                pytest.mark.django_db(**{**kept, "transaction": True}),
                append=False,
            )


# --- The databases --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """A database is there already when pytest-django looks for it: a copy of the prepared one."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, prepared: Prepared
) -> Iterator[None]:
    """SQLite as it really runs, in a file with WAL; and no connection outlives its request, or the test database cannot go."""
    del django_db_modify_db_settings_parallel_suffix
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(VAR_DIR / "test.sqlite3")
    connection.settings_dict["CONN_MAX_AGE"] = 0
    name = connection.creation._get_test_db_name()
    prepared.copy_to(name)
    yield
    connection.close()
    prepared.drop(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Rows that migrations made (the regions) survive a test with real transactions, which empties every table behind itself.

    The audit's triggers would refuse that; emptying ends with Django's post-migrate signal, which makes them again.
    """
    if _is_transactional(item):
        with item.config.stash[blocking_manager_key].unblock():
            audit_guard.remove(connection)
    try:
        yield
    finally:
        if nextitem is not None and _is_transactional(item):
            with item.config.stash[blocking_manager_key].unblock():
                seed = importlib.import_module("sms.migrations.0002_regions_and_triggers")
                seed.add_regions(apps, None)
                connection.close()


@pytest.fixture
def fresh_database_url(tmp_path: Path) -> Iterator[str]:
    """The DATABASE_URL of a new empty database of the kind under test, for journeys that start real processes."""
    with ExitStack() as stack:
        if connection.vendor == "sqlite":
            yield f"sqlite:///{tmp_path / 'journey.sqlite3'}"
        else:
            yield stack.enter_context(postgres.fresh_database(postgres.of_url(os.environ["DATABASE_URL"])))


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A migrated database to copy, the same for every worker."""
    folder = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # below the folder of the run
        folder = folder.parent
    with shared(folder, os.environ.get("DATABASE_URL", "")) as made:
        yield made


@pytest.fixture
def prepared_database_url(prepared: Prepared, tmp_path: Path) -> Iterator[str]:
    """The DATABASE_URL of a copy of it."""
    with prepared.copy(tmp_path) as url:
        yield url


# --- Every test -----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Loopback only; see tests/network.py."""
    with network.blocked():
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_settings() -> None:
    """Costly on purpose in production, pointless here: password hashing, and names of collected files."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(scope="session", autouse=True)
def every_wake_up_for_itself() -> None:
    """`portal.wsgi`, which some tests import, gathers them for a thread that would act in another test."""
    from sms.ledger import wakeups

    wakeups.gather(0.0)


@pytest.fixture(autouse=True)
def no_rows_of_another_test() -> None:
    """A process keeps samples of what was uploaded by its number, and numbers come again when a test is rolled back."""
    for cached in (sample._of_pasted, sample._of_upload, sample._of_version):
        cached.cache_clear()


@pytest.fixture
def var_dir(tmp_path: Path) -> Path:
    """A state folder of the test's own, for a process that it starts with VAR_DIR."""
    folder = tmp_path / "var"
    folder.mkdir()
    return folder
