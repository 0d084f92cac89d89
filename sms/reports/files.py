"""Reports as files: CSV and XLSX, written row by row. No cell is ever run by a spreadsheet, and unknown figures stay empty."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.utils.translation import override

from sms.reports.figures import SHOWN_TIMES, FactSums
from sms.reports.query import BY, ReportQuery
from sms.reports.read import ReportRow
from sms.reports.workbook import write_table
from sms.values.csv import MARK, csv_line

Cell = str | int | float | None
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def headings(asked: ReportQuery) -> list[str]:
    """In English, whoever asks."""
    with override("en"):
        by = str(BY[asked.by]).lower()
        times = [f"{str(label).lower()} {name} (s)" for label in SHOWN_TIMES.values() for name in SHARES]
    return [
        *(by, "about", f"when ({asked.zone})"),
        *("messages", "posted", "delivered", "failed", "end not known", "not posted", "coverage"),
        *("delivered of known", "segments (our count)", "messages counted"),
        *("segments (provider)", "messages reported", "cost", "currency", "messages priced"),
        *("clicks human", "clicks machine", "clicks unsure"),
        *("messages with tracked links", "messages with smartlinks", "opt-outs", *times),
    ]


def cells(line: ReportRow) -> list[Cell]:
    """One line. Empty where a figure cannot be measured."""
    one = line.figures
    clicks: list[Cell] = [None, None, None]
    if one.clicks_measurable:
        clicks = [one.clicks["human"], one.clicks["machine"], one.clicks["unsure"]]
    return [
        line.label or line.value,
        line.note or None,
        f"{line.at:%Y-%m-%d %H:%M}" if line.at else None,
        *(one.messages, one.posted, one.delivered, one.failed, one.open, one.unposted),
        *(_rounded(one.coverage, 4), _rounded(one.delivery, 4)),
        *(one.segments if one.segments_of else None, one.segments_of),
        *(one.billed if one.billed_of else None, one.billed_of),
        *_cost(one),
        *clicks,
        *(one.tracked, one.smart, one.opt_outs),
        *(_rounded(one.seconds(measure, share), 3) for measure in SHOWN_TIMES for share in SHARES.values()),
    ]


def _cost(one: FactSums) -> list[Cell]:
    """At the prices of today. Two currencies are no number."""
    if not one.priced:
        return [None, None, 0]
    if len(one.money) > 1:
        return [None, " + ".join(f"{amount:.2f} {currency}" for currency, amount in one.money), one.priced]
    currency, amount = one.money[0]
    return [round(amount, 4), currency, one.priced]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def csv_of(asked: ReportQuery, lines: Iterable[ReportRow]) -> Iterator[str]:
    yield MARK + csv_line(*headings(asked))
    for line in lines:
        yield csv_line(*("" if cell is None else str(cell) for cell in cells(line)))


def write_xlsx(
    path: Path, asked: ReportQuery, lines: Iterable[ReportRow], *, said: Callable[[int], None] | None = None
) -> int:
    """A workbook in constant memory; returns the lines written."""
    return write_table(path, "Report", headings(asked), map(cells, lines), said=said)
