"""The sentences of `outcome_table.txt`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """`arrived` is yes, no, perhaps or not yet. `until`: when what it waits for ends, where that is known."""

    name: str
    arrived: str
    sentence: str
    until: datetime | None = None


def _read(text: str) -> dict[str, DeliveryOutcome]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    rows = (DeliveryOutcome(*map(str.strip, line.split("|"))) for line in lines)  # type: ignore[arg-type]
    return {row.name: row for row in rows}


OUTCOMES = _read(Path(__file__).with_name("outcome_table.txt").read_text("utf-8"))


def outcome(
    name: str, *also: str, said: Mapping[str, str] = MappingProxyType({}), until: datetime | None = None
) -> DeliveryOutcome:
    """Of the table, with what is `said` in its places, and the sentences of `also` behind."""
    row = OUTCOMES[name]
    words = [
        gettext(row.sentence).format_map(said).strip(),
        *(gettext(OUTCOMES[one].sentence) for one in also),
    ]
    return DeliveryOutcome(name, row.arrived, " ".join(words), until)
