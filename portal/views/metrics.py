"""For operators: is the process alive, can it work, and service levels for Prometheus."""

import hmac
import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sms.compliance import audit
from sms.inbound import refused
from sms.models import AuditCheck, FactDelta, ReceiptInbox, RefusedPost, Service
from sms.models.fact import TIMES
from sms.reports.levels import measured
from sms.values.histogram import EDGES, middle
from sms.worker import health

LES = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers; asks nothing else, so that a slow database does not get it killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers too. `dispatch` and `audit` say `ok`, or what is wrong: the pages still work then, so still 200.

    `refused_posts` are what Webex Connect, or somebody else, posted and we did not accept, and that still waits for a person.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        still = health.sentence()
        wrong = " ".join(filter(None, (audit.sentence(), *audit.undelivered())))
        kept = RefusedPost.objects.count()
    except DatabaseError as problem:
        return JsonResponse({"database": type(problem).__name__}, status=503)
    found = {"database": "ok", "dispatch": still or "ok", "audit": wrong or "ok"}
    return JsonResponse(found | {"refused_posts": kept})


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for this machine or a request with METRICS_TOKEN. It holds no number and no name of a person."""
    if not _may_read(request):
        words = (
            "Metrics are for this machine, or for a request with “Authorization: Bearer” and METRICS_TOKEN."
        )
        return HttpResponse(f"{words}\n", status=403, content_type="text/plain; charset=utf-8")
    body = "\n".join(_lines()) + "\n"
    return HttpResponse(body, content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read(request: HttpRequest) -> bool:
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


def _lines() -> Iterator[str]:
    slugs = dict(Service.objects.values_list("pk", "slug").order_by("pk"))
    messages: list[str] = []
    times: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    others: list[str] = []
    for service_id, measure, word, bucket, count in measured():
        if (slug := slugs.get(service_id)) is None:
            continue
        if measure in TIMES:
            times[(slug, measure)][bucket] = count
        elif measure == "state":
            messages.append(f'textdesk_messages{{service="{slug}",state="{word}"}} {count}')
        elif measure == "click":
            others.append(f'textdesk_clicked_messages{{service="{slug}",by="{word}"}} {count}')
        else:
            others.append(f'textdesk_opt_outs{{service="{slug}"}} {count}')
    yield from _family("textdesk_messages", "Messages by the state they are in, from the facts.", messages)
    words = "Seconds from being accepted to posted (wait), and from posted to each further step."
    yield from _family("textdesk_step_seconds", words, kind="histogram")
    for (slug, step), counts in times.items():
        yield from _histogram(f'service="{slug}",step="{step}"', counts)
    for name, said in (
        ("textdesk_clicked_messages", "Messages by whose click they count for."),
        ("textdesk_opt_outs", "People who opted out."),
    ):
        yield from _family(name, said, [line for line in others if line.startswith(f"{name}{{")])
    yield from _waiting()
    yield from _refused()
    yield from _audit()
    yield from _places()


def _family(name: str, said: str, lines: Iterable[str] = (), *, kind: str = "gauge") -> Iterator[str]:
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} {kind}"
    yield from lines


def _gauge(name: str, said: str, value: float) -> Iterator[str]:
    yield from _family(name, said, [f"{name} {value}"])


def _histogram(labels: str, counts: dict[int, int]) -> Iterator[str]:
    whole = sum(counts.values())
    for le in LES:
        inside = sum(
            count for bucket, count in counts.items() if bucket < len(EDGES) and EDGES[bucket] <= le * 1000
        )
        yield f'textdesk_step_seconds_bucket{{{labels},le="{le:g}"}} {inside}'
    yield f'textdesk_step_seconds_bucket{{{labels},le="+Inf"}} {whole}'
    yield f"textdesk_step_seconds_sum{{{labels}}} {sum(middle(bucket) * count for bucket, count in counts.items()):.3f}"
    yield f"textdesk_step_seconds_count{{{labels}}} {whole}"


def _audit() -> Iterator[str]:
    if (last := AuditCheck.objects.order_by("-pk").first()) is None:
        return
    words = (
        "1 if the last check of the whole audit found nothing wrong; 0 if it did, is overdue or was altered."
    )
    yield from _gauge("textdesk_audit_holds", words, int(last.holds and not audit.sentence()))
    name = "textdesk_audit_checked_timestamp_seconds"
    yield from _gauge(name, "When that check was made.", int(last.at.timestamp()))


def _places() -> Iterator[str]:
    words = "Second places that did not take the last checkpoints of the audit."
    yield from _gauge("textdesk_audit_places_failing", words, len(audit.undelivered()))


def _waiting() -> Iterator[str]:
    new = ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW)
    inbox = new.aggregate(count=Count("pk"), oldest=Min("next_at"))
    age = (timezone.now() - inbox["oldest"]).total_seconds() if inbox["oldest"] else 0.0
    yield from _gauge("textdesk_receipts_waiting", "New receipts that are not applied yet.", inbox["count"])
    words = "How long the oldest of them waits."
    yield from _gauge("textdesk_receipts_waiting_seconds", words, round(max(age, 0.0), 1))
    words = "Changes that are not in the facts yet."
    yield from _gauge("textdesk_fact_deltas_waiting", words, FactDelta.objects.count())


def _refused() -> Iterator[str]:
    found = refused.tallies()
    labels = [
        f'service="{one.service.slug if one.service else ""}",kind="{one.kind}",address="{one.came_to}"'
        for one in found
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
        lines = (
            f"{name}{{{label}}} {getattr(one, column)}" for label, one in zip(labels, found, strict=True)
        )
        yield from _family(name, said, lines, kind="counter")
    words = "Refused posts that wait for a person."
    yield from _gauge("textdesk_refused_posts", words, RefusedPost.objects.count())
