"""What is asked of a report, read from an address and written back into one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from sms.models import Fact
from sms.models.fact import BLOCK_DAYS

LONGEST = 731  # days: two years
LONGEST_BY_HOUR = 31
USUAL = 30
EPOCH = date(1970, 1, 1)

BY: Mapping[str, str] = {
    "day": "Day",
    "hour": "Hour",
    "send": "Send",
    "sender": "Sender",
    "template": "Template",
    "domain": "Link domain",
    "policy_group": "Policy group",
    "label": "Label",
    "country": "Country",
    "carrier": "Carrier",
    "code": "Failure code",
    "person": "Person",
    "partner": "Partner",
    "test": "Test",
}
OF_PROFILE = ("sender", "template", "domain", "policy_group", "label", "person", "partner", "test")
BY_WORD = ("label", "partner", "test")  # stand in an address by themselves; the others by their id
OF_PLACE = ("country", "carrier")
FILTERS = (*OF_PROFILE, *OF_PLACE)
COMPARE: Mapping[str, str] = {"": "Nothing", "before": "The days before", "year": "The same days a year ago"}
NONE = "none"  # stands in an address for what has none: no template, no carrier told


@dataclass(frozen=True, slots=True)
class Asked:
    """One report: days from `since` to `until`, both included, in UTC. Filters by name, as their value stands in the address."""

    service_id: int
    since: date
    until: date
    by: str = "day"
    filters: Mapping[str, str] = field(default_factory=dict)
    compare: str = ""

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.since).days + 1

    @property
    def first_day(self) -> int:
        """Days since 1970."""
        return (self.since - EPOCH).days

    @property
    def last_day(self) -> int:
        """Days since 1970."""
        return (self.until - EPOCH).days

    @property
    def spans(self) -> tuple[tuple[Fact.Grain, int, int], ...]:
        """Which facts cover it: grain, first and last `at`, each day in one of them. Blocks where days need not be told apart."""
        first, last = self.first_day, self.last_day
        if self.by == "hour":
            return ((Fact.Grain.HOUR, first * 24, last * 24 + 23),)
        begin, end = -(-first // BLOCK_DAYS), (last + 1) // BLOCK_DAYS  # whole blocks, without the last
        if self.by == "day" or begin >= end:
            return ((Fact.Grain.DAY, first, last),)
        found = (
            (Fact.Grain.DAY, first, begin * BLOCK_DAYS - 1),
            (Fact.Grain.BLOCK, begin, end - 1),
            (Fact.Grain.DAY, end * BLOCK_DAYS, last),
        )
        return tuple(span for span in found if span[1] <= span[2])

    @property
    def earlier(self) -> "Asked | None":
        """The period that it is compared with."""
        if self.compare == "before":
            return self.moved(-self.days)
        return self.moved(-364) if self.compare == "year" else None  # 52 weeks: Mondays beside Mondays

    def moved(self, days: int) -> "Asked":
        """The same, so many days later."""
        shift = timedelta(days=days)
        return replace(self, since=self.since + shift, until=self.until + shift, compare="")

    def address(self, **changes: str) -> str:
        """The query of its address, with other values where given; an empty one leaves out."""
        values = {
            "by": self.by,
            "from": self.since.isoformat(),
            "until": self.until.isoformat(),
            "compare": self.compare,
            **self.filters,
            **changes,
        }
        return urlencode({name: value for name, value in values.items() if value})


def read(service_id: int, given: Mapping[str, str], *, now: datetime) -> tuple[Asked, Sequence[str]]:
    """The report that an address asks for, and a sentence for each part of it that was not understood and left out."""
    today, wrong = now.astimezone(UTC).date(), list[str]()
    by = given.get("by") or "day"
    if by not in BY:
        wrong.append(f"There is no report by “{by[:40]}”. It shows days instead.")
        by = "day"
    until = _date(given.get("until", ""), "until", wrong) or today
    usual = 2 if by == "hour" else USUAL
    since = _date(given.get("from", ""), "from", wrong) or until - timedelta(days=usual - 1)
    if since > until:
        wrong.append("The first day comes after the last; they were swapped.")
        since, until = until, since
    most = LONGEST_BY_HOUR if by == "hour" else LONGEST
    if (until - since).days >= most:
        wrong.append(f"A report by {BY[by].lower()} takes {most} days at most; it shows the last of them.")
        since = until - timedelta(days=most - 1)
    compare = given.get("compare", "")
    if compare not in COMPARE:
        wrong.append("Compare with “before” or “year”.")
        compare = ""
    filters = {}
    for name in FILTERS:
        if value := given.get(name, "")[:120].replace("\0", ""):
            if (
                name in OF_PROFILE
                and name not in BY_WORD
                and value != NONE
                and not (value.isascii() and value.isdecimal() and len(value) < 18)
            ):
                wrong.append(f"There is no {BY[name].lower()} “{value[:40]}”.")
                continue
            filters[name] = value
    return Asked(service_id, since, until, by, filters, compare), wrong


def _date(text: str, name: str, wrong: list[str]) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 1990 <= found.year <= 2200:
        wrong.append(f"“{name}” is no date like 2026-03-02 and was left out.")
        return None
    return found
