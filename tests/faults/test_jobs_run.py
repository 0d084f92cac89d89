"""`manage.py qcluster` and `manage.py dispatch` do the same work: each runs every job of the table. Real processes."""

import json
import time

import pytest

from sms.worker.jobs import JOBS
from tests.support.dispatchers import Bench, bench

PATIENCE = 300  # seconds: many times what a quiet machine takes

DUE = """
from datetime import timedelta
from django.utils import timezone
from django_q.tasks import async_task
from sms.ledger import wakeups
from sms.models import ReportFile, ReportSchedule, Service
now, service = timezone.now(), Service.objects.get()
ReportSchedule.objects.create(
    service=service, name="Weekly", every="week", query={"by": "day"}, recipients=["gone@example.test"],
    made_by="Ada", next_at=now,
)
old = ReportFile.objects.create(service=service, kind="csv", query={"by": "day"}, ready_at=now)
ReportFile.objects.filter(pk=old.pk).update(asked_at=now - timedelta(days=400))
async_task(wakeups.TICK)
"""
SCHEDULES, FILES = "ReportSchedule.objects.values('last_at')", "ReportFile.objects.values('pk')"


@pytest.fixture
def textdesk(prepared_database_url, tmp_path):
    with bench(tmp_path, prepared_database_url) as made:
        made.env |= {"LOG_LEVEL": "debug", "LOG_FORMAT": "json"}
        yield made


def taken_up(textdesk: Bench) -> set[str]:
    lines = (line for line in textdesk.log.read_text().splitlines() if line.startswith("{"))
    return {one["job"] for one in map(json.loads, lines) if one.get("event") == "job_taken_up"}


@pytest.mark.parametrize("command", ["dispatcher", "cluster"])
def test_every_job_runs(textdesk, command, tmp_path):
    textdesk.run(DUE)
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("mobile\n+447700900001\n")
    sending = ("--sender", "TEXTDESK", "--audience", str(numbers), "--text", "Hello")
    textdesk.manage("send", "--service", "demo", *sending)
    process = getattr(textdesk, command)()
    deadline = time.monotonic() + PATIENCE
    wanted = {job.name for job in JOBS}
    if command == "cluster":  # its workers send without the loop, slots and all: the message shows it
        wanted -= {"sending"}
    while taken_up(textdesk) < wanted or textdesk.rows(SCHEDULES)[0]["last_at"] is None:
        assert process.poll() is None, textdesk.log.read_text()
        assert time.monotonic() < deadline, wanted - taken_up(textdesk)
        time.sleep(0.5)
    while not textdesk.sandbox_log():
        assert time.monotonic() < deadline, "the message is not posted"
        time.sleep(0.5)
    while textdesk.rows(FILES):  # a job that is taken up has not ended
        assert time.monotonic() < deadline, "an old file of a report is not deleted"
        time.sleep(0.5)
    assert '"job_waits"' not in textdesk.log.read_text()
