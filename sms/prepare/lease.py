"""The lease on one preparation. It runs out LEASE seconds after the last block, so that the work of a killed process goes on soon."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils import timezone

from sms.models import Preparation

LEASE = 15.0  # seconds: longer than any block takes


class Gone(Exception):
    """It is ours no more: somebody cancelled it, or took it after the lease ran out. Nothing more may be written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Ours, as `owner`, of the preparation `pk`."""

    pk: int
    owner: str

    def take(self) -> bool:
        """False where somebody else has it, or it is over."""
        return Preparation.take(self.pk, owner=self.owner, seconds=LEASE)

    def keep(self, *, rows: int = 0, **changes: Any) -> None:
        """First thing in the transaction of a block: the fence, and where the work stands then. Raises Gone."""
        if not Preparation.keep(self.pk, owner=self.owner, seconds=LEASE):
            raise Gone
        if rows or changes:
            Preparation.objects.filter(pk=self.pk).update(rows=F("rows") + rows, **changes)

    def end(self, state: str, **changes: Any) -> None:
        """It came to an end; in the transaction of its last block. Raises Gone."""
        mine = Preparation.objects.filter(pk=self.pk, owner=self.owner, state=Preparation.State.WAITING)
        over = {"state": state, "owner": "", "leased_until": None, "ended_at": timezone.now()}
        if not mine.update(**over | changes):
            raise Gone

    def drop(self) -> None:
        """Let the next one have it, if it is still to be done."""
        Preparation.objects.filter(pk=self.pk, owner=self.owner).update(owner="", leased_until=None)
