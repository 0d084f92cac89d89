"""What goes into a preview and what comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sms.compose import placeholders
from sms.models import Sender, Service, ShortLinkDomain, TemplateVersion

LONGEST = 20_000  # characters that are previewed; no service takes as many


@dataclass(frozen=True, slots=True)
class DraftText:
    """What the page holds now; `at` is the row that is shown, from 0, the longest first."""

    service: Service
    text: str
    version: TemplateVersion | None = None
    by_provider: bool = False  # a template whose text only the provider has
    placeholder_sources: placeholders.Sources = field(default_factory=dict)
    sender: Sender | None = None
    domain: ShortLinkDomain | None = None
    at: int = 0

    @property
    def words(self) -> str:
        return (self.version.text if self.version else self.text)[:LONGEST]


@dataclass(frozen=True, slots=True)
class Bit:
    """A run of the text on the phone. `kind` is text, value, placeholder, culprit, link or break; `says` explains it."""

    kind: str
    shown: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """One row on the phone. `row` is 0 where no row is known yet; segments from the fewest to the most."""

    row: int
    msisdn: str
    bits: Sequence[Bit]
    encoding: str
    characters: int
    room: int
    least: int
    most: int
    unfilled: Sequence[str]


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
    unicode: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    phone: Phone | None
    at: int
    steps: int
    totals: Totals | None
    odd: Sequence[Odd]
    replaced: str
    saves: int
    hints: Sequence[str]
    unfilled: Sequence[str]
    refused: Sequence[tuple[Sender, str]]
    doubted: Sequence[tuple[Sender, str]]


@dataclass(frozen=True, slots=True)
class PlaceholderPreview:
    """A placeholder of the text, how it is filled, and what was chosen for it."""

    name: str
    heading: str
    fallback: str
    chosen: placeholders.PlaceholderSource
