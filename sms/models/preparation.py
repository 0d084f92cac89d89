"""Work on large audiences that goes on in the background, and the columns that people chose before.

`sms.compose.background` does the work: a piece at a time, each committed with its `cursor`, under a lease that runs out when
its process dies. So
the next process goes on where the last one stopped.
"""

from typing import Self

from django.db import models
from django.db.models import CASCADE, CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from sms.models.lease import Leased, LeaseQuerySet
from sms.models.personal import PersonalData
from sms.values.problems import ProblemCode


class Preparation(Leased):
    """One of: reading a file into an audience version, checking a draft, writing the messages of a send.

    `done` and `total` are bytes or rows, for a bar; `rows` is rows, for people. A check keeps its last `result` while the next is made.
    """

    class Kind(models.TextChoices):
        READ = "read", _("Reading the recipients")
        CHECK = "check", _("Checking the rows")
        EXPAND = "expand", _("Writing the messages")

    class State(models.TextChoices):
        """How far it is. A lease says whether a process works on it right now."""

        WAITING = "waiting", _("Under way")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind)
    version = models.OneToOneField(
        "sms.AudienceVersion", null=True, on_delete=CASCADE, related_name="preparation"
    )
    draft = models.OneToOneField("sms.Draft", null=True, on_delete=CASCADE, related_name="preparation")
    send = models.OneToOneField("sms.Send", null=True, on_delete=CASCADE, related_name="preparation")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    cursor = models.JSONField(default=dict, help_text="What is done, for the process that continues.")
    partial = models.BinaryField(default=b"", help_text="Figures of what is done.")
    rows = models.PositiveIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, help_text="Of everything that the check rests on.")
    result = models.BinaryField(default=b"", help_text="Figures of all rows.")
    result_digest = models.CharField(max_length=64, blank=True)
    result_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=500, blank=True, help_text="Why it failed, and the way out.")
    trouble_code = models.CharField(max_length=40, blank=True, help_text="Of `ProblemCode`.")
    trouble_field = models.CharField(max_length=20, blank=True)
    tries = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often it broke off since its last block."
    )
    movers = models.JSONField(
        default=list,
        db_default=[],
        help_text="Keys of those who moved the send before it could be asked about: they cannot approve it.",
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = LeaseQuerySet["Preparation"].as_manager()

    personal = PersonalData(
        service="service",
        texts="cursor trouble",
        packed="partial result",
        neutral="movers owner digest result_digest trouble_code trouble_field",
    )

    class Meta:
        ordering = ("id",)
        # used by: every look for work
        indexes = (Index(fields=("id",), name="preparation_waiting", condition=Q(state="waiting")),)
        constraints = (
            CheckConstraint(
                name="preparation_is_of_one_thing",
                condition=Q(kind="read", version__isnull=False, draft__isnull=True, send__isnull=True)
                | Q(kind="check", version__isnull=True, draft__isnull=False, send__isnull=True)
                | Q(kind="expand", version__isnull=True, draft__isnull=True, send__isnull=False),
            ),
            *Leased.Meta.constraints,
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def can_go_on(self) -> bool:
        """Whether it ended for a reason that may be over: what is wrong with the file or the draft has to be put right there."""
        broke_off = self.trouble_code == ProblemCode.INTERRUPTED
        return self.state == self.State.CANCELLED or (self.state == self.State.FAILED and broke_off)

    @property
    def share(self) -> int:
        """Percent done, never 100 before the end."""
        return min(self.done * 100 // self.total, 99) if self.total else 0

    @classmethod
    def waiting(cls) -> "LeaseQuerySet[Self]":
        return cls.objects.filter(state=cls.State.WAITING)

    @classmethod
    def take_up(cls, rows: "models.QuerySet[Preparation]") -> int:
        """Wait again, where it stopped, for what has failed or was cancelled; returns how many."""
        fresh = dict.fromkeys(("trouble", "trouble_code", "trouble_field"), "")
        return rows.update(**fresh, state=cls.State.WAITING, tries=0, ended_at=None)


class ColumnMemory(models.Model):
    """What was chosen for a file with these headings, offered again for the next one: as in a draft, without hidden rows, which differ."""

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="column_memories")
    headings = models.CharField(max_length=64, help_text="SHA-256 of the headings in their order.")
    column = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    fillings = models.JSONField(default=dict, blank=True)
    choices = models.JSONField(default=dict, db_default={}, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    personal = PersonalData(service="service", texts="column fillings choices", neutral="headings")

    class Meta:
        ordering = ("-changed_at",)
        constraints = (
            UniqueConstraint(
                fields=("service", "headings"), name="column_memory_once_per_service_and_headings"
            ),
        )

    def __str__(self) -> str:
        return f"columns {self.pk}"
