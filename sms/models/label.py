"""Labels: short words by which a team sorts its sends and looks at reports. They are read and given by `sms.compose.labels`."""

from django.db import models

from sms.models.personal import PersonalData

LABEL_LENGTH = 30


class Label(models.Model):
    """One word of one service. It comes to be with the first send that has it, and is never renamed: reports would not follow."""

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="labels")
    word = models.CharField(max_length=LABEL_LENGTH)

    personal = PersonalData(service="service", texts=("word",), unique=("word",))

    class Meta:
        ordering = ("word",)
        constraints = (
            models.UniqueConstraint(fields=("service", "word"), name="label_is_written_once_per_service"),
        )

    def __str__(self) -> str:
        return self.word
