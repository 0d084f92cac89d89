"""The parts of a plan, and all of it as JSON. Pure. The API describes its answer with these fields and their docstrings."""

import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sms.compose.approval.rules import ApprovalReason
from sms.webex.wire import stamp


@dataclass(frozen=True, slots=True)
class PlanRejects:
    """Rows left out for one reason; `rows` names the first hundred."""

    code: str
    detail: str
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Encodings:
    """Messages by encoding; unknown where the provider's template makes the text."""

    gsm7: int
    ucs2: int
    unknown: int


@dataclass(frozen=True, slots=True)
class PlanSegments:
    """Segments per message, and of all; null where the provider's template makes the text."""

    worst: int | None
    typical: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Range:
    """Segments of all, from the fewest to the most: shortened links and templates change the length."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Country:
    """What goes to one country, and its cost; null where it has no price."""

    country: str
    recipient_count: int
    least: int
    most: int
    price: Decimal | None
    currency: str
    cost_least: Decimal | None
    cost_most: Decimal | None


@dataclass(frozen=True, slots=True)
class Money:
    """From the least to the most, in one currency."""

    currency: str
    least: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """The sum by currency, of the countries that have a price."""

    entered: bool
    sums: tuple[Money, ...]
    unpriced: int
    detail: str


@dataclass(frozen=True, slots=True)
class PlanPolicy:
    """What Webex Connect checks at each message."""

    policy_group: str
    check_consent: bool
    apply_frequency_cap: bool
    detail: str  # how many it refuses cannot be known here


@dataclass(frozen=True, slots=True)
class Released:
    """Messages that may go at one moment."""

    at: datetime
    messages: int


@dataclass(frozen=True, slots=True)
class Deferred:
    """Put off by quiet hours: how many, and until when (the first forty moments)."""

    quiet_hours: str
    messages: int  # one that is put off twice counts once for each time
    until: tuple[Released, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that is kept with a doubt."""

    row: int
    detail: str


@dataclass(frozen=True, slots=True)
class PlanDoubtful:
    """Numbers of one kind that may be no mobile of the person; `leave_out` of a send decides about each kind."""

    kind: str
    detail: str
    count: int
    left_out: bool
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Caution:
    """What a careful colleague would say."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class PlanApproval:
    """How many people must approve before anything is posted, and which rules ask for it."""

    approvers: int
    rules: tuple[ApprovalReason, ...]
    eligible: int
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen, in the figures that the page before the button shows. Null stands for what cannot be known."""

    created_at: datetime  # other times count from it: how long approval takes cannot be known
    recipient_count: int
    rejected: int
    rejects: tuple[PlanRejects, ...]
    encoding: str
    encodings: Encodings
    segments: PlanSegments
    segments_range: Range
    countries: tuple[Country, ...]
    cost: Cost
    policy: PlanPolicy | None
    deferred: Deferred
    ahead: int
    rate: int | None
    start_at: datetime | None
    finish_at: datetime | None
    finish_latest_at: datetime | None
    too_late: int
    forecast_detail: str
    doubtful: tuple[PlanDoubtful, ...]
    warnings: tuple[Doubt, ...]
    cautions: tuple[Caution, ...]
    approval: PlanApproval
    row: int
    request: str

    @property
    def rows(self) -> int:
        return self.recipient_count + self.rejected


def as_json(plan: Plan) -> dict[str, Any]:
    """Plain JSON: moments in UTC, money as text, null where there is no text. `request` becomes an object."""
    made: dict[str, Any] = _plain(plan)
    made["request"] = json.loads(plan.request)
    return made


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    match value:
        case tuple():
            return [_plain(one) for one in value]
        case datetime():
            return stamp(value)
        case Decimal():
            return f"{value:f}"
        case "":
            return None
    return value
