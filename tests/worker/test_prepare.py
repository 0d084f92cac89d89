"""`prepare` at a deployment: several hosts at once, a folder that cannot be written, and tables that are in use."""

import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from sms.models.sql import preparing
from tests.support.processes import ROOT, environment


def test_two_at_once_come_one_after_the_other(prepared_database_url, tmp_path):
    """The other one, as on another host, holds what it holds until we have seen that this one waits."""
    env = environment(tmp_path, prepared_database_url)
    with held(prepared_database_url, tmp_path) as let_go:
        command = [sys.executable, "manage.py", "prepare"]
        waiting = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        assert waiting.stdout.readline() == "Another prepare is at work; this one waits.\n"
        assert waiting.poll() is None
        let_go()
        said = waiting.communicate()[0]
    assert waiting.returncode == 0
    assert "The first admin is made at" in said


@contextmanager
def held(database_url: str, folder: Path) -> Iterator[Callable[[], None]]:
    if database_url.startswith("postgres"):
        with psycopg.connect(database_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", [preparing.ONE_PREPARE])
            yield other.rollback
    else:
        with (folder / "prepare.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield lambda: fcntl.flock(file, fcntl.LOCK_UN)


@pytest.mark.once
def test_a_folder_that_cannot_be_written_is_a_sentence(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "a file" / "var"
    (tmp_path / "a file").touch()
    with pytest.raises(CommandError, match=r"VAR_DIR \(.*\) cannot be written: Not a directory\. Make it"):
        call_command("prepare")


@pytest.mark.once
def test_a_host_s_own_part_asks_nothing_of_the_database(settings, tmp_path):
    """Which a test without a database may not."""
    settings.VAR_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    call_command("prepare", "--this-host")
    assert any((tmp_path / "static").iterdir())


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_change_of_a_table_in_use_lets_go_and_is_tried_again(monkeypatch):
    """Whoever comes after it would wait as long as it does."""
    monkeypatch.setattr(preparing, "LOCK_TIMEOUT", 200)
    reader = connection.copy()
    reader.set_autocommit(False)
    with reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sms_heartbeat")
    tries = []

    def again() -> None:
        tries.append(len(tries))
        with connection.cursor() as cursor:  # a second reader is not kept waiting
            cursor.execute("SET statement_timeout = 5000")
            cursor.execute("SELECT count(*) FROM sms_heartbeat")
            cursor.execute("SET statement_timeout = 0")
        if len(tries) == 2:
            reader.close()

    def change() -> None:
        with connection.schema_editor() as editor:
            editor.execute("ALTER TABLE sms_heartbeat ADD COLUMN more int")
            editor.execute("ALTER TABLE sms_heartbeat DROP COLUMN more")

    try:
        preparing.letting_go(change, again=again)
    finally:
        reader.close()
    assert tries == [0, 1]
