"""/status: every process, service and queue at a glance, as a page for admins and as JSON for programs."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from portal.models import User
from sms.models import Actor, Heartbeat, Slice
from sms.sends import holds
from sms.worker import heartbeat
from tests.support.faults_of_databases import database_away
from tests.support.people import a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"headers": {"accept": "application/json"}}


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def test_a_program_reads_everything_as_json(cast):
    send = a_send(cast.service, 2)
    holds.hold(send, by=Actor.system(), because="to look")
    Slice.objects.update(due_at=Now() - timedelta(seconds=100))
    heartbeat.Pulse(Heartbeat.Kind.DISPATCH).beat("sending")
    call_command("note_backup", "base backup")
    found = cast["visitor"].get("/status", **JSON).json()
    (process,) = found["processes"]
    assert (process["host"], process["kind"], process["doing"]) == (heartbeat.HOST, "dispatch", "sending")
    assert process["version"]
    assert process["heartbeat_age_seconds"] < 60
    assert [one["spool_files"] for one in found["hosts"]] == [0]
    shop = {one["service"]: one for one in found["services"]}["shop"]
    assert (shop["held_sends"], shop["oldest_due_message_seconds"]) == (1, 0.0), "what is held is not due"
    assert found["last_backup"]["host"] == heartbeat.HOST
    assert (found["queue_tasks"], found["faults"]) == (found["queue_tasks"], [])


def test_who_may_see_it(cast, settings):
    assert cast["visitor"].get("/status").status_code == 302, "people sign in"
    assert cast["visitor"].get("/status", REMOTE_ADDR="203.0.113.9", **JSON).status_code == 403
    settings.METRICS_TOKEN = "so long and secret"
    token = {"accept": "application/json", "authorization": "Bearer so long and secret"}
    assert cast["visitor"].get("/status", REMOTE_ADDR="203.0.113.9", headers=token).status_code == 200
    assert cast["composer"].get("/status").status_code == 403
    page = cast["admin"].get("/status").content.decode()
    assert "Everything works." in page
    assert "Foreign" not in page, "an admin sees the services that are theirs"
    User.objects.filter(email="admin@example.test").update(is_superuser=True)
    assert "Foreign" in cast["admin"].get("/status").content.decode()


def test_it_says_what_does_not_work(cast):
    a_send(cast.service)
    Slice.objects.update(due_at=Now() - timedelta(seconds=100))
    page = cast["admin"].get("/status").content.decode()
    assert "Messages are due, and no dispatcher has reported yet." in page
    found = cast["visitor"].get("/status", **JSON).json()
    assert [one["fault"] for one in found["faults"]] == ["not_dispatched"]


def test_without_a_database_it_says_that(cast):
    with database_away():
        answer = cast["visitor"].get("/status", **JSON)
    assert (answer.status_code, answer.json()["faults"][0]["fault"]) == (503, "database_away")
