"""The rows of a send and what became of them, joined row by row.

Messages and left-out rows were made in the order of the rows, a block at a time, so each is read once and forwards. A row is joined only
where its number is the one that the message went to: a file may have been changed since, by an erasure for example.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import islice
from operator import attrgetter

from sms.audiences.files import Limits, Recipient, RejectedRow, without_number
from sms.audiences.files.rows import Rows
from sms.models import Send
from sms.sends.report.outcomes import LEFT_OUT, RowOutcome, messages_of, rejects_of, without_message
from sms.sends.report.source import SourceRow, blocks_of, source_of
from sms.values.msisdn import mask
from sms.values.msisdn.cells import without_numbers
from sms.values.msisdn.hidden import hidden, is_hidden
from sms.values.msisdn.mention import starred
from sms.values.problems import ProblemCode
from sms.values.text import match_key
from sms.webex.limits import MOST_DESTINATIONS
from sms.webex.wire import stamp

NUMBER = "number"
# None of them names a column of numbers, time zones, correlation ids or references: a report is read as an audience like its file.
APPENDED = (
    *("row", "state", "posted (UTC)", "ended (UTC)", "code", "what it means", "segments", "cost", "currency"),
    *("clicks", "provider id", "asked correlation id", "asked reference", "carrier"),
)
TEST_MODE = "test mode"
ReportCell = str | int | float | None
OtherCell = Callable[[str, str], str]  # what is shown of a cell beside a number
Joined = tuple[SourceRow | None, RowOutcome]


@dataclass(frozen=True, slots=True)
class SendReport:
    """`headings` are those of the rows, then what is appended; `lines` may be walked once."""

    headings: list[str]
    lines: Iterator[list[ReportCell]]


def report_of(send: Send, *, limits: Limits, numbers: bool, texts: bool = True) -> SendReport:
    """Without `numbers`, numbers of people are shown as on pages: without their middle, in other cells too. Without `texts`, of the
    columns of the rows only that of the numbers is there."""
    source = source_of(send, limits=limits)
    names, column = (list(source.headings), source.column) if source is not None else _kept_names(send)
    other = _as_it_is if numbers else partial(_without_numbers, country=send.service.default_country)
    shown = _number if numbers else _masked_number
    told = names if texts else [column]
    cells = partial(_cells, names=names, told=told, column=column, shown=shown, other=other)
    marked = [TEST_MODE] if send.simulated else []  # one more column, so that no row is taken for a real one
    lines = ([*cells(row, one), *_appended(one, other), *marked] for row, one in _joined(send, source))
    return SendReport([*(other(name, "") for name in told), *_unused(told), *marked], lines)


def _kept_names(send: Send) -> tuple[list[str], str]:
    """What its messages keep themselves: all of a partner's request, archived or not; of a larger send the first stand for all."""
    some = islice(messages_of(send), MOST_DESTINATIONS)
    return list(dict.fromkeys([NUMBER, *(name for one in some for name in one.values or ())])), NUMBER


def _unused(names: Sequence[str]) -> list[str]:
    """The appended headings, each told apart from those of the file."""
    taken, found = set(map(match_key, names)), list[str]()
    for name in APPENDED:
        while match_key(name) in taken:
            name = f"message {name}"
        taken.add(match_key(name))
        found.append(name)
    return found


# --- Joining -------------------------------------------------------------------------------------------------------------
def _joined(send: Send, source: Rows | None) -> Iterator[Joined]:
    if source is None:
        for one in merge(messages_of(send), rejects_of(send), key=attrgetter("row")):
            yield None, one
        return
    messages, rejects = _Ahead(messages_of(send)), _Ahead(rejects_of(send))
    same = partial(_is_of, key=send.service.number_key)
    for block in blocks_of(source):
        last = block[-1].row if block else 0
        messages.read_to(last)
        rejects.read_to(last)
        for row in block:
            outcome = messages.take(row.row) or rejects.take(row.row) or without_message(row)
            yield (row if same(row, outcome) else None), outcome
    for one in merge(messages.rest(), rejects.rest(), key=attrgetter("row")):
        yield None, one


class _Ahead:
    """Outcomes by their rows, read no further than the block at hand needs."""

    def __init__(self, outcomes: Iterator[RowOutcome]) -> None:
        self._outcomes, self._held = outcomes, dict[int, RowOutcome]()
        self._next, self._last = next(outcomes, None), 0
        self._loose = list[RowOutcome]()

    def read_to(self, row: int) -> None:
        self._last = max(self._last, row)
        while self._next is not None and self._next.row <= self._last:
            if self._next.row in self._held or not self._next.row:
                self._loose.append(self._next)
            else:
                self._held[self._next.row] = self._next
            self._next = next(self._outcomes, None)

    def take(self, row: int) -> RowOutcome | None:
        return self._held.pop(row, None)

    def rest(self) -> Iterator[RowOutcome]:
        yield from sorted([*self._held.values(), *self._loose], key=attrgetter("row"))
        if self._next is not None:
            yield self._next
        yield from self._outcomes


def _is_of(row: SourceRow, outcome: RowOutcome, *, key: bytes) -> bool:
    if isinstance(row, RejectedRow):
        return outcome.state == LEFT_OUT and row.value[:200] == outcome.number
    if is_hidden(outcome.number):
        return outcome.number == hidden(row.msisdn, key=key)
    return outcome.number in (row.msisdn, row.written)


# --- Cells ---------------------------------------------------------------------------------------------------------------
def _cells(
    row: SourceRow | None,
    outcome: RowOutcome,
    *,
    names: Sequence[str],
    told: Sequence[str],
    column: str,
    shown: Callable[[RowOutcome], str],
    other: OtherCell,
) -> list[ReportCell]:
    if isinstance(row, Recipient):
        values = row.substitutions
    elif row is not None:
        values = dict(zip(names, row.cells, strict=False))
    else:
        values = {name: str(value) for name, value in (outcome.values or {}).items()}
    values = {name: other(value, outcome.number) for name, value in values.items()}
    number = shown(outcome)
    if isinstance(row, Recipient) and number == row.msisdn:
        number = row.written  # a doubt about it is there again when the report is read
    return [number if name == column else values.get(name, "") for name in told]


def _number(outcome: RowOutcome) -> str:
    """A row with too many cells is not to become a good one when the report is uploaded: it has no more cells than columns here."""
    if outcome.code == ProblemCode.TOO_MANY_CELLS and outcome.state == LEFT_OUT:
        return f"{outcome.number} ({LEFT_OUT})"
    return "" if is_hidden(outcome.number) else outcome.number


def _masked_number(outcome: RowOutcome) -> str:
    if outcome.state == LEFT_OUT and not outcome.number.startswith("+"):
        return without_number(outcome.number)
    return "" if is_hidden(outcome.number) else mask(outcome.number)


def _as_it_is(cell: str, _number: str) -> str:
    return cell


def _without_numbers(cell: str, number: str, *, country: str) -> str:
    """`number` is the row's own, which is known in every form."""
    return without_numbers(starred(cell, number), country=country)


def _appended(one: RowOutcome, other: OtherCell) -> list[ReportCell]:
    means = other(one.meaning, one.number)
    return [
        *(
            one.row or None,
            one.state,
            _time(one.posted_at),
            _time(one.ended_at),
            one.code,
            means,
            one.segments,
        ),
        *(None if one.cost is None else float(one.cost), one.currency, one.clicks),
        *(one.provider_id, other(one.correlation_id, one.number), other(one.reference, one.number)),
        one.carrier,
    ]


def _time(at: datetime | None) -> str:
    return stamp(at) if at else ""
