"""What Prometheus is told, by whom it was counted, and what is left of it without a database."""

import asyncio
import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.web.front import Front
from portal.wsgi import application as django_application
from sms.models import Heartbeat, MeterTotal, Slice
from sms.operations import totals
from sms.values.meters import meters
from sms.worker import heartbeat
from tests.environment import ROOT
from tests.support.faults_of_databases import database_away, locked_table, read_only_database
from tests.support.provider import Provider, refused
from tests.support.scraping import scraped
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db(transaction=True)
LABELS_OF = r"^\| `(textdesk_\w+)` \| \w+ \| ([^|]*)\|"


async def given(front: Front, method: str, path: str, **headers: str) -> int:
    """The status that a server would pass on."""
    answers: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 9),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    await front(scope, receive, send)
    return answers[0]["status"]


def families() -> dict[str, str]:
    text = Client().get("/metrics").content.decode()
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def test_requests_to_the_provider_are_counted_by_outcome_and_kept_by_host():
    service = a_service()
    provider = Provider()
    a_send(service, 3)
    provider.dispatch()
    provider.answer = lambda _: refused("7004")
    a_send(service, 2)
    provider.dispatch()
    totals.keep()
    name, host = "textdesk_provider_request_duration_seconds", heartbeat.HOST
    found = scraped()
    for outcome, count in (("accepted", 3), ("refused", 2)):
        labels = f'host="{host}",service="{service.slug}",outcome="{outcome}"'
        assert found[f"{name}_count{{{labels}}}"] == count
        assert found[f'{name}_bucket{{{labels},le="+Inf"}}'] == count
        assert 0 <= found[f"{name}_sum{{{labels}}}"] < 60


def test_counts_go_on_where_they_were_and_are_kept_in_memory_while_the_database_is_away():
    meters.add("textdesk_answers_lost_total", 2)
    with database_away(), pytest.raises(DatabaseError):
        totals.keep()
    meters.add("textdesk_answers_lost_total")
    totals.keep()
    totals.keep()
    meters.add("textdesk_answers_lost_total", 4)
    totals.keep()
    assert scraped()[f'textdesk_answers_lost_total{{host="{heartbeat.HOST}"}}'] == 7


def test_requests_are_counted_by_lane_and_status():
    client = Client()
    client.get("/healthz")
    client.get("/api/v1/nothing")
    client.post("/receipts/unknown/")
    client.get("/accounts/login/")
    totals.keep()
    labels = {
        (match[1], match[2])
        for match in re.finditer(
            r'duration_seconds_count\{host="[^"]*",lane="(\w+)",status="(\w+)"', str(scraped())
        )
    }
    assert labels >= {("operators", "2xx"), ("partners", "4xx"), ("provider", "4xx"), ("people", "2xx")}


def test_requests_refused_before_django_are_counted():
    front = Front(django_application)
    front.lanes["people"].room = 0  # as where as many wait as may
    assert asyncio.run(given(front, "GET", "/accounts/login/")) == 503
    refused = asyncio.run(given(front, "POST", "/v2/messages", content_encoding="gzip"))
    assert refused >= 400
    totals.keep()
    name = f'textdesk_requests_refused_total{{host="{heartbeat.HOST}"'
    found = {key: value for key, value in scraped().items() if key.startswith(name)}
    assert found == {
        f'{name},lane="people",status="503"}}': 1,
        f'{name},lane="partners",status="{refused}"}}': 1,
    }


def test_statements_that_the_database_refuses_are_counted():
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    totals.keep()
    state = "42" if connection.vendor == "postgresql" else "none"
    name = f'textdesk_database_errors_total{{host="{heartbeat.HOST}",sqlstate="{state}"}}'
    assert scraped()[name] == 1


def test_a_lease_that_ran_out_is_counted():
    a_send(a_service())
    Slice.objects.update(owner="gone", leased_until=Now() - timedelta(seconds=1))
    Provider().dispatch()
    totals.keep()
    assert scraped()[f'textdesk_leases_ran_out_total{{host="{heartbeat.HOST}"}}'] == 1


def test_while_the_database_is_away_the_process_says_what_it_knows():
    with database_away():
        found = scraped()
    assert found.pop("textdesk_database_up") == 0
    assert found.pop(f'textdesk_var_dir_writable{{host="{heartbeat.HOST}"}}') == 1
    of_host = {f"textdesk_spool_{one}" for one in ("files", "bytes", "kept_files")}
    of_host |= {"textdesk_disk_free_bytes", "textdesk_disk_size_bytes"}
    assert {name.partition("{")[0] for name in found} == {"textdesk_build_info", *of_host}
    assert scraped()["textdesk_database_up"] == 1


def test_what_one_count_is_an_alert_of_is_shown_as_zero_before():
    a_service()
    heartbeat.Pulse(Heartbeat.Kind.DISPATCH).beat("sending")
    found, host = scraped(), heartbeat.HOST
    assert found[f'textdesk_leases_ran_out_total{{host="{host}"}}'] == 0
    assert found[f'textdesk_answers_lost_total{{host="{host}"}}'] == 0
    assert found[f'textdesk_job_failures_total{{host="{host}",job="audit check"}}'] == 0
    assert found['textdesk_refused_posts_total{service="shop",kind="receipt",address="webhook"}'] == 0
    assert found['textdesk_refused_posts_total{service="",kind="inbound",address="unknown"}'] == 0


@pytest.mark.postgresql
def test_a_database_that_can_only_be_read_is_a_fault():
    name = f'textdesk_fault{{fault="database_read_only",where="{heartbeat.HOST}"}}'
    with read_only_database():
        found = scraped()
    assert (found["textdesk_database_up"], found.get(name)) == (1, 1)
    assert name not in scraped()


@pytest.mark.postgresql
def test_a_table_that_another_session_locks_is_a_fault():
    with locked_table("sms_slice", mode="SHARE"):
        assert scraped().get(f'textdesk_fault{{fault="database_locked",where="{heartbeat.HOST}"}}') == 1


def test_every_metric_is_documented_with_its_type_and_none_is_that_there_is_not():
    service = a_service()
    a_send(service, 1)
    call_command("note_backup", "nightly dump")
    meters.add("textdesk_leases_ran_out_total")
    heartbeat.Pulse(Heartbeat.Kind.DISPATCH).beat("sending")
    totals.work_out()
    page = (ROOT / "docs" / "operators" / "metrics.md").read_text()
    documented = dict(re.findall(r"^\| `(textdesk_\w+)` \| (\w+) \|", page, re.MULTILINE))
    labels = {
        name: set(re.findall(r"`(\w+)`", said)) for name, said in re.findall(LABELS_OF, page, re.MULTILINE)
    }
    for series in scraped():
        name, _, said = series.partition("{")
        whole = name if name in labels else re.sub(r"_(bucket|sum|count)$", "", name)
        assert {*re.findall(r'(\w+)="', said)} - {"le"} == labels[whole], series
    shown = families()
    # the audit's are there once it was checked
    assert {k: v for k, v in documented.items() if not k.startswith("textdesk_audit")} == {
        k: v for k, v in shown.items() if not k.startswith("textdesk_audit")
    }


def test_a_scrape_reads_no_table_of_messages_or_facts():
    a_send(a_service(), 5)
    totals.work_out()
    with CaptureQueriesContext(
        connection,
    ) as seen:
        scraped()
    read = " ".join(one["sql"] for one in seen.captured_queries if not one["sql"].startswith("LOCK TABLE"))
    for table in ("sms_message", "sms_fact", "sms_statecount", "sms_receipt"):
        assert f'"{table}"' not in read
    assert len(seen.captured_queries) < 45


def test_what_waits_is_shown_in_seconds():
    service = a_service()
    a_send(service, 1)
    Slice.objects.update(due_at=F("due_at") - timedelta(seconds=100))
    found = scraped()
    assert 100 <= found['textdesk_oldest_due_message_seconds{service="shop"}'] < 1000
    assert found['textdesk_held_sends{service="shop"}'] == 0
    assert found["textdesk_queue_tasks"] >= 0
    assert found['textdesk_fault{fault="not_dispatched",where=""}'] == 1
    assert not MeterTotal.objects.filter(host="").exists()
