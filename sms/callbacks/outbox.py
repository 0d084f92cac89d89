"""The outbox: callbacks written in the transaction of the change they tell of. Called by `sms.ledger.states` and the fold of receipts.

Where nobody listens the cost is one query of an empty table for each batch of changes. Where somebody does, a batch is told with a
handful of set-based statements, however large it is. The same event always gets the same id, and a receiver has an event once, so
that applying receipts again tells nothing again.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from django.db import connection

from sms.callbacks import bodies
from sms.callbacks.bodies import MessageChange
from sms.models.callback import Callback, CallbackEndpoint, Echo, Notify
from sms.models.message import Message, MessageState
from sms.models.send import Send
from sms.models.sql.id_list import among

TOLD = {
    MessageState.QUEUED: "message.queued",
    MessageState.SUBMITTED: "message.submitted",
    MessageState.DELIVERED: "message.delivered",
    MessageState.FAILED: "message.failed",
    MessageState.UNCONFIRMED: "message.unconfirmed",
    MessageState.NO_REPORT: "message.no_report",
    MessageState.CANCELLED: "message.cancelled",
    MessageState.EXPIRED: "message.expired",
}
CLICKED = "message.clicked"
BATCH = 500


class Listener(NamedTuple):
    """An endpoint, as far as writing to it needs it."""

    pk: int
    service_id: int
    slug: str
    kind: str
    events: frozenset[str]
    full_numbers: bool


def listening() -> list[Listener]:
    """Everybody who may want to hear of a change. Most desks have nobody, so that is asked first, without building a query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {CallbackEndpoint._meta.db_table} LIMIT 1")  # noqa: S608 - our own table
        if cursor.fetchone() is None:
            return []
    rows = CallbackEndpoint.objects.filter(verified_at__isnull=False).order_by()
    return [
        Listener(pk, service, slug, kind, frozenset(events), full)
        for pk, service, slug, kind, events, full in rows.values_list(
            "pk", "service_id", "service__slug", "kind", "events", "full_numbers"
        )
    ]


def tell(changes: Sequence[MessageChange], listeners: Sequence[Listener]) -> int:
    """Write the callbacks that these changes owe; returns how many. Call it inside the changes' transaction."""
    if not changes or not listeners:
        return 0
    services = {listener.service_id for listener in listeners}
    ours = [listener for listener in listeners if listener.kind == CallbackEndpoint.Kind.OURS]
    sends = {
        pk: (service, reference)
        for pk, service, reference in Send.objects.filter(
            pk__in=among({change.send_id for change in changes}), service__in=services
        ).values_list("pk", "service_id", "callback_data")
    }
    changes = [change for change in changes if change.send_id in sends]
    asked: dict[int, Notify] = {}
    if changes and len(ours) < len(listeners):
        asked = {
            notify.send_id: notify
            for notify in Notify.objects.filter(send__in=among({change.send_id for change in changes}))
        }
    owed = [
        (change, listener)
        for change in changes
        for listener in ours
        if listener.service_id == sends[change.send_id][0] and _wants(listener, change)
    ]
    reports = [
        change
        for change in changes
        if change.send_id in asked and bodies.reports(change, asked[change.send_id])
    ]
    if not owed and not reports:
        return 0
    ids = {change.message_id for change, _ in owed} | {change.message_id for change in reports}
    facts = {
        row[0]: row
        for row in Message.objects.filter(pk__in=among(ids)).values_list(
            "pk", "msisdn", "provider_id", "attempt", "row"
        )
    }
    echoes = {
        echo.message_id: echo for echo in (Echo.objects.filter(message__in=among(ids)) if asked else ())
    }
    now = datetime.now(UTC)
    rows = [
        _row(listener.pk, change, kind_of(change), now)(
            bodies.event(
                change,
                kind=kind_of(change),
                slug=listener.slug,
                facts=facts[change.message_id],
                callback_data=sends[change.send_id][1],
                full_numbers=listener.full_numbers,
                echo=echoes.get(change.message_id),
            )
        )
        for change, listener in owed
    ]
    for change in reports:
        notify = asked[change.send_id]
        body = bodies.report(
            change, notify=notify, facts=facts[change.message_id], echo=echoes.get(change.message_id)
        )
        rows.append(_row(notify.endpoint_id, change, kind_of(change), now, url=notify.url)(body))
    Callback.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    return len(rows)


def tell_clicks(clicks: Sequence[MessageChange]) -> int:
    """Clicks move nothing in the ledger; their `send_id` is looked up here. Returns how many callbacks were written."""
    listeners = listening() if clicks else []
    if not listeners:
        return 0
    ids = among({click.message_id for click in clicks})
    sends = dict(Message.objects.filter(pk__in=ids).values_list("pk", "send_id"))
    return tell([click._replace(send_id=sends[click.message_id]) for click in clicks], listeners)


def kind_of(change: MessageChange) -> str:
    """The type of event that a change is."""
    return CLICKED if change.url else TOLD.get(MessageState(change.state), "")


def _wants(listener: Listener, change: MessageChange) -> bool:
    kind = kind_of(change)
    return change.moved and bool(kind) and (not listener.events or kind in listener.events)


def event_id(change: MessageChange) -> str:
    """Always the same for the same event: no two deliveries, replays or folds of it can be taken for two events."""
    what: list[object] = [change.message_id, str(change.state), change.attempt]
    if change.url:
        what += [change.url, change.at.isoformat()]
    elif change.state == MessageState.FAILED:
        what.append(change.code)  # a delivery is one event, however many codes tell it
    digest = hashlib.sha256(msgspec.json.encode(what)).digest()
    return "evt_" + base64.b32encode(digest[:20]).decode().lower()


def _row(
    endpoint_id: int, change: MessageChange, kind: str, now: datetime, *, url: str = ""
) -> Callable[[str], Callback]:
    return lambda body: Callback(
        endpoint_id=endpoint_id,
        event_id=event_id(change),
        kind=kind,
        message_id=change.message_id,
        url=url,
        body=body,
        created_at=now,
        since=now,
        next_at=now,
    )
