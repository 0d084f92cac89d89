"""What processes find out about themselves and their hosts, and all others show as faults."""

import shutil
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from sms.inbound import receipts
from sms.models import Heartbeat
from sms.operations import faults, own_facts
from sms.worker import heartbeat
from sms.worker.jobs import Job, JobContext
from sms.worker.loop import Loop
from tests.support.faults_of_databases import database_away
from tests.support.receipts import post, posted_message, receipt
from tests.support.scraping import scraped
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db(transaction=True)
GIB = 1024**3


@pytest.fixture
def clock(monkeypatch):
    """Seconds that tests pass."""
    passed = [1000.0]
    for module in (own_facts, heartbeat):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: passed[0]))
    return passed


def beat() -> None:
    heartbeat.Pulse(Heartbeat.Kind.DISPATCH).beat("sending")


def words() -> dict[str, str]:
    return {one.word: one.where for one in faults.find()}


@pytest.mark.parametrize(
    ("free", "size", "nearly_full"),
    [(4, 252, True), (6, 252, False), (4, 60, False), (2, 60, True), (0, 0, False)],
)
def test_a_disk_that_is_nearly_full(monkeypatch, free, size, nearly_full):
    """Less than a twentieth, and less than 5 GiB."""
    room = SimpleNamespace(free=free * GIB, total=size * GIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    beat()
    where = f"{heartbeat.HOST} VAR_DIR"
    assert words() == ({"disk_nearly_full": where} if nearly_full else {})
    labels = f'{{host="{heartbeat.HOST}",folder="VAR_DIR"}}'
    assert scraped()[f"textdesk_disk_free_bytes{labels}"] == free * GIB
    with database_away():
        assert scraped()[f"textdesk_disk_size_bytes{labels}"] == size * GIB
    (host,) = Client().get("/status", headers={"accept": "application/json"}).json()["hosts"]
    assert host["disks"] == [{"folder": "VAR_DIR", "free_bytes": free * GIB, "size_bytes": size * GIB}]
    assert Client().get("/readyz").status_code == 200, "work goes on"


def test_a_spool_that_nobody_brings_in_though_the_database_answers(clock):
    service = a_service()
    _, name = posted_message(service)
    assert post(service, receipt(name)).status_code == 200, "from now on its address is known"
    pulse = heartbeat.Pulse(Heartbeat.Kind.DISPATCH)
    with database_away():
        assert post(service, receipt(name)).status_code == 200
        for _ in range(20):
            clock[0] += heartbeat.EVERY
            pulse.beat()
    clock[0] += heartbeat.EVERY
    pulse.beat()
    assert words() == {}, "there was no database to bring it into"
    for _ in range(20):
        clock[0] += heartbeat.EVERY
        pulse.beat()
    assert words() == {"spool_waits": heartbeat.HOST}
    receipts.sweep()
    clock[0] += own_facts.LOOK
    pulse.beat()
    assert words() == {}


@pytest.mark.parametrize(("every", "times"), [(60, 2), (900, 1)])
def test_a_job_that_breaks_off_again_or_comes_seldom(every, times, clock):
    def broken(_: JobContext) -> None:
        raise ValueError("of its own")

    failing = Loop([Job("planted", every, broken)], JobContext(lambda: False), clock=lambda: clock[0])
    for _ in range(times):
        assert words() == {}
        failing.once()
        beat()
        clock[0] += 60
    assert words() == {"job_breaks_off": "planted"}
    Loop([Job("planted", every, lambda _: None)], JobContext(lambda: False)).once()
    Heartbeat.objects.all().delete()
    beat()
    assert words() == {}


@pytest.mark.postgresql
@pytest.mark.parametrize(("code", "damaged"), [("XX001", True), ("58030", True), ("57014", False)])
def test_storage_that_cannot_be_read(code, damaged, clock):
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")
    beat()
    assert words() == ({"storage_damaged": ""} if damaged else {})
    clock[0] += own_facts.DAMAGE_COUNTS
    Heartbeat.objects.all().delete()
    beat()
    assert words() == {}
