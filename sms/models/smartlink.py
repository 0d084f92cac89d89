"""Smartlinks: links that are made in the provider's console and stood for by `{{smartlink_ID}}` in a text."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from sms.models.personal import PersonalData


class Smartlink(models.Model):
    """A smartlink of the service. Unlike a short link it gives no click receipts."""

    audit_noun = "smartlink"

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="smartlinks")
    smartlink_id = models.PositiveBigIntegerField(
        "smartlink id",
        validators=[MinValueValidator(1), MaxValueValidator(2**53)],
        help_text="The link's number in Webex Connect.",
    )
    name = models.CharField(max_length=80)
    validity = models.PositiveIntegerField(
        "valid for",
        default=1440,
        validators=[MinValueValidator(1), MaxValueValidator(525_600)],
        help_text="Minutes after the message. A day has 1,440.",
    )
    active = models.BooleanField(default=True)

    personal = PersonalData(service="service", catalogue=("name",), neutral=("smartlink_id",))

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("service", "smartlink_id"), name="smartlink_id_is_listed_once_per_service"
            ),
            models.UniqueConstraint(fields=("service", "name"), name="smartlink_name_is_unique_per_service"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def token(self) -> str:
        return f"{{{{smartlink_{self.smartlink_id}}}}}"
