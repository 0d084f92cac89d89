"""Delivering once more, and deleting what is old. A replay keeps the event's id, so a receiver that had it drops it."""

from datetime import datetime, timedelta

from django.db import transaction

from sms.models import Actor, Callback, CallbackEndpoint
from sms.models.audit import audit
from sms.models.paging import given
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import database_now

KEPT = timedelta(days=30)
FORGET_AT_ONCE = 1000


def replay(
    endpoint: CallbackEndpoint,
    *,
    by: Actor,
    only: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    failed_only: bool = False,
    now: datetime | None = None,
) -> int:
    """Deliver again what was delivered or given up: `only` the one with this id, or what was written in a range. Returns how many.

    What waits is made due at once. A fresh three days begin for each, with its first try. Replays go last.
    """
    now = now or corrected_now()
    asked = given(pk=only, created_at__gte=since, created_at__lt=until)
    rows = Callback.objects.filter(asked, endpoint=endpoint)
    if failed_only:
        rows = rows.exclude(state=Callback.State.DELIVERED)
    with transaction.atomic():
        count = rows.update(
            state=Callback.State.WAITING,
            priority=Callback.Priority.REPLAY,
            next_at=now,
            done_at=None,
            since=None,
            tries=0,
        )
        if count:
            audit("callbacks.replayed", endpoint, by=by, callbacks=count)
    return count


def forget(*, at_once: int = FORGET_AT_ONCE) -> int:
    """Delete what is older than KEPT, waiting or not; a bounded piece at a time. Returns how many."""
    old = Callback.objects.filter(created_at__lt=database_now() - KEPT).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:at_once])
    if ids:
        Callback.objects.filter(pk__in=ids).delete()
    return len(ids)
