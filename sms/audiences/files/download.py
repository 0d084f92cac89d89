"""Rejects as a CSV that a person downloads, corrects and uploads again. Called by the pages that show a send or a draft."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sms.audiences.files.rows import RejectedRow
from sms.values.csv import MARK, csv_line


def rejects_csv(rejects: Iterable[RejectedRow]) -> Iterator[str]:
    """Lines for a streaming response: row, value, code, reason. UTF-8 mark first, for Excel; an apostrophe disarms formulas."""
    yield MARK + csv_line("row", "value", "code", "reason")
    for reject in rejects:
        yield csv_line(str(reject.row), reject.value, reject.code, reject.reason)


ROW, BECAUSE = "rejected row", "rejected because"


def mendable_csv(
    headings: Sequence[str], rejects: Iterable[tuple[RejectedRow, Sequence[str]]]
) -> Iterator[str]:
    """Rejects with all cells of their rows, to be put right and uploaded again: the first column is the row number."""
    yield MARK + csv_line(ROW, BECAUSE, *headings)
    for bad, cells in rejects:
        yield csv_line(str(bad.row), bad.reason, *cells)


NUMBER, FICTIONAL = "number", "+447700900001"  # which Ofcom keeps for drama


def sample_csv(placeholders: Mapping[str, str]) -> Iterator[str]:
    """A file to fill in: the numbers and a column for each placeholder, with the examples in its one row."""
    yield MARK + csv_line(NUMBER, *placeholders)
    yield csv_line(FICTIONAL, *(example or f"a {name}" for name, example in placeholders.items()))
