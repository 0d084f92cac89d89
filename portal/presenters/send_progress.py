"""The states of a send's messages as one bar."""

from collections.abc import Mapping
from dataclasses import dataclass

from sms.ledger.state_machine import RANK


@dataclass(frozen=True, slots=True)
class BarPart:
    """One part of the bar, in units of its SVG, which is 100 wide."""

    state: str
    start: str
    width: str


def state_bar(counts: Mapping[str, int]) -> list[BarPart]:
    """Counters by state as the parts of the bar, the state with the surest knowledge first."""
    whole = sum(counts.values()) or 1
    parts, start = list[BarPart](), 0.0
    for state in sorted(counts, key=lambda state: -RANK.get(state, 0)):
        width = 100 * counts[state] / whole
        parts.append(BarPart(state, f"{start:.3f}", f"{width:.3f}"))
        start += width
    return parts
