"""Keeping what was refused, for some days and within bounds, so that whoever knows an address, or guesses one, cannot fill the disk."""

import hashlib
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from sms.inbound.receipts.incoming import correlation_id_of
from sms.inbound.refused import tally
from sms.models import CameTo, PostKind, RefusedPost, Sender, Service
from sms.models.fields import UnreadableSecret
from sms.models.sql.session import limit_statements
from sms.values import correlation_id
from sms.webex.errors import UnreadableBody
from sms.webex.inbound import parse_inbound

log = structlog.get_logger(__name__)

PATIENCE = 2000  # milliseconds for each statement: a database that hangs counts as away
COUNTED_EVERY = 5.0  # seconds
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Bound:
    posts: int
    size: int  # bytes


OF_A_SERVICE = Bound(100_000, 100_000_000)
# what nothing shows to be about a service, of all that came: anybody can post that
OF_ANYBODY = Bound(1000, 4_000_000)
ANYBODY = 0  # stands for them where a service would be
BY_ANYBODY = Q(service=None) | Q(came_to=CameTo.UNKNOWN, kind=PostKind.INBOUND)


class Room:
    """How much may still be kept: counted in the table every few seconds, and in between by what this process kept."""

    def __init__(self) -> None:
        self._left: dict[int, tuple[float, int, int]] = {}
        self._lock = threading.Lock()

    def take(self, of: int, size: int) -> bool:
        """Whether one more of so many bytes has room; it is then counted."""
        with self._lock:
            until, posts, left = self._left.get(of, (0.0, 0, 0))
            if until <= time.monotonic():
                until, posts, left = self._count(of)
            fits = posts > 0 and left >= size
            self._left[of] = (until, posts - fits, left - size * fits)
            return fits

    def forget(self) -> None:
        with self._lock:
            self._left.clear()

    def _count(self, of: int) -> tuple[float, int, int]:
        bound = OF_A_SERVICE if of else OF_ANYBODY
        rows: QuerySet[RefusedPost] = RefusedPost.objects.order_by()
        rows = rows.filter(~BY_ANYBODY, service=of) if of else rows.filter(BY_ANYBODY)
        kept = rows.aggregate(posts=Count("pk"), size=Sum("size"))
        return time.monotonic() + COUNTED_EVERY, bound.posts - kept["posts"], bound.size - (kept["size"] or 0)


room = Room()


def keep(raw: bytes, *, kind: str, came_to: str, service_id: int | None, now: datetime) -> bool:
    """Keep and count one; False where there was no room for it. Raises the database's troubles.

    A repetition is counted, and kept once.
    """
    anybody = service_id is None or (came_to == CameTo.UNKNOWN and kind == PostKind.INBOUND)
    of = ANYBODY if anybody else service_id or ANYBODY
    digest = hashlib.blake2b(f"{of}:{kind}:".encode() + raw, digest_size=16).digest()
    with transaction.atomic():
        limit_statements(PATIENCE)
        kept = RefusedPost.objects.filter(dedupe=digest).exists()
        if not kept and room.take(of, len(raw)):
            post = RefusedPost(
                service_id=service_id,
                kind=kind,
                came_to=came_to,
                dedupe=digest,
                raw=raw,
                size=len(raw),
                received_at=now,
            )
            RefusedPost.objects.bulk_create([post], ignore_conflicts=True)
            kept = True
    tally.count(service_id, kind, came_to, "refused", *([] if kept else ["not_kept"]))
    return kept


def whose(raw: bytes, *, kind: str) -> int | None:
    """The service that a post to an unknown address is about: the one that made its correlation id, or that has the number written to."""
    if kind == PostKind.INBOUND:
        with suppress(UnreadableBody):
            written_to = parse_inbound(raw).sender.removeprefix("+")
            owners = set(Sender.objects.filter(address=written_to).values_list("service_id", flat=True)[:2])
            return owners.pop() if len(owners) == 1 else None
        return None
    text = correlation_id_of(raw)
    if text.count("-") != 2:
        return None
    with suppress(UnreadableSecret):
        for pk, key in Service.objects.order_by("pk").values_list("pk", "correlation_key"):
            if correlation_id.read(text, key=key):
                return pk
    return None


def forget(now: datetime) -> int:
    """Delete some of those whose days are over."""
    old = RefusedPost.objects.filter(received_at__lt=now - timedelta(days=RefusedPost.KEPT))
    ids = list(old.order_by("received_at").values_list("pk", flat=True)[:AT_ONCE])
    return RefusedPost.objects.filter(pk__in=ids).delete()[0]
