"""What comes out of a preview."""

from collections.abc import Sequence
from dataclasses import dataclass

from sms.audiences.files import RejectedRow
from sms.compose.survey import Survey
from sms.models import Sender


@dataclass(frozen=True, slots=True)
class Bit:
    """A run of the text on the phone. `kind` is text, value, placeholder, culprit, link or break; `says` explains it."""

    kind: str
    shown: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """One row on the phone. `row` is 0 where no row is known yet; segments from the fewest to the most. `refused` is why it is left out."""

    row: int
    msisdn: str
    bits: Sequence[Bit]
    encoding: str
    characters: int
    room: int
    least: int
    most: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Odd:
    """A character that makes the text Unicode: how often it stands there, and what could stand instead. `column` is where it came from."""

    char: str
    name: str
    code: str
    instead: str
    removable: bool
    count: int
    column: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Segments over all rows. Where not `exact`, worst is at least that, and the others are estimated from `looked_at` rows."""

    rows: int
    worst: int
    typical: int
    least: int
    most: int
    exact: bool
    looked_at: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`figures` are of the rows of the sample, `refused_rows` the first of them that are left out."""

    phone: Phone | None
    at: int
    steps: int
    figures: Survey
    totals: Totals | None
    refused_rows: Sequence[RejectedRow]
    odd: Sequence[Odd]
    replaced: str
    saves: int
    hints: Sequence[str]
    refused: Sequence[tuple[Sender, str]]
    doubted: Sequence[tuple[Sender, str]]
