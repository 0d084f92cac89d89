"""Opt-outs: people who refused further messages of a service, held by us."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class OptOut(models.Model):
    """One number that must not be written to. `send` is the one that it answered, if that is known."""

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="opt_outs")
    msisdn = models.CharField("MSISDN", max_length=16)
    source = models.CharField(
        max_length=20, help_text="How we learned of it: inbound, page, api, csv, provider."
    )
    evidence = models.CharField(max_length=300, blank=True)
    send = models.ForeignKey(
        "sms.Send", null=True, blank=True, on_delete=models.SET_NULL, related_name="opt_outs"
    )
    at = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                name="opt_out_in_force_once_per_number",
                fields=("service", "msisdn"),
                condition=Q(lifted_at__isnull=True),
            ),  # used by: arm
        )

    def __str__(self) -> str:
        return f"opt-out {self.pk}"
