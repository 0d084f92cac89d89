"""Arm: the last look before a byte may leave, and the mark that says so.

Runs inside the coordinator's transaction. Whatever could have changed since the send was made is read again here: cancelled, expired,
paused. The fence (`renew`) comes first: a dispatcher that slept past its lease finds it gone and arms nothing.
"""

import time

from sms.dispatch import pace
from sms.dispatch.claim import Lease, database_now, renew
from sms.dispatch.post import Job
from sms.dispatch.request import Line, Sheet, body_of
from sms.models import Message, MessageState, Send, SendState, ledger
from sms.models.ledger import News, Tally
from sms.webex.wire import WireError


def arm(lease: Lease, *, owner: str, room: int, sheet: Sheet, line: Line) -> tuple[list[Job], float]:
    """Mark up to `room` messages *posting*; returns their jobs and seconds until more may be asked for."""
    if not renew(lease, owner=owner):
        lease.waiting.clear()
        return [], 0.0
    send = Send.objects.select_related("service").get(pk=lease.send_id)
    now = database_now()
    tally = Tally.new()
    if send.state == SendState.CANCELLED or send.service.paused_at is not None:
        lease.waiting.clear()
        return [], 0.0
    if send.expires_at is not None and send.expires_at <= now:
        ledger.apply([News(message.pk, MessageState.EXPIRED, now) for message in lease.waiting], tally=tally)
        tally.write()
        lease.waiting.clear()
        return [], 0.0
    slots = pace.reserve(lease.service_id, rate=send.service.rate, wanted=room)
    chosen = [lease.waiting.popleft() for _ in slots.offsets]
    bodies = _bodies(chosen, sheet, tally)
    armed = ledger.arm(list(bodies), at=now, tally=tally)
    tally.write()
    started = time.monotonic()
    jobs = [
        Job(lease, message.pk, message.attempt + 1, bodies[message.pk], line, started + offset)
        for message, offset in zip(chosen, slots.offsets, strict=True)
        if message.pk in armed
    ]
    return jobs, slots.wait


def _bodies(chosen: list[Message], sheet: Sheet, tally: Tally) -> dict[int, bytes]:
    """Request bodies by message; what the provider's rules forbid fails here instead of at the provider."""
    bodies: dict[int, bytes] = {}
    for message in chosen:
        try:
            bodies[message.pk] = body_of(message, sheet, attempt=message.attempt + 1)
        except WireError as problem:
            bad = News(
                message.pk,
                MessageState.FAILED,
                database_now(),
                code="wire",
                detail=f"{problem.field}: {problem.rule}",
            )
            ledger.apply([bad], tally=tally)
    return bodies
