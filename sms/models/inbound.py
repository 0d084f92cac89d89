"""SMS that people sent to us, as the provider reported them."""

from django.db import models
from django.db.models import CASCADE, SET_NULL, Index, Q

from sms.models.personal import PersonalData


class InboundMessage(models.Model):
    """One incoming SMS, raw and read. `meaning` is what it asks for; `why` is filled where we could not act on it."""

    class Meaning(models.TextChoices):
        STOP = "stop", "Opt out"
        MAYBE = "maybe", "Perhaps a refusal"  # a person decides
        START = "start", "Opt in again"
        HELP = "help", "Help"

    class Why(models.TextChoices):
        UNREADABLE = "unreadable"  # genuine, but no SMS that we can read
        BROKE = "broke"  # acting on it raised an error of ours

    service = models.ForeignKey(
        "sms.Service", on_delete=CASCADE, related_name="inbound_messages", db_index=False
    )
    dedupe = models.BinaryField(
        max_length=16, unique=True, help_text="Digest of service and SMS: delivered twice, it is still one."
    )
    raw = models.BinaryField()
    msisdn = models.CharField("MSISDN", max_length=16, blank=True)
    address = models.CharField(max_length=20, blank=True, help_text="Our number or short code.")
    text = models.TextField(blank=True)
    meaning = models.CharField(max_length=5, choices=Meaning, blank=True)
    sure = models.BooleanField(
        default=True, help_text="False where it says more than the word, so that a person should read it."
    )
    why = models.CharField(max_length=12, choices=Why, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    send = models.ForeignKey("sms.Send", null=True, blank=True, on_delete=SET_NULL, related_name="answers")
    message_id = models.BigIntegerField(default=0, help_text="The one of that send which it answers.")
    received_at = models.DateTimeField()

    personal = PersonalData(
        service="service", numbers="msisdn", texts="text reason", raw="raw", neutral="dedupe address"
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("service", "-id"), name="inbound_of_a_service"),  # used by: opt-outs page
            # used by: search for a number, a person's newest word
            Index(fields=("service", "msisdn", "-id"), name="inbound_of_a_number"),
            # used by: home, opt-outs page
            Index(fields=("service", "id"), name="inbound_to_decide", condition=Q(meaning="maybe")),
        )

    def __str__(self) -> str:
        return f"inbound message {self.pk}"
