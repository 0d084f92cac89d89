"""How much of each cap is used on a day, for pages, the API and notices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.catalogue.caps import minutes
from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.wants import MICROS, SEGMENTS, NamedCheck, Wanted, checks_of, of_key
from sms.models import ApiKey, Service
from sms.models.sql import spend_counts
from sms.models.sql.spend_counts import CountedRow
from sms.words import KeptSentence, moment, number

NEAR = 0.8
REACHED = 0.99  # what is left then is too little for almost anything
# Translators: of is whose cap it is: a service, “the API key Shop” or “texts to France”.
MINUTE_REACHED = KeptSentence(
    gettext_noop(
        "The cap of %(of)s on messages a minute is reached: %(used)s of %(cap)s were asked for in one minute today."
    )
)
MINUTE_NEAR = KeptSentence(
    gettext_noop(
        "The cap of %(of)s on messages a minute comes near: %(used)s of %(cap)s were asked for in one minute today."
    )
)
DAY_REACHED = KeptSentence(
    gettext_noop(
        "The spend cap of %(of)s is reached: %(used)s of %(cap)s segments are taken for today. Left until %(time)s: %(left)s."
    )
)
DAY_NEAR = KeptSentence(
    gettext_noop(
        "The spend cap of %(of)s comes near: %(used)s of %(cap)s segments are taken for today. Left until %(time)s: %(left)s."
    )
)
MONEY_REACHED = KeptSentence(
    gettext_noop(
        "The spend cap of %(of)s is reached: %(used)s of %(cap)s %(currency)s are taken for today. "
        "Left until %(time)s: %(left)s."
    )
)
MONEY_NEAR = KeptSentence(
    gettext_noop(
        "The spend cap of %(of)s comes near: %(used)s of %(cap)s %(currency)s are taken for today. "
        "Left until %(time)s: %(left)s."
    )
)


@dataclass(frozen=True, slots=True)
class CapStanding:
    """One cap on one day. `name` is what notices call it (day, money, key:7, country:FR), `of` what people do."""

    name: str
    of: str
    unit: str
    cap: int
    used: int
    free_at: datetime
    country: str = ""
    of_key: bool = False

    @property
    def label(self) -> str:
        """What a program calls it that has one key: `segments`, `service-money`, `segments-FR`."""
        unit = f"{'' if self.of_key else 'service-'}{'money' if self.is_money else self.unit}"
        return f"{unit}-{self.country}" if self.country else unit

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
        """In segments or messages, or in money."""
        if self.is_money:
            return formats.number_format(amount / MICROS, 2, use_l10n=True, force_grouping=True)
        return number(amount)

    @property
    def is_money(self) -> bool:
        return self.unit not in (SEGMENTS, minutes.UNIT)

    @property
    def sentence(self) -> str:
        """In the reader's language; notices are given by a job, which speaks English."""
        if self.unit == minutes.UNIT:
            says = MINUTE_REACHED if self.reached else MINUTE_NEAR
        elif self.is_money:
            says = MONEY_REACHED if self.reached else MONEY_NEAR
        else:
            says = DAY_REACHED if self.reached else DAY_NEAR
        return _(says.text) % {
            "of": self.of,
            "used": self.shown(self.used),
            "cap": self.shown(self.cap),
            "currency": self.unit,
            "time": moment(self.free_at.time(), "H:i"),
            "left": self.shown(self.left),
        }


def standings(
    service: Service,
    day: date,
    *,
    keys: Iterable[ApiKey] = (),
    rows: list[CountedRow] | None = None,
    countries_of: ApiKey | None = None,
) -> list[CapStanding]:
    """The caps of the day of the service, of these keys with their countries, and of each country that something was counted for (by one
    key, with `countries_of`); one query."""
    rules = CapRules.of(service)
    if rows is None:
        rows = spend_counts.counted(service.pk, day)
    asked = (one for one in rows if countries_of is None or one.key == countries_of.counted_as)
    countries = dict.fromkeys(sorted({one.country for one in asked}), 0)
    named = {one.name: one for key in keys for one in _of_key(service, key)}
    named |= {one.name: one for one in checks_of(rules, Wanted(countries), None)}
    return [standing_of(one, rows, free_at=rules.ends_at(day)) for one in named.values()]


def _of_key(service: Service, key: ApiKey) -> Iterable[NamedCheck]:
    rules = CapRules.of(service, key)
    named = checks_of(rules, Wanted(dict.fromkeys(rules.of_key, 0)), key)
    return [one for one in named if one.check.key is not None]


def of_minute(rules: CapRules, key: ApiKey, *, now: datetime) -> CapStanding | None:
    """What the key has left of this minute; None where it has no such cap."""
    one = minutes.check_of(key, Wanted({}, messages=1), now)
    if one is None:
        return None
    return standing_of(one, minutes.rows_of(rules, one, now), free_at=minutes.free_at(now))


def notable(service: Service, *, now: datetime) -> list[CapStanding]:
    """Those that come near or are reached today, with the keys that were used."""
    rules = CapRules.of(service)
    day = rules.day_of(now)
    rows = spend_counts.counted(service.pk, day)
    used = {one.key for one in rows if one.key}
    keys = [one for one in service.api_keys.filter(revoked_at=None) if one.counted_as in used] if used else []
    fullest = minutes.most_asked(rules, day, keys)
    found = standings(service, day, keys=keys, rows=rows)
    found += [
        CapStanding(
            f"minute:{one.pk}",
            of_key(one),
            minutes.UNIT,
            one.cap_minute,
            fullest[one.counted_as],
            now,
        )
        for one in keys
        if one.cap_minute is not None and one.counted_as in fullest
    ]
    return [one for one in found if one.near]


def standing_of(
    one: NamedCheck, rows: Sequence[CountedRow], *, free_at: datetime, taken: bool = False
) -> CapStanding:
    """As it is; with `taken` as it is once what the check wants is taken, too."""
    used = one.check.used(rows) + (one.check.wanted if taken else 0)
    return CapStanding(
        one.name,
        one.of,
        one.unit,
        one.check.cap,
        used,
        free_at,
        one.check.country or "",
        one.check.key is not None,
    )
