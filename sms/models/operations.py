"""What operators are shown: totals of what every process counts, what does not work at present, and when the last backup was made."""

from django.db import models
from django.db.models import UniqueConstraint
from django.db.models.functions import Now

from sms.models.personal import PersonalData


class MeterTotal(models.Model):
    """One series of /metrics: a counter of a host, or with an empty `host` a figure of the installation that a job works out."""

    host = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=60)
    labels = models.CharField(max_length=400, blank=True)
    value = models.FloatField()

    personal = PersonalData(team="host", neutral="name labels")

    class Meta:
        constraints = (UniqueConstraint(fields=("host", "name", "labels"), name="meter_total_is_there_once"),)

    def __str__(self) -> str:
        return f"{self.name}{{{self.labels}}} {self.value:g}"


class OperationalFault(models.Model):
    """What did not work at the last look. One that is over stays for a moment, in case it comes again.

    `told_at`: operators were told that it began, and not yet that it is over; `owed`: but not by these ways, which failed.
    """

    fault = models.CharField(max_length=30)
    where = models.CharField(max_length=255, blank=True)
    says = models.CharField(max_length=300)
    since = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    over_at = models.DateTimeField(null=True, blank=True)
    owed = models.CharField(max_length=40, blank=True)

    personal = PersonalData(team="where says", neutral="fault owed")

    class Meta:
        ordering = ("since", "id")
        constraints = (UniqueConstraint(fields=("fault", "where"), name="operational_fault_is_there_once"),)

    def __str__(self) -> str:
        return f"{self.fault} {self.where}".strip()


class BackupNote(models.Model):
    """A backup that somebody's script made and told us of (`manage.py note_backup`)."""

    KEPT = 100

    at = models.DateTimeField(db_default=Now())
    host = models.CharField(max_length=255)
    what = models.CharField(max_length=100, blank=True)

    personal = PersonalData(team="host", neutral="what")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.what or 'backup'} at {self.at}"
