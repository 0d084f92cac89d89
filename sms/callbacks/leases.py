"""Who delivers to which endpoint, and what became of it: the leases, the breaker and the rows, by the database's clock.

An endpoint is leased as a whole, so hosts share the work without two of them pushing the same receiver. A lease that ran out is taken
by the next host; what its holder had in flight may be posted again, under the same event id.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from sms.callbacks.notice import disable
from sms.callbacks.post import Letter, Reply
from sms.callbacks.schedule import DISABLE_AFTER, OPENS_AFTER, canary_in, next_try
from sms.models import Callback, CallbackEndpoint
from sms.models.fields import UnreadableSecret
from sms.models.lease import LeaseQuerySet

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # longer than the total deadline of a POST
AHEAD = 64  # callbacks read at once for an endpoint
GONE = 410
UNREADABLE_AGAIN = 60.0  # seconds
SECRETS = ("secret", "secret_before")


@dataclass(slots=True, eq=False)
class EndpointLease:
    """One endpoint while it is ours. `width` is how many callbacks are posted at once: it grows while the receiver is quick."""

    pk: int
    kind: str
    secrets: tuple[str, ...]
    failures: int
    width: int = 1
    waiting: list[Callback] = field(default_factory=list)
    flying: set[int] = field(default_factory=set)
    shut: bool = False  # nothing more is begun
    empty: bool = False

    def letter(self, callback: Callback, url: str) -> Letter:
        """What is posted for a callback."""
        hub = self.kind == CallbackEndpoint.Kind.NOTIFY
        return Letter(callback.event_id, callback.url or url, callback.body.encode(), self.secrets, hub)


def due(now: datetime) -> "LeaseQuerySet[CallbackEndpoint]":
    """Endpoints with something to deliver, whoever holds them."""
    waiting = Callback.objects.filter(endpoint=OuterRef("pk"), next_at__isnull=False, next_at__lte=now)
    return CallbackEndpoint.objects.filter(
        Q(open_until__isnull=True) | Q(open_until__lte=now),
        Exists(waiting),
        verified_at__isnull=False,
        paused_at__isnull=True,
        disabled_at__isnull=True,
    ).order_by()


def claim(
    owner: str, *, limit: int, now: datetime, lease: timedelta = LEASE
) -> list[tuple[EndpointLease, str]]:
    """Lease up to `limit` endpoints with something due; each with its address. Whoever waited longest goes first."""
    with transaction.atomic():
        rows = due(now).free().defer(*SECRETS).order_by(F("leased_until").asc(nulls_first=True), "pk")
        found = list(rows.unlocked(no_key=True)[:limit])
        if found:
            CallbackEndpoint.objects.filter(pk__in=[row.pk for row in found]).take(owner, lease=lease)
    lanes = [(_lane(row, now), row.url) for row in found]
    return [(lane, url) for lane, url in lanes if lane is not None]


def _lane(row: CallbackEndpoint, now: datetime) -> EndpointLease | None:
    """With the secrets valid now; one that cannot be read holds up this endpoint and no other."""
    try:
        secrets = (
            CallbackEndpoint.objects.only(*SECRETS).get(pk=row.pk).secrets_at(now, row.secret_before_until)
        )
    except UnreadableSecret as problem:
        log.error("callback_secret_unreadable", endpoint=row.pk, sentence=str(problem))
        later = now + timedelta(seconds=UNREADABLE_AGAIN)
        CallbackEndpoint.objects.filter(pk=row.pk).update(owner="", open_until=later)
        return None
    return EndpointLease(row.pk, row.kind, secrets, row.failures)


def keep(lanes: Collection[EndpointLease], owner: str, *, lease: timedelta = LEASE) -> None:
    """Renew; whoever lost its lease, or was paused or disabled meanwhile, is shut."""
    mine = CallbackEndpoint.objects.filter(pk__in=[lane.pk for lane in lanes], owner=owner)
    mine.renew(owner, lease=lease)
    open_ones = set(
        mine.filter(paused_at__isnull=True, disabled_at__isnull=True).values_list("pk", flat=True)
    )
    for lane in lanes:
        lane.shut = lane.shut or lane.pk not in open_ones


def give_back(lanes: Collection[EndpointLease], owner: str) -> None:
    """Free for others, or for us when something is due again. `leased_until` stays: it tells who waited longest."""
    CallbackEndpoint.objects.filter(pk__in=[lane.pk for lane in lanes]).give_back(owner, leased_until=Now())


def fill(lane: EndpointLease, *, now: datetime) -> None:
    """Read what is due next for a lane."""
    rows = Callback.objects.filter(endpoint=lane.pk, next_at__isnull=False, next_at__lte=now)
    rows = rows.exclude(pk__in=lane.flying).order_by("next_at", "pk")
    lane.waiting = list(rows[: AHEAD if lane.failures < OPENS_AFTER else 1])
    lane.empty = not lane.waiting


def record(results: Sequence[tuple[EndpointLease, Callback, Reply]], *, now: datetime | None = None) -> None:
    """Write what came of it: the rows in bulk, each endpoint once. One transaction."""
    if not results:
        return
    now = now or timezone.now()
    with transaction.atomic():
        lanes = sorted({lane.pk: lane for lane, _, _ in results}.values(), key=lambda lane: lane.pk)
        rows = (
            CallbackEndpoint.objects.filter(pk__in=[lane.pk for lane in lanes]).order_by("pk").defer(*SECRETS)
        )
        if connection.features.has_select_for_update:
            rows = rows.select_for_update(no_key=True)
        endpoints = {row.pk: row for row in rows}
        done: list[Callback] = []
        for lane, callback, reply in results:
            endpoint = endpoints.get(lane.pk)
            if endpoint is None:  # removed while its callback was on its way
                continue
            _note(callback, reply, now=now)
            _judge(endpoint, callback, reply, now=now)
            lane.failures = endpoint.failures
            done.append(callback)
        _write(done)
        for endpoint in endpoints.values():
            endpoint.save(update_fields=["failures", "given_up", "open_until", "last_ok_at"])
            if endpoint.disabled_because and endpoint.disabled_at is None:
                disable(endpoint, because=endpoint.disabled_because, now=now)
    for lane in lanes:
        held = endpoints.get(lane.pk)
        if held is None or held.disabled_at is not None or (held.open_until and held.open_until > now):
            lane.shut = True


CHANGED = {
    "state": "text",
    "next_at": "timestamptz",
    "done_at": "timestamptz",
    "tries": "int",
    "last_status": "smallint",
    "last_error": "text",
    "log": "jsonb",
}


def _write(rows: Sequence[Callback]) -> None:
    """CHANGED of many rows at once: one JSON text on PostgreSQL, executemany on SQLite. Django's bulk_update took most of the time."""
    table = Callback._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            types = ", ".join(f"{column} {kind}" for column, kind in CHANGED.items())
            sets = ", ".join(f"{column} = v.{column}" for column in CHANGED)
            values = [{"id": row.pk} | {column: getattr(row, column) for column in CHANGED} for row in rows]
            cursor.execute(
                f"UPDATE {table} c SET {sets} FROM json_to_recordset(%s::json) AS v(id bigint, {types}) WHERE c.id = v.id",  # noqa: S608
                [msgspec.json.encode(values).decode()],
            )
        else:
            sets = ", ".join(f"{column} = %s" for column in CHANGED)
            cursor.executemany(
                f"UPDATE {table} SET {sets} WHERE id = %s",  # noqa: S608
                [(*(_plain(getattr(row, column)) for column in CHANGED), row.pk) for row in rows],
            )


def _plain(value: Any) -> Any:
    """As SQLite stores it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value


def _note(callback: Callback, reply: Reply, *, now: datetime) -> None:
    """One try on the callback's own row."""
    callback.tries += 1
    callback.last_status, callback.last_error = reply.status, reply.error
    entry = {
        "at": now.isoformat(timespec="milliseconds"),
        "status": reply.status,
        "ms": reply.milliseconds,
        "error": reply.error,
        "reply": reply.text,
    }
    callback.log = [*callback.log, entry][-Callback.KEPT_TRIES :]
    if reply.ok:
        callback.state, callback.next_at, callback.done_at = Callback.State.DELIVERED, None, now
        return
    again = None
    if reply.status != GONE:
        again = next_try(callback.tries, since=callback.since, now=now, wish=reply.wish)
    if again is None:
        callback.state, callback.next_at, callback.done_at = Callback.State.GIVEN_UP, None, now
    else:
        callback.next_at = again


def _judge(endpoint: CallbackEndpoint, callback: Callback, reply: Reply, *, now: datetime) -> None:
    """What one reply says about the receiver: the breaker, and whether to go on at all."""
    if reply.ok:
        if (
            endpoint.failures >= OPENS_AFTER
        ):  # it is back: whatever failed meanwhile need not wait for its next try
            late = Callback.objects.filter(endpoint=endpoint, next_at__gt=now, tries__gt=0)
            late.update(next_at=now)
            log.info("callbacks_go_on", endpoint=endpoint.pk)
        endpoint.failures = endpoint.given_up = 0
        endpoint.open_until, endpoint.last_ok_at = None, now
        return
    endpoint.failures += 1
    wait = canary_in(endpoint.failures, wish=reply.wish if reply.status in (429, 503) else None)
    endpoint.open_until = now + timedelta(seconds=wait) if wait else None
    if endpoint.failures == OPENS_AFTER:
        log.warning("callbacks_break", endpoint=endpoint.pk, status=reply.status, error=reply.error)
    if callback.state != Callback.State.GIVEN_UP:
        return
    endpoint.given_up += 1
    log.warning("callback_given_up", callback=callback.pk, endpoint=endpoint.pk, status=reply.status)
    if reply.status == GONE and endpoint.kind == CallbackEndpoint.Kind.OURS:
        endpoint.disabled_because = "The receiver answered 410: it is gone."
    elif endpoint.given_up >= DISABLE_AFTER:
        endpoint.disabled_because = (
            f"{endpoint.given_up} callbacks in a row could not be delivered in three days. Last: {reply.error}"
        )[:300]


def waiting_counts(endpoints: Collection[int]) -> Counter[int]:
    """Callbacks that wait, by endpoint."""
    rows = Callback.objects.filter(endpoint__in=endpoints, next_at__isnull=False).order_by()
    return Counter(rows.values_list("endpoint_id", flat=True))
