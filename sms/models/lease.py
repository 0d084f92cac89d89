"""Leases: which process works on a row, and until when by the database's clock. A process that dies leaves its lease to run out.

Inherited by `Slice`, `Preparation`, `CallbackEndpoint` and `Duty`.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self, TypeVar

import structlog
from django.db import Error, connection, models, transaction
from django.db.models import CheckConstraint, Q
from django.db.models.functions import Now

from sms.models.sql.session import limit_statements

log = structlog.get_logger(__name__)

LEASE = 20.0  # seconds that a killed holder keeps others waiting; one that works renews it, however long that takes
M = TypeVar("M", bound=models.Model)


def new_owner() -> str:
    return f"{os.getpid()}-{secrets.token_hex(8)}"


def is_free() -> Q:
    """Without an owner, or its lease ran out."""
    return Q(owner="") | Q(leased_until__lt=Now())


class LeaseQuerySet(models.QuerySet[M]):
    def free(self) -> Self:
        return self.filter(is_free())

    def lock_what_no_other_has(self, **options: Any) -> Self:
        """Locked for us until the transaction ends, without those that another process is taking just now; PostgreSQL only."""
        if not connection.features.has_select_for_update_skip_locked:
            return self  # one writer at a time anyway
        return self.select_for_update(skip_locked=True, of=("self",), **options)

    def take(self, owner: str, *, lease: timedelta, **changes: Any) -> int:
        """Lease all of these rows, or renew; returns how many."""
        return self.update(owner=owner, leased_until=Now() + lease, **changes)

    def renew(self, owner: str, *, lease: timedelta, **changes: Any) -> int:
        """Renew those that are still the owner's; returns how many. In a transaction that writes more it is the fence."""
        return self.filter(owner=owner).update(leased_until=Now() + lease, **changes)

    def give_back(self, owner: str, **changes: Any) -> int:
        """Free for the next one; returns how many were still the owner's."""
        return self.filter(owner=owner).update(**{"owner": "", "leased_until": None} | changes)


class Leased(models.Model):
    owner = models.CharField(max_length=40, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True
        constraints = (
            CheckConstraint(
                name="%(class)s_is_leased_by_somebody_until_some_time_or_free",
                condition=Q(owner="", leased_until__isnull=True)
                | (~Q(owner="") & Q(leased_until__isnull=False)),
            ),
        )


@contextmanager
def kept(renew: Callable[[], bool], *, every: float) -> Iterator[None]:
    """Renew a lease while one step takes as long as it takes. On a thread, so that it runs out soon where the process dies.

    A step that hangs keeps its lease: who can renew between two steps does that instead. To renew waits no longer for the row than until
    it is time again: the step may hold it locked itself, and waits for the thread at its end.
    """
    over = threading.Event()

    def keep() -> None:
        while not over.wait(every):
            try:
                with transaction.atomic():
                    limit_statements(round(every * 1000))
                    held = renew()
                if not held:
                    return  # who works finds out at the next step
            except Error as problem:
                log.warning("lease_not_renewed", error=type(problem).__name__)
            finally:
                connection.close()

    renewer = threading.Thread(target=keep, name="lease", daemon=True)
    renewer.start()
    try:
        yield
    finally:
        over.set()
        renewer.join()
