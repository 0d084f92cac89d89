"""Countries where texts are abused most, by their two letters: not written to before somebody allows it (decision 31)."""

from functools import cache
from pathlib import Path

NAMES = Path(__file__).with_name("often_abused.txt")


@cache
def often_abused() -> frozenset[str]:
    lines = NAMES.read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines if line and not line.startswith("#"))
