"""What alerts lean on, in the states that they are about: each figure of /metrics moves when its fault is there."""

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from django_q.conf import Conf

from sms.compliance import retention
from sms.models import Heartbeat, RetentionClock, Service, Slice
from sms.operations import faults, totals
from sms.worker import heartbeat, redis_queue
from sms.worker.jobs import Job, JobContext
from sms.worker.loop import Loop
from sms.worker.redis_queue import RedisQueue
from tests.support import proxies
from tests.support.callbacks import an_endpoint, owe
from tests.support.faults_of_databases import database_away
from tests.support.jobs import run_job
from tests.support.pgbouncer import pgbouncer
from tests.support.provider import Provider, raw_reply
from tests.support.receipts import post, posted_message, receipt
from tests.support.redis_server import RedisServer
from tests.support.scraping import scraped
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db(transaction=True)


def test_callbacks_that_wait():
    owe(an_endpoint(a_service()), 3, at=timezone.now() - timedelta(hours=1))
    assert scraped()["textdesk_callbacks_waiting"] == 3


def test_retention_that_is_late_also_where_it_never_came_to_its_end():
    service = a_service(keep_messages=90)
    assert [one.pk for one in retention.due_services()] == [service.pk]
    Service.objects.update(created_at=Now() - timedelta(days=3))
    assert scraped()["textdesk_retention_lag_seconds"] >= 3 * 86_400
    assert [one.word for one in faults.find()] == ["retention_late"]
    retention.put_off(service)
    assert scraped()["textdesk_retention_lag_seconds"] == 0
    assert faults.find() == []
    RetentionClock.objects.update(next_at=Now() - timedelta(days=2))
    assert 2 * 86_400 <= scraped()["textdesk_retention_lag_seconds"] < 3 * 86_400


def test_a_backup_that_was_never_noted():
    name = "textdesk_backup_last_timestamp_seconds"
    assert name not in scraped()
    call_command("note_backup", "nightly dump")
    assert abs(scraped()[name] - timezone.now().timestamp()) < 60


def test_a_job_that_breaks_off():
    def broken(_: JobContext) -> None:
        raise ValueError("of its own")

    Loop([Job("broken", 60, broken)], JobContext(lambda: False)).once()
    totals.keep()
    assert scraped()[f'textdesk_job_failures_total{{host="{heartbeat.HOST}",job="broken"}}'] == 1


def test_requests_that_fail():
    service = a_service()
    with database_away():
        assert post(service, b"{}").status_code == 503, "it does not know the address"
    totals.keep()
    labels = f'host="{heartbeat.HOST}",lane="provider",status="5xx"'
    assert scraped()[f"textdesk_http_request_duration_seconds_count{{{labels}}}"] == 1


def test_answers_that_never_came_leave_messages_unconfirmed():
    def silent(_: dict) -> httpx.Response:
        raise httpx.ReadTimeout("no answer")

    a_send(a_service(), 2)
    Provider(silent).dispatch()
    run_job("facts")
    run_job("figures for metrics")
    assert scraped()['textdesk_unconfirmed_messages{service="shop"}'] == 2


def test_a_service_whose_account_is_refused_is_paused():
    a_send(a_service(), 1)
    assert scraped()['textdesk_service_paused{service="shop"}'] == 0
    Provider(lambda _: raw_reply(401)).dispatch()
    assert scraped()['textdesk_service_paused{service="shop"}'] == 1


def test_messages_that_are_late():
    a_send(a_service(), 1)
    Slice.objects.update(due_at=Now() - timedelta(seconds=700))
    assert scraped()['textdesk_oldest_due_message_seconds{service="shop"}'] >= 700


def test_receipts_in_the_spool():
    service = a_service()
    _, name = posted_message(service)
    assert post(service, receipt(name)).status_code == 200, "from now on its address is known"
    with database_away():
        assert post(service, receipt(name)).status_code == 200
    heartbeat.Pulse(Heartbeat.Kind.DISPATCH).beat()
    assert scraped()[f'textdesk_spool_files{{host="{heartbeat.HOST}"}}'] == 1


def test_redis_that_is_away(tmp_path, monkeypatch):
    server = RedisServer(tmp_path)
    monkeypatch.setattr(Conf, "BROKER_CLASS", "sms.worker.redis_queue.RedisQueue")
    monkeypatch.setattr(Conf, "REDIS", server.url)
    monkeypatch.setattr(redis_queue, "AGAIN", 0.0)
    monkeypatch.setattr(RedisQueue, "_next_try", 0.0)
    monkeypatch.setattr(RedisQueue, "_lost", False)
    with ExitStack() as stack:
        stack.callback(server.stop)
        server.start()
        assert faults.find() == []
        server.stop()
        assert scraped()['textdesk_fault{fault="redis_away",where=""}'] == 1
        (said,) = Client().get("/status", headers={"accept": "application/json"}).json()["faults"]
        assert said["says"].startswith("Redis does not answer")
        assert Client().get("/readyz").status_code == 200, "work goes on"
        server.start()
        assert faults.find() == []


@pytest.mark.postgresql
def test_pgbouncer_that_is_away(tmp_path_factory, monkeypatch):
    """As a database that is away, on a server that stands."""
    if not proxies.tool("pgbouncer"):
        pytest.skip("pgbouncer is not installed")
    of = connection.settings_dict
    direct = f"postgres://{of['USER']}:{of['PASSWORD']}@{of['HOST']}:{of['PORT'] or 5432}/{of['NAME']}"
    folder: Path = tmp_path_factory.mktemp("pgbouncer")
    with pgbouncer(folder, direct) as url:
        connection.close()
        for name, value in {"HOST": "127.0.0.1", "PORT": urlsplit(url).port, "NAME": "textdesk"}.items():
            monkeypatch.setitem(of, name, value)
        assert Client().get("/readyz").json()["failing"] == []
    assert Client().get("/readyz").json()["failing"] == ["database_away"]
    assert scraped()["textdesk_database_up"] == 0
    monkeypatch.undo()
    connection.close()
    assert Client().get("/readyz").json()["failing"] == []
