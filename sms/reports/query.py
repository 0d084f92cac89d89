"""What is asked of a report."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sms.models import Fact, Service
from sms.models.fact import BLOCK_DAYS, QUARTER
from sms.values.quiet_hours import midnight

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

EPOCH = date(1970, 1, 1)

BY: "Mapping[str, StrOrPromise]" = {
    "day": _("Day"),
    "hour": _("Hour"),
    "send": pgettext_lazy("noun", "Send"),
    "sender": _("Sender"),
    "template": _("Template"),
    "domain": _("Link domain"),
    "policy_group": _("Policy group"),
    "label": pgettext_lazy("noun", "Label"),
    "country": _("Country"),
    "carrier": _("Carrier"),
    "code": _("Failure code"),
    "person": _("Person"),
    "partner": _("Partner"),
    "test": pgettext_lazy("noun", "Test"),
}
OF_PROFILE = ("sender", "template", "domain", "policy_group", "label", "person", "partner", "test")
BY_WORD = ("label", "partner", "test")  # filtered by the word itself; the others by their id
OF_PLACE = ("country", "carrier")
FILTERS = (*OF_PROFILE, *OF_PLACE)
COMPARE: "Mapping[str, StrOrPromise]" = {
    "": _("Nothing"),
    "before": _("The days before"),
    "year": _("The same days a year ago"),
}
NONE = "none"  # a filter for what has none: no template, no carrier reported


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """One report: days from `since` to `until`, both included, of the clocks in `zone`, in which the service's facts are counted.

    Values of filters by their name.
    """

    service_id: int
    zone: str  # `Service.facts_clock`
    since: date
    until: date
    by: str = "day"
    filters: Mapping[str, str] = field(default_factory=dict)
    compare: str = ""

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def first_day(self) -> int:
        """Days since 1970."""
        return (self.since - EPOCH).days

    @property
    def last_day(self) -> int:
        return (self.until - EPOCH).days

    @property
    def quarters(self) -> tuple[int, int]:
        """In which quarters of an hour since 1970 (UTC) its days begin and are over."""
        begin, end = midnight(self.since, self.zone), midnight(self.until + timedelta(days=1), self.zone)
        return int(begin.timestamp()) // QUARTER, int(end.timestamp()) // QUARTER

    @property
    def spans(self) -> tuple[tuple[Fact.Grain, int, int], ...]:
        """Which facts cover it: grain, first and last `at`, each day in one of them. Blocks where days need not be separate."""
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
    def earlier(self) -> "ReportQuery | None":
        if self.compare == "before":
            return self.moved(-self.days)
        return self.moved(-364) if self.compare == "year" else None  # 52 weeks: Mondays beside Mondays

    def moved(self, days: int) -> "ReportQuery":
        shift = timedelta(days=days)
        return replace(self, since=self.since + shift, until=self.until + shift, compare="")

    @property
    def parameters(self) -> dict[str, str]:
        """Its values by name: as it is stored, and as an address carries it."""
        return {
            "by": self.by,
            "from": self.since.isoformat(),
            "until": self.until.isoformat(),
            "compare": self.compare,
            **self.filters,
        }

    @classmethod
    def stored(cls, service: Service, parameters: Mapping[str, str]) -> "ReportQuery":
        return cls(
            service.pk,
            service.facts_clock,
            since=date.fromisoformat(parameters["from"]),
            until=date.fromisoformat(parameters["until"]),
            by=parameters.get("by", "day"),
            filters={name: parameters[name] for name in FILTERS if name in parameters},
            compare=parameters.get("compare", ""),
        )
