"""Traces and reports of errors: off, nothing of them is loaded; on, something arrives, and none of what is secret or somebody's own."""

import gzip
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from portal import telemetry_variables
from portal.env import WrongVariable, needs_extra
from portal.telemetry_variables import TraceCollector
from portal.tracing import CollectorTracer
from sms.inbound import receipts
from sms.values import correlation_id
from sms.values.spans import spans
from tests.environment import ROOT
from tests.support.callback_receiver import receiving
from tests.support.logs import written_log
from tests.support.provider import Provider, refused
from tests.support.receipts import post, receipt
from tests.support.sends import a_send, a_service

NUMBER, TEXT, KEY, TOKEN = (
    "+447700900123",
    "Witch hazel blooms",
    "td_live_0123abcd_" + "K" * 32,
    "t0ken" + "Q" * 38,
)
PLANTED = re.compile(rf"7700\W{{0,3}}900\W{{0,3}}123|Witch|hazel|{'K' * 8}|{'Q' * 8}|pl4nted")

PROGRAM = """
import multiprocessing, os, sys, threading
import django
from django.conf import settings
django.setup()
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
from django.contrib.auth.decorators import login_not_required
from django.test import Client
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
import structlog
from portal import urls
from sms.values.spans import spans
from sms.worker.jobs import Job, JobContext
from sms.worker.loop import Loop

number, text, key, token = os.environ.pop("PLANTED").split("|")

def breaks(*found):
    here = {"number": number, "text": text}
    try:
        raise KeyError(text)
    except KeyError as problem:
        raise ValueError(f"{number} {text} {key} /receipts/{token}/ {found}") from problem

@csrf_exempt
@login_not_required
def page(request, token):
    breaks(token, request.POST, request.META)

def job(_context):
    with spans.open("planted", service=1, words=f"{number} {key} /receipts/{token}/"):
        breaks()

def child():
    Loop([Job("planted", 0, job)], JobContext(lambda: False)).once()

urls.urlpatterns.append(path("broken/<str:token>/", page))
client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
client.cookies["planted"] = "pl4nted" + key
answer = client.post(f"/broken/{token}/?to={number}&text={text}", {"text": text}, headers={"key": key})
print(answer.status_code, answer["Request-Id"])
structlog.get_logger("sms.planted").error("planted", send=7, text=text, key=key, to=number)
forked = multiprocessing.get_context("fork").Process(target=child)
forked.start(); forked.join()
thread = threading.Thread(target=breaks)
thread.start(); thread.join()
breaks()
"""


def run(program: str, var_dir, **variables: str):
    environ = os.environ | {"VAR_DIR": str(var_dir), "DJANGO_SETTINGS_MODULE": "portal.settings"} | variables
    environ.pop("DATABASE_URL", None)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120)


def spans_in(heard) -> list[tuple[str, dict]]:
    found = []
    for one in heard:
        assert one.path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(one.body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    said = {pair.key: value_of(pair.value) for pair in span.attributes}
                    found.append((span.name, said))
    return found


def value_of(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(one) for one in value.array_value.values]
    return getattr(value, kind)


def events_in(heard) -> list[dict]:
    """An envelope is lines of JSON: its header, then one line about each item before the item."""
    found = []
    for one in heard:
        assert one.path == "/api/7/envelope/"
        _, about, *rest = whole(one).decode().split("\n")
        assert json.loads(about)["type"] == "event"
        found.append(json.loads(rest[0]))
    return found


def whole(one) -> bytes:
    return gzip.decompress(one.body) if one.headers.get("content-encoding") == "gzip" else one.body


def planted_in(heard) -> list[str]:
    return [found for one in heard for found in PLANTED.findall(whole(one).decode("latin-1"))]


@pytest.mark.parametrize("style", ["console", "json"])
def test_what_breaks_is_told_and_nothing_that_is_secret_or_somebodys_own(tmp_path, style):
    with receiving() as collector, receiving() as sentry:
        done = run(
            PROGRAM,
            tmp_path,
            LOG_FORMAT=style,
            PLANTED="|".join([NUMBER, TEXT, KEY, TOKEN]),
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            SENTRY_DSN=sentry.url.replace("//", "//public@") + "/7",
        )
    assert done.returncode == 1 and done.stdout, done.stderr[-3000:]
    status, request_id = done.stdout.split()
    assert status == "500"
    assert PLANTED.search(TEXT + NUMBER + KEY + TOKEN), "the pattern finds what is planted"
    assert planted_in(collector.heard) == []
    assert planted_in(sentry.heard) == []

    told = dict(spans_in(collector.heard))
    assert told["POST /broken/<str:token>/"].items() >= {
        ("http.route", "/broken/<str:token>/"),
        ("http.response.status_code", 500),
        ("textdesk.request_id", request_id),
    }
    # of a forked process, which handed it over as it ended
    assert told["planted"].items() >= {("textdesk.job", "planted"), ("error.type", "ValueError")}

    reports = events_in(sentry.heard)
    assert {(one["logger"], one["message"]) for one in reports} >= {
        ("django.request", "django.request in log_response"),
        ("sms.planted", "planted"),
        ("sms.worker.loop", "job_waits"),
    }
    of_request = next(one for one in reports if one["logger"] == "django.request")
    assert of_request["tags"].items() >= {
        ("request_id", request_id),
        ("route", "/broken/<str:token>/"),
    }
    kinds = [one["type"] for one in of_request["exception"]["values"]]
    assert kinds == ["KeyError", "ValueError"]
    frames = of_request["exception"]["values"][-1]["stacktrace"]["frames"]
    assert (frames[-1]["function"], "vars" in frames[-1]) == ("breaks", False)
    assert next(one["tags"] for one in reports if one["message"] == "planted")["send"] == "7"
    assert len([one for one in reports if one["message"].startswith(("uncaught", "stderr"))]) >= 2


@contextmanager
def traced(**receiver):
    with receiving(**receiver) as collector:
        tracer = CollectorTracer(TraceCollector(collector.url, {"x-key": "a"}, "textdesk", 1.0))
        spans.tracer = tracer
        try:
            yield collector
        finally:
            spans.tracer = None
            tracer.provider.shutdown()


@pytest.mark.django_db(transaction=True)
def test_a_send_and_its_receipts_leave_spans_with_ids_and_counts():
    with traced() as collector:
        service = a_service()
        send = a_send(service, 3, content=TEXT)
        assert Provider().dispatch().posted == 3
        message = send.messages.first()
        name = correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
        assert post(service, receipt(name)).status_code == 200
        assert receipts.fold() == 1
        assert receipts.fold() == 0
    found = spans_in(collector.heard)
    told = {name: said for name, said in found if name != "provider.request"}
    assert told["dispatch.claim"].items() >= {"textdesk.slices": 1, "textdesk.messages": 3}.items()
    assert told["dispatch.claim"]["textdesk.sends"] == [send.pk]
    assert told["receipts.fold"] == {"textdesk.receipts": 1}
    assert sum(said.get("textdesk.messages", 0) for name, said in found if name == "dispatch.arm") == 3
    assert sum(said["textdesk.messages"] for name, said in found if name == "dispatch.record") == 3
    posted = [said for name, said in found if name == "provider.request"]
    assert [said["textdesk.send"] for said in posted] == [send.pk] * len(posted)
    assert sum(said["textdesk.messages"] for said in posted) == 3
    assert {one.headers["x-key"] for one in collector.heard} == {"a"}
    sent = b"".join(map(whole, collector.heard))
    for secret in (TEXT, message.msisdn, message.msisdn[1:], "a-key"):
        assert secret.encode() not in sent


@pytest.mark.django_db(transaction=True)
def test_a_request_that_the_provider_refuses_is_told_with_its_status():
    with traced() as collector:
        a_send(a_service(), 1)
        Provider(answer=lambda _: refused("7004", 400)).dispatch()
    said = dict(spans_in(collector.heard))["provider.request"]
    assert said.items() >= {("http.response.status_code", 400), ("textdesk.outcome", "RequestRefused")}


def test_a_collector_that_takes_nothing_is_said_once_and_when_it_takes_again():
    with traced(answer=400) as collector, written_log("json") as lines:
        for answer in (400, 400, 200):
            collector.answer = answer
            with spans.open("anything"):
                pass
            spans.tracer.provider.force_flush()
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [one["event"] for one in said] == ["traces_not_taken", "traces_taken"]


def test_off_nothing_of_it_is_loaded(tmp_path):
    program = (
        "import sys, portal.wsgi\n"
        "print([one for one in sys.modules if one.startswith(('opentelemetry', 'sentry_sdk', 'google'))])"
    )
    done = run(program, tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "begins with https:// or http://"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "pl4nted", "like name=value"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "always_on"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5", "from 0 to 1"),
        ("SENTRY_DSN", "https://sentry.example/1", "like https://key@host/1"),
        ("SENTRY_DSN", "https://pl4nted@sentry.example/", "like https://key@host/1"),
    ],
)
def test_a_wrong_value_is_a_sentence_without_what_may_be_secret(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongVariable, match=name) as caught:
        (telemetry_variables.sentry if "SENTRY" in name else telemetry_variables.traces)()
    assert words in str(caught.value)
    assert "pl4nted" not in str(caught.value)


def test_what_is_not_installed_is_named_with_its_extra():
    with pytest.raises(WrongVariable, match=r"SENTRY_DSN is set, .* Install textdesk\[sentry\]"):
        needs_extra("SENTRY_DSN", "sentry", "not_installed.at_all")
    needs_extra("SENTRY_DSN", "sentry", "sentry_sdk")


def test_a_share_of_the_traces_is_kept(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example/")
    assert telemetry_variables.traces() == TraceCollector("https://collector.example", {}, "textdesk", 1.0)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20a,x-tenant=b")
    found = telemetry_variables.traces()
    assert (found.share, found.headers) == (0.1, {"authorization": "Bearer a", "x-tenant": "b"})
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert telemetry_variables.traces() is None
