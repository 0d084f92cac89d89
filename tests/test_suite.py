"""Tests about the test suite: its guards guard, its skips fail where they must, and its databases are the real thing."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests import environment, network, run

SKIPPING = """
import pytest

def test_that_passes():
    pass

@pytest.mark.skip(reason="planted")
def test_that_is_skipped():
    pass

@pytest.mark.xfail(reason="expected", strict=True)
def test_that_is_expected_to_fail():
    assert False
"""


# --- The network guard --------------------------------------------------------------------------------------------------
def test_guard_stops_a_connection_that_leaves_the_machine():
    with socket.socket() as outgoing, pytest.raises(network.NetworkBlocked, match=r"192\.0\.2\.1"):
        outgoing.connect(("192.0.2.1", 80))


def test_guard_stops_a_datagram_that_leaves_the_machine():
    with socket.socket(type=socket.SOCK_DGRAM) as outgoing, pytest.raises(network.NetworkBlocked):
        outgoing.sendto(b"query", ("192.0.2.53", 53))


def test_guard_stops_looking_up_a_name():
    with pytest.raises(network.NetworkBlocked, match=r"example\.com"):
        socket.create_connection(("example.com", 443), timeout=1)


def test_guard_answers_like_a_name_server_for_a_name_that_cannot_exist():
    with pytest.raises(socket.gaierror):
        socket.create_connection(("nowhere.invalid", 443), timeout=1)


def test_guard_stops_httpx():
    import httpx

    with httpx.Client(trust_env=False) as client, pytest.raises(network.NetworkBlocked):
        client.get("https://example.com/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_guard_lets_loopback_through(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1]), timeout=5).close()


# --- Skips ----------------------------------------------------------------------------------------------------------------
def _run_planted(folder: Path, source: str, *, no_skips: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_planted.py").write_text(source, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-ra",
        "-p",
        "tests.no_skips",
        "-p",
        "no:django",
        "-p",
        "no:cacheprovider",
        str(folder),
    ]
    environ = os.environ | {"TEXTDESK_NO_SKIPS": no_skips, "PYTHONPATH": str(environment.ROOT)}
    return subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_skip_is_a_failure_where_skips_are_forbidden(tmp_path):
    done = _run_planted(tmp_path, SKIPPING, no_skips="1")
    assert done.returncode == 1
    assert "a skip is a failure" in done.stdout
    assert "planted" in done.stdout


def test_skip_of_a_whole_module_is_a_failure_where_skips_are_forbidden(tmp_path):
    done = _run_planted(
        tmp_path, "import pytest\npytest.skip('planted', allow_module_level=True)\n", no_skips="1"
    )
    assert done.returncode != 0
    assert "planted" in done.stdout


def test_skip_stays_a_skip_elsewhere(tmp_path):
    done = _run_planted(tmp_path, SKIPPING, no_skips="")
    assert done.returncode == 0
    assert "1 passed, 1 skipped, 1 xfailed" in done.stdout


# --- The environment and the runner ---------------------------------------------------------------------------------------
def test_variables_are_found_by_their_readers(tmp_path):
    (tmp_path / "settings.py").write_text(
        "A = env_str('ONE')\nB = env_int('TWO', 2)\nC = other('THREE')\n", encoding="utf-8"
    )
    assert environment.variables(tmp_path) == {"ONE", "TWO"}


def test_tests_keep_their_state_out_of_the_checkout(settings):
    assert not settings.VAR_DIR.is_relative_to(environment.ROOT)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([0, 0], 0), ([1, 0], 1), ([0, 1], 1), ([0, 5], 0), ([5, 0], 0), ([5, 5], 5), ([5, 1], 1), ([130], 130)],
)
def test_runner_fails_when_a_pass_failed_or_nothing_ran(codes, expected):
    assert run.exit_code(codes) == expected


# --- The databases ----------------------------------------------------------------------------------------------------------
@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_sqlite_under_test_is_a_file_with_the_production_pragmas():
    with connection.cursor() as cursor:
        pragmas = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]


@pytest.mark.django_db(transaction=True)
def test_database_with_real_transactions_can_be_written():
    from django.contrib.contenttypes.models import ContentType

    ContentType.objects.create(app_label="planted", model="row")


@pytest.mark.django_db
@pytest.mark.parametrize("again", [1, 2])
def test_rows_of_migrations_outlive_tests_with_real_transactions(again):
    from django.contrib.contenttypes.models import ContentType

    assert ContentType.objects.filter(app_label="sms").exists()
    assert not ContentType.objects.filter(app_label="planted").exists()


@pytest.mark.django_db(transaction=True)
def test_fresh_database_is_empty_and_another_one(fresh_database_url):
    assert fresh_database_url.startswith("sqlite:///" if connection.vendor == "sqlite" else "postgres://")
    assert fresh_database_url != os.environ.get("DATABASE_URL")
