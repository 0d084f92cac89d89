"""What the caps of a service say: which countries, how much of each, and of which day a message is."""

import zoneinfo
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import phonenumbers
from django.utils.translation import gettext_noop

from sms.models import ApiKey, Service
from sms.models.spend_cap import read_countries
from sms.values.country_names import country_name
from sms.values.often_abused import often_abused
from sms.words import KeptSentence

# what is said of a country is stored with rejected rows, so it is English
NOT_BY_KEY = KeptSentence(
    gettext_noop("The API key %(key)s does not write to %(country)s. An admin can allow it under API keys.")
)
NOT_BY_SERVICE = KeptSentence(
    gettext_noop(
        "%(service)s does not write to %(country)s. An admin can allow it under Set-up › Rules › Spend caps."
    )
)
OFTEN_ABUSED = KeptSentence(
    gettext_noop(
        "Texts to %(country)s are abused often, so it has to be allowed first. "
        "An admin can do that under Set-up › Rules › Spend caps."
    )
)


@dataclass(frozen=True, slots=True)
class CapRules:
    """`allowed` is empty where every country is but the often abused ones; a value is the country's own cap. `of_key` likewise, of the
    API key that asks: empty where it has no countries of its own."""

    service: Service
    allowed: dict[str, int | None]
    key: ApiKey | None = None
    of_key: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, service: Service, key: ApiKey | None = None) -> "CapRules":
        return cls(service, _read(service.countries), key, _read(key.countries) if key else {})

    def refusal(self, country: str) -> str:
        """Why a number of this country gets nothing, as a sentence; empty where it may."""
        if self.of_key and country not in self.of_key:
            return NOT_BY_KEY(key=self.key, country=named(country))
        if country == self.service.default_country:
            return ""
        if self.allowed:
            if country in self.allowed:
                return ""
            return NOT_BY_SERVICE(service=self.service.name, country=named(country))
        if country and country not in often_abused():
            return ""
        return OFTEN_ABUSED(country=named(country))

    def cap_of_country(self, country: str) -> int | None:
        own = self.allowed.get(country)
        if own is not None or country == self.service.default_country:
            return own
        return self.service.cap_country

    def cap_of_key(self, key: ApiKey) -> int | None:
        return self.service.cap_key if key.cap_day is None else key.cap_day

    def money_of_key(self, key: ApiKey) -> Decimal | None:
        return self.service.cap_money_key if key.cap_money is None else key.cap_money

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(zoneinfo.ZoneInfo(self.service.clock)).date()

    def ends_at(self, day: date) -> datetime:
        """When its caps are free again: the midnight after it, of the service's time zone."""
        zone = zoneinfo.ZoneInfo(self.service.clock)
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)


def named(country: str) -> str:
    """In English."""
    if not country:
        return gettext_noop("numbers of no country (satellite and international networks)")
    calling = phonenumbers.country_code_for_region(country)
    return f"{country_name(country)} (+{calling})" if calling else country_name(country)


def _read(written: str) -> dict[str, int | None]:
    """What no admin could have saved, an operator's hand in the database could: nothing is allowed then but the default country."""
    try:
        return read_countries(written)
    except ValueError:
        return {"-": None}
