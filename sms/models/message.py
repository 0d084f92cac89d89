"""One SMS to one MSISDN."""

from django.db import models
from django.db.models import CASCADE, CheckConstraint, Index, Q
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData
from sms.models.send_state import UNFINISHED


class MessageState(models.TextChoices):
    """Where a message stands. Its state is the highest of everything known about it (`sms.ledger.state_machine.RANK`):

        pending → posting → unconfirmed → queued → submitted → no report → failed → delivered
           │         └── certainly not taken: back to pending (the only way down)
           └── cancelled · expired, reachable only while nothing was posted

    `delivered` beats `failed`: the handset's proof outranks an operator's guess.
    """

    PENDING = "pending", _("Waiting")  # committed here; not yet given to the provider
    POSTING = "posting", _("Sending")  # armed: bytes may have left
    # the connection broke: it may have been sent; never sent again by itself
    UNCONFIRMED = "unconfirmed", _("Not confirmed")
    QUEUED = "queued", _("Accepted")  # the provider has it
    SUBMITTED = "submitted", _("Submitted")  # with the operator
    # posted three days ago, and no receipt said how it ended; one still may
    NO_REPORT = "no_report", _("No report")
    FAILED = "failed", _("Failed")  # a final no, with its code
    DELIVERED = "delivered", _("Delivered")  # the handset has it
    CANCELLED = "cancelled", _("Cancelled")  # stopped by a person in time
    EXPIRED = "expired", _("Expired")  # its own deadline passed before we posted it


UNSENT = (MessageState.PENDING, MessageState.POSTING, MessageState.UNCONFIRMED)  # may still be posted
OPEN = (*UNSENT, MessageState.QUEUED, MessageState.SUBMITTED)  # may still change
NOT_POSTED = frozenset({MessageState.PENDING, MessageState.CANCELLED, MessageState.EXPIRED})
ENDED = (
    *(state for state in MessageState if state not in OPEN),
)  # nothing more is expected, though more may be heard
FINAL = frozenset({MessageState.FAILED, MessageState.DELIVERED, MessageState.CANCELLED, MessageState.EXPIRED})

# codes of failures that nothing proves: an unconfirmed message that a person gave up, or that nothing was heard of for too long
GIVEN_UP, NO_PROOF = "given_up", "no_proof"
PRESUMED = frozenset({GIVEN_UP, NO_PROOF})


class Message(models.Model):
    """One SMS. `text` is what we asked the provider to send (substituted by us), empty when a provider template makes it.

    No index and no partial-index predicate names `state`, and half of each page is left free (docs/decisions/0010): on PostgreSQL that
    keeps state changes HOT, which made folding receipts four times and claiming work a hundred times faster when measured.
    """

    send = models.ForeignKey("sms.Send", on_delete=CASCADE, related_name="messages", db_index=False)
    msisdn = models.CharField("MSISDN", max_length=16)
    country = models.CharField(
        max_length=2, blank=True, help_text="ISO 3166 code of the number's plan; stays when the number goes."
    )
    row = models.PositiveIntegerField(help_text=_("Row of the audience it came from."))
    text = models.TextField(blank=True)
    substitutions = models.JSONField(default=dict, blank=True)
    zone = models.CharField(
        max_length=40, blank=True, help_text="IANA time zone from the audience, if it had one."
    )
    segments = models.PositiveSmallIntegerField(
        default=0, help_text=_("By our count; 0 where the provider makes the text.")
    )
    state = models.CharField(max_length=12, default=MessageState.PENDING)
    attempt = models.PositiveIntegerField(
        default=0,
        help_text=_(
            "POSTs that may have reached the provider; after a restore it goes on from a large number."
        ),
    )
    resent = models.PositiveSmallIntegerField(
        default=0, help_text="Times that a policy sent it again although it may have been sent."
    )
    code = models.CharField(
        max_length=10, blank=True, help_text=_("The provider's last code about this message.")
    )
    detail = models.CharField(max_length=200, blank=True)
    provider_id = models.CharField(max_length=64, blank=True)
    carrier = models.CharField(max_length=20, blank=True)
    segments_billed = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="As the provider reported."
    )
    posted_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    final_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(
        service="send__service",
        numbers="msisdn",
        texts="text substitutions detail",
        neutral="zone state code provider_id carrier",
        fixed="text substitutions",
        fixed_while=Q(send__state__in=UNFINISHED) & (Q(state__in=UNSENT) | Q(send__approvers__gt=0)),
    )

    class Meta:
        ordering = ("id",)
        indexes = (
            Index(fields=("send", "id"), name="message_of_a_send"),  # used by: dispatch, send page
            Index(fields=("msisdn", "id"), name="message_to_a_number"),  # used by: message search
            # used by: message search, receipts without our correlation id
            Index(fields=("provider_id",), name="message_by_provider_id", condition=~Q(provider_id="")),
        )
        constraints = (
            CheckConstraint(
                name="message_that_was_posted_has_an_attempt",
                condition=Q(posted_at__isnull=True) | Q(attempt__gte=1),
            ),
        )

    def __str__(self) -> str:
        return f"message {self.pk}"

    @property
    def partner_correlation_id(self) -> str:
        """What it is called by those who asked for it; select `echo` with it."""
        echo = getattr(self, "echo", None)
        return echo.correlation_id if echo else ""

    @property
    def partner_reference(self) -> str:
        """What its recipient is called by those who asked for it; select `echo` with it."""
        echo = getattr(self, "echo", None)
        return echo.reference if echo else ""
