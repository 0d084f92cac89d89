"""Heartbeats: one row per process, which distinguish a quiet installation from a dead one, and carry what only that process knows."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData

FORGET = timedelta(minutes=10)  # workers of a cluster come and go
FORGET_OTHERS = timedelta(days=1)  # one that died without a word is shown for so long


class Heartbeat(models.Model):
    """The last sign of life of one process, by the database's clock. Written by `sms.worker.heartbeat`, at most every few seconds."""

    class Kind(models.TextChoices):
        CLUSTER = "cluster", _("django-q2 worker")
        DISPATCH = "dispatch", "manage.py dispatch"
        JOBS = "jobs", _("Jobs beside a cluster")
        WEB = "web", _("Web server")

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

    version = models.CharField(max_length=40, blank=True, default="", db_default="")
    facts = models.JSONField(
        default=dict, blank=True, help_text="What only this process knows: spool, connection to the provider."
    )

    personal = PersonalData(team="name host doing progress skew facts", neutral="version")

    class Meta:
        ordering = ("-beat_at",)

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"

    @classmethod
    def beat(cls, name: str, *, host: str, pid: int, kind: str, **says: Any) -> None:
        """Leave a sign of life, with the columns that it `says`. The first one of a process also forgets those that are long gone."""
        if not cls.objects.filter(pk=name).update(beat_at=Now(), **says):
            cls.objects.update_or_create(pk=name, defaults={"host": host, "pid": pid, "kind": kind, **says})
            cls.forget()

    @classmethod
    def forget(cls) -> None:
        workers = models.Q(kind=cls.Kind.CLUSTER)
        old = workers & models.Q(beat_at__lt=Now() - FORGET)
        cls.objects.filter(old | (~workers & models.Q(beat_at__lt=Now() - FORGET_OTHERS))).delete()

    @classmethod
    def dispatching(cls) -> float | None:
        """Seconds since the last beat of a process that sends."""
        return cls.silence(kind__in=(cls.Kind.CLUSTER, cls.Kind.DISPATCH))

    @classmethod
    def silence(cls, **where: Any) -> float | None:
        """Seconds since the last beat among rows that match `where` (host, kind), None where there never was one."""
        beats = cls.objects.filter(**where).annotate(now=Now()).order_by("-beat_at")
        last = beats.values_list("now", "beat_at").first()
        return max((last[0] - last[1]).total_seconds(), 0.0) if last else None
