"""Receipts: what Webex Connect reported, raw and append-only, and the list of those still to be applied."""

from django.db import models
from django.db.models import CASCADE, Index, Q

from sms.models.personal import PersonalData


class Receipt(models.Model):
    """One notification as it came. `message_id` was read from our correlation id; 0 where it names none of ours.

    In months on PostgreSQL (`sms.models.sql.receipt_months`), where neither `dedupe` is unique in all of them nor a foreign key leads here.
    """

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="receipts", db_index=False)
    message_id = models.BigIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    dedupe = models.BinaryField(
        max_length=16, unique=True, help_text="Digest of service and body: an exact repeat is one receipt."
    )
    raw = models.BinaryField()
    received_at = models.DateTimeField()
    simulated = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Of a send with a test key: it proves nothing of a provider.",
    )

    personal = PersonalData(service="service", raw="raw", neutral="dedupe")

    class Meta:
        ordering = ("id",)
        indexes = (
            # used by: message page
            Index(fields=("message_id", "id"), name="receipt_of_a_message", condition=Q(message_id__gt=0)),
            # used by: settings, home
            Index(fields=("service", "id"), name="receipt_last_of_a_service"),
        )

    def __str__(self) -> str:
        return f"receipt {self.pk}"


class SimulatedReceipt(models.Model):
    """A receipt that the simulator still owes (`sms.simulator`): it is handed to the inbox at `due_at`, also after a restart."""

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="+", db_index=False)
    raw = models.BinaryField()
    due_at = models.DateTimeField()

    personal = PersonalData(service="service", packed="raw", unpacked=lambda row: bytes(row.raw).decode())

    class Meta:
        ordering = ("due_at", "id")
        indexes = (Index(fields=("due_at", "id"), name="simulated_receipt_by_time"),)  # used by: hand_over

    def __str__(self) -> str:
        return f"simulated receipt {self.pk}"


GIVE_UP = 35  # tries of one that matches nothing: a few within hours, then one a day for a month


class ReceiptInbox(models.Model):
    """A receipt that waits to be applied. Applying deletes the row; what cannot be applied stays with its reason."""

    class Why(models.TextChoices):
        NEW = "new"
        UNKNOWN = "unknown"  # matches no message of ours (yet)
        UNREADABLE = "unreadable"  # authentic but not a receipt we can read
        BROKE = "broke"  # applying it raised an error of ours

    receipt = models.OneToOneField(
        Receipt, on_delete=CASCADE, primary_key=True, related_name="waiting", db_constraint=False
    )
    received_at = models.DateTimeField(help_text="As of the receipt: in which month it is to be found.")
    why = models.CharField(max_length=12, default=Why.NEW)
    reason = models.CharField(max_length=300, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()

    personal = PersonalData(service="receipt__service", texts="reason", neutral="why")

    class Meta:
        ordering = ("receipt",)
        indexes = (Index(fields=("next_at",), name="receipt_inbox_by_time"),)  # used by: fold

    def __str__(self) -> str:
        return f"receipt {self.pk} ({self.why})"

    @property
    def given_up(self) -> bool:
        """Whether only a person's asking will have it tried again."""
        return self.tries > GIVE_UP
