"""The tables of a report: figures as they are written, each with what it covers or why it is not known, line by line and summed up."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.presenters import report_addresses
from portal.presenters.charts import duration, to_tenths
from sms.reports import NONE, FactSums, ReportQuery, ReportRow, ReportTable
from sms.reports.figures import SHOWN_TIMES
from sms.values.country_names import country_here
from sms.webex import codes
from sms.words import moment, number

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

UNNAMED: "dict[str, StrOrPromise]" = {
    "sender": gettext_lazy("No sender"),
    "template": gettext_lazy("No template"),
    "domain": gettext_lazy("No tracked links"),
    "policy_group": gettext_lazy("No policy group"),
    "label": gettext_lazy("No label"),
    "person": gettext_lazy("No person"),
    "partner": gettext_lazy("No partner"),
    "test": gettext_lazy("No test"),
    "country": gettext_lazy("Unknown country"),
    "carrier": gettext_lazy("Carrier not reported"),
}
UNNAMED_IN_SENTENCES: "dict[str, StrOrPromise]" = {
    "sender": gettext_lazy("no sender"),
    "template": gettext_lazy("no template"),
    "domain": gettext_lazy("no tracked links"),
    "policy_group": gettext_lazy("no policy group"),
    "label": gettext_lazy("no label"),
    "person": gettext_lazy("no person"),
    "partner": gettext_lazy("no partner"),
    "test": gettext_lazy("no test"),
    "country": gettext_lazy("unknown country"),
    "carrier": gettext_lazy("carrier not reported"),
}
NOT_MEASURABLE = gettext_lazy("not measurable")
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
FOR_PEOPLE = {
    "p50": gettext_lazy("Typical"),
    "p95": gettext_lazy("Slowest 5 %"),
    "p99": gettext_lazy("Slowest 1 %"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as it is written, and what it covers, said below it. `change` compares it with the earlier period."""

    text: "StrOrPromise"
    note: str = ""
    change: str = ""
    dim: bool = False
    label: "StrOrPromise" = ""


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
    tenths = round(100 * value, 1)
    if tenths == 100 and value < 1:
        return in_percent(f">{number(99.9)}")
    return in_percent(f"<{number(0.1)}" if tenths == 0 and value > 0 else to_tenths(100 * value))


def in_percent(shown: str) -> str:
    """`98.3` → `98.3 %`, with the space that the language puts between."""
    return _("%(number)s %%") % {"number": shown}


def label_of(line: ReportRow, by: str) -> str:
    if by == "code":
        return f"{line.value} · {codes.lookup(line.value).meaning}" if line.value else _("No code reported")
    if by == "country" and line.label:
        return country_here(line.label)
    return line.label or str(UNNAMED.get(by, "–"))


def change(one: FactSums, past: FactSums | None, name: str) -> str:
    if past is None:
        return ""
    now, then = getattr(one, name), getattr(past, name)
    if not then:
        return _("none before") if now else _("none before either")
    # Translators: change is like +12, before a count of the earlier period.
    says = _("%(change)s %% on %(before)s")
    return says % {"change": f"{100 * (now - then) / then:+.0f}", "before": number(then)}


def segments(one: FactSums) -> Cell:
    """By our count, else by the provider's."""
    if not one.messages:
        return NOTHING
    if one.segments_of:
        known = _("by our count") if one.segments_of >= one.messages else _of_messages(one.segments_of)
        return Cell(number(one.segments), known)
    if one.billed_of:
        says = ngettext("reported for %(n)s messages", "reported for %(n)s messages", one.billed_of)
        return Cell(number(one.billed), says % {"n": number(one.billed_of)})
    return Cell(NOT_MEASURABLE, _("the provider makes the text"), dim=True)


def _of_messages(count: int) -> str:
    return ngettext("of %(n)s messages", "of %(n)s messages", count) % {"n": number(count)}


def billed(one: FactSums) -> Cell:
    if not one.posted:
        return NOTHING
    if not one.billed_measurable:
        return Cell(NOT_MEASURABLE, _("not reported in Canada and India"), dim=True)
    if not one.billed_of:
        return Cell(_("not reported yet"), dim=True)
    # Translators: share is like 98 %.
    says = _("reported for %(share)s") % {"share": percent(one.billed_of / one.posted)}
    return Cell(number(one.billed), says)


def clicks(one: FactSums) -> Cell:
    if not one.clicks_measurable:
        why = _("smartlinks report no clicks") if one.smart else _("no tracked links")
        return Cell(NOT_MEASURABLE, why, dim=True)
    parts = {name: number(one.clicks[name]) for name in ("machine", "unsure")}
    return Cell(number(one.clicks["human"]), _("%(machine)s machine, %(unsure)s unsure") % parts)


def cost(one: FactSums) -> Cell:
    """At today's prices. Messages without a price are said; what is not known is never shown as 0."""
    if not one.posted:
        return NOTHING
    if not one.priced:
        return Cell(NOT_MEASURABLE, _("no price listed"), dim=True)
    text = " + ".join(f"{number(Decimal(f'{amount:.2f}'))} {currency}" for currency, amount in one.money)
    if not one.priceless:
        return Cell(text, _of_messages(one.priced))
    says = ngettext(
        "of %(n)s messages, %(left)s without a price",
        "of %(n)s messages, %(left)s without a price",
        one.priced,
    )
    return Cell(text, says % {"n": number(one.priced), "left": number(one.priceless)})


def percentiles(one: FactSums, measure: str) -> Cell:
    """The p50 · p95 · p99 of a time, where enough messages have one."""
    timed, shares = one.timed(measure), [one.seconds(measure, share) for share in PERCENTILES.values()]
    if not any(share is not None for share in shares):
        return Cell("–", _("only %(n)s") % {"n": number(timed)} if timed else "", dim=True)
    return Cell(" · ".join(map(duration, shares)), _("of %(n)s") % {"n": number(timed)})


def usual_and_slow(one: FactSums, measure: str) -> Cell:
    """What half of them took at most, and what the slowest twentieth took at least."""
    usual, slow = one.seconds(measure, 0.5), one.seconds(measure, 0.95)
    if usual is None:
        return percentiles(one, measure)
    if slow is None:
        return Cell(duration(usual), _("typical"))
    return Cell(duration(usual), _("typical; slowest 5 %%: %(time)s or more") % {"time": duration(slow)})


def labelled(cells: Iterable[Cell], names: "Iterable[StrOrPromise]") -> list[Cell]:
    """Each with the name of its column, which narrow screens show beside it."""
    return [replace(cell, label=name) for cell, name in zip(cells, names, strict=True)]


def headings(report: ReportTable) -> list[str]:
    if report.asked.by == "code":
        return [_("Messages"), _("Share of failures")]
    return [
        *(_("Messages"), _("Delivered"), _("Failed"), _("Not known"), _("Coverage")),
        *(_("Segments"), _("Reported by provider"), _("Cost"), _("Human clicks"), _("Opt-outs")),
    ]


def rows(report: ReportTable, shown: Sequence[ReportRow], here: str) -> Iterator[ReportLine]:
    """The lines of a page of the table. `here` is the address of reports."""
    asked, names = report.asked, headings(report)
    for line in shown:
        one, past = line.figures, line.earlier
        if asked.by == "code":
            cells = [Cell(number(one.failed)), Cell(percent(one.failed / report.total.failed))]
        else:
            cells = [
                Cell(
                    number(one.messages),
                    _("%(n)s not posted") % {"n": number(one.unposted)} if one.unposted else "",
                    change(one, past, "messages"),
                ),
                Cell(percent(one.delivery), number(one.delivered)),
                Cell(number(one.failed)),
                Cell(number(one.open)),
                Cell(percent(one.coverage)),
                segments(one),
                billed(one),
                cost(one),
                clicks(one),
                Cell("–", _("not kept"), dim=True) if asked.by == "carrier" else Cell(number(one.opt_outs)),
            ]
        address = _closer(asked, line)
        yield ReportLine(
            label_of(line, asked.by),
            line.note or (moment(line.at, "j M Y, H:i") if line.send_id and line.at else ""),
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
    everything, carrier = ReportRow(_("All together"), report.total), report.asked.by == "carrier"
    found = []
    for line in [everything, *shown]:
        cells = [
            Cell("–", _("before any carrier"), dim=True)
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
    posted = _("%(n)s posted") % {"n": number(one.posted)}
    known = _("%(n)s of %(whole)s whose end is known")
    final = _("%(n)s of %(whole)s with a final receipt")
    opt_outs = Cell(number(one.opt_outs), _("in these days"), change(one, past, "opt_outs"))
    if "carrier" in report.asked.filters:
        opt_outs = Cell("–", _("not kept by carrier"), dim=True)
    found = {
        _("Messages"): Cell(number(one.messages), posted, change(one, past, "messages")),
        _("Delivered"): Cell(
            percent(one.delivery), known % {"n": number(one.delivered), "whole": number(one.final)}
        ),
        _("Coverage"): Cell(
            percent(one.coverage), final % {"n": number(one.final), "whole": number(one.posted)}
        ),
        _("Segments"): segments(one),
        _("Cost"): cost(one),
        _("Human clicks"): clicks(one),
        _("Opt-outs"): opt_outs,
    }
    return labelled(found.values(), found)
