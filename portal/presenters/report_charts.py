"""The charts of a report: messages and times over time, or the largest lines by name."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.presenters import charts
from portal.presenters.charts import duration
from portal.presenters.report_cells import label_of, percent
from sms.reports import FactSums, ReportTable

PARTS = (
    ("delivered", "Delivered"),
    ("failed", "Failed"),
    ("open", "End not known"),
    ("unposted", "Not posted"),
)
BARS = 12


@dataclass(frozen=True, slots=True)
class ReportBar:
    """A line of a picture by name: parts of a hundred, scaled to the longest."""

    label: str
    text: str
    parts: Sequence[charts.Rectangle] = field(default_factory=list)


def _parts(one: FactSums) -> list[tuple[str, int]]:
    return [(kind, getattr(one, kind)) for kind, _ in PARTS]


def course(report: ReportTable) -> charts.Chart:
    """Messages over time by outcome, and the earlier period as a line."""
    earlier = [line.figures.messages for line in report.earlier_course]
    stacks = []
    for place, line in enumerate(report.course):
        one = line.figures
        said = ", ".join(
            f"{count:,} {word.lower()}"
            for (_, word), (_, count) in zip(PARTS, _parts(one), strict=True)
            if count
        )
        at = line.at
        short = "" if at is None else f"{at:%-d %b, %H:00}" if report.asked.by == "hour" else f"{at:%-d %b}"
        before = earlier[place] if place < len(earlier) else None
        stacks.append(charts.Stack(short, f"{line.label}: {said or 'nothing'}", _parts(one), before))
    busiest = max(report.course, key=lambda line: line.figures.messages)
    unit = "hour" if report.asked.by == "hour" else "day"
    total = report.total
    summary = (
        f"{total.messages:,} messages in {report.asked.days} {'day' if report.asked.days == 1 else 'days'}; the busiest {unit} was"
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
        charts.Series(name, name, [line.figures.seconds("deliver", share) for line in report.course])
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    ]
    if not any(value is not None for one in series for value in one.values):
        return None
    hours = report.asked.by == "hour"
    labels = [
        f"{line.at:%-d %b, %H:00}" if hours else f"{line.at:%-d %b}" for line in report.course if line.at
    ]
    whole = " · ".join(duration(report.total.seconds("deliver", share)) for share in (0.5, 0.95, 0.99))
    summary = f"From posting to the handset, p50 · p95 · p99 of all: {whole}. Each is at most 5 % off."
    return charts.curves(labels, series, summary=summary)


def bars(report: ReportTable) -> list[ReportBar]:
    if report.asked.by in ("day", "hour"):
        return []
    shown = list(report.lines[:BARS])
    longest = max((line.figures.messages for line in shown), default=0) or 1
    found = []
    for line in shown:
        blocks, start = [], 0.0
        for kind, count in _parts(line.figures):
            width = 100 * count / longest
            if count > 0:
                blocks.append(charts.Rectangle(kind, f"{start:.2f}", "0", f"{width:.2f}", "6"))
            start += width
        one = line.figures
        share = one.delivery if report.asked.by != "code" else None
        text = f"{one.messages:,}" + ("" if share is None else f", {percent(share)} delivered")
        found.append(ReportBar(label_of(line, report.asked.by), text, blocks))
    return found
