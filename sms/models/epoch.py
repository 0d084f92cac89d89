"""Epochs, by which a restored copy of the database is known for one, and what was found of such copies."""

from django.db import models
from django.db.models import CASCADE, Index, Q

from sms.models.personal import PersonalData


class Epoch(models.Model):
    """A number with a random name, raised now and then here first and then in files (`sms.dispatch.epochs`).

    A file that names an epoch which is not here was written beside a later state of this database.
    """

    number = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=32, unique=True)
    raised_at = models.DateTimeField()
    timeline = models.PositiveIntegerField(
        default=0, help_text="PostgreSQL's: a promoted or recovered server begins another. 0 on SQLite."
    )

    identity = models.CharField(
        max_length=60,
        default="",
        help_text="PostgreSQL's own numbers of server, database and table, which no dump brings along. Empty on SQLite.",
    )

    personal = PersonalData(neutral="name identity")

    class Meta:
        ordering = ("-number",)
        indexes = (Index(fields=("raised_at",), name="epoch_by_time"),)  # used by: forgetting old ones

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class RestoredCopy(models.Model):
    """What was found of one service when its database turned out to be an earlier state of itself.

    Until it is settled nobody resumes the service. `last_send` is the last that was there when it was found: those after it were made
    in this copy. From `attempts_from` on attempts are those of this copy; below it they may have been used by what was lost.
    """

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="restored_copies")
    found_at = models.DateTimeField()
    why = models.CharField(max_length=300)
    last_send = models.BigIntegerField()
    attempts_from = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(service="service", neutral="why")

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "restored copies"
        constraints = (
            models.UniqueConstraint(
                fields=("service",),
                condition=Q(settled_at__isnull=True),
                name="service_is_of_one_restored_copy_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return f"restored copy of {self.found_at:%Y-%m-%d %H:%M}"
