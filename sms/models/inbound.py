"""SMS that people sent to us, as the provider reported them."""

from django.db import models
from django.db.models import CASCADE, SET_NULL, Index, Q
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData


class InboundMessage(models.Model):
    """One incoming SMS, raw and read. `meaning` is what it asks for; `why` is filled where we could not act on it."""

    class Meaning(models.TextChoices):
        STOP = "stop", _("Opt out")
        MAYBE = "maybe", _("Perhaps a refusal")  # a person decides
        START = "start", _("Opt in again")
        HELP = "help", _("Help")

    class Why(models.TextChoices):
        UNREADABLE = "unreadable", _("Unreadable")  # genuine, but no SMS that we can read
        BROKE = "broke", _("Broke")  # acting on it raised an error of ours

    service = models.ForeignKey(
        "sms.Service", on_delete=CASCADE, related_name="inbound_messages", db_index=False
    )
    dedupe = models.BinaryField(
        max_length=16, unique=True, help_text="Digest of service and SMS: delivered twice, it is still one."
    )
    raw = models.BinaryField()
    msisdn = models.CharField("MSISDN", max_length=16, blank=True)
    address = models.CharField(max_length=20, blank=True, help_text=_("Our number or short code."))
    text = models.TextField(blank=True)
    meaning = models.CharField(max_length=5, choices=Meaning, blank=True)
    sure = models.BooleanField(
        default=True, help_text=_("False where it says more than the word, so that a person should read it.")
    )
    why = models.CharField(max_length=12, choices=Why, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    send = models.ForeignKey("sms.Send", null=True, blank=True, on_delete=SET_NULL, related_name="answers")
    message_id = models.BigIntegerField(default=0, help_text="The one of that send which it answers.")
    received_at = models.DateTimeField()
    conversation = models.ForeignKey(
        "sms.Conversation",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="inbound_messages",
        db_index=False,
    )
    matched = models.CharField(
        max_length=40, blank=True, help_text="The service's own keyword that it says, as it was written then."
    )
    rule = models.ForeignKey(
        "sms.KeywordRule", null=True, blank=True, on_delete=SET_NULL, related_name="inbound_messages"
    )
    answer_due = models.BooleanField(
        default=False, help_text="The keyword's answer is to be sent; what became of it stands beside."
    )
    not_answered = models.CharField(
        max_length=200, blank=True, help_text="Why the keyword's answer was not sent."
    )

    personal = PersonalData(
        service="service",
        numbers="msisdn",
        texts="text reason not_answered",
        raw="raw",
        neutral="dedupe address matched",
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("service", "id"), name="inbound_of_a_service"),  # used by: opt-outs page
            # used by: search for a number, a person's newest word
            Index(fields=("service", "msisdn", "id"), name="inbound_of_a_number"),
            # used by: the page of a conversation, and the newest of each in the list
            Index(fields=("conversation", "id"), name="inbound_of_a_conversation"),
            # used by: answers of keywords
            Index(fields=("id",), name="inbound_to_answer", condition=Q(answer_due=True)),
            Index(
                fields=("service", "id"), name="inbound_set_aside", condition=~Q(why="")
            ),  # used by: replies page
            # used by: home, opt-outs page, replies page
            Index(fields=("service", "id"), name="inbound_to_decide", condition=Q(meaning="maybe")),
        )

    def __str__(self) -> str:
        return f"inbound message {self.pk}"
