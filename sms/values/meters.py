"""What this process counts of its own work until it is kept in the database (`sms.operations.totals`): counters, and histograms of seconds.

Counting takes no lock that waits for anything but another count, so it may stand anywhere.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Mapping

EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)  # seconds

Series = tuple[str, str]  # a metric's name, and its labels as Prometheus writes them


def labels_of(**labels: str) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")[:100]


class Meters:
    """The counts of one process. A forked child begins with none: its parent keeps those before."""

    def __init__(self) -> None:
        self._counts: dict[Series, float] = defaultdict(float)
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._counts, self._lock = defaultdict(float), threading.Lock()

    def add(self, name: str, number: float = 1, **labels: str) -> None:
        with self._lock:
            self._counts[name, labels_of(**labels)] += number

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """One observation: its bucket alone (readers add up those below it), and the sum."""
        edge = next((f"{one:g}" for one in EDGES if seconds <= one), "+Inf")
        said = labels_of(**labels)
        with self._lock:
            self._counts[f"{name}_bucket", f'{said},le="{edge}"'] += 1
            self._counts[f"{name}_sum", said] += seconds

    def take(self) -> dict[Series, float]:
        """All counts, which are the caller's to keep from now on."""
        with self._lock:
            taken, self._counts = dict(self._counts), defaultdict(float)
        return taken

    def give_back(self, counts: Mapping[Series, float]) -> None:
        """They could not be kept."""
        with self._lock:
            for series, number in counts.items():
                self._counts[series] += number


meters = Meters()  # of this process
