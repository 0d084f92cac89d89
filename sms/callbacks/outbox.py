"""The outbox: callbacks written in the transaction of the change they report. Called by `sms.ledger.states` and the fold of receipts.

Where no endpoint exists the cost is one query of an empty table for each batch of changes. Otherwise a batch takes a handful of
set-based statements, however large it is. The same event always gets the same id, and a receiver gets an event once, so applying
receipts again writes nothing again.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from django.db import connection
from msgspec.structs import replace

from sms.callbacks import bodies
from sms.callbacks.bodies import MessageChange
from sms.models.callback import Callback, CallbackEndpoint, Notify
from sms.models.message import Message, MessageState
from sms.models.send import Send
from sms.models.sql.id_list import among

EVENTS = {
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
OF_SENDS = ("service_id", "callback_data", "notify_url", "receipts", "reference")
BATCH = 500


class Listener(msgspec.Struct, frozen=True):
    endpoint_id: int
    service_id: int
    slug: str
    kind: str
    events: frozenset[str]
    full_numbers: bool

    def wants(self, change: MessageChange) -> bool:
        kind = kind_of(change)
        return change.state_changed and bool(kind) and (not self.events or kind in self.events)


def find_listeners() -> list[Listener]:
    """Every endpoint that may want a change. Most installations have none, so that is asked first, without building a query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {CallbackEndpoint._meta.db_table} LIMIT 1")  # noqa: S608 - our own table
        if cursor.fetchone() is None:
            return []
    rows = CallbackEndpoint.objects.filter(verified_at__isnull=False).order_by()
    return [
        Listener(pk, service_id, slug, kind, frozenset(events), full_numbers)
        for pk, service_id, slug, kind, events, full_numbers in rows.values_list(
            "pk", "service_id", "service__slug", "kind", "events", "full_numbers"
        )
    ]


def enqueue(changes: Sequence[MessageChange], listeners: Sequence[Listener]) -> int:
    """Write the callbacks that these changes cause; returns how many. Call it inside the changes' transaction."""
    if not changes or not listeners:
        return 0
    services = {listener.service_id for listener in listeners}
    ids = among({change.send_id for change in changes})
    rows = Send.objects.filter(pk__in=ids, service__in=services)
    sends = {send.pk: send for send in rows.only(*OF_SENDS)}
    changes = [change for change in changes if change.send_id in sends]
    ours = [listener for listener in listeners if listener.kind == CallbackEndpoint.Kind.OURS]
    events = [
        (change, listener)
        for change in changes
        for listener in ours
        if listener.service_id == sends[change.send_id].service_id and listener.wants(change)
    ]
    passed_on = _endpoints_of(changes) if len(ours) < len(listeners) else {}
    reports = [
        (change, passed_on[change.send_id])
        for change in changes
        if change.send_id in passed_on and bodies.reports(change, sends[change.send_id])
    ]
    if not events and not reports:
        return 0
    message_ids = {change.message_id for change, _ in (*events, *reports)}
    messages = _messages(message_ids)
    owed = [*_event_rows(events, sends, messages), *_report_rows(reports, sends, messages)]
    Callback.objects.bulk_create(owed, batch_size=BATCH, ignore_conflicts=True)
    return len(owed)


def enqueue_clicks(clicks: Sequence[MessageChange]) -> int:
    """Clicks change no state; their `send_id` is looked up here. Returns how many callbacks were written."""
    listeners = find_listeners() if clicks else []
    if not listeners:
        return 0
    ids = among({click.message_id for click in clicks})
    sends = dict(Message.objects.filter(pk__in=ids).values_list("pk", "send_id"))
    return enqueue([replace(click, send_id=sends[click.message_id]) for click in clicks], listeners)


def kind_of(change: MessageChange) -> str:
    """The type of event that a change is; empty for none."""
    return CLICKED if change.url else EVENTS.get(MessageState(change.state), "")


def event_id(change: MessageChange) -> str:
    """Always the same for the same event: no two deliveries, replays or folds of it can be taken for two events."""
    what: list[object] = [change.message_id, str(change.state), change.attempt]
    if change.url:
        what += [change.url, change.at.isoformat()]
    elif change.state == MessageState.FAILED:
        what.append(change.code)  # a delivery is one event, however many codes report it
    digest = hashlib.sha256(msgspec.json.encode(what)).digest()
    return "evt_" + base64.b32encode(digest[:20]).decode().lower()


def _endpoints_of(changes: Sequence[MessageChange]) -> dict[int, int]:
    """By send whose receipts are passed on."""
    rows = Notify.objects.filter(send__in=among({change.send_id for change in changes}))
    return dict(rows.values_list("send_id", "endpoint_id"))


def _messages(message_ids: set[int]) -> dict[int, Message]:
    """What bodies say of messages, with what their partners call them."""
    rows = Message.objects.filter(pk__in=among(message_ids)).select_related("echo")
    columns = (
        "msisdn",
        "provider_id",
        "row",
        "segments",
        "segments_billed",
        "echo__correlation_id",
        "echo__destination",
    )
    return {message.pk: message for message in rows.only(*columns)}


def _event_rows(
    events: Sequence[tuple[MessageChange, Listener]],
    sends: dict[int, Send],
    messages: dict[int, Message],
) -> Iterator[Callback]:
    for change, listener in events:
        body = bodies.event(
            change,
            kind=kind_of(change),
            slug=listener.slug,
            message=messages[change.message_id],
            callback_data=sends[change.send_id].callback_data,
            full_numbers=listener.full_numbers,
        )
        yield _row(listener.endpoint_id, change, body)


def _report_rows(
    reports: Sequence[tuple[MessageChange, int]],
    sends: dict[int, Send],
    messages: dict[int, Message],
) -> Iterator[Callback]:
    for change, endpoint_id in reports:
        send = sends[change.send_id]
        body = bodies.report(change, send=send, message=messages[change.message_id])
        yield _row(endpoint_id, change, body, url=send.notify_url)


def _row(endpoint_id: int, change: MessageChange, body: str, *, url: str = "") -> Callback:
    now = datetime.now(UTC)
    return Callback(
        endpoint_id=endpoint_id,
        event_id=event_id(change),
        kind=kind_of(change),
        message_id=change.message_id,
        url=url,
        body=body,
        created_at=now,
        next_at=now,
    )
