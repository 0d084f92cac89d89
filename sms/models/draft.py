"""What a person is still working on: drafts, and the files they uploaded."""

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import BinaryIO

from django.conf import settings
from django.db import connection, models
from django.db.models import CASCADE, SET_NULL, CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms.models.columns import empty_text
from sms.models.personal import PersonalData
from sms.models.send_options import ONE_END, SendOptions

PIECE = 4_000_000  # bytes of an upload in one query


class Upload(models.Model):
    """A file of recipients, kept in the database so that every host sees it.

    `content` may be a hundred megabytes: joins leave it out (`LIGHT`), and a large one is read from its `opened` file.
    """

    LIGHT = "upload__content"  # to defer, with the path of a draft or a version

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField(auto_now_add=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=SET_NULL, related_name="+")
    withheld = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Rows of a saved audience or of a program's send: their numbers leave only with those who may export.",
    )

    personal = PersonalData(service="service", texts="name", packed="content", neutral="sha256")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def keep(
        cls,
        content: bytes,
        *,
        service: models.Model,
        name: str,
        user: models.Model | None,
        withheld: bool = False,
    ) -> "Upload":
        kept = {"content": content, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return cls.objects.create(
            service=service, name=name[-200:], uploaded_by=user, withheld=withheld, **kept
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
                statement = "SELECT substr(content, %s, %s) FROM sms_upload WHERE id = %s"
                cursor.execute(statement, [start, PIECE, self.pk])
                yield bytes(cursor.fetchone()[0])


class Hidden(models.TextChoices):
    """What becomes of rows or columns that a file hides."""

    LEAVE_OUT = "leave_out", _("Leave them out")
    INCLUDE = "include", _("Include them")


class Draft(SendOptions):
    """The compose page's memory: whatever was typed, complete or not, until `compose.create` makes a send of it."""

    audit_noun = "draft"
    BROUGHT_BACK_FOR = 30  # days

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="drafts")
    name = models.CharField(max_length=100, blank=True)
    sender = models.ForeignKey("sms.Sender", null=True, blank=True, on_delete=SET_NULL, related_name="+")
    text = models.TextField(blank=True)
    template = models.ForeignKey(
        "sms.MessageTemplate", null=True, blank=True, on_delete=SET_NULL, related_name="+"
    )
    pasted = models.TextField(blank=True)
    upload = models.ForeignKey(Upload, null=True, blank=True, on_delete=SET_NULL, related_name="drafts")
    audience = models.ForeignKey(
        "sms.SavedAudience", null=True, blank=True, on_delete=SET_NULL, related_name="drafts"
    )
    version = models.ForeignKey(
        "sms.AudienceVersion",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="drafts",
        help_text="What a large file or paste was read into; `sms.compose.drafts` keeps it in step with them.",
    )
    column = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    sheet = empty_text(200, "Of a workbook; empty for the first visible one that has rows.")
    heading_row = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=None,
        help_text="The row with the headings; empty to find it, 0 where there are none.",
    )
    hidden_rows = models.CharField(max_length=9, choices=Hidden, blank=True, default="", db_default="")
    hidden_columns = models.CharField(max_length=9, choices=Hidden, blank=True, default="", db_default="")
    fillings = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="By placeholder: the column of another name that fills it, and what stands where a row has nothing.",
    )
    again = empty_text(64, "Digest of the file or the recipients that are to be sent to once more.")
    allow_duplicates = models.BooleanField(default=False)
    labels = empty_text(400, "Words by which reports are sorted, with commas between them.")
    send_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(
        max_length=60, blank=True, help_text="In which `send_at` was meant; empty for the writer's own."
    )
    send = models.OneToOneField(
        "sms.Send",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="draft",
        help_text="What it became.",
    )
    recurring = models.ForeignKey(
        "sms.RecurringSend",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="contents",
        help_text="The recurring send that it is the content of, or is to change.",
    )
    recurs_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when occurrences are made of it; it is not edited any more.",
    )
    discarded_at = models.DateTimeField(
        null=True, blank=True, help_text="It can be brought back for some days, then it is deleted."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=SET_NULL, related_name="+")
    editors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="+",
        blank=True,
        help_text="The people who saved it; they may not approve what it becomes.",
    )
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=SET_NULL, related_name="+")
    revision = models.PositiveIntegerField(default=0, help_text="Goes up by one at every change.")
    begun = models.UUIDField(
        null=True,
        editable=False,
        help_text="Of the page it was begun on, so that a first save that is tried again finds it.",
    )

    personal = PersonalData(
        service="service",
        texts=f"name text pasted column sheet fillings labels {SendOptions.TEXTS}",
        neutral=f"time_zone again begun {SendOptions.NEUTRAL}",
        fixed=f"text {SendOptions.TEXTS}",
        fixed_while=Q(recurs_as__state__in=("running", "paused")),
    )

    class Meta:
        ordering = ("-changed_at",)
        constraints = (
            *SendOptions.Meta.constraints,
            CheckConstraint(
                name="draft_expires_at_a_time_or_after_a_while",
                condition=Q(expires_at__isnull=True) | Q(validity__isnull=True),
                violation_error_message=ONE_END,
            ),
            # of each service by itself: the token of a page of another one keeps nobody from saving
            UniqueConstraint(fields=("begun", "service"), name="draft_is_begun_once"),
        )
        indexes = (
            # used by: list of drafts, home
            Index(
                fields=("service", "-changed_at"),
                name="draft_of_a_service_unsent",
                condition=Q(send__isnull=True),
            ),
            # used by: deleting those that nobody brought back, and the list of those that can be
            Index(
                fields=("discarded_at",),
                name="draft_that_was_discarded",
                condition=Q(discarded_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name or self._unnamed()

    @classmethod
    def open_ones(cls) -> Q:
        """Still being written: neither sent nor discarded nor the content of a recurring send."""
        return Q(send=None, recurs_since=None, discarded_at=None)

    @classmethod
    def discarded_ones(cls, now: datetime) -> Q:
        """Those that can be brought back."""
        return Q(send=None, discarded_at__gt=now - timedelta(days=cls.BROUGHT_BACK_FOR))

    @property
    def is_open(self) -> bool:
        return self.send_id is None and self.recurs_since is None and self.discarded_at is None

    @property
    def numbers_withheld(self) -> bool:
        """Whether its rows are of a saved audience or a program's send, also where they were copied from one."""
        return bool(self.audience_id or (self.upload and self.upload.withheld))

    @property
    def title(self) -> str:
        """Its name, or how its text begins."""
        begins = " ".join(self.text.split()[:9])[:70]
        return self.name or begins or self._unnamed()

    def _unnamed(self) -> str:
        return gettext("Draft %(number)s") % {"number": self.pk}


class DraftPresence(models.Model):
    """A person who has a draft open, and where in it they are. Written by `sms.compose.drafts.collaboration` every few seconds;
    old rows mean nothing."""

    draft = models.ForeignKey(Draft, on_delete=CASCADE, related_name="presences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=CASCADE, related_name="+")
    field = models.CharField(
        max_length=40, blank=True, help_text="Where the cursor stands; empty for nowhere."
    )
    seen_at = models.DateTimeField()

    personal = PersonalData(service="draft__service", neutral="field")

    class Meta:
        ordering = ("id",)
        constraints = (UniqueConstraint(fields=("draft", "user"), name="draft_is_open_once_per_person"),)

    def __str__(self) -> str:
        return f"{self.user_id} at draft {self.draft_id}"
