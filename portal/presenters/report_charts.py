"""The charts of a report: messages and times over time, or the largest lines by name."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, npgettext

from portal.presenters import charts
from portal.presenters.bars import bar
from portal.presenters.charts import duration
from portal.presenters.report_table import FOR_PEOPLE, PERCENTILES, label_of, percent
from sms.reports import FactSums, ReportRow, ReportTable
from sms.words import moment, number

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PARTS: "tuple[tuple[str, StrOrPromise], ...]" = (
    ("delivered", gettext_lazy("Delivered")),
    ("failed", gettext_lazy("Failed")),
    ("open", gettext_lazy("End not known")),
    ("unposted", gettext_lazy("Not posted")),
)
BARS = 12


def _parts(one: FactSums) -> list[tuple[str, int]]:
    return [(kind, getattr(one, kind)) for kind, unused in PARTS]


def _short(at: datetime | None, *, hours: bool) -> str:
    return "" if at is None else moment(at, "j M, H:00" if hours else "j M")


def course(report: ReportTable) -> charts.Chart:
    """Messages over time by outcome, and the earlier period as a line."""
    hours = report.asked.by == "hour"
    earlier = [line.figures.messages for line in report.earlier_course]
    stacks = []
    nothing = _("nothing")
    for place, line in enumerate(report.course):
        one = line.figures
        said = ", ".join(_counted(kind, count) for kind, count in _parts(one) if count)
        before = earlier[place] if place < len(earlier) else None
        title = f"{line.label}: {said or nothing}"
        stacks.append(charts.Stack(_short(line.at, hours=hours), title, _parts(one), before))
    busiest = max(report.course, key=lambda line: line.figures.messages)
    summary = _summary(report, busiest, hours=hours)
    if report.earlier is not None:
        says = ngettext(
            "The line is the earlier period with %(n)s.",
            "The line is the earlier period with %(n)s.",
            report.earlier.messages,
        )
        summary = f"{summary} {says % {'n': number(report.earlier.messages)}}"
    legend = [*PARTS, *([("earlier", _("Earlier period"))] if report.earlier is not None else [])]
    return charts.stacked(stacks, summary=summary, legend=legend)


def _summary(report: ReportTable, busiest: ReportRow, *, hours: bool) -> str:
    if hours:
        words = ngettext(
            "%(messages)s messages in %(n)s day; the busiest hour was %(busiest)s with %(most)s.",
            "%(messages)s messages in %(n)s days; the busiest hour was %(busiest)s with %(most)s.",
            report.asked.days,
        )
    else:
        words = ngettext(
            "%(messages)s messages in %(n)s day; the busiest day was %(busiest)s with %(most)s.",
            "%(messages)s messages in %(n)s days; the busiest day was %(busiest)s with %(most)s.",
            report.asked.days,
        )
    return words % {
        "messages": number(report.total.messages),
        "n": report.asked.days,
        "busiest": busiest.label,
        "most": number(busiest.figures.messages),
    }


def _counted(kind: str, count: int) -> str:
    words = {
        "delivered": npgettext("chart", "%(n)s delivered", "%(n)s delivered", count),
        "failed": npgettext("chart", "%(n)s failed", "%(n)s failed", count),
        "open": npgettext("chart", "%(n)s end not known", "%(n)s end not known", count),
        "unposted": npgettext("chart", "%(n)s not posted", "%(n)s not posted", count),
    }
    return words[kind] % {"n": number(count)}


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
    # Translators: p50, p95 and p99 are times, like 3 s.
    summary = _(
        "From posting to the handset typically %(p50)s, of the slowest 5 %% %(p95)s or more and of the slowest 1 %% "
        "%(p99)s or more. Each is at most 5 %% off."
    )
    return charts.curves(labels, series, summary=summary % whole)


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
        text = number(one.messages)
        if share is not None:
            # Translators: messages is their number, share is like 98 %.
            text = _("%(messages)s, %(share)s delivered") % {"messages": text, "share": percent(share)}
        found.append({"label": label_of(line, by), "text": text, "parts": bar(_parts(one), whole=longest)})
    return found
