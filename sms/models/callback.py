"""Callbacks: partners' endpoints, what each send asked for, and the outbox of events.

An outbox row is written in the transaction of the change it reports (`sms.callbacks.outbox`), and delivered by `sms.callbacks`.
"""

import base64
import secrets
from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import CASCADE, CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from sms.models.columns import made_by_key, set_together
from sms.models.fields import SecretField
from sms.models.lease import Leased, LeaseQuerySet
from sms.models.personal import PersonalData
from sms.webex.limits import LONGEST_URL

PREFIX = "whsec_"
MOST_IN_A_BATCH = 100
LONGEST_CORRELATION_ID = LONGEST_REFERENCE = 200  # of a partner


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it: whsec_ and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


class CallbackEndpoint(Leased):
    """One receiver, with its secrets and how it is doing; the row is also the lease and the breaker of its outbox.

    Of kind `events` a person or a key made it: `url` is the whole address, and it gets our events. Of kind `notify` it stands for the
    host of notifyUrls that came with sends (`url` is only its origin): it gets receipts in the provider's shape, each at its own address.
    """

    audit_noun = "callback_endpoint"

    class Kind(models.TextChoices):
        EVENTS = "events", _("Events of this service")
        NOTIFY = "notify", _("notifyUrl of API sends")

    service = models.ForeignKey(
        "sms.Service", on_delete=CASCADE, related_name="callback_endpoints", db_index=False
    )
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.EVENTS)
    name = models.CharField(max_length=80)
    url = models.CharField("address", max_length=LONGEST_URL)
    events = models.JSONField(default=list, blank=True, help_text="Which events it gets; empty means all.")
    full_numbers = models.BooleanField(
        "with whole numbers", default=False, help_text="Off: numbers are masked in events."
    )
    texts = models.BooleanField(
        "with texts of replies", default=False, help_text="Off: what people wrote is left out of events."
    )
    all_keys = models.BooleanField(
        "events of everyone's sends",
        default=True,
        help_text="Off: it gets events of the sends of `keys` only.",
    )
    keys = models.JSONField(
        default=list, blank=True, help_text="Identities of the API keys whose sends' events it gets."
    )
    senders = models.JSONField(
        default=list, blank=True, help_text="Ids of senders whose sends' events it gets; empty means all."
    )
    labels = models.JSONField(
        default=list, blank=True, help_text="Labels whose sends' events it gets; empty means all."
    )
    batch_size = models.PositiveSmallIntegerField(
        "events in one POST",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_IN_A_BATCH)],
        help_text="More than one: several are signed and posted together, as many as wait.",
    )
    secret = SecretField(default=new_secret, editable=False)
    secret_before = SecretField(blank=True, editable=False)
    secret_before_until = models.DateTimeField(null=True, blank=True, editable=False)
    secret_shown = models.BooleanField(
        default=True, editable=False, help_text="Off: it was never shown, so no one checks with it."
    )
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    moved_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Its address was changed, and the new one is not verified yet: events wait.",
    )
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_because = models.CharField(max_length=300, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="Failed tries in a row.")
    given_up = models.PositiveIntegerField(
        default=0, editable=False, help_text="Callbacks in a row for which every try failed."
    )
    width = models.PositiveSmallIntegerField(
        default=4, editable=False, help_text="How many POSTs go to it at once; it grows with what it takes."
    )
    open_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The breaker: nothing is tried before."
    )
    last_ok_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=254, blank=True, editable=False)
    key_owner = made_by_key()  # `owner` has the lease

    objects = LeaseQuerySet["CallbackEndpoint"].as_manager()

    personal = PersonalData(
        service="service",
        texts="name disabled_because",
        team="url secret secret_before created_by",
        neutral="events owner key_owner keys senders labels",
    )

    class Meta:
        ordering = ("name", "id")
        constraints = (
            UniqueConstraint(
                fields=("service", "kind", "url"),
                condition=Q(key_owner__isnull=True),
                name="callback_endpoint_is_there_once_in_a_service",
            ),
            UniqueConstraint(
                fields=("service", "kind", "url", "key_owner"),
                condition=Q(key_owner__isnull=False),
                name="callback_endpoint_is_there_once_for_a_key",
            ),
            set_together(
                "callback_endpoint_is_disabled_with_a_reason_or_not_at_all", "disabled_at", "disabled_because"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def takes(self) -> bool:
        """Whether callbacks are delivered to it at present, the breaker aside."""
        return self.verified_at is not None and self.paused_at is None and self.disabled_at is None

    def secrets_at(self, now: datetime, until: datetime | None) -> tuple[str, ...]:
        """What is signed with: the newest first, the previous one until the end of its hand-over."""
        before = self.secret_before if until is not None and until > now else ""
        return (self.secret, before) if before else (self.secret,)


class Notify(models.Model):
    """Receipts of a send are passed on: `Send` says where to, which of them, and what to say with them."""

    send = models.OneToOneField("sms.Send", on_delete=CASCADE, primary_key=True, related_name="notify")
    endpoint = models.ForeignKey(CallbackEndpoint, on_delete=CASCADE, related_name="+", db_index=False)

    personal = PersonalData(service="send__service")

    def __str__(self) -> str:
        return f"notifyUrl of send {self.send_id}"


class Echo(models.Model):
    """What those who asked for a message call it: their correlation id, their reference of the recipient, and in `/v2/messages` the number
    as they wrote it.

    `service` stands here too, so that looking a name up never walks over those of other services.
    """

    service = models.ForeignKey(
        "sms.Service", on_delete=CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    message = models.OneToOneField("sms.Message", on_delete=CASCADE, primary_key=True, related_name="echo")
    correlation_id = models.CharField(max_length=LONGEST_CORRELATION_ID, blank=True)
    reference = models.CharField(max_length=LONGEST_REFERENCE, blank=True)
    destination = models.CharField(max_length=40, blank=True)

    personal = PersonalData(service="service", numbers="destination", texts="correlation_id reference")

    class Meta:
        indexes = (
            # used by: the API's lists of messages and sends, message search
            Index(
                fields=("service", "correlation_id", "message"),
                name="echo_by_correlation_id",
                condition=~Q(correlation_id=""),
            ),
            Index(
                fields=("service", "reference", "message"),
                name="echo_by_reference",
                condition=~Q(reference=""),
            ),  # used by: the same
        )

    def __str__(self) -> str:
        return f"echo of message {self.message_id}"


class Callback(models.Model):
    """One event for one receiver. `event_id` names the event for ever, also in retries and replays: receivers drop repeats by it.

    `next_at` is set while it waits. `since` is when its present three days of tries began: with its first try. `url` is empty for an
    endpoint's own. `priority` goes before time: what waits for hours behind a campaign is worth nothing to a person who logs in.
    """

    class Priority(models.IntegerChoices):
        URGENT = 0, _("Of an urgent send")
        USUAL = 1, _("Usual")
        REPLAY = 2, _("Delivered again")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        GIVEN_UP = "given_up", _("Given up")

    KEPT_TRIES = 20

    endpoint = models.ForeignKey(
        CallbackEndpoint, on_delete=CASCADE, related_name="callbacks", db_index=False
    )
    event_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=24)
    message_id = models.BigIntegerField(default=0)
    url = models.CharField(max_length=LONGEST_URL, blank=True)
    body = models.TextField(
        blank=True, help_text="Of a receipt. Events are written out when they are posted."
    )
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    created_at = models.DateTimeField()
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.USUAL)
    since = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    last_status = models.PositiveSmallIntegerField(default=0, help_text="0 where no reply came.")
    last_error = models.CharField(max_length=200, blank=True)
    log = models.JSONField(
        default=list, help_text="The latest tries: when, status, milliseconds, error, reply."
    )

    personal = PersonalData(
        service="endpoint__service", texts="body last_error log url", neutral="event_id kind"
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(
                fields=("endpoint", "priority", "next_at", "id"),
                name="callback_waiting_in_line",
                condition=Q(next_at__isnull=False),
            ),  # used by: delivery
            Index(fields=("endpoint", "id"), name="callback_of_an_endpoint"),  # used by: log
            Index(fields=("created_at",), name="callback_by_age"),  # used by: log, replay, retention
        )
        constraints = (
            UniqueConstraint(
                fields=("endpoint", "event_id"), name="callback_tells_an_event_once_to_a_receiver"
            ),
            CheckConstraint(
                name="callback_waits_for_a_time_or_is_done",
                condition=Q(state="waiting", next_at__isnull=False, done_at__isnull=True)
                | (~Q(state="waiting") & Q(next_at__isnull=True, done_at__isnull=False)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
