"""Who delivers to which endpoint, by the database's clock.

An endpoint is leased as a whole, so hosts share the work without two of them pushing the same receiver. A lease that ran out is taken
by the next host; what its holder had in flight may be posted again, under the same event id.
"""

import time
from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from sms.callbacks import batches
from sms.callbacks.event_bodies import fill
from sms.callbacks.post import ReceiverConnection
from sms.callbacks.schedule import OPENS_AFTER
from sms.callbacks.width import FIRST, WIDEST, Width
from sms.models import Callback, CallbackEndpoint
from sms.models.fields import UnreadableSecret
from sms.models.lease import LeaseQuerySet
from sms.models.sql.id_list import among

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # longer than the total deadline of a POST
AHEAD = 64  # POSTs whose callbacks are read at once for an endpoint, at most MOST_READ callbacks
MOST_READ = 400
UNREADABLE_AGAIN = 60.0  # seconds
SECRETS = ("secret", "secret_before")
SETTINGS = ("kind", "url", "batch_size", "full_numbers", "texts", "secret_before_until", *SECRETS)
PRIORITIES = Callback.Priority.values


@dataclass(slots=True, eq=False)
class EndpointLease:
    """One endpoint while it is ours.

    `waiting` was read and is begun next; `in_flight` is ready or begun, and what came of it not written yet.
    """

    pk: int
    row: CallbackEndpoint  # with SETTINGS as they were last read
    width: Width
    failures: int
    began: float = field(default_factory=time.monotonic)
    idle: list[ReceiverConnection] = field(default_factory=list)  # kept for the next callback
    posting: int = 0  # threads that post for it
    waiting: list[Callback] = field(default_factory=list)
    ready: deque[list[Callback]] = field(default_factory=deque)  # what its threads go on with
    in_flight: set[int] = field(default_factory=set)
    closed: bool = False  # nothing more is begun
    empty: bool = False  # nothing was due when it was looked at last

    @property
    def begun(self) -> bool:
        return self.posting > 0 or bool(self.in_flight)

    def take_ready(self) -> list[Callback] | None:
        """For a thread; what it takes nobody else does."""
        try:
            return self.ready.popleft()
        except IndexError:
            return None

    def take_back(self) -> None:
        """Nothing is ready any more. It is read again in its turn."""
        while (found := self.take_ready()) is not None:
            self.in_flight.difference_update(one.pk for one in found)
            self.empty = False

    def hang_up(self) -> None:
        for connection in self.idle:
            connection.close()

    def next_post(self) -> list[Callback]:
        """What is posted together next: the first that waits, and what stands in line behind it and goes with it."""
        together = batches.length(
            self.waiting, most=1 if self.failures >= OPENS_AFTER else self.row.batch_size
        )
        found, self.waiting = self.waiting[:together], self.waiting[together:]
        self.in_flight.update(one.pk for one in found)
        return found


def due(now: datetime) -> LeaseQuerySet[CallbackEndpoint]:
    waiting = _in_line(now).filter(endpoint=OuterRef("pk"))
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
    """One whose secrets cannot be read holds up this endpoint and no other."""
    settings = _settings_of(row.pk, now)
    return (
        EndpointLease(row.pk, settings, Width(row.width, most=_widest(row)), row.failures)
        if settings
        else None
    )


def _widest(row: CallbackEndpoint) -> int:
    """A host of notifyUrls was never asked: it stays at FIRST until an endpoint of the service at the same host took its challenge."""
    if row.kind == CallbackEndpoint.Kind.EVENTS:
        return WIDEST
    there = Q(url=row.url) | Q(url__startswith=f"{row.url}/") | Q(url__startswith=f"{row.url}?")
    proven = CallbackEndpoint.objects.filter(
        there, service=row.service_id, kind=CallbackEndpoint.Kind.EVENTS, verified_at__isnull=False
    )
    return WIDEST if proven.exists() else FIRST


def _settings_of(pk: int, now: datetime) -> CallbackEndpoint | None:
    try:
        return CallbackEndpoint.objects.only(*SETTINGS).filter(pk=pk).first()
    except UnreadableSecret as problem:
        log.error("callback_secret_unreadable", endpoint=pk, sentence=str(problem))
        until = now + timedelta(seconds=UNREADABLE_AGAIN)
        CallbackEndpoint.objects.filter(pk=pk).update(owner="", open_until=until)
        return None


def keep(leases: Collection[EndpointLease], owner: str, *, now: datetime, lasting: timedelta = LEASE) -> None:
    """Renew, and read again where to post and with which secrets; what was lost, paused or disabled since is closed."""
    mine = CallbackEndpoint.objects.filter(pk__in=[lease.pk for lease in leases], owner=owner)
    mine.renew(owner, lease=lasting)
    going_on = mine.filter(verified_at__isnull=False, paused_at__isnull=True, disabled_at__isnull=True)
    open_ones = set(going_on.values_list("pk", flat=True))
    for lease in leases:
        row = _settings_of(lease.pk, now) if lease.pk in open_ones and not lease.closed else None
        lease.row, lease.closed = row or lease.row, row is None


def give_back(leases: Collection[EndpointLease], owner: str) -> None:
    """Free for others, or for us when something is due again. `leased_until` stays: it says which waited longest."""
    mine = CallbackEndpoint.objects.filter(pk__in=[lease.pk for lease in leases])
    mine.give_back(owner, leased_until=Now())


def read_due(lease: EndpointLease, *, now: datetime) -> None:
    """Who stands in line next: urgent ones first, replays last, each by its time. Of what is kept no longer nothing can be told."""
    most = min(AHEAD * lease.row.batch_size, MOST_READ) if lease.failures < OPENS_AFTER else 1
    mine = Callback.objects.filter(endpoint=lease.pk, next_at__isnull=False, next_at__lte=now)
    mine, found = _not_begun(mine, [lease]), list[Callback]()
    for priority in (
        PRIORITIES
    ):  # one statement each, so that those of another priority that are not due are not looked at
        if (left := most - len(found)) > 0:
            found += mine.filter(priority=priority).order_by("next_at", "pk")[:left]
    fill(found, numbers=lease.row.full_numbers, texts=lease.row.texts)
    lease.waiting = [one for one in found if one.body]
    if gone := [one.pk for one in found if not one.body]:
        Callback.objects.filter(pk__in=gone).delete()
    lease.empty = not lease.waiting


def look_again(leases: Collection[EndpointLease], *, now: datetime) -> None:
    """Notice what came since: for leases that have nothing in hand anything, for the others what is urgent. Two statements at most."""
    hungry = [lease for lease in leases if not lease.waiting]
    others = [
        lease for lease in leases if lease.waiting and lease.waiting[-1].priority != Callback.Priority.URGENT
    ]
    for asked, priorities in ((hungry, PRIORITIES), (others, [Callback.Priority.URGENT])):
        if not asked:
            continue
        waiting = _not_begun(_in_line(now, priorities).filter(endpoint=OuterRef("pk")), asked)
        rows = CallbackEndpoint.objects.filter(
            Exists(waiting), pk__in=[lease.pk for lease in asked]
        ).order_by()
        found = set(rows.values_list("pk", flat=True))
        for lease in asked:
            if lease.pk in found:
                lease.waiting, lease.empty = [], False  # read when there is room


def _in_line(now: datetime, priorities: Sequence[int] = PRIORITIES) -> QuerySet[Callback]:
    """Due; the priorities are named because the index begins with them."""
    return Callback.objects.filter(priority__in=priorities, next_at__isnull=False, next_at__lte=now)


def _not_begun(rows: QuerySet[Callback], leases: Collection[EndpointLease]) -> QuerySet[Callback]:
    begun = [pk for lease in leases for pk in lease.in_flight]
    return rows.exclude(pk__in=among(begun)) if begun else rows


def waiting_counts(endpoints: Collection[int]) -> Counter[int]:
    rows = Callback.objects.filter(endpoint__in=endpoints, next_at__isnull=False).order_by()
    return Counter(rows.values_list("endpoint_id", flat=True))
