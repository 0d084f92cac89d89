"""What came of callbacks: the rows, the breaker of each endpoint, and when to give up. Called by `run`."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from sms import notices
from sms.callbacks.leases import SECRETS, EndpointLease
from sms.callbacks.post import ReceiverConnection, Reply
from sms.callbacks.schedule import DISABLE_AFTER, OPENS_AFTER, canary_in, next_try
from sms.models import Actor, Callback, CallbackEndpoint, NoticeKind
from sms.models.audit import audit
from sms.models.sql.update_rows import update_rows
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

GONE = 410
# Translators: error is a sentence.
NOT_DELIVERED = KeptSentence(
    gettext_noop("%(n)s callbacks in a row could not be delivered in three days. Last: %(error)s")
)
SWITCHED_OFF = KeptSentence(gettext_noop("Callbacks to %(name)s were switched off."))
NOTHING_LOST = gettext_noop(
    "Nothing is lost: they are kept for 30 days. Switch the endpoint on again, and replay what was missed."
)


class Delivery(msgspec.Struct, frozen=True):
    """One POST that came back, of one callback or of a batch. A `canary` went alone, to see whether the receiver is back."""

    lease: EndpointLease
    callbacks: Sequence[Callback]
    connection: ReceiverConnection  # free again, unless its thread goes on with it
    reply: Reply
    began: float  # by the monotonic clock
    canary: bool
    goes_on: bool = False


WRITTEN = ("state", "next_at", "done_at", "since", "tries", "last_status", "last_error", "log")
_CallbackRow = msgspec.defstruct("_CallbackRow", ("id", *WRITTEN))


def record(deliveries: Sequence[Delivery], *, now: datetime) -> None:
    """Write what came of these: the callbacks in bulk, each endpoint once. One transaction."""
    if not deliveries:
        return
    leases = {one.lease.pk: one.lease for one in deliveries}
    with transaction.atomic():
        rows = CallbackEndpoint.objects.select_for_update(no_key=True).filter(pk__in=leases)
        endpoints = {row.pk: row for row in rows.order_by("pk").defer(*SECRETS)}
        # an endpoint may have been removed while its callback was on its way
        known = [one for one in deliveries if one.lease.pk in endpoints]
        for one in known:
            endpoint = endpoints[one.lease.pk]
            for callback in one.callbacks:
                _update_callback(callback, one, gone=_is_gone(endpoint, one.reply), now=now)
            _update_endpoint(endpoint, one, now=now)
            endpoint.width, one.lease.failures = one.lease.width.now, endpoint.failures
        names = ("pk", *WRITTEN)
        tried = [callback for one in known for callback in one.callbacks]
        update_rows(
            Callback,
            WRITTEN,
            [_CallbackRow(*(getattr(callback, name) for name in names)) for callback in tried],
        )
        for endpoint in endpoints.values():
            endpoint.save(update_fields=["failures", "given_up", "open_until", "last_ok_at", "width"])
            if endpoint.disabled_because and endpoint.disabled_at is None:
                disable(endpoint, because=endpoint.disabled_because, now=now)
    for pk, lease in leases.items():
        row = endpoints.get(pk)
        if row is None or row.disabled_at is not None or (row.open_until and row.open_until > now):
            lease.closed = True


def _is_gone(endpoint: CallbackEndpoint, reply: Reply) -> bool:
    """410 of an endpoint of ours is about the endpoint, which is switched off: what was on its way waits like the rest."""
    return reply.status == GONE and endpoint.kind == CallbackEndpoint.Kind.EVENTS


def _update_callback(callback: Callback, one: Delivery, *, gone: bool, now: datetime) -> None:
    reply = one.reply
    callback.tries += 1
    callback.since = callback.since or now
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
    if reply.status != GONE or gone:
        # the same for all of a batch, which is tried again as the same batch
        dice = random.Random(one.began)  # noqa: S311 - nothing secret
        next_at = next_try(
            callback.tries, since=callback.since, now=now, retry_after=reply.retry_after, dice=dice
        )
    if next_at is None:
        callback.state, callback.next_at, callback.done_at = Callback.State.GIVEN_UP, None, now
    else:
        callback.next_at = next_at


def _update_endpoint(endpoint: CallbackEndpoint, one: Delivery, *, now: datetime) -> None:
    """What one reply says about the receiver: the breaker, and whether to go on at all."""
    reply = one.reply
    if reply.ok:
        if endpoint.failures >= OPENS_AFTER:
            # it is back: what failed in between need not wait for its next try
            late = Callback.objects.filter(
                endpoint=endpoint, priority__in=Callback.Priority.values, next_at__gt=now, tries__gt=0
            )
            late.update(next_at=now)
            log.info("callbacks_go_on", endpoint=endpoint.pk)
        endpoint.failures = endpoint.given_up = 0
        endpoint.open_until, endpoint.last_ok_at = None, now
        return
    # what was on its way together when the receiver went away is one failure, not sixty; only canaries put the next one off
    before = endpoint.failures
    endpoint.failures = before + 1 if one.canary else max(before, min(before + 1, OPENS_AFTER))
    wait = canary_in(endpoint.failures, retry_after=reply.retry_after if reply.status in (429, 503) else None)
    endpoint.open_until = now + timedelta(seconds=wait) if wait else None
    if before < OPENS_AFTER == endpoint.failures:
        log.warning("callbacks_break", endpoint=endpoint.pk, status=reply.status, error=reply.error)
    if _is_gone(endpoint, reply):
        endpoint.disabled_because = gettext_noop("The receiver answered 410: it is gone.")
        return
    given_up = [callback.pk for callback in one.callbacks if callback.state == Callback.State.GIVEN_UP]
    if not given_up:
        return
    endpoint.given_up += 1
    log.warning("callback_given_up", callbacks=given_up, endpoint=endpoint.pk, status=reply.status)
    if endpoint.given_up >= DISABLE_AFTER:
        endpoint.disabled_because = NOT_DELIVERED(n=endpoint.given_up, error=reply.error)[:300]


def disable(endpoint: CallbackEndpoint, *, because: str, now: datetime, by: Actor | None = None) -> None:
    """Deliver nothing more to it until it is switched on again. Its callbacks go on being written and wait."""
    endpoint.disabled_at, endpoint.disabled_because = now, because
    endpoint.save(update_fields=["disabled_at", "disabled_because"])
    audit("callback_endpoint.disabled", endpoint, by=by or Actor.system(), because=because)
    log.error("callback_endpoint_disabled", endpoint=endpoint.pk, because=because)
    notices.tell(
        NoticeKind.CALLBACKS_OFF,
        notices.holding(endpoint.service, "admin"),
        event=f"callbacks_off:{endpoint.pk}:{now.isoformat()}",
        says=SWITCHED_OFF(name=endpoint.name),
        more=f"{because}\n\n{NOTHING_LOST}",
        service=endpoint.service,
        page="callback_endpoint",
        page_id=endpoint.pk,
        now=now,
    )
