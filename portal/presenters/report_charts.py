"""The charts of a report: messages and times over time, or the largest lines by name."""

from datetime import datetime
from typing import Any

from portal.presenters import charts
from portal.presenters.bars import bar
from portal.presenters.charts import duration
from portal.presenters.report_table import FOR_PEOPLE, PERCENTILES, label_of, percent
from sms.reports import FactSums, ReportTable

PARTS = (
    ("delivered", "Delivered"),
    ("failed", "Failed"),
    ("open", "End not known"),
    ("unposted", "Not posted"),
)
BARS = 12


def _parts(one: FactSums) -> list[tuple[str, int]]:
    return [(kind, getattr(one, kind)) for kind, _ in PARTS]


def _short(at: datetime | None, *, hours: bool) -> str:
    return "" if at is None else f"{at:%-d %b, %H:00}" if hours else f"{at:%-d %b}"


def course(report: ReportTable) -> charts.Chart:
    """Messages over time by outcome, and the earlier period as a line."""
    hours = report.asked.by == "hour"
    earlier = [line.figures.messages for line in report.earlier_course]
    stacks = []
    for place, line in enumerate(report.course):
        one = line.figures
        said = ", ".join(
            f"{count:,} {word.lower()}"
            for (_, word), (_, count) in zip(PARTS, _parts(one), strict=True)
            if count
        )
        before = earlier[place] if place < len(earlier) else None
        title = f"{line.label}: {said or 'nothing'}"
        stacks.append(charts.Stack(_short(line.at, hours=hours), title, _parts(one), before))
    busiest = max(report.course, key=lambda line: line.figures.messages)
    days = f"{report.asked.days} {'day' if report.asked.days == 1 else 'days'}"
    summary = (
        f"{report.total.messages:,} messages in {days}; the busiest {'hour' if hours else 'day'} was"
        f" {busiest.label} with {busiest.figures.messages:,}."
    )
    if report.earlier is not None:
        summary += f" The line is the earlier period with {report.earlier.messages:,}."
    legend = [*PARTS, *([("earlier", "Earlier period")] if report.earlier is not None else [])]
    return charts.stacked(stacks, summary=summary, legend=legend)


def speed(report: ReportTable) -> charts.Chart | None:
    if report.asked.by not in ("day", "hour") or not report.times_kept:
        return None
    series = [
        charts.Series(
            name, FOR_PEOPLE[name], [line.figures.seconds("deliver", share) for line in report.course]
        )
        for name, share in PERCENTILES.items()
    ]
    if not any(value is not None for one in series for value in one.values):
        return None
    hours = report.asked.by == "hour"
    labels = [_short(line.at, hours=hours) for line in report.course if line.at]
    whole = {name: duration(report.total.seconds("deliver", share)) for name, share in PERCENTILES.items()}
    summary = (
        f"From posting to the handset typically {whole['p50']}, of the slowest 5 % {whole['p95']} or more and of the slowest 1 % "
        f"{whole['p99']} or more. Each is at most 5 % off."
    )
    return charts.curves(labels, series, summary=summary)


def bars(report: ReportTable) -> list[dict[str, Any]]:
    """The largest lines by name, each with its parts in proportion to the longest."""
    if report.asked.by in ("day", "hour"):
        return []
    shown = list(report.lines[:BARS])
    longest = max((line.figures.messages for line in shown), default=0)
    found = []
    for line in shown:
        one, by = line.figures, report.asked.by
        share = one.delivery if by != "code" else None
        text = f"{one.messages:,}" + ("" if share is None else f", {percent(share)} delivered")
        found.append({"label": label_of(line, by), "text": text, "parts": bar(_parts(one), whole=longest)})
    return found
