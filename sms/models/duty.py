"""Duties: work that one process at a time should do, such as folding receipts. Held for seconds, by the database's clock.

Two holders at once would still be correct, only wasteful; so a duty is a courtesy, not a lock.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sms.models.lease import LEASE, Leased, LeaseQuerySet, is_free, kept, new_owner
from sms.models.personal import PersonalData


class Duty(Leased):
    name = models.CharField(max_length=30, primary_key=True)

    objects = LeaseQuerySet["Duty"].as_manager()

    personal = PersonalData(neutral="name owner")

    class Meta:
        verbose_name_plural = "duties"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def hold(cls, name: str, *, seconds: float = LEASE) -> "HeldDuty | None":
        """The duty for so long, renewed or not; None where another process has it."""
        held = HeldDuty(name, seconds)
        return held if held.take() else None

    @classmethod
    def relieve(cls, name: str, *, seconds: float) -> "HeldDuty":
        """Take a duty from its present holder, which finds out when it next asks `is_mine`."""
        held = HeldDuty(name, seconds)
        until = Now() + timedelta(seconds=seconds)
        cls.objects.update_or_create(name=name, defaults={"owner": held.owner, "leased_until": until})
        return held

    @classmethod
    def is_held(cls, name: str) -> bool:
        return cls.objects.filter(name=name).exclude(is_free()).exists()


@dataclass(slots=True)
class HeldDuty:
    """A duty of ours. Its holder renews it between two steps, or has it `kept`; where the process dies, it runs out."""

    name: str
    seconds: float
    owner: str = field(default_factory=new_owner)
    _renewed: float = field(default_factory=time.monotonic)

    def take(self) -> bool:
        """Take or renew; False where another process has it."""
        asked, lease = time.monotonic(), timedelta(seconds=self.seconds)
        rows = Duty.objects.filter(name=self.name)
        taken = bool(rows.filter(is_free() | Q(owner=self.owner)).take(self.owner, lease=lease))
        if not taken and not rows.exists():
            fresh = {"owner": self.owner, "leased_until": Now() + lease}
            _, taken = Duty.objects.get_or_create(name=self.name, defaults=fresh)
        if taken:
            self._renewed = asked
        return taken

    def renew(self) -> bool:
        """Renew if that is worth a statement by now; False where it is no longer ours."""
        return time.monotonic() - self._renewed < self.seconds / 4 or self.take()

    def is_mine(self) -> bool:
        """Whether we have not been relieved since."""
        return Duty.objects.filter(name=self.name, owner=self.owner).exists()

    def give_back(self, *, rest: float = 0.0) -> None:
        """Let the next process have it, in `rest` seconds."""
        rows = Duty.objects.filter(name=self.name)
        if rest > 0:
            rows.renew(self.owner, lease=timedelta(seconds=rest))
        else:
            rows.give_back(self.owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renewed by a thread while the work takes as long as it takes."""
        with kept(self.take, every=self.seconds / 4):
            yield
