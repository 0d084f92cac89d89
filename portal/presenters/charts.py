"""Charts drawn on the server: figures become coordinates here, and SVG in templates/reports/_chart.html. Pure.

The blocks of columns are written here too: a year has a thousand, which took a template as long as their query.

Every chart stands above the table of its figures; a chart says in words what it shows, and each of its parts has a title.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, log10
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from sms.words import number

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WIDTH, HEIGHT = 960.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 8.0, 10.0, 26.0
TICKS = (0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 864_000.0)  # seconds
LABELS = 7  # under a chart, at most


@dataclass(frozen=True, slots=True)
class Column:
    """`drawn` are its blocks as SVG: words of ours and numbers, so that nothing has to be escaped."""

    title: str
    drawn: SafeString


@dataclass(frozen=True, slots=True)
class Mark:
    at: str
    label: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points; it breaks where a value is missing."""

    kind: str
    label: "StrOrPromise"
    path: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Coordinates of WIDTH × HEIGHT."""

    summary: str
    columns: Sequence[Column] = ()
    strokes: Sequence[Stroke] = ()
    rows: Sequence[Mark] = ()
    labels: Sequence[Mark] = ()
    legend: "Sequence[tuple[str, StrOrPromise]]" = ()
    view: str = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    left: str = f"{LEFT:.0f}"
    right: str = f"{WIDTH - RIGHT:.0f}"
    foot: str = f"{HEIGHT - 6:.0f}"


@dataclass(frozen=True, slots=True)
class Stack:
    """What stands on one place: its name, its parts from the bottom, and the sum of an earlier period, if there is one."""

    label: str
    title: str
    parts: Sequence[tuple[str, int]]
    earlier: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Values over the same places, None where there is none."""

    kind: str
    label: "StrOrPromise"
    values: Sequence[float | None]


def stacked(stacks: Sequence[Stack], *, summary: str, legend: "Sequence[tuple[str, StrOrPromise]]") -> Chart:
    highest = max(
        [sum(count for _, count in stack.parts) for stack in stacks]
        + [stack.earlier or 0 for stack in stacks],
        default=0,
    )
    top = _round_up(highest)
    step = (WIDTH - LEFT - RIGHT) / max(len(stacks), 1)
    gap = min(step * 0.18, 3.0)
    columns = []
    for place, stack in enumerate(stacks):
        drawn, base = "", 0
        x, width = _n(LEFT + place * step + gap / 2), _n(step - gap)
        for kind, count in stack.parts:
            if count > 0:
                y, height = _y(base + count, top), _y(base, top) - _y(base + count, top)
                at = f'x="{x}" y="{_n(y)}" width="{width}" height="{_n(max(height, 0.5))}"'
                drawn += f'<rect class="{kind}" {at}/>'
                base += count
        columns.append(Column(stack.title, SafeString(drawn)))
    strokes = []
    if any(stack.earlier is not None for stack in stacks):
        values = [stack.earlier for stack in stacks]
        strokes.append(
            Stroke("earlier", _("Earlier period"), _path(values, step, lambda value: _y(value, top)))
        )
    return Chart(
        summary,
        columns,
        strokes,
        [Mark(_n(_y(value, top)), number(value)) for value in _steps(top)],
        _labels([stack.label for stack in stacks], step),
        legend,
    )


def curves(labels: Sequence[str], series: Sequence[Series], *, summary: str) -> Chart:
    values = [value for one in series for value in one.values if value is not None and value > 0]
    lowest, highest = (min(values), max(values)) if values else (1.0, 1.0)
    low = max((place for place, tick in enumerate(TICKS) if tick <= lowest), default=0)
    high = min(
        (place for place, tick in enumerate(TICKS) if tick >= highest and place > low), default=len(TICKS) - 1
    )
    bottom, reach = log10(TICKS[low]), log10(TICKS[high]) - log10(TICKS[low])
    step = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)

    def y(value: float) -> float:
        share = (log10(max(value, TICKS[low])) - bottom) / reach
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    return Chart(
        summary,
        (),
        [Stroke(one.kind, one.label, _path(one.values, step, y)) for one in series],
        [Mark(_n(y(tick)), duration(tick)) for tick in TICKS[low : high + 1]],
        _labels(labels, step),
        [(one.kind, one.label) for one in series],
    )


def duration(seconds: float | None) -> str:
    """`0.34` → `340 ms`, `95` → `1.6 min`; an en dash where there is none."""
    if seconds is None:
        return "–"
    if seconds >= 86_400:
        return _("%(n)s d") % {"n": _two(seconds / 86_400)}
    if seconds >= 3600:
        return _("%(n)s h") % {"n": _two(seconds / 3600)}
    if seconds >= 60:
        return _("%(n)s min") % {"n": _two(seconds / 60)}
    if seconds >= 1:
        return _("%(n)s s") % {"n": _two(seconds)}
    return _("%(n)s ms") % {"n": _two(seconds * 1000)}


def _two(value: float) -> str:
    return to_tenths(value) if value < 10 else number(round(value))


def to_tenths(value: float) -> str:
    """`1.25` → `1.2`, `3.0` → `3`."""
    tenths = round(value, 1)
    return number(int(tenths) if tenths == int(tenths) else tenths)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _round_up(value: int) -> int:
    """The next round number, four at least so that its quarters are whole."""
    size = 10 ** max(len(str(value)) - 1, 0)
    return max(next(size * part for part in (1, 2, 3, 4, 5, 6, 8, 10) if size * part >= value), 4)


def _steps(top: int) -> list[int]:
    parts = next(parts for parts in (4, 5, 3, 2, 1) if top % parts == 0)
    return [top * number // parts for number in range(parts + 1)]


def _labels(labels: Sequence[str], step: float) -> list[Mark]:
    every = max(ceil(len(labels) / LABELS), 1)
    return [
        Mark(_n(LEFT + (place + 0.5) * step), label)
        for place, label in enumerate(labels)
        if (place % every == 0 and (place + 0.5) * step < WIDTH - LEFT - RIGHT - 20) or len(labels) == 1
    ]


def _path(values: Sequence[float | None], step: float, y: Callable[[float], float]) -> str:
    path, pen = [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x = LEFT + (place + 0.5) * step
        path.append(f"{pen}{_n(x)} {_n(y(value))}")
        if pen == "M":
            path.append("h0.1")  # a single point is seen too
        pen = "L"
    return " ".join(path)
