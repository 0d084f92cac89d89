"""The lease on one preparation. It runs out LEASE seconds after the last block, so that the work of a killed process goes on soon."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from sms.models import Preparation

log = structlog.get_logger(__name__)

LEASE = 15.0  # seconds: longer than any block takes
KEEP_EVERY = LEASE / 3


class LeaseLost(Exception):
    """It is ours no more: somebody cancelled it, or took it after the lease ran out. Nothing more may be written."""


@dataclass(frozen=True, slots=True)
class PreparationLease:
    """Ours, as `owner`, of the preparation `pk`."""

    pk: int
    owner: str

    def take(self) -> bool:
        """False where somebody else has it, or it is over."""
        return Preparation.take(self.pk, owner=self.owner, seconds=LEASE)

    def keep(self, *, rows: int = 0, **changes: Any) -> None:
        """First thing in the transaction of a block: the fence, and where the work stands then. Raises Gone."""
        if not Preparation.keep(self.pk, owner=self.owner, seconds=LEASE):
            raise LeaseLost
        if rows:
            changes |= {"tries": 0}  # it gets on
        if changes:
            Preparation.objects.filter(pk=self.pk).update(rows=F("rows") + rows, **changes)

    def end(self, state: str, **changes: Any) -> None:
        """It came to an end; in the transaction of its last block. Raises Gone."""
        mine = Preparation.objects.filter(pk=self.pk, owner=self.owner, state=Preparation.State.WAITING)
        over = {"state": state, "owner": "", "leased_until": None, "ended_at": timezone.now()}
        if not mine.update(**over | changes):
            raise LeaseLost

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep it while one step takes as long as it takes, such as opening a large workbook, which nobody may begin twice.

        On a thread, so that it runs out soon where the process dies.
        """
        over = threading.Event()
        keeper = threading.Thread(target=self._keep_until, args=(over,), name="lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def _keep_until(self, over: threading.Event) -> None:
        try:
            while not over.wait(KEEP_EVERY):
                if not Preparation.keep(self.pk, owner=self.owner, seconds=LEASE):
                    return  # who works finds out at the next block
        except (DatabaseError, InterfaceError) as problem:
            log.warning("lease_not_kept", preparation=self.pk, error=type(problem).__name__)
        finally:
            connection.close()

    def rest(self, seconds: float, **changes: Any) -> None:
        """Let nobody have it for so long, as something is wrong with it. Raises Gone."""
        mine = Preparation.objects.filter(pk=self.pk, owner=self.owner, state=Preparation.State.WAITING)
        if not mine.update(leased_until=Now() + timedelta(seconds=seconds), **changes):
            raise LeaseLost

    def drop(self) -> None:
        """Let the next one have it, if it is still to be done."""
        Preparation.objects.filter(pk=self.pk, owner=self.owner).update(owner="", leased_until=None)
