"""Bars of parts side by side, a hundred wide: the states of a send, the lines of a report, the rows and times of a flight plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sms.ledger.state_machine import RANK


@dataclass(frozen=True, slots=True)
class BarPart:
    """`kind` is its colour."""

    kind: str
    start: float
    width: float


def bar(sizes: Iterable[tuple[str, float]], *, whole: float = 0, thinnest: float = 0) -> list[BarPart]:
    """Parts in proportion to `whole`, or to their sum; none without a size. Where each is at least `thinnest`, all of them are scaled."""
    sizes = list(sizes)
    whole = whole or sum(size for _, size in sizes) or 1
    widths = [max(100 * size / whole, thinnest) for _, size in sizes]
    scale = 100 / sum(widths) if thinnest else 1
    parts, start = list[BarPart](), 0.0
    for (kind, _), width in zip(sizes, widths, strict=True):
        if width:
            parts.append(BarPart(kind, round(start, 3), round(width * scale, 3)))
        start += width * scale
    return parts


def surest_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Counters by state, the state with the surest knowledge first, without those of nothing: of a bar and of the figures below it."""
    return sorted(
        ((state, count) for state, count in counts.items() if count), key=lambda one: -RANK.get(one[0], 0)
    )


def state_bar(counts: Mapping[str, int]) -> list[BarPart]:
    return bar(surest_first(counts))
