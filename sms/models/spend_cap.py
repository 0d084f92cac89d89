"""Spend caps: what a service, a key, a country and a number may get in one day, how much of it is reserved, and who was told.

`sms.catalogue.caps` reads and moves all of it. The numbers of the defaults are explained in decision 31.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import CASCADE, CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.guard import more
from sms.models.personal import PersonalData
from sms.values.often_abused import often_abused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST = 100_000_000  # segments a day: what is more is no cap
# by column: in a day, segments but for one number, which counts messages
DEFAULTS = {"cap_day": 200_000, "cap_key": 20_000, "cap_country": 5_000, "cap_number": 50}


def read_countries(written: str) -> dict[str, int | None]:
    """`GB, FR 20000` → {"GB": None, "FR": 20000}: the countries that are allowed, with a cap of their own where one stands behind.

    Raises ValueError with a sentence.
    """
    import phonenumbers

    found: dict[str, int | None] = {}
    last = ""
    for word in written.replace(",", " ").replace(";", " ").split():
        if word.isascii() and word.isdecimal():
            if not last or found[last] is not None or not 1 <= int(word) <= MOST:
                says = gettext("“%(word)s” does not stand behind a country. Write it like FR 20000.")
                raise ValueError(says % {"word": word[:20]})
            found[last] = int(word)
            continue
        last = word.upper()
        if last not in phonenumbers.SUPPORTED_REGIONS:
            says = gettext("“%(word)s” is not a country. Write its two letters, like GB.")
            raise ValueError(says % {"word": word[:20]})
        found.setdefault(last, None)
    return found


def valid_countries(written: str) -> None:
    try:
        read_countries(written)
    except ValueError as problem:
        raise ValidationError(str(problem)) from None


def _cap(
    name: "StrOrPromise", column: str, says: "StrOrPromise"
) -> "models.PositiveIntegerField[int | None, int | None]":
    return models.PositiveIntegerField(
        name,
        null=True,
        blank=True,
        default=DEFAULTS[column],
        validators=[MinValueValidator(1), MaxValueValidator(MOST)],
        help_text=says,
    )


def money_cap(
    name: "StrOrPromise", says: "StrOrPromise"
) -> "models.DecimalField[Decimal | None, Decimal | None]":
    return models.DecimalField(
        name,
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=says,
    )


def country_list(name: "StrOrPromise", says: "StrOrPromise") -> "models.CharField[str, str]":
    return models.CharField(name, max_length=1500, blank=True, validators=[valid_countries], help_text=says)


PLAIN = _("A day. At the prices entered, in the currency beside it. Empty means no cap.")


class SpendCaps(models.Model):
    """`Service` has these columns. A day is one of the service's time zone, and a message counts on the day that it is due."""

    cap_day = _cap(
        _("the whole service"),
        "cap_day",
        _("Segments a day, of everything that is sent. Empty means no cap."),
    )
    cap_key = _cap(
        _("one API key"),
        "cap_key",
        _("Segments a day, of a key that has no cap of its own. Empty means no cap."),
    )
    cap_country = _cap(
        _("one country abroad"),
        "cap_country",
        _(
            "Segments a day to each country but the default one; a country in the list below may have its own. "
            "Empty means no cap."
        ),
    )
    cap_number = _cap(
        _("one number"), "cap_number", _("Messages a day to the same number. Empty means no cap.")
    )
    cap_money = money_cap(_("money of the whole service"), PLAIN)
    cap_money_key = money_cap(_("money of one API key"), PLAIN)
    cap_currency = models.CharField(
        _("currency"),
        max_length=3,
        blank=True,
        validators=[RegexValidator(r"\A[A-Z]{3}\Z", _("Write its three letters, like EUR."))],
        help_text=_(
            "Of the caps in money, like EUR. What has a price in another one, or none, counts in segments only."
        ),
    )
    countries = country_list(
        _("countries that may be written to"),
        _(
            "Two letters each, like GB, FR 20000: a number behind a country is its own cap. "
            "Empty means every country but those where texts are abused most."
        ),
    )

    class Meta:
        abstract = True
        constraints = (
            CheckConstraint(
                name="service_caps_are_positive_or_unlimited",
                condition=(Q(cap_day__isnull=True) | Q(cap_day__gte=1))
                & (Q(cap_key__isnull=True) | Q(cap_key__gte=1))
                & (Q(cap_country__isnull=True) | Q(cap_country__gte=1))
                & (Q(cap_number__isnull=True) | Q(cap_number__gte=1)),
            ),
            CheckConstraint(
                name="service_caps_in_money_have_a_currency",
                condition=Q(cap_money__isnull=True, cap_money_key__isnull=True) | ~Q(cap_currency=""),
            ),
        )


def opens_countries(stored: Mapping[str, Any], before: str, after: str) -> bool:
    """Whether an API key may write to a country that it might not, or more to one. An empty list is every country of its service."""
    old, new = read_countries(before), read_countries(after)
    if not old or not new:
        return bool(old)
    return bool(new.keys() - old.keys()) or any(more(stored, old[one], cap) for one, cap in new.items())


def _opens(stored: Mapping[str, Any], before: str, after: str) -> bool:
    """Whether a country is allowed that was not, or gets a higher cap of its own. An empty list is every country but the abused ones."""
    old, new, usual = read_countries(before), read_countries(after), stored["cap_country"]
    if not new:
        return bool(old)
    if any(more(stored, old[one] or usual, cap or usual) for one, cap in new.items() if one in old):
        return True
    added = new.keys() - old.keys()
    if old:
        return bool(added)
    return bool(added & often_abused()) or any(more(stored, usual, cap) for cap in new.values() if cap)


# by column: whether a change lets more through. What counts in money is another thing in another currency.
RAISED = {
    **dict.fromkeys((*DEFAULTS, "cap_money", "cap_money_key"), more),
    "cap_currency": lambda _stored, before, after: bool(before and before != after),
    "countries": _opens,
}


class SpendCount(models.Model):
    """What is reserved on one day. Of segments and money a row for each key and country (`number` empty, `key` 0 for people), so that
    two keys never wait for each other; of messages a row for each number, as a keyed hash, and for each minute of a key that has a cap
    of the minute (`sms.catalogue.caps.minutes`). Never negative: `models.sql.spend_counts`
    sees to that, because a CHECK would refuse the row by which something is given back.
    """

    KEPT = 2  # days after their own

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="spend", db_index=False)
    day = models.DateField()
    number = models.CharField(
        max_length=16, blank=True, help_text="Keyed hash, another one each day; or a minute, behind ~."
    )
    key = models.BigIntegerField(
        default=0, help_text="The API key's `counted_as`; 0 for people and commands."
    )
    country = models.CharField(max_length=2, blank=True)
    used = models.BigIntegerField(default=0)
    money = models.BigIntegerField(default=0, help_text="In millionths of the service's currency.")

    personal = PersonalData(service="service", neutral="number key country used money")

    class Meta:
        constraints = (
            UniqueConstraint(
                fields=("service", "day", "number", "key", "country"), name="spend_is_counted_in_one_row"
            ),
        )
        indexes = (Index(fields=("day",), name="spend_by_day"),)  # used by: the job that deletes them

    def __str__(self) -> str:
        return f"{self.day}: {self.used}"


class CapNotice(models.Model):
    """That a cap came near or was reached, once a day: who writes the row tells the admins."""

    KEPT = 30  # days

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="cap_notices", db_index=False)
    day = models.DateField()
    cap = models.CharField(max_length=40, help_text="Which: day, money, key:7, country:FR, …")
    reached = models.BooleanField(default=False)
    made_at = models.DateTimeField(auto_now_add=True)

    personal = PersonalData(service="service", neutral="cap")

    class Meta:
        constraints = (
            UniqueConstraint(fields=("service", "day", "cap", "reached"), name="cap_notice_is_given_once"),
        )
        indexes = (Index(fields=("day",), name="cap_notice_by_day"),)  # used by: the job that deletes them

    def __str__(self) -> str:
        return f"{self.day}: {self.cap}"
