"""A send: one composed job, its slices of work, its rejects and its counters."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import CASCADE, PROTECT, SET_NULL, CheckConstraint, F, Index, Q, Sum, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from sms.models.columns import empty_text, made_by_key, set_together
from sms.models.lease import Leased, LeaseQuerySet
from sms.models.personal import PersonalData
from sms.models.receipt_choice import USUAL_RECEIPTS, Receipts
from sms.models.send_options import ONE_END, Lane, SendOptions
from sms.models.send_state import OVER, UNFINISHED, SendState, ShownState


class Send(SendOptions):
    """One composed job, unchangeable once made: who (audience), what (text or template), from whom (sender), when (`due_at`)."""

    audit_noun = "send"
    keeps_history = True

    service = models.ForeignKey("sms.Service", on_delete=PROTECT, related_name="sends")
    name = models.CharField(max_length=100)
    sender = models.ForeignKey("sms.Sender", on_delete=PROTECT, related_name="sends")
    text = models.TextField(blank=True, help_text=_("As composed, with its placeholders."))
    template = models.ForeignKey(
        "sms.MessageTemplate", null=True, blank=True, on_delete=PROTECT, related_name="sends"
    )
    template_version = models.ForeignKey(
        "sms.TemplateVersion", null=True, blank=True, on_delete=PROTECT, related_name="sends"
    )
    smartlinks = models.JSONField(
        default=list, blank=True, help_text="[id, validity on the wire] of each in the text."
    )
    labels = models.ManyToManyField("sms.Label", blank=True, related_name="sends")
    state = models.CharField(max_length=10, choices=SendState, default=SendState.SCHEDULED)
    due_at = models.DateTimeField(help_text=_("When the first message may be posted."))
    time_zone = models.CharField(
        max_length=60, blank=True, help_text="In which `due_at` was meant; empty for the viewer's own."
    )
    quiet_hours = models.CharField(
        max_length=20, blank=True, help_text="As the service's were; empty for none."
    )
    stage = models.PositiveSmallIntegerField(default=0, help_text="Slices up to this stage may be worked on.")
    approvers = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How many must approve before anything is posted."
    )
    counted_on = models.DateField(
        null=True, blank=True, editable=False, help_text="The day whose spend caps hold room for it."
    )
    counted_key = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="The API key whose cap does; 0 for none."
    )
    recipients = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=200, blank=True, help_text=_("File name, or how the numbers came."))
    reference = models.UUIDField(
        null=True, unique=True, editable=False, help_text="The messageId that a partner was answered with."
    )
    content_type = models.CharField(
        max_length=7,
        blank=True,
        editable=False,
        help_text="As a partner called it; posted is what the text needs.",
    )
    client_reference = models.CharField(
        max_length=100,
        blank=True,
        help_text="The partner's own name for it, which it uses once and for ever.",
    )
    audience = models.ForeignKey(
        "sms.AudienceVersion", null=True, blank=True, on_delete=PROTECT, related_name="sends"
    )
    file_sha256 = empty_text(64, "Of the uploaded file, so that the same one is noticed.")
    audience_digest = empty_text(64, "Of numbers and cells in their order, however they came.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=SET_NULL, related_name="sends"
    )
    partner = models.CharField(
        max_length=100, blank=True, help_text=_("Name of the API key that a partner sent it with.")
    )
    owner = made_by_key()
    test = models.BooleanField(
        default=False, db_default=False, help_text="A test of a draft: to its writer or to a seed list."
    )
    tested = models.ForeignKey(
        "sms.Draft",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="tests",
        help_text="The draft that it tries out.",
    )
    simulated = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text=_(
            "Made with a test key: answered by the simulator, never posted to the provider. Never changes."
        ),
    )
    posted_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the last of it was handed over for the first time.")
    )
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the last message had its end, which is for good.")
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=254, blank=True)

    personal = PersonalData(
        service="service",
        texts=f"name text source client_reference {SendOptions.TEXTS}",
        team="partner cancelled_by",
        neutral=f"quiet_hours smartlinks reference content_type time_zone file_sha256 audience_digest "
        f"counted_key owner {SendOptions.NEUTRAL}",
        unique="client_reference",
        fixed=f"text {SendOptions.TEXTS}",
        fixed_while=Q(state__in=UNFINISHED),
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("service", "id"), name="send_of_a_service"),  # used by: sends list, home
            # used by: search by name, also where programs make thousands a day
            Index(fields=("service", "id"), name="send_that_people_made", condition=Q(owner__isnull=True)),
            # used by: home
            Index(fields=("service", "due_at"), name="send_still_to_come", condition=Q(state="scheduled")),
            # used by: was this file sent before
            Index(fields=("service", "file_sha256"), name="send_of_a_file", condition=~Q(file_sha256="")),
            Index(
                fields=("service", "audience_digest"),
                name="send_to_the_same_people",
                condition=~Q(audience_digest=""),
            ),  # used by: was this audience sent to before
            # used by: how much goes out within a day that nobody approved
            Index(
                fields=("service", "due_at"),
                name="send_that_nobody_approved",
                condition=Q(approvers=0, test=False, simulated=False)
                & (Q(recipients__gt=1) | Q(created_by__isnull=False)),
            ),
            # used by: the API's lists by time
            Index(fields=("service", "created_at"), name="send_by_its_making"),
            # used by: what is settled and was not noticed
            Index(
                fields=("id",),
                name="send_to_be_settled",
                condition=Q(settled_at__isnull=True, state__in=OVER),
            ),
            # used by: what one API key made
            Index(fields=("owner", "id"), name="send_of_a_key", condition=Q(owner__isnull=False)),
            # used by: how many tests a person made within the hour
            Index(fields=("created_by", "created_at"), name="send_that_is_a_test", condition=Q(test=True)),
            # used by: what is left out of figures, by its own
            Index(fields=("service", "id"), name="send_that_is_simulated", condition=Q(simulated=True)),
        )
        constraints = (
            *SendOptions.Meta.constraints,
            CheckConstraint(
                name="send_expires_at_a_time_or_after_a_while",
                condition=Q(expires_at__isnull=True) | Q(validity__isnull=True) | Q(reference__isnull=False),
                violation_error_message=ONE_END,
            ),
            CheckConstraint(
                name="send_that_tries_out_a_draft_is_a_test", condition=Q(tested__isnull=True) | Q(test=True)
            ),
            UniqueConstraint(
                fields=("service", "client_reference"),
                condition=~Q(client_reference="") & Q(owner__isnull=True),
                name="send_has_its_client_reference_for_itself",
            ),
            UniqueConstraint(
                fields=("service", "client_reference", "owner"),
                condition=~Q(client_reference="") & Q(owner__isnull=False),
                name="send_has_its_client_reference_for_itself_within_a_key",
            ),
            CheckConstraint(
                name="send_has_a_text_or_a_template",
                condition=~Q(text="") | Q(template__isnull=False),
            ),
            CheckConstraint(
                name="send_that_is_always_sent_again_expires",
                condition=~Q(resend="always") | Q(expires_at__isnull=False) | Q(validity__isnull=False),
            ),
            set_together("send_is_cancelled_at_and_by_or_neither", "cancelled_at", "cancelled_by"),
        )

    caps_left: Any = ()  # of a small one that was just made: what the caps of its API key leave

    def __str__(self) -> str:
        return self.name

    @property
    def shown_state(self) -> ShownState:
        if self.state == SendState.FINISHED:
            return ShownState.POSTED if self.settled_at is None else ShownState.SETTLED
        return ShownState(self.state)

    @property
    def words(self) -> list[str]:
        """Its labels, in order."""
        return [label.word for label in self.labels.all()]

    @property
    def requested_receipts(self) -> Receipts:
        """What the provider is asked for, CLICKED only where clicks are counted.

        For a partner's `/v2/messages` all the usual ones: which of them it wants is looked at when they are passed on.
        """
        wanted = self.receipts if self.reference is None else USUAL_RECEIPTS
        return wanted if self.counts_clicks else wanted & ~Receipts.CLICKED

    @property
    def tracks_clicks(self) -> bool:
        """Whether clicks on its links are reported; if not they are unknown, which is not none."""
        return Receipts.CLICKED in self.requested_receipts

    @classmethod
    def ready_times(cls, send_ids: Collection[int]) -> dict[int, datetime]:
        if not send_ids:
            return {}
        rows = cls.objects.filter(pk__in=send_ids).order_by().values_list("pk", "created_at", "due_at")
        return {pk: max(created_at, due_at) for pk, created_at, due_at in rows}

    def counts(self) -> dict[str, int]:
        """Messages by state, from the counters; empty states are left out."""
        totals = self.counters.values("state").annotate(total=Sum("delta")).order_by("state")
        return {row["state"]: row["total"] for row in totals if row["total"]}

    def failures(self) -> list[tuple[str, int]]:
        codes = self.counters.filter(state="failed").values("code").annotate(total=Sum("delta"))
        return [(row["code"], row["total"]) for row in codes.order_by("-total", "code") if row["total"]]


class Slice(Leased):
    """A run of consecutive messages of one send: the unit that a dispatcher leases.

    Leasing a run instead of writing each message when it is claimed is what makes a claim cheap. The row is also the fence: arming
    and recording need its lease, and cancelling closes it first.
    """

    send = models.ForeignKey(Send, on_delete=CASCADE, related_name="slices")
    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="+", db_index=False)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    due_at = models.DateTimeField()
    lane = models.PositiveSmallIntegerField(choices=Lane, default=Lane.NORMAL)
    stage = models.PositiveSmallIntegerField(default=0)
    simulated = models.BooleanField(
        default=False, db_default=False, help_text="As its send is: whose dispatchers may lease it."
    )
    done = models.BooleanField(default=False)
    approved = empty_text(
        64, "Digest of its messages as they were shown to approvers; empty without approvers."
    )

    objects = LeaseQuerySet["Slice"].as_manager()

    personal = PersonalData(neutral="owner approved")

    class Meta:
        ordering = ("due_at", "id")
        indexes = (
            # used by: due_within
            Index(
                fields=("due_at", "id"), name="slice_open_by_due", condition=Q(done=False, simulated=False)
            ),
            # used by: claim
            Index(
                fields=("lane", "due_at", "id"),
                name="slice_open_in_line",
                condition=Q(done=False, simulated=False),
            ),
            # used by: both, of the simulator's
            Index(
                fields=("due_at", "id"), name="slice_open_simulated", condition=Q(done=False, simulated=True)
            ),
        )
        constraints = (
            *Leased.Meta.constraints,
            CheckConstraint(name="slice_that_is_done_is_not_leased", condition=Q(done=False) | Q(owner="")),
            CheckConstraint(name="slice_runs_forward", condition=Q(last_id__gte=F("first_id"))),
        )

    def __str__(self) -> str:
        return f"messages {self.first_id} to {self.last_id}"

    @classmethod
    def of_send(cls, send_id: int) -> "models.QuerySet[Slice]":
        """All of a send, locked until the transaction ends. In the order of their keys, like all that lock several."""
        return cls.objects.select_for_update().filter(send=send_id).order_by("pk")


class StateCount(models.Model):
    """Counters as deltas: +1 where a message arrives, −1 where it leaves; squashed now and then. No page counts the big table.

    `window` is when messages were posted, in WINDOW seconds since 1970, so that receipts which stopped for some minutes
    show; 0 for what was not posted.
    """

    WINDOW = 300

    send = models.ForeignKey(Send, on_delete=CASCADE, related_name="counters")
    state = models.CharField(max_length=12)
    code = models.CharField(max_length=10, blank=True)
    window = models.IntegerField(default=0, db_default=0)
    delta = models.IntegerField()

    personal = PersonalData(neutral="state code")

    class Meta:
        ordering = ("id",)
        indexes = (
            # used by: gaps in receipts, no report
            Index(fields=("window",), name="state_count_by_window", condition=Q(window__gt=0)),
        )

    def __str__(self) -> str:
        return f"{self.state} {self.delta:+d}"


class Reject(models.Model):
    """A row refused before a message existed, kept so that nothing is dropped silently."""

    send = models.ForeignKey(Send, on_delete=CASCADE, related_name="rejects")
    row = models.PositiveIntegerField()
    value = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=40, help_text="Of `ProblemCode`.")
    field = models.CharField(
        max_length=100, blank=True, help_text="The placeholder that the reason is about."
    )
    reason = models.CharField(max_length=300)
    reference = empty_text(200, "What those who asked for it call the recipient.")
    correlation_id = empty_text(200, "And the message.")

    personal = PersonalData(
        service="send__service",
        numbers="value",
        texts="reason field reference correlation_id",
        neutral="code",
    )

    class Meta:
        ordering = ("row", "id")
        indexes = (
            # used by: the API's lists of rejects
            Index(fields=("reference", "id"), name="reject_by_reference", condition=~Q(reference="")),
            # used by: the page of a person
            Index(fields=("value", "id"), name="reject_of_a_number", condition=~Q(value="")),
        )

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}"
