"""What a segment costs, by destination country, as the team's contract says."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import CASCADE, CheckConstraint, Q, UniqueConstraint

from sms.models.sender import SenderKind


class Price(models.Model):
    """Price of one segment to a country (ISO 3166), of one kind of sender or, where `sender_kind` is empty, of any other."""

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="prices")
    country = models.CharField(max_length=2)
    sender_kind = models.CharField(max_length=12, blank=True, choices=SenderKind)
    amount = models.DecimalField(max_digits=12, decimal_places=6, validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, help_text="ISO 4217, like EUR.")

    class Meta:
        ordering = ("country", "sender_kind")
        constraints = (
            UniqueConstraint(
                fields=("service", "country", "sender_kind"), name="price_is_listed_once_per_country_and_kind"
            ),
            CheckConstraint(name="price_is_not_negative", condition=Q(amount__gte=0)),
        )

    def __str__(self) -> str:
        return f"{self.country} {self.amount} {self.currency}"
