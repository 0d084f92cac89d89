"""Audiences in the database: saved ones with every version that was uploaded, and large files that one draft or send was made of.

The rows of a version lie in chunks of a thousand, compressed, with their numbers beside them as plain integers: a hundred thousand
rows take a hundred rows here, and a number is found without unpacking any of them. `sms.audiences.storage` writes and reads
them, for `sms.audiences.saved`
and for `sms.compose.background`, which reads large files in the background.
"""

from django.conf import settings
from django.db import models
from django.db.models import CASCADE, SET_NULL, Q, UniqueConstraint
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sms.models.columns import empty_text, made_by_key
from sms.models.personal import PersonalData


class SavedAudience(models.Model):
    """A named list of recipients. `current` is the version that sends use; it is null only while the first one is stored."""

    audit_noun = "audience"

    LONGEST_SEED_LIST = 50  # recipients

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="audiences")
    name = models.CharField(max_length=100)
    note = models.CharField(max_length=200, blank=True, help_text="Where the list comes from, for your team.")
    current = models.OneToOneField(
        "sms.AudienceVersion",
        null=True,
        blank=True,
        editable=False,
        on_delete=SET_NULL,
        related_name="current_of",
    )
    seed_list = models.BooleanField(
        default=False, db_default=False, help_text="Colleagues who get tests of drafts; at most 50."
    )
    seed_list_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=SET_NULL, related_name="+"
    )
    confirmed = models.ForeignKey(
        "sms.AudienceVersion",
        null=True,
        blank=True,
        editable=False,
        on_delete=SET_NULL,
        related_name="+",
        help_text="The version that an approver confirmed as a seed list.",
    )
    owner = made_by_key()
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(service="service", texts="name note", neutral="owner", unique="name")

    class Meta:
        ordering = ("name", "id")
        constraints = (
            UniqueConstraint(
                "service",
                Lower("name"),
                name="audience_name_is_free_among_those_in_use",
                condition=Q(archived_at__isnull=True, owner__isnull=True),
                violation_error_message=_(
                    "There is an audience of this name. Choose another name, or replace its rows."
                ),
            ),
            UniqueConstraint(
                "service",
                "owner",
                Lower("name"),
                name="audience_name_is_free_among_those_of_a_key",
                condition=Q(archived_at__isnull=True, owner__isnull=False),
                violation_error_message=_(
                    "There is an audience of this name. Choose another name, or replace its rows."
                ),
            ),
        )

    def __str__(self) -> str:
        return self.name


class AudienceVersion(models.Model):
    """One upload. Its figures stay for good; its rows may be erased, which `erased_at` says.

    Without an `audience` it is no saved list, only what a draft's file or paste was read into. Such a one is read in the background:
    until `ready_at` its chunks grow, and how far it is says its `preparation`.
    """

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="audience_versions")
    audience = models.ForeignKey(
        SavedAudience, null=True, blank=True, on_delete=CASCADE, related_name="versions"
    )
    upload = models.ForeignKey(
        "sms.Upload",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="versions",
        help_text="The file that it is read from.",
    )
    mends = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="mended_by",
        help_text="The version whose rows it keeps, with those of `upload` put right.",
    )
    number = models.PositiveIntegerField(help_text="1 for the first upload.")
    source = models.CharField(max_length=200, help_text="File name, or how the numbers came.")
    country = models.CharField(max_length=2)
    headings = models.JSONField(default=list)
    column = models.CharField(max_length=200, help_text="The column of the numbers.")
    asked_column = empty_text(200, "The column that was chosen; empty to find it.")
    choices = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="What was chosen about sheet, headings and what is hidden.",
    )
    findings = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="What the file turned out to hold, and what of it was left out.",
    )
    allow_duplicates = models.BooleanField(default=False, db_default=False)
    digest = empty_text(64, "SHA-256 of numbers and cells in the order of the rows.")
    recipients = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    rejects = models.BinaryField(default=b"", help_text="Compressed; the first ten thousand.")
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=SET_NULL, related_name="+")
    ready_at = models.DateTimeField(
        null=True, blank=True, default=timezone.now, help_text="When its last row was stored."
    )
    erased_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(
        service="service",
        texts="source headings column asked_column choices findings",
        packed="rejects",
        neutral="digest",
    )

    class Meta:
        ordering = ("-number",)
        constraints = (UniqueConstraint(fields=("audience", "number"), name="audience_version_number_once"),)

    def __str__(self) -> str:
        return f"version {self.number}"


class AudienceChunk(models.Model):
    """Up to a thousand recipients of a version. `numbers` are their MSISDNs as little-endian 64-bit integers, in the order of the rows."""

    version = models.ForeignKey(AudienceVersion, on_delete=CASCADE, related_name="chunks")
    place = models.PositiveIntegerField(help_text="0 for the first thousand.")
    count = models.PositiveSmallIntegerField()
    numbers = models.BinaryField()
    rows = models.BinaryField(help_text="Compressed.")
    rejected = models.PositiveSmallIntegerField(default=0, db_default=0)
    rejects = models.BinaryField(
        default=b"", db_default=b"", help_text="Compressed: rejected rows met on the way, with their cells."
    )

    personal = PersonalData(packed="numbers rows rejects")

    class Meta:
        ordering = ("place",)
        constraints = (UniqueConstraint(fields=("version", "place"), name="audience_chunk_place_once"),)

    def __str__(self) -> str:
        return f"chunk {self.place}"
