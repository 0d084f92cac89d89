"""/readyz tries to work, and says by short words what fails."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from sms.dispatch import restored_copy
from sms.models import Heartbeat, ReceiptInbox, Slice
from sms.models.sql import clock
from tests.support.faults_of_databases import database_away, locked_table, read_only_database
from tests.support.receipts import post, posted_message, receipt
from tests.support.sends import a_send, a_service

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ids_stay_low")]


def ready() -> tuple[int, list[str]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()["failing"]


def test_a_database_that_is_away_is_not_ready():
    assert ready() == (200, [])
    with database_away():
        assert ready() == (503, ["database_away"])


def test_a_read_only_database_is_not_ready():
    with read_only_database():
        assert ready() == (503, ["database_read_only"])
    assert ready() == (200, [])


@pytest.mark.postgresql
@pytest.mark.parametrize("table", ["sms_message", "sms_receiptinbox"])
def test_a_table_that_another_session_locks_is_not_ready(table):
    with locked_table(table):
        assert ready() == (503, ["database_locked"])
    assert ready() == (200, [])


@pytest.mark.postgresql
def test_who_tries_to_write_locks_nobody_out():
    with connection.copy().cursor() as other:
        other.execute("BEGIN; UPDATE sms_message SET text = text; UPDATE sms_slice SET done = done")
        assert ready() == (200, [])
        other.execute("ROLLBACK")
        other.connection.close()


def test_a_folder_that_cannot_be_written_is_not_ready(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "away"
    assert ready() == (503, ["var_dir_not_writable"])


def test_messages_that_nobody_dispatches_for_long_are_not_ready():
    a_send(a_service())
    assert ready() == (200, [])
    Slice.objects.update(due_at=Now() - timedelta(seconds=46))
    assert ready() == (503, ["not_dispatched"])
    Heartbeat.beat("1-a", host="h", pid=1, kind="web", doing="", progress=0)
    assert ready() == (503, ["not_dispatched"]), "a web server sends nothing"
    Heartbeat.beat("1-b", host="h", pid=1, kind="dispatch", doing="", progress=0)
    assert ready() == (200, [])


def test_receipts_that_nobody_applies_for_long_are_not_ready():
    service = a_service()
    _, name = posted_message(service)
    assert post(service, receipt(name)).status_code == 200
    assert ready() == (200, [])
    ReceiptInbox.objects.update(next_at=Now() - timedelta(seconds=46))
    assert ready() == (503, ["receipts_wait"])


@pytest.mark.parametrize(("skew", "failing"), [(59.0, []), (61.0, ["clock_skew"]), (-61.0, ["clock_skew"])])
def test_a_clock_that_is_a_minute_off_is_not_ready(monkeypatch, skew, failing):
    monkeypatch.setattr(clock, "skew", lambda: skew)
    assert ready()[1] == failing


def test_a_restored_copy_is_not_ready_until_it_is_settled():
    a_service()
    restored_copy.declare("another database", at=timezone.now())
    assert ready() == (503, ["restored_copy"])
    (said,) = Client().get("/status", headers={"accept": "application/json"}).json()["faults"]
    assert said["fault"] == "restored_copy"
    call_command("after_restore", stdout=StringIO())
    assert ready() == (200, [])
