"""Reports of a service: the page, its file, reports by e-mail, and service levels."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.numbers import key_of
from portal.forms.reports import ScheduleForm
from portal.forms.texts import text_of
from portal.lists import address_of
from portal.odd_requests import look_at_parameters
from portal.presenters import charts, report_addresses, report_charts, report_form, report_table
from portal.presenters.charts import duration
from portal.presenters.downloads import CSV, csv_download, download
from portal.presenters.report_table import Cell, ReportLine, labelled, percent, percentiles
from portal.presenters.saved_filters import saved_filters
from portal.views.button_base import Said, info
from portal.views.confirm_base import Confirmation, asking
from portal.views.form_base import form_page, typed
from sms import reports
from sms.models import Actor, KeptList, ReportFile, ReportSchedule, Send, Service
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.reports.figures import LEAST, SHOWN_TIMES
from sms.reports.files import csv_of, write_xlsx
from sms.reports.levels import STEPS, Levels, levels
from sms.reports.mail import next_time
from sms.reports.workbook import MEDIA_TYPE
from sms.words import moment, number

AT_ONCE = 5000  # sends of a file that is worth waiting for
LINES = 100  # of a page of the table
WAITING = 5  # files of a service that may wait to be made
MOST = 20  # reports by e-mail of a service


@service_page("see")
def reports_page(request: HttpRequest, service: Service) -> HttpResponse:
    """Charts, then the table. Everything that is asked stands in the address."""
    now = corrected_now()
    asked, wrong = report_addresses.read(service, request.GET.dict(), now=now)
    found = reports.report(asked, before=key_of(request.GET, "before") or 0)
    page = Paginator(found.lines, LINES).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    here = reverse("reports", args=[service.slug])
    address = f"{here}?{report_addresses.write(asked)}"
    context = {
        "asked": asked,
        "wrong": wrong,
        "pretended": _pretended(service, asked),
        "zone_to_come": service.clock if service.clock != asked.zone else "",
        "report": found,
        "by": reports.BY,
        "by_word": reports.BY[asked.by].lower(),
        "compare": reports.COMPARE,
        "kept": saved_filters(
            request,
            KeptList.REPORTS,
            query=address_of(KeptList.REPORTS, report_addresses.write(asked), service),
        ),
        "usual_days": report_form.usual_days(asked, now.astimezone(ZoneInfo(asked.zone)).date(), here),
        "choices": report_form.choices(found),
        "filters": report_form.in_words(asked, found.known.profiles),
        "plain": f"{here}?{report_addresses.write(asked, **dict.fromkeys(asked.filters, ''))}",
        "tiles": report_table.tiles(found),
        "course": report_charts.course(found),
        "speed": report_charts.speed(found),
        "bars": report_charts.bars(found),
        "headings": report_table.headings(found),
        "rows": list(report_table.rows(found, shown, here)),
        "times": report_table.time_rows(found, shown),
        "percentiles": report_table.time_rows(found, shown, percentiles),
        "time_headings": list(SHOWN_TIMES.values()),
        "page": page,
        "address": address,
        "messages_at": _messages_of(service, asked),
        "next": f"{address}&{urlencode({'before': found.next_before})}" if found.next_before else "",
    }
    return render(request, "reports/page.html", context)


def _messages_of(service: Service, asked: reports.ReportQuery) -> str:
    """The address of the messages that were posted in its days; empty where the filter there asks for something else."""
    if set(asked.filters) - {"sender"} or asked.filters.get("sender") == reports.NONE:
        return ""
    if timezone.get_current_timezone_name() != asked.zone:  # days there are those of the viewer
        return ""
    chosen = dict(asked.filters) | {"since": asked.since.isoformat(), "until": asked.until.isoformat()}
    return f"{reverse('messages', args=[service.slug])}?{urlencode(chosen)}"


def _pretended(service: Service, asked: reports.ReportQuery) -> str:
    """Which figures of a report are of the sandbox; empty for none."""
    if service.is_sandbox:
        says = _("%(service)s speaks to the sandbox: these messages reached no phone.")
        return says % {"service": service.name}
    live = service.live_since
    if live is None or live <= service.created_at:  # never a sandbox
        return ""
    if asked.since > live.astimezone(ZoneInfo(asked.zone)).date():
        return ""
    if not Send.objects.filter(service=service, created_at__lt=live, simulated=False).exists():
        return ""
    says = _(
        "Until %(time)s %(service)s spoke to the sandbox. Messages of before reached no phone, and are counted here too."
    )
    return says % {"time": moment(timezone.localtime(live), "j M Y, H:i"), "service": service.name}


@service_page("export", WRITE)
def report_export(request: HttpRequest, service: Service) -> HttpResponseBase:
    """The report of an address as a file: at once, or in the background where it is long."""
    given = QueryDict(text_of(request.POST, "query", most=1000))
    look_at_parameters(given)
    kind = request.POST.get("kind", "")
    if kind not in ReportFile.Kind.values:
        messages.error(request, _("Choose CSV or XLSX."))
        return redirect("reports", service=service.slug)
    asked, _unused = report_addresses.read(service, given.dict(), now=corrected_now())
    count = reports.count_lines(asked)
    if count > AT_ONCE:
        return _in_background(request, service, asked, kind, count)
    _audit_export(request, service, asked, kind)
    name = f"report-{service.slug}-{asked.by}-{asked.since}-{asked.until}{service.file_mark}"
    if kind == ReportFile.Kind.CSV:
        return csv_download(csv_of(asked, reports.all_lines(asked)), name=f"{name}.csv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        write_xlsx(path, asked, reports.all_lines(asked))
        return FileResponse(
            path.open("rb"), as_attachment=True, filename=f"{name}.xlsx", content_type=MEDIA_TYPE
        )


def _audit_export(request: HttpRequest, service: Service, asked: reports.ReportQuery, kind: str) -> None:
    """Without the names that filters hold: ids, codes and days only."""
    names = {name: "x" for name in reports.BY_WORD if name in asked.filters}
    query = report_addresses.write(asked, **names)[:300]
    by = actor(request)
    audit("report.exported", by=by, service=service.slug, noun="report", kind=kind, query=query)


def _in_background(
    request: HttpRequest, service: Service, asked: reports.ReportQuery, kind: str, count: int
) -> HttpResponseBase:
    if sum(one.is_waiting for one in service.report_files.order_by("-pk")[:50]) >= WAITING:
        words = _("%(count)s files are being made already. Wait for one of them, or cancel it.")
        messages.error(request, words % {"count": number(WAITING)})
        return redirect("report_files", service=service.slug)
    with transaction.atomic():
        by: Any = request.user
        service.report_files.create(query=asked.parameters, kind=kind, asked_by=by, rows=count)
        _audit_export(request, service, asked, kind)
    words = _("%(count)s sends: the file is being made. You can leave this page.")
    messages.success(request, words % {"count": number(count)})
    return redirect("report_files", service=service.slug)


@service_page("export")
def report_files(request: HttpRequest, service: Service) -> HttpResponse:
    return render(request, "reports/files.html", _files(service) | {"kept": ReportFile.KEPT})


@service_page("export")
def report_files_part(request: HttpRequest, service: Service) -> HttpResponse:
    """The files, which the page fetches every few seconds while one of them is being made."""
    return render(request, "reports/_files.html", _files(service))


def _files(service: Service) -> dict[str, Any]:
    rows = list(service.report_files.select_related("asked_by")[:20])
    return {"files": rows, "live": any(one.is_waiting for one in rows), "now": corrected_now()}


def _ask_cancel(file: ReportFile) -> Confirmation | Said:
    if file.ready_at or file.failed or file.cancelled_at:
        return info(_("Nothing is left to cancel."))
    return Confirmation(
        _("Cancel this file?"),
        _("%(done)s of %(rows)s rows are written. They are thrown away.")
        % {"done": number(file.done), "rows": number(file.rows)},
        _("You can ask for the report again at any time."),
        button=_("Cancel the file"),
    )


@asking("export", ReportFile, asks=_ask_cancel, back="report_files", at="", crumb=gettext_lazy("Files"))
def report_file_cancel(file: ReportFile, _by: Actor) -> Said | None:
    """Stop one that is being made; the next thousand rows are not written any more."""
    waiting = ReportFile.objects.filter(pk=file.pk, ready_at=None, failed="", cancelled_at=None)
    return Said(_("Cancelled.")) if waiting.update(cancelled_at=corrected_now()) else None


@service_page("export", WRITE, of=ReportFile)
def report_file(request: HttpRequest, service: Service, found: ReportFile) -> HttpResponseBase:
    if found.ready_at is None:
        messages.error(request, _("That file is not made yet."))
        return redirect("report_files", service=service.slug)
    audit("report.fetched", found, by=actor(request))
    kind = MEDIA_TYPE if found.kind == ReportFile.Kind.XLSX else CSV
    name = f"report-{service.slug}-{found.pk}{service.file_mark}.{found.kind}"
    return download(reports.unpacked(found), name=name, kind=kind)


@service_page("export", FORM)
def report_schedules(request: HttpRequest, service: Service) -> HttpResponse:
    form = ScheduleForm(**typed(request), service=service)
    if form.is_valid():
        if service.report_schedules.count() >= MOST:
            words = _("A service has %(most)s reports by e-mail at most. End one of them first.")
            messages.error(request, words % {"most": number(MOST)})
            return redirect("report_schedules", service=service.slug)
        with transaction.atomic():
            by = actor(request)
            made = form.save(commit=False)
            made.service, made.made_by = service, by.label
            made.query = {"by": form.cleaned_data["by"]}
            made.recipients = form.cleaned_data["people"]
            made.next_at = next_time(made.every, corrected_now(), service.facts_clock)
            made.save()
            audit("report.scheduled", made, by=by, every=made.every, to=made.recipients)
        first = made.next_at.astimezone(ZoneInfo(service.facts_clock))
        words = _("%(report)s goes out first on %(day)s.")
        messages.success(request, words % {"report": made.name, "day": moment(first, "j F Y")})
        return redirect("report_schedules", service=service.slug)
    context = {"form": form, "rows": service.report_schedules.all(), "zone": service.facts_clock}
    return form_page(request, "reports/schedules.html", context)


def _ask_end(schedule: ReportSchedule) -> Confirmation:
    count = len(schedule.recipients)
    says = ngettext("%(n)s address gets no further report.", "%(n)s addresses get no further report.", count)
    return Confirmation(
        _("End “%(name)s”?") % {"name": schedule.name},
        says % {"n": number(count)},
        _("This cannot be undone. Reports that were sent stay where they are."),
        button=_("End it"),
    )


@asking(
    "export",
    ReportSchedule,
    asks=_ask_end,
    back="report_schedules",
    at="",
    crumb=gettext_lazy("Reports by e-mail"),
)
def report_schedule_remove(schedule: ReportSchedule, by: Actor) -> Said:
    with transaction.atomic():
        audit("report.unscheduled", schedule, by=by)
        schedule.delete()
    return Said(_("%(report)s does not go out any more.") % {"report": schedule.name})


def _headings() -> list[str]:
    return [*map(str, STEPS.values()), _("Coverage")]


@service_page("see")
def service_levels(request: HttpRequest, service: Service) -> HttpResponse:
    found = levels(service, now=corrected_now())
    context = {
        "levels": found,
        "zone": service.facts_clock,
        "budgets": list(_budgets(found)),
        "headings": _headings(),
        "rows": list(_rows(found)),
        "chart": _chart(found),
        "least": LEAST,
    }
    return render(request, "reports/levels.html", context)


def _budgets(found: Levels) -> Iterator[dict[str, object]]:
    for one in found.budgets:
        left = one.left
        yield {
            "step": STEPS[one.objective.step],
            "goal": _("%(share)s within %(time)s")
            % {"share": percent(one.objective.share), "time": duration(one.objective.seconds)},
            "met": percent(one.met),
            "late": one.late,
            "timed": one.timed,
            "allowed": int(one.allowed),
            "left": "–" if left is None else f"{number(round(100 * left))} %",
            "overdrawn": left is not None and left < 0,
            "measured": left is not None,
        }


def _rows(found: Levels) -> Iterator[ReportLine]:
    headings, of_all = _headings(), _("%(count)s of %(all)s")
    for day in reversed(found.days):
        one = day.figures
        if one.messages or any((one.times or {}).values()):
            coverage = Cell(
                percent(one.coverage), of_all % {"count": number(one.final), "all": number(one.posted)}
            )
            cells = [*(percentiles(one, step) for step in STEPS), coverage]
            yield ReportLine(moment(day.day, "D j M Y"), "", labelled(cells, headings))


def _chart(found: Levels) -> charts.Chart | None:
    kinds = {"wait": "p50", "submit": "p95", "carrier": "p99", "deliver": "earlier"}
    series = [
        charts.Series(kinds[step], str(name), [day.figures.seconds(step, 0.95) for day in found.days])
        for step, name in STEPS.items()
    ]
    if not any(value is not None for one in series for value in one.values):
        return None
    labels = [moment(day.day, "j M") for day in found.days]
    whole = "; ".join(f"{name}: {duration(found.total.seconds(step, 0.95))}" for step, name in STEPS.items())
    summary = _("p95 of each step by day, at most 5 %% off. All days: %(whole)s.") % {"whole": whole}
    return charts.curves(labels, series, summary=summary)
