"""A send: one composed job, its slices of work, its rejects and its counters."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum

from sms.models.lease import Leased, LeaseQuerySet
from sms.models.personal import PersonalData


class SendState(models.TextChoices):
    """The life of a send: (preparing →) (awaiting →) scheduled → sending → finished, or cancelled on the way."""

    PREPARING = (
        "preparing",
        "Preparing",
    )  # a large one: its messages are still being written; nothing of it is leased
    AWAITING = "awaiting", "Awaiting approval"  # stored, and asked about; nothing of it is leased
    SCHEDULED = "scheduled", "Scheduled"
    SENDING = "sending", "Sending"
    FINISHED = "finished", "Finished"  # everything was posted; receipts may still come
    CANCELLED = "cancelled", "Cancelled"


# nothing of it is settled for good: it can still be paused, stopped or cancelled
UNFINISHED = frozenset({SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED, SendState.SENDING})


class Lane(models.IntegerChoices):
    """Which send goes first where there is not room for all."""

    URGENT = 0, "Urgent: one-off codes and alarms"
    NORMAL = 1, "Normal"
    BULK = 2, "Bulk: large sends that can wait"


class Resend(models.TextChoices):
    """What becomes of a message of which we do not know whether it was sent (`sms.dispatch.settle`)."""

    NEVER = "never", "Wait for the receipt or a person"
    EVIDENCE = "evidence", "Send again only when others' receipts show that it was not sent"
    ALWAYS = "always", "Send again after ten seconds, once: it may arrive twice"


class Send(models.Model):
    """One composed job, unchangeable once made: who (audience), what (text or template), from whom (sender), when (`due_at`)."""

    audit_noun = "send"

    service = models.ForeignKey("sms.Service", on_delete=models.PROTECT, related_name="sends")
    name = models.CharField(max_length=100)
    sender = models.ForeignKey("sms.Sender", on_delete=models.PROTECT, related_name="sends")
    text = models.TextField(blank=True, help_text="As composed, with its placeholders.")
    template = models.ForeignKey(
        "sms.MessageTemplate", null=True, blank=True, on_delete=models.PROTECT, related_name="sends"
    )
    template_version = models.ForeignKey(
        "sms.TemplateVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="sends"
    )
    smartlinks = models.JSONField(
        default=list, blank=True, help_text="[id, validity in minutes] of each in the text."
    )
    policy_group = models.ForeignKey(
        "sms.ContactPolicyGroup", null=True, blank=True, on_delete=models.PROTECT, related_name="sends"
    )
    link_domain = models.ForeignKey(
        "sms.ShortLinkDomain", null=True, blank=True, on_delete=models.PROTECT, related_name="sends"
    )
    labels = models.ManyToManyField("sms.Label", blank=True, related_name="sends")
    state = models.CharField(max_length=10, choices=SendState, default=SendState.SCHEDULED)
    due_at = models.DateTimeField(help_text="When the first message may be posted.")
    time_zone = models.CharField(
        max_length=60, blank=True, help_text="In which `due_at` was meant; empty for the viewer's own."
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="After this nothing more is posted.")
    lane = models.PositiveSmallIntegerField(choices=Lane, default=Lane.NORMAL)
    resend = models.CharField("if not confirmed", max_length=8, choices=Resend, default=Resend.NEVER)
    quiet_hours = models.CharField(
        max_length=20, blank=True, help_text="As the service's were; empty for none."
    )
    ramp = models.BooleanField(
        default=False, help_text="1 % first, then 10 %, then the rest, each only if the last went well."
    )
    stage = models.PositiveSmallIntegerField(default=0, help_text="Slices up to this stage may be worked on.")
    approvers = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How many must approve before anything is posted."
    )
    callback_data = models.CharField(max_length=1500, blank=True)
    recipients = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=200, blank=True, help_text="File name, or how the numbers came.")
    reference = models.UUIDField(
        null=True, unique=True, editable=False, help_text="The messageId that a partner was answered with."
    )
    client_reference = models.CharField(
        max_length=100, blank=True, help_text="The partner's own name for it, used once and for ever."
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="What was asked for beyond that, in the words of the wire."
    )
    audience = models.ForeignKey(
        "sms.AudienceVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="sends"
    )
    file_sha256 = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Of the uploaded file, so that the same one is noticed.",
    )
    audience_digest = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Of numbers and cells in their order, however they came.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="sends"
    )
    partner = models.CharField(
        max_length=100, blank=True, help_text="Name of the API key that a partner sent it with."
    )
    test = models.BooleanField(
        default=False, db_default=False, help_text="A test of a draft: to its writer or to a seed list."
    )
    tested = models.ForeignKey(
        "sms.Draft",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="tests",
        help_text="The draft that it tries out.",
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=254, blank=True)

    personal = PersonalData(
        service="service",
        texts=("name", "text", "callback_data", "source", "client_reference", "options"),
        team=("partner", "cancelled_by"),
        neutral=("quiet_hours", "smartlinks", "reference", "time_zone", "file_sha256", "audience_digest"),
        unique=("client_reference",),
        fixed=("text", "callback_data", "options"),
        fixed_while=Q(state__in=UNFINISHED),
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("service", "-id"), name="send_of_a_service"),  # used by: sends list, home
            models.Index(
                fields=("service", "due_at"), name="send_still_to_come", condition=Q(state="scheduled")
            ),  # used by: home
            models.Index(
                fields=("service", "file_sha256"), name="send_of_a_file", condition=~Q(file_sha256="")
            ),  # used by: was this file sent before
            models.Index(
                fields=("service", "audience_digest"),
                name="send_to_the_same_people",
                condition=~Q(audience_digest=""),
            ),  # used by: was this audience sent to before
            models.Index(
                fields=("created_by", "created_at"), name="send_that_is_a_test", condition=Q(test=True)
            ),  # used by: how many tests a person made within the hour
        )
        constraints = (
            models.CheckConstraint(
                name="send_that_tries_out_a_draft_is_a_test", condition=Q(tested__isnull=True) | Q(test=True)
            ),
            models.UniqueConstraint(
                fields=("service", "client_reference"),
                condition=~Q(client_reference=""),
                name="send_has_its_client_reference_for_itself",
            ),
            models.CheckConstraint(
                name="send_has_a_text_or_a_template",
                condition=~Q(text="") | Q(template__isnull=False),
            ),
            models.CheckConstraint(
                name="send_that_is_always_sent_again_expires",
                condition=~Q(resend="always") | Q(expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="send_is_cancelled_at_and_by_or_neither",
                condition=Q(cancelled_at__isnull=True, cancelled_by="")
                | (Q(cancelled_at__isnull=False) & ~Q(cancelled_by="")),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def words(self) -> list[str]:
        """Its labels, in order."""
        return [label.word for label in self.labels.all()]

    @property
    def tracks_clicks(self) -> bool:
        """Whether clicks on its links are reported; if not they are unknown, which is not none."""
        links = self.options.get("options", {})
        reported = "receipts" not in self.options or "CLICKED" in self.options["receipts"]
        return self.link_domain_id is not None and bool(links.get("trackClicks", True)) and reported

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
        totals = (
            self.counters.filter(state="failed")
            .values("code")
            .annotate(total=Sum("delta"))
            .order_by("-total", "code")
        )
        return [(row["code"], row["total"]) for row in totals if row["total"]]


class Slice(Leased):
    """A run of consecutive messages of one send: the unit that a dispatcher leases.

    Leasing a run instead of writing each message when it is claimed is what makes a claim cheap. The row is also the fence: arming
    and recording need its lease, and cancelling closes it first.
    """

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="slices")
    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="+", db_index=False)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    due_at = models.DateTimeField()
    lane = models.PositiveSmallIntegerField(choices=Lane, default=Lane.NORMAL)
    stage = models.PositiveSmallIntegerField(default=0)
    done = models.BooleanField(default=False)
    approved = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Digest of its messages as they were shown to approvers; empty without approvers.",
    )

    objects = LeaseQuerySet["Slice"].as_manager()

    personal = PersonalData(neutral=("owner", "approved"))

    class Meta:
        ordering = ("due_at", "id")
        indexes = (
            models.Index(
                fields=("due_at", "id"), name="slice_open_by_due", condition=Q(done=False)
            ),  # used by: due_within
            models.Index(
                fields=("lane", "due_at", "id"), name="slice_open_in_line", condition=Q(done=False)
            ),  # used by: claim
        )
        constraints = (
            models.CheckConstraint(
                name="slice_is_leased_by_somebody_until_some_time_or_free",
                condition=Q(owner="", leased_until__isnull=True)
                | (~Q(owner="") & Q(leased_until__isnull=False)),
            ),
            models.CheckConstraint(
                name="slice_that_is_done_is_not_leased", condition=Q(done=False) | Q(owner="")
            ),
            models.CheckConstraint(name="slice_runs_forward", condition=Q(last_id__gte=models.F("first_id"))),
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

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="counters")
    state = models.CharField(max_length=12)
    code = models.CharField(max_length=10, blank=True)
    window = models.IntegerField(default=0, db_default=0)
    delta = models.IntegerField()

    personal = PersonalData(neutral=("state", "code"))

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=("window",), name="state_count_by_window", condition=Q(window__gt=0)
            ),  # used by: gaps in receipts, no report
        )

    def __str__(self) -> str:
        return f"{self.state} {self.delta:+d}"


class Reject(models.Model):
    """A row refused before a message existed, kept so that nothing is dropped silently."""

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="rejects")
    row = models.PositiveIntegerField()
    value = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=300)

    personal = PersonalData(service="send__service", numbers=("value",), texts=("reason",), neutral=("code",))

    class Meta:
        ordering = ("row", "id")

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}"
