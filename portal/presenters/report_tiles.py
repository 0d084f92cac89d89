"""The tiles above a report: the sums of the whole period."""

from portal.presenters.report_cells import Cell, change, clicks, cost, percent, segments
from sms.reports import ReportTable


def tiles(report: ReportTable) -> list[Cell]:
    one, past = report.total, report.earlier
    found = [
        Cell(f"{one.messages:,}", f"{one.posted:,} posted", change(one, past, "messages"), label="Messages"),
        Cell(
            percent(one.delivery),
            f"{one.delivered:,} of {one.final:,} whose end is known",
            "",
            label="Delivered",
        ),
        Cell(
            percent(one.coverage),
            f"{one.final:,} of {one.posted:,} with a final receipt",
            "",
            label="Coverage",
        ),
        segments(one, "Segments"),
        cost(one, "Cost"),
        clicks(one, "Human clicks"),
        Cell(f"{one.opt_outs:,}", "in these days", change(one, past, "opt_outs"), label="Opt-outs"),
    ]
    if report.asked.filters and any(name in ("country", "carrier") for name in report.asked.filters):
        found[-1] = (
            Cell("–", "not kept by carrier", dim=True, label="Opt-outs")
            if "carrier" in report.asked.filters
            else found[-1]
        )
    return found
