"""What a program asked for and was refused: enough to find the mistake, and nothing of the body."""

from datetime import timedelta

from django.db import models
from django.db.models import CASCADE, Index

from sms.models.personal import PersonalData
from sms.models.sql.session import database_now

KEPT = timedelta(days=30)
MOST = 1000  # of a key


class RefusedRequest(models.Model):
    """One request with a key that got an error. Numbers in it are masked, and values of its address are left out, before it is stored."""

    key = models.ForeignKey("sms.ApiKey", on_delete=CASCADE, related_name="refused_requests", db_index=False)
    request_id = models.CharField(max_length=40)
    at = models.DateTimeField()
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=300)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=40, blank=True)
    says = models.CharField(max_length=500, blank=True)
    errors = models.JSONField(default=list, help_text="Field, code and row of the first ones.")

    personal = PersonalData(
        service="key__service", texts="path says errors", neutral="request_id method code"
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("key", "id"), name="refused_requests_of_a_key"),  # used by: page of the key
            Index(fields=("at",), name="refused_requests_by_age"),  # used by: jobs
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status}"

    @classmethod
    def trim(cls, key_id: int) -> int:
        """Drop all but the last MOST of a key."""
        mine = cls.objects.filter(key=key_id).order_by("-pk")
        oldest = mine.values_list("pk", flat=True)[MOST - 1 : MOST].first()
        return mine.filter(pk__lt=oldest).order_by().delete()[0] if oldest else 0

    @classmethod
    def forget(cls) -> int:
        """Drop those older than KEPT; returns how many."""
        old = cls.objects.filter(at__lt=database_now() - KEPT).order_by("at")
        return cls.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:10_000])).delete()[0]
