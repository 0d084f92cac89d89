"""Duties: work that one process at a time should do, such as folding receipts. Held for seconds, by the database's clock.

Two holders at once would still be correct, only wasteful; so a duty is a courtesy, not a lock.
"""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from sms.models.personal import PersonalData


class Duty(models.Model):
    """Who does it now, until when."""

    name = models.CharField(max_length=30, primary_key=True)
    owner = models.CharField(max_length=40, blank=True)
    until = models.DateTimeField()

    personal = PersonalData(neutral=("name", "owner"))

    class Meta:
        verbose_name_plural = "duties"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, *, owner: str, seconds: float) -> bool:
        """Take or renew a duty; False where somebody else has it."""
        mine = cls.objects.filter(name=name).filter(models.Q(until__lt=Now()) | models.Q(owner=owner))
        until = Now() + timedelta(seconds=seconds)
        if mine.update(owner=owner, until=until):
            return True
        if cls.objects.filter(name=name).exists():
            return False
        _, created = cls.objects.get_or_create(name=name, defaults={"owner": owner, "until": until})
        return created

    @classmethod
    def drop(cls, name: str, *, owner: str) -> None:
        """Let the next one have it."""
        cls.objects.filter(name=name, owner=owner).update(until=Now())

    @classmethod
    def relieve(cls, name: str, *, owner: str, seconds: float) -> None:
        """Take a duty from whoever has it; they find out when they next ask `is_of`."""
        cls.objects.update_or_create(
            name=name, defaults={"owner": owner, "until": Now() + timedelta(seconds=seconds)}
        )

    @classmethod
    def is_of(cls, name: str, owner: str) -> bool:
        """Whether nobody has relieved `owner` since."""
        return cls.objects.filter(name=name, owner=owner).exists()
