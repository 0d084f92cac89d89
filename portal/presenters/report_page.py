"""What a report's page shows: choices of its form, tiles, charts and cells, from a `sms.reports.ReportTable`. No queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portal.presenters import charts, report_addresses
from portal.presenters.charts import duration
from sms.models import FactProfile
from sms.reports import BY, BY_WORD, NONE, FactSums, ReportQuery, ReportRow, ReportTable, values_of
from sms.reports.figures import SHOWN_TIMES
from sms.webex import codes

NOBODY = {
    "sender": "No sender",
    "template": "No template",
    "domain": "No tracked links",
    "policy_group": "No policy group",
    "label": "No label",
    "person": "No person",
    "partner": "No partner",
    "test": "No test",
    "country": "Unknown country",
    "carrier": "Carrier not told",
}
PARTS = (
    ("delivered", "Delivered"),
    ("failed", "Failed"),
    ("open", "End not known"),
    ("unposted", "Not posted"),
)
BARS = 12
NOT_MEASURABLE = "not measurable"


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as it is written, and what it covers, said below it. `change` compares it with the earlier period."""

    text: str
    note: str = ""
    change: str = ""
    dim: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A line of the table. `address`: where it leads, if anywhere."""

    label: str
    note: str
    cells: Sequence[Cell]
    address: str = ""
    send_id: int = 0


@dataclass(frozen=True, slots=True)
class ReportBar:
    """A line of a picture by name: parts of a hundred, scaled to the longest."""

    label: str
    text: str
    parts: Sequence[charts.Rectangle] = field(default_factory=list)


def percent(value: float | None) -> str:
    """`0.983` → `98.3 %`; never all or none by rounding, and an en dash where there is nothing to take a share of."""
    if value is None:
        return "–"
    shown = f"{100 * value:.1f}".removesuffix(".0")
    if shown == "100" and value < 1:
        return ">99.9 %"
    return "<0.1 %" if shown == "0" and value > 0 else f"{shown} %"


def label_of(line: ReportRow, by: str) -> str:
    """A line's name, in words where it has none."""
    if by == "code":
        return f"{line.value} · {codes.lookup(line.value).meaning}" if line.value else "No code told"
    if by == "country" and line.label:
        return line.label
    return line.label or NOBODY.get(by, "–")


# --- tiles and cells ---------------------------------------------------------------------------------------------------


def tiles(report: ReportTable) -> list[Cell]:
    """The sum of the whole period."""
    one, past = report.total, report.earlier
    found = [
        Cell(f"{one.messages:,}", f"{one.posted:,} posted", _change(one, past, "messages"), label="Messages"),
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
        _segments(one, "Segments"),
        _cost(one, "Cost"),
        _clicks(one, "Human clicks"),
        Cell(f"{one.opt_outs:,}", "in these days", _change(one, past, "opt_outs"), label="Opt-outs"),
    ]
    if report.asked.filters and any(name in ("country", "carrier") for name in report.asked.filters):
        found[-1] = (
            Cell("–", "not kept by carrier", dim=True, label="Opt-outs")
            if "carrier" in report.asked.filters
            else found[-1]
        )
    return found


def _change(one: FactSums, past: FactSums | None, name: str) -> str:
    if past is None:
        return ""
    now, then = getattr(one, name), getattr(past, name)
    if not then:
        return "none before" if now else "none before either"
    return f"{100 * (now - then) / then:+.0f} % on {then:,}"


def _segments(one: FactSums, label: str = "") -> Cell:
    """By our count, else as the provider told."""
    if not one.messages:
        return Cell("–", label=label, dim=True)
    if one.segments_of:
        known = "by our count" if one.segments_of >= one.messages else f"of {one.segments_of:,} messages"
        return Cell(f"{one.segments:,}", known, label=label)
    if one.billed_of:
        return Cell(f"{one.billed:,}", f"told for {one.billed_of:,} messages", label=label)
    return Cell(NOT_MEASURABLE, "the provider makes the text", dim=True, label=label)


def _billed(one: FactSums) -> Cell:
    if not one.posted:
        return Cell("–", dim=True)
    if not one.billed_measurable:
        return Cell(NOT_MEASURABLE, "not told in Canada and India", dim=True)
    if not one.billed_of:
        return Cell("not told yet", dim=True)
    return Cell(f"{one.billed:,}", f"told for {percent(one.billed_of / one.posted)}")


def _clicks(one: FactSums, label: str = "") -> Cell:
    if not one.clicks_measurable:
        why = "smartlinks tell no clicks" if one.smart else "no tracked links"
        return Cell(NOT_MEASURABLE, why, dim=True, label=label)
    parts = f"{one.clicks['machine']:,} machine, {one.clicks['unsure']:,} unsure"
    return Cell(f"{one.clicks['human']:,}", parts, label=label)


def _cost(one: FactSums, label: str = "") -> Cell:
    """At the prices of today; what has none is told, and nothing is ever 0 because nobody knows."""
    if not one.posted:
        return Cell("–", label=label, dim=True)
    if not one.priced:
        return Cell(NOT_MEASURABLE, "no price listed", dim=True, label=label)
    text = " + ".join(f"{amount:,.2f} {currency}" for currency, amount in one.money)
    left = f", {one.priceless:,} without a price" if one.priceless else ""
    return Cell(text, f"of {one.priced:,} messages{left}", label=label)


def headings(report: ReportTable) -> list[str]:
    """Of the table, after the first."""
    if report.asked.by == "code":
        return ["Messages", "Share of failures"]
    names = ["Messages", "Delivered", "Failed", "Not known", "Coverage", "Segments", "Told by provider"]
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
                    _change(one, past, "messages"),
                ),
                Cell(percent(one.delivery), f"{one.delivered:,}"),
                Cell(f"{one.failed:,}"),
                Cell(f"{one.open:,}"),
                Cell(percent(one.coverage)),
                _segments(one),
                _billed(one),
                _cost(one),
                _clicks(one),
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
    if asked.by in NOBODY and asked.by not in asked.filters:
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


# --- pictures ----------------------------------------------------------------------------------------------------------


def _parts(one: FactSums) -> list[tuple[str, int]]:
    return [(kind, getattr(one, kind)) for kind, _ in PARTS]


def course(report: ReportTable) -> charts.Chart:
    """Messages over time, what became of them, and the earlier period as a line."""
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
    """Time to deliver over time."""
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
    """The largest lines of a report by name."""
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


# --- the form ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SelectField:
    """A select of the form."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str


def choices(report: ReportTable) -> list[SelectField]:
    """Filters, from what was there; one that has nothing to choose from is left out unless it is in use."""
    asked, profiles = report.asked, report.known.profiles.values()
    ids = {
        "sender": "sender_id",
        "template": "template_id",
        "domain": "domain_id",
        "policy_group": "policy_group_id",
        "person": "person_id",
    }
    found = []
    for name, column in ids.items():
        options = {str(getattr(one, column) or NONE): getattr(one, name) or NOBODY[name] for one in profiles}
        found.append(
            SelectField(name, BY[name], sorted(options.items(), key=_by_label), asked.filters.get(name, ""))
        )
    for name in BY_WORD:
        words = {
            value: NOBODY[name] if value == NONE else value
            for one in profiles
            for value in values_of(one, name)
        }
        found.append(
            SelectField(name, BY[name], sorted(words.items(), key=_by_label), asked.filters.get(name, ""))
        )
    for place, name in enumerate(("country", "carrier")):
        values = {pair[place] or NONE: pair[place] or NOBODY[name] for pair in report.known.places}
        found.append(
            SelectField(name, BY[name], sorted(values.items(), key=_by_label), asked.filters.get(name, ""))
        )
    return [choice for choice in found if len(choice.options) > 1 or choice.chosen]


def _by_label(option: tuple[str, str]) -> tuple[bool, str]:
    return option[0] == NONE, option[1].casefold()


def in_words(asked: ReportQuery, profiles: Mapping[int, FactProfile]) -> str:
    """Like `sender SHOP, country GB`."""
    return ", ".join(
        f"{BY[name].lower()} {_name_of(name, value, profiles)}" for name, value in asked.filters.items()
    )


def _name_of(name: str, value: str, profiles: Mapping[int, FactProfile]) -> str:
    if value == NONE:
        return NOBODY[name].lower()
    if name in (*BY_WORD, "country", "carrier"):
        return value
    found = (getattr(one, name) for one in profiles.values() if str(getattr(one, f"{name}_id")) == value)
    return next(found, value)
