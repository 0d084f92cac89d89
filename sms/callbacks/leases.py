"""Who delivers to which endpoint, by the database's clock.

An endpoint is leased as a whole, so hosts share the work without two of them pushing the same receiver. A lease that ran out is taken
by the next host; what its holder had in flight may be posted again, under the same event id.
"""

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from sms.callbacks.event_bodies import fill
from sms.callbacks.post import CallbackRequest, ReceiverConnection
from sms.callbacks.schedule import OPENS_AFTER
from sms.models import Callback, CallbackEndpoint
from sms.models.fields import UnreadableSecret
from sms.models.lease import LeaseQuerySet

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # longer than the total deadline of a POST
AHEAD = 64  # callbacks read at once for an endpoint
UNREADABLE_AGAIN = 60.0  # seconds
SECRETS = ("secret", "secret_before")


@dataclass(slots=True, eq=False)
class EndpointLease:
    """One endpoint while it is ours. `width` is how many callbacks are posted at once: it grows while the receiver is quick."""

    pk: int
    kind: str
    url: str
    secrets: tuple[str, ...]
    failures: int
    full_numbers: bool = False
    texts: bool = False
    began: float = field(default_factory=time.monotonic)
    idle: list[ReceiverConnection] = field(default_factory=list)  # kept for the next callback
    width: int = 1
    waiting: list[Callback] = field(default_factory=list)
    in_flight: set[int] = field(default_factory=set)
    closed: bool = False  # nothing more is begun
    empty: bool = False

    def request(self, callback: Callback) -> CallbackRequest:
        hub, body = self.kind == CallbackEndpoint.Kind.NOTIFY, callback.body.encode()
        return CallbackRequest(callback.event_id, callback.url or self.url, body, self.secrets, hub)


def due(now: datetime) -> "LeaseQuerySet[CallbackEndpoint]":
    waiting = Callback.objects.filter(endpoint=OuterRef("pk"), next_at__isnull=False, next_at__lte=now)
    return CallbackEndpoint.objects.filter(
        Q(open_until__isnull=True) | Q(open_until__lte=now),
        Exists(waiting),
        verified_at__isnull=False,
        paused_at__isnull=True,
        disabled_at__isnull=True,
    ).order_by()


def claim(owner: str, *, limit: int, now: datetime) -> list[EndpointLease]:
    """Lease up to `limit` endpoints with something due. The one that waited longest goes first."""
    with transaction.atomic():
        rows = due(now).free().defer(*SECRETS).order_by(F("leased_until").asc(nulls_first=True), "pk")
        found = list(rows.lock_what_no_other_has(no_key=True)[:limit])
        if found:
            CallbackEndpoint.objects.filter(pk__in=[row.pk for row in found]).take(owner, lease=LEASE)
    return [lease for row in found if (lease := _lease_of(row, now))]


def _lease_of(row: CallbackEndpoint, now: datetime) -> EndpointLease | None:
    """With the secrets valid now; one that cannot be read holds up this endpoint and no other."""
    try:
        whole = CallbackEndpoint.objects.only(*SECRETS).get(pk=row.pk)
        secrets = whole.secrets_at(now, row.secret_before_until)
    except UnreadableSecret as problem:
        log.error("callback_secret_unreadable", endpoint=row.pk, sentence=str(problem))
        until = now + timedelta(seconds=UNREADABLE_AGAIN)
        CallbackEndpoint.objects.filter(pk=row.pk).update(owner="", open_until=until)
        return None
    return EndpointLease(row.pk, row.kind, row.url, secrets, row.failures, row.full_numbers, row.texts)


def keep(leases: Collection[EndpointLease], owner: str, *, lasting: timedelta = LEASE) -> None:
    """Renew; what was lost, paused or disabled since is closed."""
    mine = CallbackEndpoint.objects.filter(pk__in=[lease.pk for lease in leases], owner=owner)
    mine.renew(owner, lease=lasting)
    going_on = mine.filter(paused_at__isnull=True, disabled_at__isnull=True)
    open_ones = set(going_on.values_list("pk", flat=True))
    for lease in leases:
        lease.closed = lease.closed or lease.pk not in open_ones


def give_back(leases: Collection[EndpointLease], owner: str) -> None:
    """Free for others, or for us when something is due again. `leased_until` stays: it says which waited longest."""
    mine = CallbackEndpoint.objects.filter(pk__in=[lease.pk for lease in leases])
    mine.give_back(owner, leased_until=Now())


def read_due(lease: EndpointLease, *, now: datetime) -> None:
    rows = Callback.objects.filter(endpoint=lease.pk, next_at__isnull=False, next_at__lte=now)
    rows = rows.exclude(pk__in=lease.in_flight).order_by("next_at", "pk")
    found = list(rows[: AHEAD if lease.failures < OPENS_AFTER else 1])
    fill(found, numbers=lease.full_numbers, texts=lease.texts)
    lease.waiting = [one for one in found if one.body]
    if gone := [one.pk for one in found if not one.body]:  # what they tell of is kept no longer
        Callback.objects.filter(pk__in=gone).delete()
    lease.empty = not lease.waiting


def waiting_counts(endpoints: Collection[int]) -> Counter[int]:
    rows = Callback.objects.filter(endpoint__in=endpoints, next_at__isnull=False).order_by()
    return Counter(rows.values_list("endpoint_id", flat=True))
