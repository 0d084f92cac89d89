"""Senders: the numbers and names that messages come from."""

import re

from django.core.exceptions import ValidationError
from django.db import models


class SenderKind(models.TextChoices):
    """The three kinds the provider knows."""

    LONG_CODE = "long_code", "Long code"
    SHORT_CODE = "short_code", "Short code"
    ALPHANUMERIC = "alphanumeric", "Alphanumeric"


_SHAPES = {
    SenderKind.LONG_CODE: (
        r"[1-9]\d{7,14}",
        "A long code is 8 to 15 digits with the country code and without +.",
    ),
    SenderKind.SHORT_CODE: (r"\d{3,8}", "A short code is 3 to 8 digits."),
    SenderKind.ALPHANUMERIC: (
        r"(?=.*[A-Za-z])[A-Za-z0-9 ]{3,11}",
        "An alphanumeric sender is 3 to 11 letters, digits and spaces, with at least one letter.",
    ),
}


class Sender(models.Model):
    """A sender ID that is provisioned for the service; `address` is written as the wire's `from` wants it (no +)."""

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="senders")
    address = models.CharField(max_length=15)
    kind = models.CharField(max_length=12, choices=SenderKind)
    is_default = models.BooleanField("default", default=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ("-is_default", "address")
        constraints = (
            models.UniqueConstraint(fields=("service", "address"), name="sender_is_listed_once_per_service"),
            models.UniqueConstraint(
                fields=("service",),
                condition=models.Q(is_default=True),
                name="service_has_at_most_one_default_sender",
            ),
        )

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        """The address must have the shape of its kind."""
        shape = _SHAPES.get(SenderKind(self.kind)) if self.kind in SenderKind.values else None
        if shape and not re.fullmatch(shape[0], self.address):
            raise ValidationError({"address": shape[1]})
