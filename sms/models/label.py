"""Labels of sends."""

from django.db import models
from django.db.models import CASCADE, UniqueConstraint

from sms.models.personal import PersonalData

LABEL_LENGTH = 30


class Label(models.Model):
    """A short word by which a team sorts its sends and looks at reports (`sms.compose.labels`).

    It comes to be with the first send that has it, and is never renamed: reports would not follow.
    """

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="labels")
    word = models.CharField(max_length=LABEL_LENGTH)

    personal = PersonalData(service="service", texts="word", unique="word")

    class Meta:
        ordering = ("word",)
        constraints = (
            UniqueConstraint(fields=("service", "word"), name="label_is_written_once_per_service"),
        )

    def __str__(self) -> str:
        return self.word
