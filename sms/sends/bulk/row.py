"""One row of a bulk act."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowOutlook:
    """What would become of a thing, as a sentence; where `does` is False, why nothing would. Afterwards, what became of it."""

    pk: int
    name: str
    does: bool
    says: str
    thing: object = None
