"""Senders: the numbers and names that messages come from."""

import re
from typing import TYPE_CHECKING

import phonenumbers
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CASCADE, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData
from sms.webex.addresses import bare_sender, is_plain_name, name_problem

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class SenderKind(models.TextChoices):
    LONG_CODE = "long_code", _("Long code")
    SHORT_CODE = "short_code", _("Short code")
    ALPHANUMERIC = "alphanumeric", _("Alphanumeric")


class Registration(models.TextChoices):
    """What American and Canadian networks want a long code to be registered as."""

    NONE = "", _("Not registered")
    TEN_DLC = "10dlc", _("10DLC campaign (US)")
    TOLL_FREE = "toll_free", _("Verified toll-free number (US and Canada)")


_CODES = {
    SenderKind.LONG_CODE: (r"[1-9][0-9]{7,14}", _("A long code is 8 to 15 digits with the country code.")),
    SenderKind.SHORT_CODE: (r"[0-9]{3,8}", _("A short code is 3 to 8 digits.")),
}


class Sender(models.Model):
    """A sender ID that is provisioned for the service; `address` is written as the wire's `from` wants it (no +)."""

    audit_noun = "sender"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="senders")
    address = models.CharField(max_length=16)
    kind = models.CharField(max_length=12, choices=SenderKind)
    is_default = models.BooleanField(_("default"), default=False)
    active = models.BooleanField(default=True)
    countries = models.CharField(
        max_length=1000,
        blank=True,
        help_text=_("Countries it may reach, like GB, IE. Empty means any, as far as networks take it."),
    )
    registration = models.CharField(
        max_length=10,
        blank=True,
        choices=Registration,
        default=Registration.NONE,
        help_text=_("Of a long code that writes to the United States or Canada."),
    )
    note = models.CharField(max_length=300, blank=True, help_text=_("For your team."))

    personal = PersonalData(service="service", texts="note", catalogue="address", neutral="countries")

    class Meta:
        ordering = ("-is_default", "address")
        constraints = (
            UniqueConstraint(fields=("service", "address"), name="sender_is_listed_once_per_service"),
            UniqueConstraint(
                fields=("service",),
                condition=Q(is_default=True),
                name="service_has_at_most_one_default_sender",
            ),
        )

    def __str__(self) -> str:
        return self.address

    @property
    def caution(self) -> str:
        """What may become of its messages although the provider takes it; empty for nothing."""
        if self.kind != SenderKind.ALPHANUMERIC or is_plain_name(self.address):
            return ""
        return gettext(
            "Some networks replace or refuse a name like %(name)s that is not 3 to 11 letters, digits and spaces. "
            "Webex Connect decides whether it is yours: a message fails with 7101 if it is not. Send a test first."
        ) % {"name": self}

    def _renamed(self) -> str:
        """Why it keeps its address, as a sentence: what was sent from it would show another one."""
        stored = (
            type(self).objects.filter(pk=self.pk).exclude(address=self.address).first() if self.pk else None
        )
        if stored is None or not stored.sends.exists():
            return ""
        if not self.address:
            return gettext(
                "Messages went out from %(old)s, so it keeps its address. Add the new one as a sender of its own, and archive %(old)s."
            ) % {"old": stored}
        return gettext(
            "Messages went out from %(old)s, so it keeps its address. Add %(new)s as a sender of its own, and archive %(old)s."
        ) % {"old": stored, "new": self.address}

    @property
    def reaches(self) -> frozenset[str]:
        """ISO codes of the countries it is limited to; empty for no limit."""
        return frozenset(code for code in self.countries.split(", ") if code)

    def clean(self) -> None:
        """The address must have the shape of its kind; countries are read and written the one way."""
        wrong: dict[str, StrOrPromise] = {}
        self.address = bare_sender(self.address)
        if problem := self._renamed():
            wrong["address"] = problem
        if not self.address:
            pass  # its field has said what is wrong
        elif self.kind == SenderKind.ALPHANUMERIC:
            if problem := name_problem(self.address):
                wrong["address"] = problem
        elif self.kind in _CODES:
            shape, shaped = _CODES[SenderKind(self.kind)]
            if not re.fullmatch(shape, self.address):
                wrong["address"] = shaped
        codes = [code.upper() for code in re.split(r"[\s,;]+", self.countries) if code]
        unknown = [code for code in codes if code not in phonenumbers.SUPPORTED_REGIONS]
        if unknown:
            says = gettext("“%(word)s” is not a country. Write two letters each, with commas, like GB, IE.")
            wrong["countries"] = says % {"word": unknown[0][:20]}
        self.countries = ", ".join(dict.fromkeys(codes))
        if self.registration and self.kind != SenderKind.LONG_CODE:
            wrong["registration"] = gettext(
                "Only a long code is registered like this. Choose “Not registered”."
            )
        if self.is_default and not self.active:
            wrong["is_default"] = gettext(
                "An archived sender cannot be the default. Make another one the default first."
            )
        if wrong:
            raise ValidationError(wrong)
