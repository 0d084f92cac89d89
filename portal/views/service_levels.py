"""The page of service levels: how fast each step was in the last thirty days, against its objective."""

from collections.abc import Iterator
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.access import service_page
from portal.presenters import charts
from portal.presenters.charts import duration
from portal.presenters.report_cells import Cell, ReportLine, percent
from sms.models import Service
from sms.reports.figures import LEAST
from sms.reports.levels import STEPS, Levels, levels


@service_page("see")
def service_levels(request: HttpRequest, service: Service) -> HttpResponse:
    found = levels(service.pk, now=timezone.now())
    context = {
        "levels": found,
        "budgets": list(_budgets(found)),
        "headings": [*STEPS.values(), "Coverage"],
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
            "goal": f"{percent(one.objective.share)} within {duration(one.objective.seconds)}",
            "met": percent(one.met),
            "late": one.late,
            "timed": one.timed,
            "allowed": int(one.allowed),
            "left": "–" if left is None else f"{100 * left:,.0f} %",
            "overdrawn": left is not None and left < 0,
            "measured": left is not None,
        }


def _rows(found: Levels) -> Iterator[ReportLine]:
    for day in reversed(found.days):
        if not day.figures.messages and not any((day.figures.times or {}).values()):
            continue
        cells = []
        for step in STEPS:
            shown = [duration(day.figures.seconds(step, share)) for share in (0.5, 0.95, 0.99)]
            timed = day.figures.timed(step)
            cells.append(
                Cell(" · ".join(shown), f"of {timed:,}")
                if timed >= LEAST
                else Cell("–", f"only {timed:,}", dim=True)
            )
        one = day.figures
        cells.append(Cell(percent(one.coverage), f"{one.final:,} of {one.posted:,}"))
        names = [*STEPS.values(), "Coverage"]
        cells = [replace(cell, label=name) for cell, name in zip(cells, names, strict=True)]
        yield ReportLine(f"{day.day:%a %-d %b %Y}", "", cells)


def _chart(found: Levels) -> charts.Chart | None:
    kinds = {"wait": "p50", "submit": "p95", "carrier": "p99", "deliver": "earlier"}
    series = [
        charts.Series(kinds[step], label, [day.figures.seconds(step, 0.95) for day in found.days])
        for step, label in STEPS.items()
    ]
    if not any(value is not None for one in series for value in one.values):
        return None
    labels = [f"{day.day:%-d %b}" for day in found.days]
    whole = "; ".join(
        f"{label}: {duration(found.total.seconds(step, 0.95))}" for step, label in STEPS.items()
    )
    return charts.curves(
        labels, series, summary=f"p95 of each step by day, at most 5 % off. All days: {whole}."
    )
