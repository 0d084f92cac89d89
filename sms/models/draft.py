"""What a person is still working on: drafts, and the files they uploaded."""

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.conf import settings
from django.db import connection, models

from sms.models.personal import PersonalData
from sms.models.send import Lane, Resend

PIECE = 4_000_000  # bytes of an upload in one query


class Upload(models.Model):
    """A file of recipients, kept in the database so that every host sees it.

    `content` may be a hundred megabytes: joins leave it out (`LIGHT`), and a large one is read from its `opened` file.
    """

    LIGHT = "upload__content"  # to defer, with the path of a draft or a version

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField(auto_now_add=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    personal = PersonalData(service="service", texts=("name",), packed=("content",), neutral=("sha256",))

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def keep(cls, content: bytes, *, service: models.Model, name: str, user: models.Model | None) -> "Upload":
        return cls.objects.create(
            service=service,
            name=name[-200:],
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            uploaded_by=user,
        )

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        with tempfile.TemporaryFile() as file:
            for piece in self._pieces():
                file.write(piece)
            file.seek(0)
            yield file

    def _pieces(self) -> Iterator[bytes]:
        connection.ensure_connection()
        if isinstance(connection.connection, sqlite3.Connection):
            # its substr() takes the whole value into memory for each piece
            with connection.connection.blobopen("sms_upload", "content", self.pk, readonly=True) as blob:
                while piece := blob.read(PIECE):
                    yield piece
            return
        for start in range(1, self.size + 1, PIECE):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT substr(content, %s, %s) FROM sms_upload WHERE id = %s", [start, PIECE, self.pk]
                )
                yield bytes(cursor.fetchone()[0])


class Draft(models.Model):
    """The compose page's memory: whatever was typed, complete or not, until `compose.create` makes a send of it."""

    audit_noun = "draft"

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="drafts")
    name = models.CharField(max_length=100, blank=True)
    sender = models.ForeignKey(
        "sms.Sender", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(blank=True)
    template = models.ForeignKey(
        "sms.MessageTemplate", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    language = models.CharField(max_length=20, blank=True)
    pasted = models.TextField(blank=True)
    upload = models.ForeignKey(
        Upload, null=True, blank=True, on_delete=models.SET_NULL, related_name="drafts"
    )
    audience = models.ForeignKey(
        "sms.SavedAudience", null=True, blank=True, on_delete=models.SET_NULL, related_name="drafts"
    )
    version = models.ForeignKey(
        "sms.AudienceVersion",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="drafts",
        help_text="What a large file or paste was read into; `sms.compose.drafts` keeps it in step with them.",
    )
    column = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    fillings = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="By placeholder: the column of another name that fills it, and what stands where a row has nothing.",
    )
    again = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Digest of the file or the recipients that are to be sent to once more.",
    )
    allow_duplicates = models.BooleanField(default=False)
    policy_group = models.ForeignKey(
        "sms.ContactPolicyGroup", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    link_domain = models.ForeignKey(
        "sms.ShortLinkDomain", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    labels = models.CharField(
        max_length=400,
        blank=True,
        default="",
        db_default="",
        help_text="Words by which reports are sorted, with commas between them.",
    )
    track_clicks = models.BooleanField(default=True)
    tag1 = models.CharField(max_length=50, blank=True)
    tag2 = models.CharField(max_length=50, blank=True)
    check_consent = models.BooleanField(null=True, blank=True, help_text="None: as the group says.")
    apply_frequency_cap = models.BooleanField(null=True, blank=True, help_text="None: as the group says.")
    send_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(
        max_length=60, blank=True, help_text="In which `send_at` was meant; empty for the writer's own."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    validity = models.PositiveIntegerField(
        null=True, blank=True, help_text="Seconds, in place of `expires_at`."
    )
    receipts = models.JSONField(default=list, blank=True, help_text="Asked for; empty for the usual ones.")
    callback_data = models.CharField(max_length=1500, blank=True)
    lane = models.PositiveSmallIntegerField(choices=Lane, default=Lane.NORMAL)
    resend = models.CharField(max_length=8, choices=Resend, default=Resend.NEVER)
    ramp = models.BooleanField(default=False)
    respect_quiet_hours = models.BooleanField(default=True)
    send = models.OneToOneField(
        "sms.Send",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="draft",
        help_text="What it became.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    editors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="+",
        blank=True,
        help_text="The people who saved it; they may not approve what it becomes.",
    )
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    revision = models.PositiveIntegerField(default=0, help_text="Goes up by one at every change.")
    begun = models.UUIDField(
        null=True,
        unique=True,
        editable=False,
        help_text="Of the page it was begun on, so that a first save that is tried again finds it.",
    )

    personal = PersonalData(
        service="service",
        texts=("name", "text", "pasted", "column", "fillings", "labels", "tag1", "tag2", "callback_data"),
        neutral=("language", "time_zone", "receipts", "again", "begun"),
    )

    class Meta:
        ordering = ("-changed_at",)
        indexes = (
            models.Index(
                fields=("service", "-changed_at"),
                name="draft_of_a_service_unsent",
                condition=models.Q(send__isnull=True),
            ),  # used by: list of drafts, home
        )

    def __str__(self) -> str:
        return self.name or f"Draft {self.pk}"

    @property
    def title(self) -> str:
        """Its name, or how its text begins."""
        begins = " ".join(self.text.split()[:9])[:70]
        return self.name or begins or f"Draft {self.pk}"


class DraftPresence(models.Model):
    """A person who has a draft open, and where in it they are. Written by `sms.compose.drafts.collaboration` every few seconds;
    old rows mean nothing."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="presences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    field = models.CharField(
        max_length=40, blank=True, help_text="Where the cursor stands; empty for nowhere."
    )
    seen_at = models.DateTimeField()

    personal = PersonalData(service="draft__service", neutral=("field",))

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("draft", "user"), name="draft_is_open_once_per_person"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} at draft {self.draft_id}"
