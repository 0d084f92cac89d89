"""The tables of a report: figures as they are written, each with what it covers or why it is not known, line by line and summed up."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from portal.presenters import report_addresses
from portal.presenters.charts import duration
from sms.reports import NONE, FactSums, ReportQuery, ReportRow, ReportTable
from sms.reports.figures import SHOWN_TIMES
from sms.values.country_names import country_name
from sms.webex import codes

UNNAMED = {
    "sender": "No sender",
    "template": "No template",
    "domain": "No tracked links",
    "policy_group": "No policy group",
    "label": "No label",
    "person": "No person",
    "partner": "No partner",
    "test": "No test",
    "country": "Unknown country",
    "carrier": "Carrier not reported",
}
NOT_MEASURABLE = "not measurable"
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
FOR_PEOPLE = {"p50": "Typical", "p95": "Slowest 5 %", "p99": "Slowest 1 %"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as it is written, and what it covers, said below it. `change` compares it with the earlier period."""

    text: str
    note: str = ""
    change: str = ""
    dim: bool = False
    label: str = ""


NOTHING = Cell("–", dim=True)


@dataclass(frozen=True, slots=True)
class ReportLine:
    label: str
    note: str
    cells: Sequence[Cell]
    address: str = ""
    send_id: int = 0


def percent(value: float | None) -> str:
    """`0.983` → `98.3 %`; never all or none by rounding, and an en dash where there is nothing to take a share of."""
    if value is None:
        return "–"
    shown = f"{100 * value:.1f}".removesuffix(".0")
    if shown == "100" and value < 1:
        return ">99.9 %"
    return "<0.1 %" if shown == "0" and value > 0 else f"{shown} %"


def label_of(line: ReportRow, by: str) -> str:
    if by == "code":
        return f"{line.value} · {codes.lookup(line.value).meaning}" if line.value else "No code reported"
    if by == "country" and line.label:
        return country_name(line.label)
    return line.label or UNNAMED.get(by, "–")


def change(one: FactSums, past: FactSums | None, name: str) -> str:
    if past is None:
        return ""
    now, then = getattr(one, name), getattr(past, name)
    if not then:
        return "none before" if now else "none before either"
    return f"{100 * (now - then) / then:+.0f} % on {then:,}"


def segments(one: FactSums) -> Cell:
    """By our count, else by the provider's."""
    if not one.messages:
        return NOTHING
    if one.segments_of:
        known = "by our count" if one.segments_of >= one.messages else f"of {one.segments_of:,} messages"
        return Cell(f"{one.segments:,}", known)
    if one.billed_of:
        return Cell(f"{one.billed:,}", f"reported for {one.billed_of:,} messages")
    return Cell(NOT_MEASURABLE, "the provider makes the text", dim=True)


def billed(one: FactSums) -> Cell:
    if not one.posted:
        return NOTHING
    if not one.billed_measurable:
        return Cell(NOT_MEASURABLE, "not reported in Canada and India", dim=True)
    if not one.billed_of:
        return Cell("not reported yet", dim=True)
    return Cell(f"{one.billed:,}", f"reported for {percent(one.billed_of / one.posted)}")


def clicks(one: FactSums) -> Cell:
    if not one.clicks_measurable:
        why = "smartlinks report no clicks" if one.smart else "no tracked links"
        return Cell(NOT_MEASURABLE, why, dim=True)
    parts = f"{one.clicks['machine']:,} machine, {one.clicks['unsure']:,} unsure"
    return Cell(f"{one.clicks['human']:,}", parts)


def cost(one: FactSums) -> Cell:
    """At today's prices. Messages without a price are said; what is not known is never shown as 0."""
    if not one.posted:
        return NOTHING
    if not one.priced:
        return Cell(NOT_MEASURABLE, "no price listed", dim=True)
    text = " + ".join(f"{amount:,.2f} {currency}" for currency, amount in one.money)
    left = f", {one.priceless:,} without a price" if one.priceless else ""
    return Cell(text, f"of {one.priced:,} messages{left}")


def percentiles(one: FactSums, measure: str) -> Cell:
    """The p50 · p95 · p99 of a time, where enough messages have one."""
    timed, shares = one.timed(measure), [one.seconds(measure, share) for share in PERCENTILES.values()]
    if not any(share is not None for share in shares):
        return Cell("–", f"only {timed:,}" if timed else "", dim=True)
    return Cell(" · ".join(map(duration, shares)), f"of {timed:,}")


def usual_and_slow(one: FactSums, measure: str) -> Cell:
    """What half of them took at most, and what the slowest twentieth took at least."""
    usual, slow = one.seconds(measure, 0.5), one.seconds(measure, 0.95)
    if usual is None:
        return percentiles(one, measure)
    return Cell(
        duration(usual), "typical" if slow is None else f"typical; slowest 5 %: {duration(slow)} or more"
    )


def labelled(cells: Iterable[Cell], names: Iterable[str]) -> list[Cell]:
    """Each with the name of its column, which narrow screens show beside it."""
    return [replace(cell, label=name) for cell, name in zip(cells, names, strict=True)]


def headings(report: ReportTable) -> list[str]:
    if report.asked.by == "code":
        return ["Messages", "Share of failures"]
    names = ["Messages", "Delivered", "Failed", "Not known", "Coverage", "Segments", "Reported by provider"]
    return [*names, "Cost", "Human clicks", "Opt-outs"]


def rows(report: ReportTable, shown: Sequence[ReportRow], here: str) -> Iterator[ReportLine]:
    """The lines of a page of the table. `here` is the address of reports."""
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
        address = _closer(asked, line)
        yield ReportLine(
            label_of(line, asked.by),
            line.note or (f"{line.at:%-d %b %Y, %H:%M}" if line.send_id and line.at else ""),
            labelled(cells, names),
            f"{here}?{address}" if address else "",
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


def time_rows(
    report: ReportTable, shown: Sequence[ReportRow], write: Callable[[FactSums, str], Cell] = usual_and_slow
) -> list[ReportLine]:
    """The times of all together and of each line of the page, where times are kept."""
    if not report.times_kept:
        return []
    everything, carrier = ReportRow("All together", report.total), report.asked.by == "carrier"
    found = []
    for line in [everything, *shown]:
        cells = [
            Cell("–", "before any carrier", dim=True)
            if carrier and measure == "submit" and line is not everything
            else write(line.figures, measure)
            for measure in SHOWN_TIMES
        ]
        name = line.label if line is everything else label_of(line, report.asked.by)
        found.append(ReportLine(name, line.note, labelled(cells, SHOWN_TIMES.values())))
    return found


def tiles(report: ReportTable) -> list[Cell]:
    """The sums of the whole period, above the charts."""
    one, past = report.total, report.earlier
    found = {
        "Messages": Cell(f"{one.messages:,}", f"{one.posted:,} posted", change(one, past, "messages")),
        "Delivered": Cell(percent(one.delivery), f"{one.delivered:,} of {one.final:,} whose end is known"),
        "Coverage": Cell(percent(one.coverage), f"{one.final:,} of {one.posted:,} with a final receipt"),
        "Segments": segments(one),
        "Cost": cost(one),
        "Human clicks": clicks(one),
        "Opt-outs": Cell(f"{one.opt_outs:,}", "in these days", change(one, past, "opt_outs")),
    }
    if "carrier" in report.asked.filters:
        found["Opt-outs"] = Cell("–", "not kept by carrier", dim=True)
    return labelled(found.values(), found)
