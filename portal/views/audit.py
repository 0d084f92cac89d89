"""The audit: who did what, when and through what; one row with its proof; verify by a button; export with the proof.

A service's acts are under the service; those of no one service (signing in, first admin, keys) are under /audit/, for superusers.
"""

import functools
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from portal.access import READ, WRITE, PageView, actor, service_page
from portal.forms.audit import AuditFilter
from portal.forms.numbers import key_of
from portal.limits import PAGE
from portal.lists import address_of
from portal.presenters.audit_links import address_of_things
from portal.presenters.downloads import csv_download, download
from portal.presenters.keyset import keyset_page
from portal.presenters.saved_filters import saved_filters
from portal.views.form_base import form_page
from sms.compliance import audit
from sms.models import AuditEvent, AuditSeal, KeptList, Service
from sms.models.audit import audit as record

PATIENCE = 8.0  # seconds of verifying in one request; beyond that a button goes on


def _address(name: str, service: Service | None, *more: object) -> str:
    if service is None:
        return reverse(f"installation_audit_{name}", args=more)
    return reverse(f"audit_{name}", args=(service.slug, *more))


def _list_page(
    request: HttpRequest,
    service: Service | None,
    *,
    verdict: audit.ChainVerdict | None = None,
    witnesses: Sequence[str] = (),
) -> HttpResponse:
    slug = service.slug if service else ""
    form = AuditFilter(request.GET)
    form.is_valid()
    # looking for less than was asked would find what was not
    rows = AuditEvent.objects.none() if form.errors else audit.rows_of(slug, form.selection)
    if before := key_of(request.GET, "before"):
        rows = rows.filter(pk__lt=before)
    page = keyset_page(list(rows[: PAGE + 1]), PAGE)
    things = address_of_things(page.rows, service, request.may) if service else {}  # type: ignore[attr-defined]
    for row in page.rows:
        row.url = _address("row", service, row.pk)
        row.thing_url = things.get((row.noun, row.noun_key), "")
    chosen = form.chosen
    context = {
        "rows": page.rows,
        "next_before": page.next_key,
        "form": form,
        "chosen": chosen,
        "query": urlencode(chosen),
        "kept": saved_filters(
            request, KeptList.AUDIT, query=address_of(KeptList.AUDIT, urlencode(chosen), service)
        )
        if service
        else None,
        "last": AuditSeal.objects.filter(service_slug=slug).order_by("-number").first(),
        "verdict": verdict,
        "witnesses": witnesses,
        "wrong": audit.sentence(),
        "undelivered": audit.undelivered(),
        "list_url": _address("list", service),
        "verify_url": _address("verify", service),
        "export_url": _address("export", service),
        "installation_url": _address("list", None) if service and request.user.is_superuser else "",
    }
    return form_page(request, "audit/list.html", context)


def _row(request: HttpRequest, service: Service | None, pk: int) -> HttpResponse:
    row: Any = get_object_or_404(AuditEvent, pk=pk, service_slug=service.slug if service else "")
    seal = AuditSeal.objects.filter(pk=row.pk).first()
    wrong = audit.wrong_with(row.pk) if seal else ""
    things = address_of_things([row], service, request.may) if service else {}  # type: ignore[attr-defined]
    row.thing_url = things.get((row.noun, row.noun_key), "")
    context = {"row": row, "seal": seal, "wrong": wrong, "list_url": _address("list", service)}
    return render(request, "audit/row.html", context)


def _verify(request: HttpRequest, service: Service | None) -> HttpResponse:
    slug = service.slug if service else ""
    after = key_of(request.POST, "after") or 0
    start = AuditSeal.objects.filter(service_slug=slug, number=after).first()
    files = audit.CheckpointFiles(settings.VAR_DIR / "audit")
    witnesses = audit.witnesses(files)
    verdict = audit.verify(
        slug,
        checkpoints=files.read_all(),
        after=(start.number, start.hash) if start else (0, ""),
        seconds=PATIENCE,
    )
    broken = verdict.broken.number if verdict.broken else None
    holds = verdict.broken is None and not witnesses
    found: dict[str, Any] = {"rows": verdict.rows, "holds": holds, "first_broken": broken}
    since, key = start.number if start else 0, verdict.number
    record("audit.verified", by=actor(request), service=slug, noun="audit", key=key, since=since, **found)
    return _list_page(request, service, verdict=verdict, witnesses=witnesses)


def _export(request: HttpRequest, service: Service | None) -> HttpResponseBase:
    slug = service.slug if service else ""
    form = AuditFilter(request.POST)
    if not form.is_valid():
        return _list_page(request, service)
    as_csv = request.POST.get("form") == "csv"
    selection = {name: str(value) for name, value in form.cleaned_data.items() if value and name != "words"}
    kind = "csv" if as_csv else "jsonl"
    record("audit.exported", by=actor(request), service=slug, noun="audit", form=kind, selection=selection)
    name = f"audit-{service.slug}{service.file_mark}" if service else "audit-installation"
    if as_csv:
        return csv_download(audit.csv_of(slug, form.selection), name=f"{name}.csv")
    lines = audit.json_lines_of(slug, form.selection)
    return download(lines, name=f"{name}.jsonl", kind="application/jsonl; charset=utf-8")


def for_superusers(view: PageView, methods: Sequence[str] = READ) -> PageView:
    """The view with no service."""
    allowed = require_http_methods(methods)(view)

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_superuser:
            raise PermissionDenied
        return allowed(request, None, *args, **kwargs)

    return guarded


audit_list, installation_list = service_page("audit")(_list_page), for_superusers(_list_page)
audit_row, installation_row = service_page("audit")(_row), for_superusers(_row)
audit_verify, installation_verify = service_page("audit", WRITE)(_verify), for_superusers(_verify, WRITE)
audit_export, installation_export = service_page("audit", WRITE)(_export), for_superusers(_export, WRITE)
