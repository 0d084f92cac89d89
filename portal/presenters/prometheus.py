"""Prometheus' text format: families with their help, and histograms whose buckets were counted apart."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sms.values.meters import labels_of

BUCKET, SUM, COUNT = "_bucket", "_sum", "_count"


def family(name: str, said: str, lines: Iterable[str] = (), *, kind: str = "gauge") -> Iterator[str]:
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} {kind}"
    yield from lines


def line(name: str, value: float, **labels: str) -> str:
    return f"{name}{{{labels_of(**labels)}}} {value:.15g}" if labels else f"{name} {value:.15g}"


def gauge(name: str, said: str, value: float) -> Iterator[str]:
    yield from family(name, said, [line(name, value)])


def histogram(name: str, rows: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """Of rows by suffix and labels, where `le` comes last and each bucket holds its own observations alone."""
    buckets: dict[str, dict[float, float]] = defaultdict(dict)
    for (suffix, labels), value in rows.items():
        if suffix == BUCKET:
            others, _, edge = labels.rpartition('le="')
            buckets[others][float(edge.rstrip('"'))] = value
    for others, found in buckets.items():
        inside, series = 0.0, others.rstrip(",")
        for le in sorted({*found, math.inf}):
            inside += found.get(le, 0.0)
            shown = "+Inf" if le == math.inf else f"{le:g}"
            yield f'{name}_bucket{{{others}le="{shown}"}} {inside:.15g}'
        yield f"{name}_sum{{{series}}} {rows.get((SUM, series), 0.0):.15g}"
        yield f"{name}_count{{{series}}} {inside:.15g}"
