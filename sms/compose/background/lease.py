"""The lease on one preparation. It runs out LEASE seconds after the last block, so that the work of a killed process goes on soon."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db.models import F

from sms.models import Preparation
from sms.models.lease import LeaseQuerySet, kept
from sms.models.sql.clock import corrected_now

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=15)  # longer than any block takes
KEEP_EVERY = 5.0


class LeaseLost(Exception):
    """It is no longer ours: it was cancelled, or taken after the lease ran out. Nothing more may be written."""


@dataclass(frozen=True, slots=True)
class PreparationLease:
    """Ours, as `owner`, of the preparation `pk`."""

    pk: int
    owner: str

    def take(self) -> bool:
        """False where another holder has it, or it is over."""
        return bool(self._waiting().free().take(self.owner, lease=LEASE))

    def keep(self, *, rows: int = 0, **changes: Any) -> None:
        """First thing in the transaction of a block: the fence, and where the work stands then. Raises Gone."""
        if not self._renew():
            raise LeaseLost
        if rows:
            changes |= {"tries": 0}  # it gets on
        if changes:
            Preparation.objects.filter(pk=self.pk).update(rows=F("rows") + rows, **changes)

    def end(self, state: str, **changes: Any) -> None:
        """It came to an end; in the transaction of its last block. Raises Gone."""
        over = {"state": state, "ended_at": corrected_now()}
        if not self._waiting().give_back(self.owner, **over | changes):
            raise LeaseLost

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renewed while one step takes as long as it takes, such as opening a large workbook, which must not begin twice."""
        with kept(self._renew, every=KEEP_EVERY):
            yield

    def rest(self, seconds: float, **changes: Any) -> None:
        """Keep it from being taken for so long, as something is wrong with it. Raises Gone."""
        if not self._waiting().renew(self.owner, lease=timedelta(seconds=seconds), **changes):
            raise LeaseLost

    def drop(self) -> None:
        """Let the next one have it, if it is still to be done."""
        Preparation.objects.filter(pk=self.pk).give_back(self.owner)

    def _waiting(self) -> "LeaseQuerySet[Preparation]":
        return Preparation.waiting().filter(pk=self.pk)

    def _renew(self) -> bool:
        return bool(self._waiting().renew(self.owner, lease=LEASE))
