"""The audit: who did what, when and by which door; one row with its proof; verify by a button; export with the proof.

A service's own acts are under the service; what concerns the desk as a whole (signing in, first admin, keys) is under /audit/, for
superusers.
"""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from portal.access import actor, service_page
from portal.forms.audit import AuditFilter
from portal.views.download import csv_download
from sms.compliance import audit
from sms.models import AuditEvent, AuditSeal, Service
from sms.models.audit import audit as record

PAGE = 50
PATIENCE = 8.0  # seconds of verifying in one request; beyond that a button goes on
View = Callable[..., HttpResponseBase]


def for_superusers(view: View) -> View:
    """The desk's own audit."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user: Any = request.user
        if not user.is_superuser:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


# --- a service ----------------------------------------------------------------------------------------------------------


@service_page("audit")
@require_safe
def audit_list(request: HttpRequest, service: Service) -> HttpResponse:
    """The list, newest first."""
    return _list(request, service)


@service_page("audit")
@require_safe
def audit_row(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One row with its proof."""
    return _row(request, service, pk)


@service_page("audit")
@require_POST
def audit_verify(request: HttpRequest, service: Service) -> HttpResponse:
    """Check the chain now."""
    return _verify(request, service)


@service_page("audit")
@require_POST
def audit_export(request: HttpRequest, service: Service) -> HttpResponseBase:
    """What the filter shows, all of it, as a file."""
    return _export(request, service)


# --- the desk itself ----------------------------------------------------------------------------------------------------


@for_superusers
@require_safe
def desk_list(request: HttpRequest) -> HttpResponse:
    """Acts that concern no one service."""
    return _list(request, None)


@for_superusers
@require_safe
def desk_row(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them with its proof."""
    return _row(request, None, pk)


@for_superusers
@require_POST
def desk_verify(request: HttpRequest) -> HttpResponse:
    """Check their chain."""
    return _verify(request, None)


@for_superusers
@require_POST
def desk_export(request: HttpRequest) -> HttpResponseBase:
    """As a file."""
    return _export(request, None)


# --- both ---------------------------------------------------------------------------------------------------------------


def _address(name: str, service: Service | None, *more: object) -> str:
    return (
        reverse(f"audit_{name}", args=(service.slug, *more))
        if service
        else reverse(f"desk_audit_{name}", args=more)
    )


def _list(
    request: HttpRequest,
    service: Service | None,
    *,
    verdict: audit.ChainVerdict | None = None,
) -> HttpResponse:
    slug = service.slug if service else ""
    form = AuditFilter(request.GET)
    form.is_valid()
    rows = audit.rows_of(slug, form.selection)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    chosen = {name: value for name, value in request.GET.items() if name in form.fields and value}
    last = AuditSeal.objects.filter(service_slug=slug).order_by("-number").first()
    context = {
        "rows": [(row, _address("row", service, row.pk)) for row in found[:PAGE]],
        "next_before": found[PAGE - 1].pk if len(found) > PAGE else None,
        "form": form,
        "chosen": chosen,
        "query": urlencode(chosen),
        "last": last,
        "verdict": verdict,
        "list_url": _address("list", service),
        "verify_url": _address("verify", service),
        "export_url": _address("export", service),
        "desk_url": _address("list", None) if service and _super(request) else "",
    }
    return render(request, "audit/list.html", context, status=422 if form.errors else 200)


def _super(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.is_superuser)


def _row(request: HttpRequest, service: Service | None, pk: int) -> HttpResponse:
    row = get_object_or_404(AuditEvent, pk=pk, service_slug=service.slug if service else "")
    seal = AuditSeal.objects.filter(pk=row.pk).first()
    context = {
        "row": row,
        "seal": seal,
        "wrong": audit.wrong_with(row.pk) if seal else "",
        "list_url": _address("list", service),
    }
    return render(request, "audit/row.html", context)


def _verify(request: HttpRequest, service: Service | None) -> HttpResponse:
    slug = service.slug if service else ""
    text = request.POST.get("after", "")
    after = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    start = AuditSeal.objects.filter(service_slug=slug, number=after).first()
    verdict = audit.verify(
        slug,
        checkpoints=audit.CheckpointFiles(settings.VAR_DIR / "audit").read_all(),
        after=(start.number, start.hash) if start else (0, ""),
        seconds=PATIENCE,
    )
    record(
        "audit.verified",
        by=actor(request),
        service=slug,
        noun="audit",
        key=verdict.number,
        since=start.number if start else 0,
        rows=verdict.rows,
        holds=verdict.broken is None,
        first_broken=verdict.broken.number if verdict.broken else None,
    )
    return _list(request, service, verdict=verdict)


def _export(request: HttpRequest, service: Service | None) -> HttpResponseBase:
    slug = service.slug if service else ""
    form = AuditFilter(request.POST)
    if not form.is_valid():
        return _list(request, service)
    as_csv = request.POST.get("form") == "csv"
    record(
        "audit.exported",
        by=actor(request),
        service=slug,
        noun="audit",
        form="csv" if as_csv else "jsonl",
        selection={
            name: str(value) for name, value in form.cleaned_data.items() if value and name != "words"
        },
    )
    name = f"audit-{slug or 'desk'}"
    if as_csv:
        return csv_download(audit.csv_of(slug, form.selection), name=f"{name}.csv")
    response = StreamingHttpResponse(
        audit.json_lines_of(slug, form.selection), content_type="application/jsonl; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.jsonl"'
    return response
