"""Prices of a service as a CSV, in and out: country, sender kind, price, currency. Called by the prices page.

`read` finds every mistake with its row, `replace` puts a whole list in the place of the one before.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

import phonenumbers
from django.db import transaction
from django.utils.translation import gettext as _

from sms.models import Actor, Price, SenderKind, Service
from sms.models.audit import audit
from sms.values.country_names import country_here
from sms.values.csv import MARK, csv_line
from sms.values.text import line_breaks
from sms.words import number

HEADINGS = ("country", "sender kind", "price", "currency")
MOST_ROWS = 2_000
SHOWN_MISTAKES = 50
_ANY = {"", "any", "*"}
_KINDS = {kind.value.replace("_", " "): kind.value for kind in SenderKind}
_PRICE = re.compile(r"\d{1,6}(?:\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price as written: `sender_kind` is a SenderKind, or empty for any."""

    country: str
    sender_kind: str
    amount: Decimal
    currency: str


class BadPrices(ValueError):
    """The list cannot be used; `mistakes` are sentences that name the row, the first fifty."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(" ".join(mistakes[:3]))
        self.mistakes = tuple(mistakes[:SHOWN_MISTAKES])


def read(written: str) -> list[PriceRow]:
    """Prices from a CSV with a line of headings, separated by comma, semicolon or tab; empty for no price at all.

    Raises `BadPrices` with every mistake.
    """
    lines = line_breaks(written.removeprefix(MARK))
    if not lines.strip():
        return []
    first = lines.lstrip("\n").split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        table = list(csv.reader(io.StringIO(lines), delimiter=separator, strict=True))
    except csv.Error as problem:
        raise BadPrices([_("This is not read as a CSV: %(problem)s.") % {"problem": problem}]) from None
    start = next(index for index, cells in enumerate(table) if any(cells))
    names = _names(table[start])
    if len(table) > MOST_ROWS:
        says = _("There are %(rows)s rows; %(most)s are the most.")
        raise BadPrices([says % {"rows": number(len(table)), "most": number(MOST_ROWS)}])
    mistakes: list[str] = []
    found: dict[tuple[str, str], tuple[int, PriceRow]] = {}
    for line, cells in enumerate(table[start + 1 :], start=start + 2):
        if not any(cell.strip() for cell in cells):
            continue
        if separator == "," and len(cells) > len(table[start]):
            says = _("Row %(row)s: there are more cells than headings. Write prices like 0.045.")
            mistakes.append(says % {"row": line})
            continue
        filled = dict(zip(names, map(str.strip, cells), strict=False))
        row = _row(line, dict.fromkeys(HEADINGS, "") | filled, mistakes)
        if row is None:
            continue
        key = (row.country, row.sender_kind)
        if key in found:
            says = _(
                "Row %(row)s: %(country)s (%(code)s) with this kind of sender is in row %(other)s already."
            )
            country = country_here(row.country)
            facts = {"row": line, "country": country, "code": row.country, "other": found[key][0]}
            mistakes.append(says % facts)
        found[key] = line, row
    if mistakes:
        raise BadPrices(mistakes)
    return [row for unused, row in found.values()]


def _names(headings: Sequence[str]) -> list[str]:
    names = [re.sub(r"[\s_-]+", " ", one).strip().lower() for one in headings]
    if not {"country", "price", "currency"} <= set(names):
        raise BadPrices([_("Row 1: the first line must be: country,sender kind,price,currency.")])
    return names


def _row(line: int, cells: dict[str, str], mistakes: list[str]) -> PriceRow | None:
    before = len(mistakes)
    country, currency = cells["country"].upper(), cells["currency"].upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        says = _("Row %(row)s, country: “%(written)s” is not a country. Write its two letters, like GB.")
        mistakes.append(says % {"row": line, "written": cells["country"][:20]})
    wanted = re.sub(r"[\s_-]+", " ", cells["sender kind"]).lower()
    if wanted not in _ANY and wanted not in _KINDS:
        says = _(
            "Row %(row)s, sender kind: “%(written)s” is none. Write %(kinds)s, or leave it empty for any."
        )
        facts = {"row": line, "written": cells["sender kind"][:20], "kinds": ", ".join(_KINDS)}
        mistakes.append(says % facts)
    if not _PRICE.fullmatch(cells["price"]):
        says = _(
            "Row %(row)s, price: “%(written)s” is not a price. Write it with a point and at most six decimals, like 0.045."
        )
        mistakes.append(says % {"row": line, "written": cells["price"][:20]})
    if not re.fullmatch("[A-Z]{3}", currency):
        says = _("Row %(row)s, currency: “%(written)s” is not a currency. Write its three letters, like EUR.")
        mistakes.append(says % {"row": line, "written": cells["currency"][:20]})
    if len(mistakes) > before:
        return None
    return PriceRow(country, _KINDS.get(wanted, ""), Decimal(cells["price"]), currency)


def replace(service: Service, rows: Sequence[PriceRow], *, by: Actor) -> None:
    """Make these the prices of the service, instead of all there were."""
    with transaction.atomic():
        Service.objects.select_for_update(no_key=True).get(pk=service.pk)  # two savers in turn
        before, _kinds = Price.objects.filter(service=service).delete()
        Price.objects.bulk_create(Price(service=service, **asdict(row)) for row in rows)
        audit("prices.replaced", service, by=by, before=before, now=len(rows))


def as_csv(service: Service) -> str:
    rows = list(service.prices.all())
    if not rows:
        return ""
    cells = [
        (one.country, one.sender_kind.replace("_", " "), plain(one.amount), one.currency) for one in rows
    ]
    return "".join(csv_line(*line) for line in [HEADINGS, *cells]).replace("\r\n", "\n")


def plain(amount: Decimal) -> str:
    """As people write it: 0.045, not 0.045000 or 4.5E-2."""
    written = f"{amount:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
