"""What a send costs, by country: the segments of its messages times the prices of its service."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms.models import Price, Sender, Service
from sms.sends.plan.shapes import Cost, Country, Money, Range
from sms.words import number


def by_country(
    service: Service, sender: Sender | None, countries: Mapping[str, tuple[int, int, int]]
) -> tuple[Country, ...]:
    """`countries`: recipients, fewest and most segments of each."""
    prices = _prices(service, sender)
    ordered = sorted(countries.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(_country(country, *one, prices.get(country)) for country, one in ordered)


def _country(country: str, recipients: int, least: int, most: int, price: Price | None) -> Country:
    if price is None:
        return Country(country, recipients, least, most, None, "", None, None)
    return Country(
        country=country,
        recipient_count=recipients,
        least=least,
        most=most,
        price=price.amount,
        currency=price.currency,
        cost_least=price.amount * least,
        cost_most=price.amount * most,
    )


def _prices(service: Service, sender: Sender | None) -> dict[str, Price]:
    """The price of each country for the kind of this sender; that of any kind where there is no own one."""
    kind = sender.kind if sender else ""
    rows = Price.objects.filter(service=service, sender_kind__in={"", kind}).order_by("sender_kind")
    return {row.country: row for row in rows}  # "" comes first, so that the kind's own one stays


def total(countries: Sequence[Country], *, entered: bool) -> Cost:
    least: dict[str, Decimal] = defaultdict(Decimal)
    most: dict[str, Decimal] = defaultdict(Decimal)
    unpriced = 0
    for one in countries:
        if one.cost_least is None or one.cost_most is None:
            unpriced += one.recipient_count
            continue
        least[one.currency] += one.cost_least
        most[one.currency] += one.cost_most
    sums = tuple(Money(currency, least[currency], most[currency]) for currency in sorted(least))
    return Cost(entered, sums, unpriced, _words(countries, entered=entered, unpriced=unpriced))


def _words(countries: Sequence[Country], *, entered: bool, unpriced: int) -> str:
    if not entered:
        return _("No prices are entered for this service, so the cost is not known.")
    if unpriced:
        without = ", ".join(one.country or _("unknown") for one in countries if one.price is None)
        # Translators: countries are codes like GB
        says = ngettext(
            "Without a price: %(countries)s (%(n)s message).",
            "Without a price: %(countries)s (%(n)s messages).",
            unpriced,
        )
        return says % {"countries": without, "n": number(unpriced)}
    return _("At the prices entered, for messages that the provider takes.")


def in_all(countries: Sequence[Country]) -> Range:
    return Range(sum(one.least for one in countries), sum(one.most for one in countries))
