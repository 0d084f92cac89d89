"""What retention did of each send, what it must not touch, and when it last ran. Written by `sms.compliance.retention` only."""

from datetime import timedelta

from django.db import models
from django.db.models import CASCADE
from django.db.models.functions import Now

from sms.models.columns import set_together
from sms.models.personal import PersonalData

EVERY = timedelta(hours=1)


class SendKeeping(models.Model):
    """How far retention is with one send. A send without a row was never touched.

    `stage` is what is under way in a send of many messages, `place` the id of the last message that is done. Held: nothing of the send
    is deleted, moved or erased until the hold is lifted.
    """

    send = models.OneToOneField("sms.Send", on_delete=CASCADE, primary_key=True, related_name="keeping")
    held_because = models.CharField(max_length=300, blank=True)
    held_by = models.CharField(max_length=254, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    stage = models.CharField(max_length=8, blank=True)
    place = models.BigIntegerField(default=0)
    bodies_gone_at = models.DateTimeField(null=True, blank=True)
    numbers_gone_at = models.DateTimeField(null=True, blank=True)
    receipts_gone_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(
        null=True, blank=True, help_text="When its last message went into an archive."
    )

    personal = PersonalData(service="send__service", texts="held_because", team="held_by", neutral="stage")

    class Meta:
        constraints = (
            set_together("send_is_held_with_a_reason_or_not_at_all", "held_at", "held_because", "held_by"),
        )

    def __str__(self) -> str:
        return f"keeping of send {self.send_id}"


class RetentionClock(models.Model):
    """When retention of a service runs next. `receipts_place`: up to which receipt those without a message are done."""

    service = models.OneToOneField(
        "sms.Service", on_delete=CASCADE, primary_key=True, related_name="retention_clock"
    )
    next_at = models.DateTimeField(db_default=Now())
    receipts_place = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"retention of {self.service_id} at {self.next_at}"


class RetentionRun(models.Model):
    """One run of a service's retention. `counts` is what it removed, by kind; a run that broke off has no end and is gone on with."""

    KEPT = 100  # of a service

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="retention_runs")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)

    personal = PersonalData(neutral="counts")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"retention of {self.service_id} at {self.started_at}"
