"""Service levels at /metrics for Prometheus."""

import hmac
import ipaddress
from collections import defaultdict
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sms.models import FactDelta, ReceiptInbox, Service
from sms.models.fact import TIMES
from sms.reports.levels import measured
from sms.values.histogram import EDGES, middle

LES = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for this machine or a request with METRICS_TOKEN. It holds no number and no name of a person."""
    if not _may_read(request):
        text = (
            "Metrics are for this machine, or for a request with “Authorization: Bearer” and METRICS_TOKEN.\n"
        )
        return HttpResponse(text, status=403, content_type="text/plain; charset=utf-8")
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
        slug = slugs.get(service_id)
        if slug is None:
            continue
        if measure in TIMES:
            times[(slug, measure)][bucket] = count
        elif measure == "state":
            messages.append(f'textdesk_messages{{service="{slug}",state="{word}"}} {count}')
        elif measure == "click":
            others.append(f'textdesk_clicked_messages{{service="{slug}",by="{word}"}} {count}')
        else:
            others.append(f'textdesk_opt_outs{{service="{slug}"}} {count}')
    yield "# HELP textdesk_messages Messages by the state they are in, from the facts."
    yield "# TYPE textdesk_messages gauge"
    yield from messages
    yield "# HELP textdesk_step_seconds Seconds from being accepted to posted (wait), and from posted to each further step."
    yield "# TYPE textdesk_step_seconds histogram"
    for (slug, step), counts in times.items():
        yield from _histogram(f'service="{slug}",step="{step}"', counts)
    for name, said in (
        ("textdesk_clicked_messages", "Messages by whose click they count for."),
        ("textdesk_opt_outs", "People who opted out."),
    ):
        yield f"# HELP {name} {said}"
        yield f"# TYPE {name} gauge"
        yield from (line for line in others if line.startswith(f"{name}{{"))
    yield from _waiting()


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


def _waiting() -> Iterator[str]:
    inbox = ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW).aggregate(
        count=Count("pk"), oldest=Min("next_at")
    )
    age = (timezone.now() - inbox["oldest"]).total_seconds() if inbox["oldest"] else 0.0
    for name, said, value in (
        ("textdesk_receipts_waiting", "New receipts that are not applied yet.", inbox["count"]),
        ("textdesk_receipts_waiting_seconds", "How long the oldest of them waits.", round(max(age, 0.0), 1)),
        ("textdesk_fact_deltas_waiting", "Changes that are not in the facts yet.", FactDelta.objects.count()),
    ):
        yield f"# HELP {name} {said}"
        yield f"# TYPE {name} gauge"
        yield f"{name} {value}"
