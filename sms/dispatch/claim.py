"""Claim, finish and sweep: who works on which slice, by the database's clock.

A dispatcher that dies leaves its lease to run out. Whoever claims the slice next first settles what was armed: those messages may
have reached the provider, so they become *unconfirmed*; the rest was provably never sent and is simply worked on.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from sms.models import Message, MessageState, Send, SendState, Slice
from sms.models.ledger import News, Tally, apply, cancel

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)  # longer than the total deadline of a POST (20 s) and the writing of its result


@dataclass(slots=True)
class Lease:
    """A slice that is ours for a while, with its messages still to be armed."""

    slice_id: int
    send_id: int
    service_id: int
    first_id: int
    last_id: int
    waiting: deque[Message] = field(default_factory=deque)
    in_flight: int = 0
    lost: bool = False


def open_slices() -> "QuerySet[Slice]":
    """Slices that somebody could claim, now or later."""
    return Slice.objects.filter(done=False, service__paused_at__isnull=True)


def claim(*, owner: str, limit: int) -> list[Lease]:
    """Lease up to `limit` due slices and load their pending messages."""
    free = Q(owner="") | Q(leased_until__lt=Now())
    with transaction.atomic():
        due = open_slices().filter(free, due_at__lte=Now()).order_by("due_at", "id")
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True, of=("self",))
        slices = list(due[:limit])
        if not slices:
            return []
        _sweep([item for item in slices if item.owner])
        Slice.objects.filter(pk__in=[item.pk for item in slices]).update(
            owner=owner, leased_until=Now() + LEASE
        )
    # after the slices' locks are gone: `cancel` takes the send's lock first and theirs second
    for send_id in sorted({item.send_id for item in slices}):
        Send.objects.filter(pk=send_id, state=SendState.SCHEDULED).update(state=SendState.SENDING)
    return [_load(item) for item in slices]


def _load(item: Slice) -> Lease:
    lease = Lease(item.pk, item.send_id, item.service_id, item.first_id, item.last_id)
    pending = in_slice(lease).filter(state=MessageState.PENDING).order_by("id")
    lease.waiting.extend(pending.only("id", "send_id", "msisdn", "text", "substitutions", "attempt"))
    return lease


def in_slice(lease: "Lease | Slice") -> "QuerySet[Message]":
    """The messages of a slice; other sends may have ids in between."""
    return Message.objects.filter(send_id=lease.send_id, pk__gte=lease.first_id, pk__lte=lease.last_id)


def _sweep(expired: Sequence[Slice]) -> None:
    """What a dead dispatcher had armed may have been sent: unconfirmed."""
    tally = Tally.new()
    for item in expired:
        armed = list(in_slice(item).filter(state=MessageState.POSTING).values_list("pk", "posted_at"))
        at = database_now()
        detail = "Whoever was sending it stopped before the answer came."
        apply([News(pk, MessageState.UNCONFIRMED, at, detail=detail) for pk, _ in armed], tally=tally)
        log.warning("lease_ran_out", slice=item.pk, send=item.send_id, unconfirmed=len(armed))
    tally.write()


def renew(lease: Lease, *, owner: str) -> bool:
    """The fence: True while the slice is still ours. Locks its row until the transaction ends."""
    mine = Slice.objects.filter(pk=lease.slice_id, owner=owner, done=False)
    lease.lost = not mine.update(leased_until=Now() + LEASE)
    return not lease.lost


def finish(lease: Lease, *, owner: str, retry_in: float = 0.0) -> None:
    """Give a slice back: done where nothing is left to post, otherwise free again in `retry_in` seconds."""
    with transaction.atomic():
        send = Send.objects.select_for_update(no_key=True).get(pk=lease.send_id)
        if not renew(lease, owner=owner):
            return
        if send.state == SendState.CANCELLED:
            _cancel_what_came_back(send)
        left = in_slice(lease).filter(state=MessageState.PENDING).exists()
        mine = Slice.objects.filter(pk=lease.slice_id)
        if left:
            mine.update(owner="", leased_until=None, due_at=Now() + timedelta(seconds=max(retry_in, 0)))
            return
        mine.update(owner="", leased_until=None, done=True)
        more = Slice.objects.filter(send=OuterRef("pk"), done=False)
        Send.objects.filter(~Exists(more), pk=send.pk, state=SendState.SENDING).update(
            state=SendState.FINISHED
        )


def _cancel_what_came_back(send: Send) -> None:
    """Messages in flight at the moment of cancelling, and returned by the provider since, are cancelled like the others."""
    tally = Tally.new()
    cancel(send.pk, at=database_now(), tally=tally)
    tally.write()


def reopen(slice_ids: Sequence[int], *, retry_in: float) -> None:
    """Messages came back to pending after their slice was closed or taken: somebody must look again."""
    closed = Slice.objects.filter(pk__in=slice_ids, done=True)
    if closed.update(done=False, due_at=Now() + timedelta(seconds=retry_in)):
        Send.objects.filter(slices__in=slice_ids, state=SendState.FINISHED).update(state=SendState.SENDING)


def database_now() -> datetime:
    """The one clock that all hosts share."""
    if connection.vendor != "postgresql":
        return timezone.now()  # one machine: its clock is the database's
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
