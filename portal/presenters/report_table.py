"""The tables of a report: figures line by line, and the percentiles of times."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from portal.presenters import report_addresses
from portal.presenters.charts import duration
from portal.presenters.report_cells import (
    UNNAMED,
    Cell,
    ReportLine,
    billed,
    change,
    clicks,
    cost,
    label_of,
    percent,
    segments,
)
from sms.reports import NONE, ReportQuery, ReportRow, ReportTable
from sms.reports.figures import SHOWN_TIMES


def headings(report: ReportTable) -> list[str]:
    if report.asked.by == "code":
        return ["Messages", "Share of failures"]
    names = ["Messages", "Delivered", "Failed", "Not known", "Coverage", "Segments", "Reported by provider"]
    return [*names, "Cost", "Human clicks", "Opt-outs"]


def rows(report: ReportTable, shown: Sequence[ReportRow], address: Any) -> Iterator[ReportLine]:
    """The lines of a page of the table. `address` makes the address of this page from an `ReportQuery` query."""
    asked, names = report.asked, headings(report)
    for line in shown:
        one, past = line.figures, line.earlier
        if asked.by == "code":
            cells = [Cell(f"{one.failed:,}"), Cell(percent(one.failed / report.total.failed))]
        else:
            cells = [
                Cell(
                    f"{one.messages:,}",
                    f"{one.unposted:,} not posted" if one.unposted else "",
                    change(one, past, "messages"),
                ),
                Cell(percent(one.delivery), f"{one.delivered:,}"),
                Cell(f"{one.failed:,}"),
                Cell(f"{one.open:,}"),
                Cell(percent(one.coverage)),
                segments(one),
                billed(one),
                cost(one),
                clicks(one),
                Cell("–", "not kept", dim=True) if asked.by == "carrier" else Cell(f"{one.opt_outs:,}"),
            ]
        cells = [replace(cell, label=name) for cell, name in zip(cells, names, strict=True)]
        yield ReportLine(
            label_of(line, asked.by),
            line.note or (f"{line.at:%-d %b %Y, %H:00} UTC" if line.send_id and line.at else ""),
            cells,
            address(_closer(asked, line)) if _closer(asked, line) else "",
            line.send_id,
        )


def _closer(asked: ReportQuery, line: ReportRow) -> str:
    """The address of the same days with this line as a filter; of a day, its hours."""
    if asked.by == "day" and line.at is not None:
        day = line.at.date().isoformat()
        return report_addresses.write(asked, **{"by": "hour", "from": day, "until": day, "compare": ""})
    if asked.by in UNNAMED and asked.by not in asked.filters:
        return report_addresses.write(asked, **{"by": "day", asked.by: line.value or NONE})
    return ""


def time_rows(report: ReportTable, shown: Sequence[ReportRow]) -> list[ReportLine]:
    """The percentiles of all together and of each line of the page, where times are kept."""
    if not report.times_kept:
        return []
    found = []
    everything = ReportRow("All together", report.total)
    for line in [everything, *shown]:
        cells = []
        for measure in SHOWN_TIMES:
            if report.asked.by == "carrier" and measure == "submit" and line is not everything:
                cells.append(Cell("–", "before any carrier", dim=True))
                continue
            said = " · ".join(duration(line.figures.seconds(measure, share)) for share in (0.5, 0.95, 0.99))
            few = line.figures.timed(measure)
            cells.append(
                Cell(said, f"of {few:,}")
                if said.strip("– ·")
                else Cell("–", f"only {few:,}" if few else "", dim=True)
            )
        name = line.label if line is everything else label_of(line, report.asked.by)
        cells = [replace(cell, label=label) for cell, label in zip(cells, SHOWN_TIMES.values(), strict=True)]
        found.append(ReportLine(name, line.note, cells))
    return found
