"""How much of each cap is used on a day, for pages, the API and notices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.wants import MICROS, NamedCheck, Wanted, checks_of
from sms.models import ApiKey, Service
from sms.models.sql import spend_counts
from sms.models.sql.spend_counts import CountedRow

NEAR = 0.8
REACHED = 0.99  # what is left then is too little for almost anything


@dataclass(frozen=True, slots=True)
class CapStanding:
    """One cap on one day. `name` is what programs call it (day, money, key:7, country:FR), `of` what people do."""

    name: str
    of: str
    unit: str
    cap: int
    used: int
    free_at: datetime

    @property
    def left(self) -> int:
        return max(self.cap - self.used, 0)

    @property
    def reached(self) -> bool:
        return self.used >= self.cap * REACHED

    @property
    def near(self) -> bool:
        return self.used >= self.cap * NEAR

    @property
    def percent(self) -> int:
        return min(self.used * 100 // self.cap, 100)

    def shown(self, amount: int) -> str:
        """In segments, or in money."""
        return f"{amount:,}" if self.unit == "segments" else f"{amount / MICROS:,.2f}"

    @property
    def sentence(self) -> str:
        state = "is reached" if self.reached else "comes near"
        return (
            f"The spend cap of {self.of} {state}: {self.shown(self.used)} of {self.shown(self.cap)} {self.unit} are taken "
            f"for today. Left until {self.free_at:%H:%M}: {self.shown(self.left)}."
        )


def standings(
    service: Service, day: date, *, keys: Iterable[ApiKey] = (), rows: list[CountedRow] | None = None
) -> list[CapStanding]:
    """The caps of the service, of these keys, and of each country that something was counted for; one query."""
    rules = CapRules.of(service)
    if rows is None:
        rows = spend_counts.counted(service.pk, day)
    countries = dict.fromkeys({one.country for one in rows}, 0)
    named = {one.name: one for key in keys for one in checks_of(rules, Wanted({}), key)}
    named |= {one.name: one for one in checks_of(rules, Wanted(countries), None)}
    return [_standing(rules, day, one, rows) for one in named.values()]


def notable(service: Service, *, now: datetime) -> list[CapStanding]:
    """Those that come near or are reached today, with the keys that were used."""
    rules = CapRules.of(service)
    day = rules.day_of(now)
    rows = spend_counts.counted(service.pk, day)
    used = {one.key for one in rows if one.key}
    keys = ApiKey.objects.filter(pk__in=used) if used else ()
    return [one for one in standings(service, day, keys=keys, rows=rows) if one.near]


def _standing(rules: CapRules, day: date, one: NamedCheck, rows: list[CountedRow]) -> CapStanding:
    free_at = rules.ends_at(day)
    return CapStanding(one.name, one.of, one.unit, one.check.cap, one.check.used(rows), free_at)
