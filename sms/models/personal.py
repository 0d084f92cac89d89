"""What a table holds about people: each model says it in its class body, as `personal`.

Retention, erasure and subject access read these declarations (`sms.compliance.personal_columns`). Small numbers, dates, switches, choices
and foreign keys say nothing by themselves and are not listed; a test fails while any other column of any application is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.db.models import Q

Columns = str | tuple[str, ...]  # "name note", kept as ("name", "note")


class ColumnKind(Enum):
    """What a column can hold; the values are the attributes of `PersonalData`."""

    NUMBER = "numbers"
    TEXT = "texts"
    RAW = "raw"
    PACKED = "packed"
    CATALOGUE = "catalogue"
    TEAM = "team"
    NEUTRAL = "neutral"


@dataclass(frozen=True, kw_only=True)
class PersonalData:
    """The columns of one table that have room for a phone number, by what is in them.

    Columns are given as words of one text. `service` is the lookup that leads from a row to its service; empty for a table that belongs to
    no service. Columns in `fixed` are not changed in rows of `fixed_while`: what they say is about to be sent.
    """

    service: str = ""
    numbers: Columns = ""  # a recipient's number, its digest, or the mark of an erased one
    texts: Columns = ""  # may name a recipient: a number in them is taken out
    raw: Columns = ""  # bytes as they were received: shortened or emptied where they name the number
    packed: Columns = ""  # compressed: code of their own unpacks, changes and packs them
    catalogue: Columns = ""  # templates, names of senders: searched, and changed by people only
    team: Columns = ""  # the team's own people, keys, secrets and settings: no recipient
    neutral: Columns = ""  # words from a list, identifiers, digests, figures: no person
    unique: Columns = ""  # texts that must stay unique when a number is taken out
    fixed: Columns = ""
    fixed_while: Q = field(default_factory=Q)
    unpacked: Callable[[Any], str] | None = None  # text of a packed row; one that names the number is deleted

    def __post_init__(self) -> None:
        for name in (*(kind.value for kind in ColumnKind), "unique", "fixed"):
            object.__setattr__(self, name, tuple(getattr(self, name).split()))

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        return {name: kind for kind in ColumnKind for name in getattr(self, kind.value)}
