"""What something to be sent would take of the caps, and the checks that follow from it."""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext_noop

from sms.catalogue.caps.rules import CapRules
from sms.models import ApiKey, Price, SenderKind, Service
from sms.models.sql.spend_counts import CapCheck, CountedRow
from sms.values.country_names import country_name
from sms.words import KeptSentence, retold

SEGMENTS = "segments"
MICROS = 1_000_000  # of money are one unit of its currency
# whose cap it is, in sentences about it
OF_KEY_AND_COUNTRY = KeptSentence(gettext_noop("the API key %(key)s for %(country)s"))
OF_KEY = KeptSentence(gettext_noop("the API key %(key)s"))
OF_NO_COUNTRY = gettext_noop("texts to no country")
OF_COUNTRY = KeptSentence(gettext_noop("texts to %(country)s"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Segments and money (in millionths of the caps' currency) by country, and messages by number; `key` is the key's `counted_as`, 0 for
    people. `messages` are those that are asked for just now, where somebody asks."""

    segments: Mapping[str, int]
    money: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    key: int = 0
    messages: int = 0

    @property
    def total(self) -> int:
        return sum(self.segments.values())

    def rows(self, service: Service, day: date, *, sign: int = 1) -> list[CountedRow]:
        """What is counted: of numbers that are no longer known, nothing."""
        digests = digests_of(service, day, self.numbers)
        counted = [CountedRow(number=digests[one], used=sign * count) for one, count in self.numbers.items()]
        for country in sorted({*self.segments, *self.money}):
            used, money = self.segments.get(country, 0), self.money.get(country, 0)
            counted.append(CountedRow(key=self.key, country=country, used=sign * used, money=sign * money))
        return counted


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check with what it is called in notices (`name`) and to a reader (`of`, in the reader's language)."""

    check: CapCheck
    name: str
    of: str
    unit: str = SEGMENTS


def checks_of(rules: CapRules, wanted: Wanted, key: ApiKey | None) -> list[NamedCheck]:
    """One for each cap that it could meet. The one that a reader should hear of first comes first."""
    service, found = rules.service, list[NamedCheck]()
    total, money = wanted.total, sum(wanted.money.values())
    for country, segments in sorted(wanted.segments.items()):
        if (cap := rules.cap_of_country(country)) is not None:
            of = retold(OF_COUNTRY(country=country_name(country)) if country else OF_NO_COUNTRY)
            found.append(NamedCheck(CapCheck(cap, segments, country=country), f"country:{country}", of))
        if key is not None and (cap := rules.of_key.get(country)) is not None:
            check, of = (
                CapCheck(cap, segments, key=key.counted_as, country=country),
                retold(OF_KEY_AND_COUNTRY(key=key, country=country_name(country))),
            )
            found.append(NamedCheck(check, f"key:{key.pk}:{country}", of))
    if key is not None:
        if (cap := rules.cap_of_key(key)) is not None:
            found.append(NamedCheck(CapCheck(cap, total, key=key.counted_as), f"key:{key.pk}", of_key(key)))
        if (most := rules.money_of_key(key)) is not None and service.cap_currency:
            check = CapCheck(int(most * MICROS), money, "money", key=key.counted_as)
            found.append(NamedCheck(check, f"money:key:{key.pk}", of_key(key), service.cap_currency))
    if service.cap_day is not None:
        found.append(NamedCheck(CapCheck(service.cap_day, total), "day", service.name))
    if service.cap_money is not None:
        check = CapCheck(int(service.cap_money * MICROS), money, "money")
        found.append(NamedCheck(check, "money", service.name, service.cap_currency))
    return found


def of_key(key: ApiKey) -> str:
    return retold(OF_KEY(key=key))


def micros_by_country(service: Service, kind: SenderKind | str) -> dict[str, int]:
    """The price of a segment from this kind of sender, where it is in the currency of the caps; nothing while they have none."""
    if not service.cap_currency:
        return {}
    rows = Price.objects.filter(service=service, sender_kind__in={"", kind}, currency=service.cap_currency)
    # "" comes first, so that the kind's own one stays
    return {one.country: int(one.amount * MICROS) for one in rows.order_by("sender_kind")}


def digests_of(service: Service, day: date, numbers: Iterable[str]) -> dict[str, str]:
    """Of each number, what it is counted by: another digest every day, which leads from no day to the next and to no other table."""
    key = service.number_key
    beginning = f"cap {day} ".encode()
    return {
        one: base64.b32encode(hmac.digest(key, beginning + one.encode(), "sha256")[:10]).decode().lower()
        for one in numbers
    }
