"""The field of a module of fault tests, on the database under test."""

import sys

import pytest

from tests.faults.crash import field_of
from tests.support import databases


@pytest.fixture(scope="module")
def module_database_url(migrated_database_url, tmp_path_factory):
    """A new database of the kind under test, for a whole module."""
    with databases.copied(migrated_database_url, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module")
def field(tmp_path_factory, module_database_url):
    """Sandbox, web and clerk. After all that died in a module the facts of the reports equal the ledger."""
    with field_of(tmp_path_factory.mktemp("field"), module_database_url, "--retry-seconds", "10") as made:
        yield made
        assert made.clerk.facts_differ() == "", "whoever died left facts that are not those of the ledger"


@pytest.fixture(scope="module")
def say(request):
    """Print past pytest's capture, once a module is done."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def show(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", file=sys.stderr, flush=True)  # standard output of an xdist worker goes nowhere

    return show
