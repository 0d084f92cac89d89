"""Heartbeats: one row per dispatching process, which distinguish a quiet installation from a dead one."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from sms.models.personal import PersonalData

FORGET = timedelta(minutes=10)


class Heartbeat(models.Model):
    """The last sign of life of one process, by the database's clock. Written by `sms.worker.heartbeat`, at most every few seconds."""

    class Kind(models.TextChoices):
        CLUSTER = "cluster", "django-q2 worker"
        DISPATCH = "dispatch", "manage.py dispatch"

    name = models.CharField(max_length=40, primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    started_at = models.DateTimeField(db_default=Now())
    beat_at = models.DateTimeField(db_default=Now())
    doing = models.CharField(max_length=20, blank=True, help_text="Empty while it rests.")
    progress = models.BigIntegerField(default=0, help_text="Messages posted since it started.")
    skew = models.FloatField(
        default=0.0, help_text="Seconds by which its host's clock is ahead of the database's."
    )

    personal = PersonalData(team="name host doing progress skew")

    class Meta:
        ordering = ("-beat_at",)

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"

    @classmethod
    def beat(
        cls, name: str, *, host: str, pid: int, kind: str, doing: str, progress: int, skew: float = 0.0
    ) -> None:
        """Leave a sign of life. The first one of a process also forgets those that are long gone."""
        said = {"doing": doing, "progress": progress, "skew": skew}
        if not cls.objects.filter(pk=name).update(beat_at=Now(), **said):
            cls.objects.update_or_create(pk=name, defaults={"host": host, "pid": pid, "kind": kind, **said})
            cls.objects.filter(beat_at__lt=Now() - FORGET).delete()

    @classmethod
    def silence(cls, **where: str) -> float | None:
        """Seconds since the last beat among rows that match `where` (host, kind), None where there never was one."""
        beats = cls.objects.filter(**where).annotate(now=Now()).order_by("-beat_at")
        last = beats.values_list("now", "beat_at").first()
        return max((last[0] - last[1]).total_seconds(), 0.0) if last else None
