"""Erasures: that a person's number was to go, whether it went, and the certificate of it. The number itself is kept only until then."""

from django.db import models
from django.db.models import PROTECT, CheckConstraint, Index, Q
from django.utils.translation import gettext_lazy as _

from sms.models.fields import SecretField
from sms.models.personal import PersonalData


class Erasure(models.Model):
    """One request to erase a number from a service. `digest` is what `sms.values.msisdn.hidden` makes of the number, for good.

    `number` is sealed, and emptied when the erasure is done. `waits_for` says what keeps it from beginning. `certificate` is what was
    looked at and changed, place by place, with a MAC of the audit's key of the service.
    """

    audit_noun = "erasure"

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Under way")
        DONE = "done", _("Erased")

    service = models.ForeignKey("sms.Service", on_delete=PROTECT, related_name="erasures")
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    number = SecretField(blank=True)
    digest = models.CharField(max_length=16)
    reason = models.CharField(max_length=300)
    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField()
    waits_for = models.CharField(max_length=300, blank=True)
    again = models.BooleanField(default=False, help_text="Found once more in a restored backup.")
    done_at = models.DateTimeField(null=True, blank=True)
    certificate = models.JSONField(default=dict)
    mac = models.CharField(max_length=64, blank=True)

    personal = PersonalData(
        service="service",
        numbers="digest",
        texts="reason",
        team="number asked_by",
        neutral="waits_for certificate mac",
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            # used by: every look of retention
            Index(fields=("id",), name="erasure_to_be_done", condition=~Q(state="done")),
            # used by: the page of a person
            Index(fields=("service", "digest"), name="erasure_of_a_number"),
        )
        constraints = (
            CheckConstraint(
                name="erasure_holds_its_number_until_it_is_done",
                condition=(Q(state="done") & Q(number="", done_at__isnull=False))
                | (~Q(state="done") & ~Q(number="") & Q(done_at__isnull=True)),
            ),
        )

    def __str__(self) -> str:
        return f"erasure {self.pk}"
