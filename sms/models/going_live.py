"""Steps of going live that are done. What the steps are, and how each is checked, is in `portal.going_live`."""

from django.db import models
from django.db.models import CASCADE, UniqueConstraint

from sms.models.personal import PersonalData


class GoingLiveStep(models.Model):
    """One step of a service that is done: its check passed, or a person stated what Textdesk cannot see.

    `holds_for` names what it was checked for; for another address of the provider or of ours it counts no more. Evidence such as receipts
    is deleted in time, so what it proved is kept here.
    """

    audit_noun = "service"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="going_live_steps")
    step = models.CharField(max_length=40)
    holds_for = models.CharField(max_length=600, blank=True)
    done_at = models.DateTimeField()
    done_by = models.CharField(
        max_length=254, blank=True, help_text="The person's address; empty for a check."
    )
    says = models.CharField(max_length=300, blank=True, help_text="What was found, or a note of the person.")

    personal = PersonalData(service="service", texts="says", team="holds_for done_by", neutral="step")

    class Meta:
        ordering = ("service", "step")
        constraints = (
            UniqueConstraint(fields=("service", "step"), name="going_live_step_is_done_once_per_service"),
        )

    def __str__(self) -> str:
        return f"{self.step} of {self.service_id}"
