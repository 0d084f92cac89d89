"""What came of callbacks: the rows, the breaker of each endpoint, and when to give up. Called by `run`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import structlog
from django.db import connection, transaction

from sms.callbacks.leases import SECRETS, EndpointLease
from sms.callbacks.notice import disable
from sms.callbacks.post import Reply
from sms.callbacks.schedule import DISABLE_AFTER, OPENS_AFTER, canary_in, next_try
from sms.models import Callback, CallbackEndpoint
from sms.models.sql.update_rows import update_rows

log = structlog.get_logger(__name__)

GONE = 410
WRITTEN = {
    "state": "text",
    "next_at": "timestamptz",
    "done_at": "timestamptz",
    "tries": "int",
    "last_status": "smallint",
    "last_error": "text",
    "log": "jsonb",
}


class Delivery(msgspec.Struct, frozen=True):
    lease: EndpointLease
    callback: Callback
    reply: Reply


class _CallbackRow(msgspec.Struct):
    id: int
    state: str
    next_at: datetime | None
    done_at: datetime | None
    tries: int
    last_status: int
    last_error: str
    log: list[dict[str, object]]


def record(deliveries: Sequence[Delivery], *, now: datetime) -> None:
    """Write what came of these: the callbacks in bulk, each endpoint once. One transaction."""
    if not deliveries:
        return
    leases = {one.lease.pk: one.lease for one in deliveries}
    with transaction.atomic():
        rows = CallbackEndpoint.objects.filter(pk__in=leases).order_by("pk").defer(*SECRETS)
        if connection.features.has_select_for_update:
            rows = rows.select_for_update(no_key=True)
        endpoints = {row.pk: row for row in rows}
        # an endpoint may have been removed while its callback was on its way
        known = [one for one in deliveries if one.lease.pk in endpoints]
        for one in known:
            endpoint = endpoints[one.lease.pk]
            _update_callback(one.callback, one.reply, now=now)
            _update_endpoint(endpoint, one.callback, one.reply, now=now)
            one.lease.failures = endpoint.failures
        _write([one.callback for one in known])
        for endpoint in endpoints.values():
            endpoint.save(update_fields=["failures", "given_up", "open_until", "last_ok_at"])
            if endpoint.disabled_because and endpoint.disabled_at is None:
                disable(endpoint, because=endpoint.disabled_because, now=now)
    for pk, lease in leases.items():
        row = endpoints.get(pk)
        if row is None or row.disabled_at is not None or (row.open_until and row.open_until > now):
            lease.closed = True


def _write(callbacks: Sequence[Callback]) -> None:
    names = ("pk", *WRITTEN)
    rows = [_CallbackRow(*(getattr(callback, name) for name in names)) for callback in callbacks]
    update_rows(Callback, WRITTEN, rows)


def _update_callback(callback: Callback, reply: Reply, *, now: datetime) -> None:
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
    next_at = None
    if reply.status != GONE:
        next_at = next_try(callback.tries, since=callback.since, now=now, retry_after=reply.retry_after)
    if next_at is None:
        callback.state, callback.next_at, callback.done_at = Callback.State.GIVEN_UP, None, now
    else:
        callback.next_at = next_at


def _update_endpoint(endpoint: CallbackEndpoint, callback: Callback, reply: Reply, *, now: datetime) -> None:
    """What one reply says about the receiver: the breaker, and whether to go on at all."""
    if reply.ok:
        if (
            endpoint.failures >= OPENS_AFTER
        ):  # it is back: what failed in between need not wait for its next try
            late = Callback.objects.filter(endpoint=endpoint, next_at__gt=now, tries__gt=0)
            late.update(next_at=now)
            log.info("callbacks_go_on", endpoint=endpoint.pk)
        endpoint.failures = endpoint.given_up = 0
        endpoint.open_until, endpoint.last_ok_at = None, now
        return
    endpoint.failures += 1
    wait = canary_in(endpoint.failures, retry_after=reply.retry_after if reply.status in (429, 503) else None)
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
