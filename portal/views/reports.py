"""Reports of a service: the page, and its file."""

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from portal.access import WRITE, actor, service_page
from portal.forms.numbers import key_of
from portal.presenters import report_addresses, report_charts, report_form, report_table, report_tiles
from portal.presenters.downloads import csv_download
from sms import reports
from sms.models import ReportFile, Service
from sms.models.audit import audit
from sms.reports.figures import SHOWN_TIMES
from sms.reports.files import csv_of, write_xlsx

AT_ONCE = 5000  # sends of a file that is worth waiting for
LINES = 100  # of a page of the table
WAITING = 5  # files of a service that may wait to be made
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@service_page("see")
def reports_page(request: HttpRequest, service: Service) -> HttpResponse:
    """Charts, then the table. Everything that is asked stands in the address."""
    asked, wrong = report_addresses.read(service.pk, request.GET.dict(), now=timezone.now())
    found = reports.report(asked, before=key_of(request.GET, "before") or 0)
    page = Paginator(found.lines, LINES).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    here = reverse("reports", args=[service.slug])
    context = {
        "asked": asked,
        "wrong": wrong,
        "report": found,
        "by": reports.BY,
        "compare": reports.COMPARE,
        "choices": report_form.choices(found),
        "filters": report_form.in_words(asked, found.known.profiles),
        "plain": f"{here}?{_plain(asked)}",
        "tiles": report_tiles.tiles(found),
        "course": report_charts.course(found),
        "speed": report_charts.speed(found),
        "bars": report_charts.bars(found),
        "headings": report_table.headings(found),
        "rows": list(report_table.rows(found, shown, lambda query: f"{here}?{query}")),
        "times": report_table.time_rows(found, shown),
        "time_headings": list(SHOWN_TIMES.values()),
        "page": page,
        "address": f"{here}?{report_addresses.write(asked)}",
        "next": f"{here}?{report_addresses.write(asked)}&before={found.next_before}"
        if found.next_before
        else "",
    }
    return render(request, "reports/page.html", context)


def _plain(asked: reports.ReportQuery) -> str:
    return report_addresses.write(asked, **dict.fromkeys(asked.filters, ""))


@service_page("export", WRITE)
def report_export(request: HttpRequest, service: Service) -> HttpResponseBase:
    """The report of an address as a file: at once, or in the background where it is long."""
    query = request.POST.get("query", "")[:1000]
    kind = request.POST.get("kind", "")
    if kind not in ReportFile.Kind.values:
        messages.error(request, "Choose CSV or XLSX.")
        return redirect("reports", service=service.slug)
    asked, _ = report_addresses.read(service.pk, QueryDict(query).dict(), now=timezone.now())
    count = reports.count_lines(asked)
    if count > AT_ONCE:
        return _in_background(request, service, asked, kind, count)
    _audit_export(request, service, asked, kind)
    name = f"report-{service.slug}-{asked.by}-{asked.since}-{asked.until}"
    if kind == ReportFile.Kind.CSV:
        return csv_download(csv_of(asked, reports.all_lines(asked)), name=f"{name}.csv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        write_xlsx(path, asked, reports.all_lines(asked))
        return FileResponse(path.open("rb"), as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)


def _audit_export(request: HttpRequest, service: Service, asked: reports.ReportQuery, kind: str) -> None:
    """Without the names that filters hold: ids, codes and days only."""
    audit(
        "report.exported",
        by=actor(request),
        service=service.slug,
        noun="report",
        kind=kind,
        query=report_addresses.write(
            asked, **{name: "x" for name in reports.BY_WORD if name in asked.filters}
        )[:300],
    )


def _in_background(
    request: HttpRequest, service: Service, asked: reports.ReportQuery, kind: str, count: int
) -> HttpResponseBase:
    if sum(one.is_waiting for one in service.report_files.order_by("-pk")[:50]) >= WAITING:
        messages.error(
            request, f"{WAITING} files are being made already. Wait for one of them, or cancel it."
        )
        return redirect("report_files", service=service.slug)
    with transaction.atomic():
        by: Any = request.user
        service.report_files.create(query=asked.parameters, kind=kind, asked_by=by, rows=count)
        _audit_export(request, service, asked, kind)
    messages.success(request, f"{count:,} sends: the file is being made. You can leave this page.")
    return redirect("report_files", service=service.slug)


@service_page("export")
def report_files(request: HttpRequest, service: Service) -> HttpResponse:
    rows = list(service.report_files.select_related("asked_by")[:20])
    return render(
        request,
        "reports/files.html",
        {"files": rows, "live": any(one.is_waiting for one in rows), "kept": ReportFile.KEPT},
    )


@service_page("export", WRITE)
def report_file_cancel(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Stop one that is being made; the next thousand rows are not written any more."""
    found = get_object_or_404(ReportFile, service=service, pk=pk)
    waiting = ReportFile.objects.filter(pk=found.pk, ready_at=None, failed="", cancelled_at=None)
    if waiting.update(cancelled_at=timezone.now()):
        messages.success(request, "Cancelled.")
    return redirect("report_files", service=service.slug)


@service_page("export", WRITE)
def report_file(request: HttpRequest, service: Service, pk: int) -> HttpResponseBase:
    found = get_object_or_404(ReportFile, service=service, pk=pk)
    if found.ready_at is None:
        messages.error(request, "That file is not made yet.")
        return redirect("report_files", service=service.slug)
    response = csv_download(reports.unpacked(found), name=f"report-{service.slug}-{found.pk}.{found.kind}")
    response["Content-Type"] = XLSX if found.kind == ReportFile.Kind.XLSX else "text/csv; charset=utf-8"
    audit("report.fetched", found, by=actor(request))
    return response
