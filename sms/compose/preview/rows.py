"""The rows of a sample as messages, and the figures of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sms.audiences.files import Recipient, RejectedRow
from sms.audiences.sample import AudienceSample
from sms.compose.lines import Composer
from sms.compose.order import ComposedMessage
from sms.compose.preview.shapes import Totals
from sms.compose.resolved_order import ResolvedOrder
from sms.compose.survey import Survey, Surveyor


@dataclass(frozen=True, slots=True)
class SampledRows:
    """`spread` are the figures of the evenly spread rows alone, which stand for all; `figures` those of every row of the sample."""

    lines: Sequence[ComposedMessage]
    rejects: Sequence[RejectedRow]
    spread: Survey
    figures: Survey
    letters: Mapping[int, int]  # of the cells of a row, by its number

    def in_steps(self) -> list[tuple[int, str]]:
        """Rows by their numbers with why they are left out: the longest first, those that are left out last."""
        kept = sorted(self.lines, key=lambda one: (-one.segments, -len(one.text), one.row))
        # what a placeholder still lacks leaves out every row: the longest cells stand for the longest text then
        left_out = sorted(self.rejects, key=lambda one: (-self.letters.get(one.row, 0), one.row))
        return [*((one.row, "") for one in kept), *((one.row, one.reason) for one in left_out)]


def sampled_rows(order: ResolvedOrder, sample: AudienceSample) -> SampledRows:
    composer = Composer(order)

    def composed(rows: Sequence[Recipient]) -> tuple[list[ComposedMessage], list[RejectedRow]]:
        lines, rejects = composer.lines(rows)
        surveyor.add(lines, rejects)
        return lines, rejects

    surveyor = Surveyor(order)
    lines, rejects = composed(sample.rows[: sample.spread])
    spread = figures = surveyor.so_far()
    if len(sample.rows) > sample.spread:
        surveyor = Surveyor(order)
        lines, rejects = composed(sample.rows)
        figures = surveyor.so_far()
    letters = {one.row: sum(map(len, one.substitutions.values())) for one in sample.rows}
    return SampledRows(lines, rejects, spread, figures, letters)


def totals_of(rows: SampledRows, sample: AudienceSample) -> Totals | None:
    """Exact where the sample is whole; otherwise the spread rows stand for all, and the longest for the worst."""
    if not rows.spread.recipients:
        return None
    if sample.whole:
        return totals_of_all(rows.figures)
    scale = sample.recipients / sample.spread
    drawn = totals_of_all(rows.spread)
    return Totals(
        rows=sample.recipients,
        worst=rows.figures.worst,
        typical=drawn.typical,
        least=round(drawn.least * scale),
        most=round(drawn.most * scale),
        exact=False,
        looked_at=rows.figures.rows,
    )


def totals_of_all(figures: Survey) -> Totals:
    """Of every row, as it will be sent."""
    spans = figures.countries.values()
    return Totals(
        rows=figures.recipients,
        worst=figures.worst,
        typical=figures.typical,
        least=sum(one[1] for one in spans),
        most=sum(one[2] for one in spans),
        exact=True,
        looked_at=figures.rows,
    )
