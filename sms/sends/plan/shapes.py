"""The parts of a plan, and all of it as JSON. None stands for what cannot be known. Pure."""

import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class PlanRemoved:
    """Rows left out for one reason; `reason` and `rows` are those of the first ones."""

    code: str
    reason: str
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Encodings:
    """Messages by encoding; `unknown` where the provider's template makes the text."""

    gsm7: int
    ucs2: int
    unknown: int


@dataclass(frozen=True, slots=True)
class PlanSegments:
    """Of the longest message, of the one in the middle, and of all, as the texts stand; None where they are not known."""

    worst: int | None
    typical: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Range:
    """From the fewest to the most segments of all: links that are shortened and provider templates change the length."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Country:
    """What goes to one country (ISO 3166; "" for numbers of none), and its cost; None where it has no price."""

    country: str
    recipients: int
    least: int
    most: int
    price: Decimal | None
    currency: str
    cost_least: Decimal | None
    cost_most: Decimal | None


@dataclass(frozen=True, slots=True)
class Money:
    """From the least to the most, in one currency (ISO 4217)."""

    currency: str
    least: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """The sum by currency; `entered` is whether the service has any price, `unpriced` the recipients of countries without."""

    entered: bool
    sums: tuple[Money, ...]
    unpriced: int
    says: str


@dataclass(frozen=True, slots=True)
class PlanPolicy:
    """What Webex Connect checks at each message. How many it refuses cannot be known here."""

    group: str
    check_consent: bool
    apply_frequency_cap: bool
    says: str


@dataclass(frozen=True, slots=True)
class Released:
    """Messages that were put off by quiet hours and may go at one moment."""

    at: datetime
    messages: int


@dataclass(frozen=True, slots=True)
class Deferred:
    """Put off by quiet hours: how many, and until when. A message that is put off twice counts once for each time."""

    quiet_hours: str
    messages: int
    until: tuple[Released, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    row: int
    detail: str


@dataclass(frozen=True, slots=True)
class Caution:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Asking:
    rule: str
    approvers: int
    says: str


@dataclass(frozen=True, slots=True)
class PlanApproval:
    """How many people must approve before anything is posted, by the largest of these rules; `eligible` is how many could.

    Times of the plan count from now: how long approval takes cannot be known.
    """

    approvers: int
    rules: tuple[Asking, ...]
    eligible: int
    says: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen.

    Times are as foreseen at `made_at`. `ahead` is messages that wait already in the same or a more urgent lane; `rate` is destinations
    a second by contract; `too_late` is messages whose expiry comes first. `finish_latest_at` is later than `finish_at` only where a
    ramp may have to wait for receipts. `request` is what is posted for `row`.
    """

    made_at: datetime
    recipients: int
    rejected: int
    removed: tuple[PlanRemoved, ...]
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
    forecast: str
    warnings: tuple[Doubt, ...]
    cautions: tuple[Caution, ...]
    approval: PlanApproval
    row: int
    request: str

    @property
    def rows(self) -> int:
        return self.recipients + self.rejected


def as_json(plan: Plan) -> dict[str, Any]:
    """Plain JSON: moments in UTC, money as text. `request` becomes an object."""
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
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case Decimal():
            return f"{value:f}"
    return value
