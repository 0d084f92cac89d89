"""Refused posts taken in after all, or deleted, as a person decided."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from sms.inbound import optouts
from sms.inbound.receipts.inbox import insert
from sms.inbound.receipts.incoming import Incoming
from sms.inbound.refused.keeping import BY_ANYBODY
from sms.ledger import wakeups
from sms.models import Actor, PostKind, RefusedPost, Service
from sms.models.audit import audit

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class TakenIn:
    """`new` of the `posts` had not come in another way, `left` wait still."""

    posts: int = 0
    new: int = 0
    left: int = 0


def take_in(
    service: Service,
    *,
    kind: str,
    by: Actor,
    came_to: str = "",
    unknown: bool = False,
    most: int | None = None,
) -> TakenIn:
    """Take in the oldest of a kind, at most so many; with `unknown` those that nothing shows to be about a service.

    Only those that came to one kind of address, `came_to`. Without it all but incoming SMS at an unknown address: a stranger may have
    posted them, and a STOP among genuine ones would count.
    They are read as if they had come in when they did: a state only moves forward, and a person's last word stays the last. May be
    stopped and started again at any time.
    """
    rows = _rows(service, kind=kind, came_to=came_to, unknown=unknown)
    if not (came_to or unknown):
        rows = rows.exclude(BY_ANYBODY)
    posts = new = 0
    while most is None or posts < most:
        with transaction.atomic():
            size = AT_ONCE if most is None else min(AT_ONCE, most - posts)
            batch = list(rows.select_for_update()[:size])  # nobody else takes in the same ones
            if not batch:
                break
            new += _receipts(service, batch) if kind == PostKind.RECEIPT else _messages(service, batch)
            RefusedPost.objects.filter(pk__in=[one.pk for one in batch]).delete()
        posts += len(batch)
    if posts:
        audit("receipts.taken_in", service, by=by, kind=kind, posts=posts, new=new, unknown=unknown)
    if new and kind == PostKind.RECEIPT:
        wakeups.fold()
    return TakenIn(posts, new, rows.count())


def delete(service: Service, *, kind: str, by: Actor, came_to: str = "", unknown: bool = False) -> int:
    """Delete what was kept of a kind, for good; returns how many."""
    with transaction.atomic():
        count = _rows(service, kind=kind, came_to=came_to, unknown=unknown).delete()[0]
        if count:
            audit("receipts.refused_deleted", service, by=by, kind=kind, posts=count, unknown=unknown)
    return count


def _rows(service: Service, *, kind: str, came_to: str, unknown: bool) -> "QuerySet[RefusedPost]":
    rows = RefusedPost.objects.filter(service=None if unknown else service.pk, kind=kind).order_by("pk")
    return rows.filter(came_to=came_to) if came_to else rows


def _receipts(service: Service, batch: list[RefusedPost]) -> int:
    key = service.correlation_key
    return insert(
        [
            receipt
            for one in batch
            for receipt in Incoming.each(
                bytes(one.raw), service_id=service.pk, key=key, received_at=one.received_at
            )
        ],
        everywhere=True,
    )


def _messages(service: Service, batch: list[RefusedPost]) -> int:
    taken = (
        optouts.take(bytes(one.raw), service_id=service.pk, received_at=one.received_at) for one in batch
    )
    return sum(taken)
