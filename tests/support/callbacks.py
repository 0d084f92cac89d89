"""Endpoints, sends with a notifyUrl, and receipts that come in, for the tests of callbacks."""

import json
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from sms import callbacks
from sms.callbacks.event_bodies import fill
from sms.callbacks.post import ReceiverConnection
from sms.inbound.receipts.inbox import insert
from sms.inbound.receipts.incoming import Incoming
from sms.models import ALL_RECEIPTS, Callback, CallbackEndpoint, Echo, Message, Send, Service
from sms.values import correlation_id
from tests.support.receipts import receipt

LOOPBACK = callbacks.AddressPolicy(loopback=True)


def an_endpoint(service: Service, url: str = "http://127.0.0.1:9/hook", **changes) -> CallbackEndpoint:
    fields = {"name": "Shop system", "url": url, "verified_at": timezone.now()} | changes
    return CallbackEndpoint.objects.create(service=service, **fields)


REFERENCE = UUID("00000000-0000-4000-8000-000000000001")


def told(kind: str = "", **only) -> list[dict]:
    """What was written for receivers, in its order, as they get it."""
    chosen = Callback.objects.filter(kind__startswith=kind, **only)
    rows = list(chosen.select_related("endpoint").order_by("pk"))
    for row in rows:
        fill([row], numbers=row.endpoint.full_numbers, texts=row.endpoint.texts)
    return [json.loads(row.body) for row in rows]


def with_notify(send: Send, url: str = "http://127.0.0.1:9/notify?x=1", **changes) -> Send:
    fields = {"callback_data": "order=981", "reference": REFERENCE, "receipts": ALL_RECEIPTS} | changes
    Send.objects.filter(pk=send.pk).update(notify_url=url, **fields)
    send.refresh_from_db()
    Echo.objects.bulk_create(
        Echo(
            message_id=pk,
            service_id=send.service_id,
            correlation_id=f"theirs-{place}",
            destination=f"07710 {place}",
        )
        for place, pk in enumerate(send.messages.order_by("pk").values_list("pk", flat=True))
    )
    callbacks.pass_receipts_on(send, policy=LOOPBACK)
    return send


def comes_in(message: Message, *, code: str = "7500", status: str = "Delivered", **extra) -> None:
    """One receipt, stored but not applied."""
    service = message.send.service
    name = correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
    raw = receipt(name, code=code, status=status, **extra)
    key = service.correlation_key
    insert([Incoming.read(raw, service_id=service.pk, key=key, received_at=timezone.now())])


def deliver(now: datetime | None = None, *, deadline: float = 60.0, **options) -> callbacks.DeliveryRun:
    """One run, to receivers on this machine, at a time of the test's choice."""
    options = {"clock": lambda: now} | options if now else options
    return callbacks.run(
        policy=LOOPBACK,
        connection_for=lambda: ReceiverConnection(LOOPBACK, deadline=deadline),
        **({"seconds": 120.0} | options),
    )


def waiting() -> int:
    return Callback.objects.filter(state="waiting").count()


def owe(endpoint: CallbackEndpoint, count: int = 1, *, at=None, **changes) -> list[Callback]:
    """Callbacks as the outbox writes them."""
    at = at or timezone.now()
    start = Callback.objects.count()
    rows = [
        Callback(
            endpoint=endpoint,
            event_id=f"evt_{start + number}",
            kind="message.delivered",
            body=json.dumps({"number": number, "text": "ünïcode"}),
            created_at=at,
            next_at=at,
            **changes,
        )
        for number in range(count)
    ]
    return Callback.objects.bulk_create(rows)
