"""Sends with a past: posted so many days ago, with receipts, clicks and echoes, through the ledger's own doors."""

import secrets
from datetime import datetime, timedelta

from django.utils import timezone

from sms.compliance import retention
from sms.inbound.clicks import counts
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import Click, Echo, Receipt, Send, Service, Slice, StateCount
from sms.models.send_state import SendState
from sms.models.sql.messages import Acceptance
from sms.reports import facts
from tests.support.receipts import receipt
from tests.support.sends import a_send, a_service

from sms.values import correlation_id  # isort: skip

ENDS = ("delivered", "failed", "no_report", "delivered")


def no_rest() -> bool:
    return False


def an_old_service(**days) -> Service:
    return a_service(slug=f"s{secrets.token_hex(6)}", **days)


def a_past_send(
    service: Service, count: int = 4, *, days: float, ends=ENDS, clicks: bool = True, **changes
) -> Send:
    """A send that was posted `days` ago and is over, each message as `ends` says in turn."""
    send = a_send(service, count, **changes)
    at = timezone.now() - timedelta(days=days)
    Send.objects.filter(pk=send.pk).update(due_at=at, created_at=at, state=SendState.FINISHED)
    send.refresh_from_db()
    Slice.objects.filter(send=send).update(done=True)
    StateCount.objects.filter(send=send, state="pending", delta__lt=0).delete()
    play(send, at=at + timedelta(seconds=3), ends=ends, clicks=clicks)
    return send


def play(send: Send, *, at: datetime, ends, clicks: bool) -> None:
    messages = list(send.messages.order_by("pk"))
    deltas = CounterDeltas()
    posted = [
        one for index, one in enumerate(messages) if ends[index % len(ends)] not in ("pending", "cancelled")
    ]
    states.arm([one.pk for one in posted], at=at, deltas=deltas)
    states.accept(
        [Acceptance(one.pk, 1, f"p-{one.pk}") for one in posted],
        at=at + timedelta(milliseconds=80),
        deltas=deltas,
    )
    for index, one in enumerate(messages):
        end = ends[index % len(ends)]
        if end in ("queued", "pending"):
            continue
        code = "7203" if end == "failed" else ""
        states.apply(
            [StateChange(one.pk, end, at + timedelta(seconds=5), code=code, carrier="o2", segments=1)],
            deltas=deltas,
        )
    deltas.write()
    for one in posted:
        told(one, send.service, at=at + timedelta(seconds=5))
    if clicks and posted:
        opened = told(posted[0], send.service, at=at + timedelta(seconds=60), click=True)
        Click.objects.create(
            message=posted[0],
            receipt=opened,
            url="https://x.test/a",
            ip="203.0.113.9",
            user_agent="Safari",
            at=at,
        )
        counts.judge_messages([posted[0].pk])
        Echo.objects.create(
            service=send.service, message=posted[0], correlation_id="theirs-1", destination=posted[0].msisdn
        )
    facts.fold()


def told(message, service: Service, *, at: datetime, click: bool = False) -> Receipt:
    ours = correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
    info = {"destination": message.msisdn.lstrip("+"), "timeStamp": at.isoformat()}
    if click:
        info |= {"code": "7504", "deliveryStatus": "Clicked", "Description": "https://x.test/a|203.0.113.9"}
    return Receipt.objects.create(
        service=service,
        message_id=message.pk,
        attempt=1,
        raw=receipt(ours, info=info, transid=f"p-{message.pk}"),
        dedupe=secrets.token_bytes(16),
        received_at=at,
    )


def run(service: Service, **options):
    service.refresh_from_db()
    return retention.run(
        service, now=options.get("now") or timezone.now(), rest=options.get("rest") or no_rest
    )
