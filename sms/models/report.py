"""Reports that are made for later: files too long to wait for, and those that go out by mail every week or month."""

from django.conf import settings
from django.db import models
from django.db.models import CASCADE, SET_NULL, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData


class ReportFile(models.Model):
    """A report as a file, made in the background; kept in the database so that any host can hand it out, for `KEPT` days."""

    audit_noun = "report_file"

    KEPT = 7

    class Kind(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="report_files")
    query = models.JSONField(help_text="What was asked: `sms.reports.query.ReportQuery.parameters`.")
    kind = models.CharField(max_length=4, choices=Kind)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=SET_NULL, related_name="+")
    rows = models.PositiveIntegerField(default=0, help_text="To be written.")
    done = models.PositiveIntegerField(default=0, help_text="Written so far.")
    size = models.BigIntegerField(default=0)
    ready_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    failed = models.CharField(max_length=200, blank=True)

    personal = PersonalData(service="service", texts="query", neutral="failed")

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(
                fields=("id",),
                name="report_file_to_be_made",
                condition=Q(ready_at__isnull=True, cancelled_at__isnull=True, failed=""),
            ),  # used by: every tick
        )

    def __str__(self) -> str:
        return f"{self.kind} file {self.pk}"

    @property
    def is_waiting(self) -> bool:
        return self.ready_at is None and self.cancelled_at is None and not self.failed


class ReportPart(models.Model):
    file = models.ForeignKey(ReportFile, on_delete=CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    personal = PersonalData(packed="content")

    class Meta:
        ordering = ("number",)
        constraints = (UniqueConstraint(fields=("file", "number"), name="report_part_once"),)

    def __str__(self) -> str:
        return f"part {self.number}"


class ReportSchedule(models.Model):
    """A report that people of the service get by mail: of the week, or of the month before."""

    audit_noun = "report_schedule"

    class Every(models.TextChoices):
        WEEK = "week", _("Every Monday, of the week before")
        MONTH = "month", _("On the first of every month, of the month before")

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="report_schedules")
    name = models.CharField(max_length=80)
    every = models.CharField(max_length=5, choices=Every, default=Every.WEEK)
    query = models.JSONField(default=dict, blank=True, help_text="What it is by, and its filters.")
    recipients = models.JSONField(default=list, help_text="Addresses of people of the service.")
    next_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=200, blank=True)
    made_by = models.CharField(max_length=254)

    personal = PersonalData(service="service", texts="name query trouble", team="recipients made_by")

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name
