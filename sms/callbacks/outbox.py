"""What changes of messages are to others: events of the log, and receipts that are passed on to notifyUrls, in the changes' transaction.

Called by `sms.ledger.states` and the fold of receipts. The same event always gets the same id, and a receiver gets an event once, so
applying receipts again writes nothing again.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from sms.callbacks import bodies, events
from sms.callbacks.bodies import MessageChange
from sms.callbacks.events import Followers, Happening, find_followers
from sms.models.callback import Callback, CallbackEndpoint, Notify
from sms.models.message import Message, MessageState
from sms.models.send import Send
from sms.models.send_options import Lane
from sms.models.sql.clock import corrected_now
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
OF_SENDS = (*events.OF_SENDS, "callback_data", "notify_url", "receipts", "reference")


def enqueue(changes: Sequence[MessageChange], followers: Followers) -> int:
    """Record the events that these changes are and write the receipts that are passed on; returns how many of both.

    Call it inside the changes' transaction.
    """
    if not changes or not followers:
        return 0
    ids = among({change.send_id for change in changes})
    rows = Send.objects.filter(pk__in=ids, service__in=followers.services)
    sends = {send.pk: send for send in rows.only(*OF_SENDS)}
    changes = [change for change in changes if change.send_id in sends]
    told = [
        _happening(change, sends[change.send_id])
        for change in changes
        if change.state_changed and kind_of(change)
    ]
    count = events.record(told, followers)
    notified = any(one.kind == CallbackEndpoint.Kind.NOTIFY for one in followers.listeners)
    return count + (_pass_on(changes, sends) if notified else 0)


def _pass_on(changes: Sequence[MessageChange], sends: dict[int, Send]) -> int:
    """Receipts in the provider's shape, to the notifyUrl of their send."""
    passed_on = _endpoints_of(changes)
    reports = [
        (change, passed_on[change.send_id])
        for change in changes
        if change.send_id in passed_on and bodies.reports(change, sends[change.send_id])
    ]
    if not reports:
        return 0
    messages = _messages({change.message_id for change, _ in reports})
    owed = list(_report_rows(reports, sends, messages))
    Callback.objects.bulk_create(owed, batch_size=events.BATCH, ignore_conflicts=True)
    return len(owed)


def enqueue_clicks(clicks: Sequence[MessageChange]) -> int:
    """Clicks change no state; their `send_id` is looked up here. Returns what `enqueue` does."""
    followers = find_followers() if clicks else None
    if not followers:
        return 0
    ids = among({click.message_id for click in clicks})
    sends = dict(Message.objects.filter(pk__in=ids).values_list("pk", "send_id"))
    return enqueue([replace(click, send_id=sends[click.message_id]) for click in clicks], followers)


def _happening(change: MessageChange, send: Send) -> Happening:
    data = {
        "state": str(change.state),
        "code": change.code,
        "detail": change.detail,
        "attempt": change.attempt,
        "segments_billed": change.segments,
    }
    if change.url:
        data |= {"url": change.url, "verdict": change.verdict, "verdict_code": change.reason}
    return Happening(
        type=kind_of(change),
        service_id=send.service_id,
        at=change.at,
        once=once(change),
        owner=events.owner_of(send),
        send_id=change.send_id,
        sender_id=send.sender_id,
        message_id=change.message_id,
        urgent=send.lane == Lane.URGENT,
        test=send.simulated,
        data=data,
    )


def kind_of(change: MessageChange) -> str:
    """The type of event that a change is; empty for none."""
    return CLICKED if change.url else EVENTS.get(MessageState(change.state), "")


def once(change: MessageChange) -> tuple[object, ...]:
    """What makes it this event and no other."""
    if change.url:
        return change.message_id, change.attempt, change.url, change.at.isoformat()
    if change.state == MessageState.FAILED:
        return change.message_id, change.attempt, change.code
    return change.message_id, change.attempt  # a delivery is one event, however many codes report it


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


def _report_rows(
    reports: Sequence[tuple[MessageChange, int]],
    sends: dict[int, Send],
    messages: dict[int, Message],
) -> Iterator[Callback]:
    for change, endpoint_id in reports:
        send = sends[change.send_id]
        body = bodies.report(change, send=send, message=messages[change.message_id])
        now = corrected_now()
        yield Callback(
            endpoint_id=endpoint_id,
            event_id=events.named(kind_of(change), *once(change)),
            kind=kind_of(change),
            message_id=change.message_id,
            url=send.notify_url,
            body=body,
            created_at=now,
            priority=events.priority(urgent=send.lane == Lane.URGENT),
            next_at=now,
        )
