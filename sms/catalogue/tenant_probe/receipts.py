"""Receipts of a tenant probe's messages, caught where they come in: with the address, and whether they were signed."""

from datetime import datetime

from sms.catalogue.tenant_probe.bodies import key_of
from sms.catalogue.tenant_probe.posting import hidden
from sms.models import ProbePost, ProbeReceipt
from sms.values import correlation_id
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt

MOST = 200  # of one post: a provider that repeats itself fills no disk


def take(
    raw: bytes, *, service_id: int, correlation_key: str, webhook: bool, signed: bool, now: datetime
) -> bool:
    """Keep it where it is about a message of a tenant probe of this service; False for any other."""
    try:
        note = parse_receipt(raw)
    except UnreadableBody:
        return False
    ours = correlation_id.read(note.correlation_id, key=key_of(correlation_key))
    if ours is None:
        return False
    post = ProbePost.objects.filter(pk=ours.message_id, step__probe__service=service_id)
    found = post.select_related("step__probe").first()
    if found is None:
        return False
    if found.receipts.count() < MOST:
        ProbeReceipt.objects.create(
            post=found,
            place=ours.attempt,
            webhook=webhook,
            signed=signed,
            # of a run that has ended, only the receipt itself knows the number
            raw=hidden(raw, found.step.probe.msisdn or note.destination),
            at=now,
        )
    return True
