"""Conversations: what one person and one of our senders wrote to each other, and who of the team takes care of it."""

from django.conf import settings
from django.db import models
from django.db.models import CASCADE, SET_NULL, CheckConstraint, Index, Q, UniqueConstraint

from sms.models.columns import set_together
from sms.models.personal import PersonalData


class Conversation(models.Model):
    """All SMS between one number and one of our addresses.

        open ──► assigned        a person of the team takes it, or gives it to another
          └──────┴──► done       and open again with the next SMS that comes in

    `waiting_since` is when the oldest SMS came that nobody answered. `answered` counts answers; a page that shows one answer fewer is
    out of date. The newest SMS is named by its id, in whose order lists are.
    """

    audit_noun = "conversation"

    service = models.ForeignKey(
        "sms.Service", on_delete=CASCADE, related_name="conversations", db_index=False
    )
    msisdn = models.CharField("MSISDN", max_length=16, blank=True)
    address = models.CharField(max_length=20, blank=True, help_text="Our number or short code, without +.")
    last_inbound_id = models.BigIntegerField(default=0)
    last_at = models.DateTimeField(help_text="When the newest SMS came in or the newest answer was made.")
    waiting_since = models.DateTimeField(null=True, blank=True)
    answered = models.PositiveIntegerField(default=0)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="conversations",
        db_index=False,
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=254, blank=True)
    labels = models.ManyToManyField("sms.Label", blank=True, related_name="conversations")

    personal = PersonalData(
        service="service", numbers="msisdn", team="done_by", neutral="address last_inbound_id"
    )

    class Meta:
        ordering = ("-last_inbound_id",)
        indexes = (
            # used by: replies page, all and done
            Index(fields=("service", "-last_inbound_id"), name="conversation_of_a_service"),
            # used by: replies page, open and unassigned; home
            Index(
                fields=("service", "-last_inbound_id"),
                name="conversation_still_open",
                condition=Q(done_at__isnull=True),
            ),
            # used by: replies page, mine; home
            Index(
                fields=("assigned_to", "-last_inbound_id"),
                name="conversation_of_a_person",
                condition=Q(done_at__isnull=True, assigned_to__isnull=False),
            ),
            # used by: replies page and home, for how long the oldest waits
            Index(
                fields=("service", "waiting_since"),
                name="conversation_that_waits",
                condition=Q(waiting_since__isnull=False),
            ),
        )
        constraints = (
            UniqueConstraint(
                fields=("service", "msisdn", "address"),
                condition=~Q(msisdn=""),
                name="conversation_once_per_number_and_address",
            ),
            CheckConstraint(
                name="conversation_that_is_done_does_not_wait",
                condition=Q(done_at__isnull=True) | Q(waiting_since__isnull=True),
            ),
            set_together("conversation_is_done_at_and_by_or_neither", "done_at", "done_by"),
        )

    def __str__(self) -> str:
        return f"conversation {self.pk}"

    @property
    def state(self) -> str:
        if self.done_at is not None:
            return "done"
        return "assigned" if self.assigned_to_id else "open"

    @property
    def told(self) -> list[str]:
        """What a notice about it is called (`sms.notices`): one for all SMS that came since somebody answered, none where none waits."""
        return [f"reply:{self.pk}:{int(self.waiting_since.timestamp())}"] if self.waiting_since else []


class ConversationAnswer(models.Model):
    """One answer of ours: a send of one. `token` is that of the form, so that a form sent twice is one answer."""

    conversation = models.ForeignKey(Conversation, on_delete=CASCADE, related_name="answers")
    send = models.OneToOneField("sms.Send", on_delete=CASCADE, related_name="answering")
    token = models.CharField(max_length=40)
    rule = models.ForeignKey(
        "sms.KeywordRule", null=True, blank=True, on_delete=SET_NULL, related_name="answered_with"
    )
    at = models.DateTimeField()

    personal = PersonalData(service="conversation__service", neutral="token")

    class Meta:
        ordering = ("-id",)
        constraints = (
            UniqueConstraint(fields=("conversation", "token"), name="conversation_takes_each_answer_once"),
        )

    def __str__(self) -> str:
        return f"answer {self.pk}"
