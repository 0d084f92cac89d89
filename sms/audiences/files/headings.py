"""Which of the first rows holds the headings, and what merged cells say in it.

Reports begin with a title, a date, an empty row; the headings are the row above the numbers that names them. A row is passed over only
where no number stands in it, so that no recipient can vanish above the headings. Pure; called by `table`.
"""

from collections.abc import Callable, Sequence
from statistics import median_high

from sms.audiences.files.columns import heading_rank, is_mostly_digits
from sms.values.text import match_key

_FURTHEST = 40  # filled rows that are looked at

Cells = Sequence[str]
Judge = Callable[[str], bool]  # whether a cell reads as a number
Merge = tuple[int, int, int, int]  # top, left, bottom, right, from 0


def heading_at(sample: Sequence[Cells], *, column: str | None, reads_as_number: Judge) -> int:
    """The place in `sample` of the row that may be headings; 0 where nothing says that it is another than the first."""
    data = _first_with_number(sample, reads_as_number)
    above, below = sample[:data], sample[data:]
    if data < 2:
        return 0
    if column:  # a person's own choice names it
        named = (at for at, row in enumerate(above) if match_key(column) in map(match_key, filter(None, row)))
        if (at := next(named, None)) is not None:
            return at
    ranked = [
        (rank, -_filled(row), at)
        for at, row in enumerate(above)
        if (rank := _rank(row, below, reads_as_number))
    ]
    if ranked:
        return min(ranked)[-1]
    width = median_high(map(_filled, below))
    if _filled(above[0]) * 2 > width or width < 2:
        return 0  # as wide as the table: the headings, in words that we do not know
    wide = [(-_filled(row), at) for at, row in enumerate(above) if not any(map(is_mostly_digits, row))]
    return min(wide)[1] if wide else 0


def later_heading(sample: Sequence[Cells], at: int, *, reads_as_number: Judge) -> int | None:
    """The place of a row that names the numbers although a number stands above it, where the row at `at` does not name them.

    It may be the headings below a title with the office's own number, or somebody's list below another: a person has to say.
    """
    if _rank(sample[at], sample[at + 1 :], reads_as_number):
        return None
    first = _first_with_number(sample, reads_as_number) + 1
    places = range(max(first, at + 1), min(len(sample), _FURTHEST))
    return next((one for one in places if _rank(sample[one], sample[one + 1 :], reads_as_number)), None)


def _first_with_number(sample: Sequence[Cells], reads_as_number: Judge) -> int:
    """0 where none of the first rows has one."""
    for at, row in enumerate(sample[:_FURTHEST]):
        if any(is_mostly_digits(cell.strip()) and reads_as_number(cell) for cell in row if cell):
            return at
    return 0


def _rank(row: Cells, below: Sequence[Cells], reads_as_number: Judge) -> tuple[int, bool] | None:
    """How surely a row names the column of the numbers, None where it does not name one."""
    ranks = [
        rank
        for place, cell in enumerate(row)
        if (rank := heading_rank(cell)) is not None and _is_over_numbers(place, below, reads_as_number)
    ]
    return min(ranks, default=None)


def _is_over_numbers(place: int, below: Sequence[Cells], reads_as_number: Judge) -> bool:
    cells = [row[place] for row in below if place < len(row) and row[place].strip()]
    return sum(map(reads_as_number, cells)) * 2 >= len(cells) > 0


def _filled(row: Cells) -> int:
    return sum(bool(cell.strip()) for cell in row)


def joined(upper: Cells, lower: Cells) -> list[str]:
    """Two rows of headings as one: the lower says what a column is, the upper where the lower is empty or says the same of several."""
    keys = [match_key(name) for name in lower if name.strip()]
    names = []
    for at in range(max(len(upper), len(lower))):
        top, name = (row[at].strip() if at < len(row) else "" for row in (upper, lower))
        several = name and keys.count(match_key(name)) > 1
        names.append(f"{top} {name}".strip() if several else name or top)
    return names


def spread(cells: Cells, row: int, merges: Sequence[Merge]) -> list[str]:
    """The cells of a row (from 0) as they look: a merged cell stands in each column that it covers."""
    shown = list(cells)
    for top, left, _, right in merges:
        if top == row and left < len(shown):
            for at in range(left + 1, min(right + 1, len(shown))):
                shown[at] = shown[at] if shown[at].strip() else shown[left]
    return shown


def stands_over(row: int, merges: Sequence[Merge], *, left: int, right: int) -> bool:
    """Whether a row (from 0) groups the headings below it: a cell of it is merged down, or over some of the columns `left` to `right`.

    What stands over all of them is a title.
    """
    return reaches_down(row, merges) or any(
        top == row and first < last and last - first < right - left for top, first, _, last in merges
    )


def reaches_down(row: int, merges: Sequence[Merge]) -> bool:
    """Whether a cell of it is merged with the one below it, and with no more."""
    return any(top == row and bottom == row + 1 for top, _, bottom, _ in merges)
