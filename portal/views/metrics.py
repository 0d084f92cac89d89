"""For operators: is the process alive, and everything that Prometheus is told. docs/operators/metrics.md names it all."""

import hmac
import ipaddress
import platform
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.presenters.prometheus import BUCKET, COUNT, SUM, family, gauge, histogram, line
from sms import VERSION
from sms.compliance import audit
from sms.inbound import refused
from sms.models import AuditCheck, CameTo, MeterTotal, PostKind, RefusedPost
from sms.models.sql.session import impatient
from sms.operations import faults, own_facts, readiness
from sms.operations.faults import Fault
from sms.operations.own_facts import HOST
from sms.operations.processes import Host, Process, host_of, hosts, processes, provider_troubles
from sms.operations.work import ServiceWork, Work, work
from sms.values.meters import labels_of
from sms.worker.heartbeat import folders
from sms.worker.jobs import JOBS

DAMAGED = ("58", "XX")  # classes of SQLSTATE: the disk fails, what is stored is damaged
PATIENCE = 3000  # milliseconds of a statement: whoever asks gives up soon
# One count of these is an alert, and Prometheus sees no increase in a series that appears with it: so each host shows a zero before.
FROM_ZERO = (
    ("textdesk_leases_ran_out_total", {}),
    ("textdesk_answers_lost_total", {}),
    *(("textdesk_database_errors_total", {"sqlstate": one}) for one in DAMAGED),
    *(("textdesk_job_failures_total", {"job": one.name}) for one in JOBS if one.comes_seldom),
)
# What is kept in the table of totals, and is otherwise there with its first count
COUNTED = {
    "textdesk_messages": ("gauge", "Messages by the state they are in, worked out once a minute."),
    "textdesk_step_seconds": (
        "histogram",
        "Seconds from being accepted to posted (wait), and from posted to each further step.",
    ),
    "textdesk_clicked_messages": ("gauge", "Messages by whose click they count for."),
    "textdesk_opt_outs": ("gauge", "People who opted out."),
    "textdesk_provider_request_duration_seconds": ("histogram", "Requests to Webex Connect by outcome."),
    "textdesk_http_request_duration_seconds": ("histogram", "Requests that were answered."),
    "textdesk_requests_refused_total": ("counter", "Requests that were refused before they were looked at."),
    "textdesk_database_errors_total": ("counter", "Statements that the database refused or did not answer."),
    "textdesk_leases_ran_out_total": ("counter", "Slices whose dispatcher died or hung."),
    "textdesk_answers_lost_total": ("counter", "Answers of Webex Connect that could not be recorded."),
    "textdesk_job_failures_total": ("counter", "Jobs that broke off and are tried again."),
}


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers; asks nothing else, so that a slow database does not get it killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for this machine or a request with METRICS_TOKEN. While the database is away, what the process knows itself."""
    if not may_read(request):
        words = (
            "Metrics are for this machine, or for a request with “Authorization: Bearer” and METRICS_TOKEN."
        )
        return HttpResponse(f"{words}\n", status=403, content_type="text/plain; charset=utf-8")
    try:
        with impatient(PATIENCE):
            found = processes()
            known, wrong, up = list(_of_database(found)), faults.find(found), 1
    except Error:
        mine = host_of(HOST, own_facts.of_host(folders()))
        known, wrong, up = list(_hosts([mine])), [], 0
    if up:
        known += _faults(wrong)
    body = "\n".join((*_of_process(up), *known)) + "\n"
    return HttpResponse(body, content_type="text/plain; version=0.0.4; charset=utf-8")


def may_read(request: HttpRequest) -> bool:
    """What a proxy hands on comes from this machine too, so only a request that none touched counts as local."""
    token, shown = settings.METRICS_TOKEN, request.headers.get("Authorization", "")
    if token and hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
        return True
    handed_on = settings.BEHIND_PROXY or any(
        name in request.headers
        for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-Ip")
    )
    try:
        return not handed_on and ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", ""))).is_loopback
    except ValueError:
        return False


def _of_process(up: int) -> Iterator[str]:
    name = "textdesk_build_info"
    of = {"version": VERSION, "python": platform.python_version(), "database": connection.vendor}
    yield from family(name, "Which release answers.", [line(name, 1, **of)])
    yield from gauge("textdesk_database_up", "Whether the database answered this request.", up)


def _of_database(found: Sequence[Process]) -> Iterator[str]:
    waits = work(provider_troubles(found))
    yield from _processes(found, waits)
    yield from _hosts(hosts(found))
    yield from _totals(found)
    yield from _services(waits.services)
    yield from _waiting(waits)
    yield from _refused(waits.services)
    yield from _audit()


def _processes(found: Sequence[Process], waits: Work) -> Iterator[str]:
    of = [{"host": one.host, "kind": one.kind, "process": str(one.pid)} for one in found]
    pairs = list(zip(found, of, strict=True))
    name = "textdesk_process_info"
    lines = [line(name, 1, **labels, version=one.version) for one, labels in pairs]
    yield from family(name, "Processes that were heard of lately.", lines)
    name = "textdesk_heartbeat_age_seconds"
    lines = [line(name, round(one.age, 1), **labels) for one, labels in pairs]
    yield from family(name, "Since the last heartbeat of a process.", lines)
    name = "textdesk_clock_skew_seconds"
    lines = [line(name, round(one.skew, 3), **labels) for one, labels in pairs if one.fresh]
    yield from family(name, "The clock of a process minus the database's.", lines)
    name, lines = "textdesk_breaker_open", []
    for one in found:
        if one.fresh and one.kind in ("cluster", "dispatch"):
            for service in waits.services:
                held = int(str(service.pk) in one.facts.get("provider", {}))
                lines.append(line(name, held, service=service.slug, host=one.host, process=str(one.pid)))
    yield from family(name, "1 while a process has trouble with Webex Connect.", lines)


def _hosts(known: Sequence[Host]) -> Iterator[str]:
    for name, said, column in (
        ("textdesk_spool_files", "Spool files that wait for the database.", "spool_files"),
        ("textdesk_spool_bytes", "Their size.", "spool_bytes"),
        ("textdesk_spool_kept_files", "Spool files that wait for a person.", "spool_kept"),
        ("textdesk_var_dir_writable", "Whether VAR_DIR can be written.", "var_dir"),
    ):
        yield from family(name, said, [line(name, int(getattr(one, column)), host=one.name) for one in known])
    for name, said, column in (
        ("textdesk_disk_free_bytes", "Room below VAR_DIR and ARCHIVE_DIR.", "free"),
        ("textdesk_disk_size_bytes", "The size of that disk.", "size"),
    ):
        lines = [
            line(name, getattr(disk, column), host=one.name, folder=disk.folder)
            for one in known
            for disk in one.disks
        ]
        yield from family(name, said, lines)


def _totals(found: Sequence[Process]) -> Iterator[str]:
    rows: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for (name, of), host in product(FROM_ZERO, sorted({one.host for one in found})):
        rows[name]["", labels_of(host=host, **of)] = 0
    for host, name, labels, value in MeterTotal.objects.values_list("host", "name", "labels", "value"):
        suffix = next((one for one in (BUCKET, SUM, COUNT) if name.endswith(one)), "")
        whole = ",".join(filter(None, (labels_of(host=host) if host else "", labels)))
        rows[name.removesuffix(suffix)][suffix, whole] = value
    for name, (kind, said) in COUNTED.items():
        series = rows.get(name, {})
        plain = [f"{name}{{{labels}}} {value:.15g}" for (_, labels), value in sorted(series.items())]
        lines = list(histogram(name, series)) if kind == "histogram" else plain
        yield from family(name, said, lines, kind=kind)


def _faults(found: Sequence[Fault]) -> Iterator[str]:
    """A database that can be read may still take nothing: that is tried, as /readyz does."""
    name = "textdesk_fault"
    told = [(one.word, one.where) for one in found]
    if word := readiness.of_database():
        told.insert(0, (word, HOST))
    lines = [line(name, 1, fault=word, where=where) for word, where in told]
    yield from family(name, "What does not work now.", lines)


def _services(found: Sequence[ServiceWork]) -> Iterator[str]:
    for name, said, column in (
        (
            "textdesk_oldest_due_message_seconds",
            "Since when the oldest message that may be sent is due.",
            "due_for",
        ),
        ("textdesk_held_sends", "Sends that a person or a rule holds.", "held_sends"),
        ("textdesk_unconfirmed_messages", "Messages that may or may not have been sent.", "unconfirmed"),
    ):
        lines = [line(name, getattr(one, column), service=one.slug) for one in found]
        yield from family(name, said, lines)
    name = "textdesk_service_paused"
    lines = [line(name, int(one.paused_at is not None), service=one.slug) for one in found]
    yield from family(name, "Whether all sending of the service is paused.", lines)


def _waiting(waits: Work) -> Iterator[str]:
    for name, said, value in (
        ("textdesk_receipts_waiting", "New receipts that are not applied yet.", waits.receipts),
        ("textdesk_receipts_waiting_seconds", "How long the oldest of them waits.", waits.receipts_for),
        ("textdesk_callbacks_waiting", "Callbacks to partners that are due or tried again.", waits.callbacks),
        ("textdesk_queue_tasks", "Wake-ups in django-q2's queue.", waits.queue),
        ("textdesk_fact_deltas_waiting", "Changes that are not in the facts yet.", waits.fact_deltas),
        ("textdesk_retention_lag_seconds", "How long retention is overdue.", waits.retention_lag),
    ):
        yield from gauge(name, said, value)
    if waits.backup is not None:
        name = "textdesk_backup_last_timestamp_seconds"
        yield from gauge(
            name, "When manage.py note_backup was last called.", int(waits.backup.at.timestamp())
        )


def _audit() -> Iterator[str]:
    if (last := AuditCheck.objects.order_by("-pk").first()) is not None:
        words = "1 if the last check of the whole audit found nothing wrong; 0 if it did, is overdue or was altered."
        yield from gauge("textdesk_audit_holds", words, int(last.holds and not audit.sentence()))
        name = "textdesk_audit_checked_timestamp_seconds"
        yield from gauge(name, "When that check was made.", int(last.at.timestamp()))
    words = "Second places that did not take the last checkpoints of the audit."
    yield from gauge("textdesk_audit_places_failing", words, len(audit.undelivered()))


def _refused(services: Sequence[ServiceWork]) -> Iterator[str]:
    """With a zero wherever nothing was refused yet, so that the first one is an increase."""
    found = {(one.service_id, one.kind, one.came_to): one for one in refused.tallies()}
    slugs = {None: ""} | {one.pk: one.slug for one in services}
    zeros = product(slugs, PostKind.values, CameTo.values)
    places = [
        *found,
        *(key for key in zeros if key not in found and (key[0] is None) == (key[2] == CameTo.UNKNOWN)),
    ]
    for name, said, column in (
        ("textdesk_refused_posts_total", "Receipts and incoming SMS that were refused.", "refused"),
        ("textdesk_refused_posts_dropped_total", "Those of them that there was no room to keep.", "not_kept"),
        (
            "textdesk_unproven_posts_total",
            "What a secret that has never fitted would refuse.",
            "would_refuse",
        ),
    ):
        lines = [
            line(name, getattr(found.get(key), column, 0), service=slugs[key[0]], kind=key[1], address=key[2])
            for key in places
        ]
        yield from family(name, said, lines, kind="counter")
    words = "Refused posts that wait for a person."
    yield from gauge("textdesk_refused_posts", words, RefusedPost.objects.count())
