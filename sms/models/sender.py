"""Senders: the numbers and names that messages come from."""

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CASCADE, Q, UniqueConstraint

from sms.models.personal import PersonalData
from sms.webex.addresses import bare_sender, is_plain_name, name_problem


class SenderKind(models.TextChoices):
    LONG_CODE = "long_code", "Long code"
    SHORT_CODE = "short_code", "Short code"
    ALPHANUMERIC = "alphanumeric", "Alphanumeric"


class Registration(models.TextChoices):
    """What American and Canadian networks want a long code to be registered as."""

    NONE = "", "Not registered"
    TEN_DLC = "10dlc", "10DLC campaign (US)"
    TOLL_FREE = "toll_free", "Verified toll-free number (US and Canada)"


_CODES = {
    SenderKind.LONG_CODE: (r"[1-9][0-9]{7,14}", "A long code is 8 to 15 digits with the country code."),
    SenderKind.SHORT_CODE: (r"[0-9]{3,8}", "A short code is 3 to 8 digits."),
}


class Sender(models.Model):
    """A sender ID that is provisioned for the service; `address` is written as the wire's `from` wants it (no +)."""

    audit_noun = "sender"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="senders")
    address = models.CharField(max_length=16)
    kind = models.CharField(max_length=12, choices=SenderKind)
    is_default = models.BooleanField("default", default=False)
    active = models.BooleanField(default=True)
    countries = models.CharField(
        max_length=1000,
        blank=True,
        help_text="Countries it may reach, like GB, IE. Empty means any, as far as networks take it.",
    )
    registration = models.CharField(
        max_length=10,
        blank=True,
        choices=Registration,
        default=Registration.NONE,
        help_text="Of a long code that writes to the United States or Canada.",
    )
    note = models.CharField(max_length=300, blank=True, help_text="For your team.")

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
        return (
            f"Some networks replace or refuse a name like {self} that is not 3 to 11 letters, digits and spaces. "
            "Webex Connect decides whether it is yours: a message fails with 7101 if it is not. Send a test first."
        )

    def _renamed(self) -> str:
        """Why it keeps its address, as a sentence: what was sent from it would show another one."""
        stored = (
            type(self).objects.filter(pk=self.pk).exclude(address=self.address).first() if self.pk else None
        )
        if stored is None or not stored.sends.exists():
            return ""
        return (
            f"Messages went out from {stored}, so it keeps its address. Add {self.address or 'the new one'} as a sender of its own, "
            f"and archive {stored}."
        )

    @property
    def reaches(self) -> frozenset[str]:
        """ISO codes of the countries it is limited to; empty for no limit."""
        return frozenset(code for code in self.countries.split(", ") if code)

    def clean(self) -> None:
        """The address must have the shape of its kind; countries are read and written the one way."""
        wrong: dict[str, str] = {}
        self.address = bare_sender(self.address)
        if problem := self._renamed():
            wrong["address"] = problem
        if not self.address:
            pass  # its field has said what is wrong
        elif self.kind == SenderKind.ALPHANUMERIC:
            if problem := name_problem(self.address):
                wrong["address"] = problem
        elif self.kind in _CODES:
            shape, says = _CODES[SenderKind(self.kind)]
            if not re.fullmatch(shape, self.address):
                wrong["address"] = says
        codes = [code.upper() for code in re.split(r"[\s,;]+", self.countries) if code]
        unknown = [code for code in codes if code not in phonenumbers.SUPPORTED_REGIONS]
        if unknown:
            says = f"“{unknown[0][:20]}” is not a country. Write two letters each, with commas, like GB, IE."
            wrong["countries"] = says
        self.countries = ", ".join(dict.fromkeys(codes))
        if self.registration and self.kind != SenderKind.LONG_CODE:
            wrong["registration"] = "Only a long code is registered like this. Choose “Not registered”."
        if self.is_default and not self.active:
            says = "An archived sender cannot be the default. Make another one the default first."
            wrong["is_default"] = says
        if wrong:
            raise ValidationError(wrong)
