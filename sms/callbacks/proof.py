"""Whose an endpoint is, and whether it takes what we post. Both post to it, so they are called outside transactions.

Ownership is proven by a challenge: a signed POST of type `endpoint.verification` whose nonce must come back as the whole body of a 2xx
answer, or as `challenge` at the top of a JSON object. An answer 200 alone proves nothing, since half the internet gives one, and an echo of
the request is no answer either. Addresses that came as notifyUrl are not asked: they get receipts of the very messages that were sent with
them, nothing else.
"""

import json
import secrets
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from sms.callbacks import batches
from sms.callbacks.bodies import envelope
from sms.callbacks.post import CallbackRequest, ReceiverConnection, Reply
from sms.models import Actor, Callback, CallbackEndpoint, MessageState, ShownState
from sms.models.audit import audit
from sms.models.event_types import EVENT_TYPES
from sms.models.sql.clock import corrected_now
from sms.values.msisdn import mask
from sms.webex.wire import stamp
from sms.words import retold

CHALLENGE = "endpoint.verification"
# what a test event says beside null: nobody's number, from the range that is kept for drama
EXAMPLE: dict[str, Any] = dict.fromkeys("message send row attempt segments_billed inbound opt_out".split(), 1)
EXAMPLE |= {"number": "+447700900001", "url": "https://example.com/", "name": "A test", "text": "A test"}
STATES: dict[str, str] = {  # of a test event whose type is no state
    "message.clicked": MessageState.DELIVERED,
    "send.approved": ShownState.SENDING,
    "send.refused": ShownState.CANCELLED,
    "send.held": ShownState.SENDING,
    "send.resumed": ShownState.SENDING,
}


def verify(endpoint: CallbackEndpoint, *, by: Actor, connection: ReceiverConnection) -> str:
    """Ask the receiver for the nonce; returns why it is not verified, empty where it is. Posts, so call it outside transactions."""
    now = corrected_now()
    nonce = secrets.token_urlsafe(24)
    body = envelope(CHALLENGE, at=now, data={"challenge": nonce, "endpoint": endpoint.pk})
    signing = endpoint.secrets_at(now, endpoint.secret_before_until)
    request = CallbackRequest(f"chl_{secrets.token_hex(12)}", endpoint.url, body.encode(), signing)
    reply = connection.post(request)
    if why := _unproven(reply, nonce):
        return why
    with transaction.atomic():
        asked = CallbackEndpoint.objects.filter(pk=endpoint.pk, url=endpoint.url)
        if not asked.update(verified_at=now, moved_at=None):
            return _("Its address was changed meanwhile. Send the challenge again.")
        endpoint.verified_at, endpoint.moved_at = now, None
        audit("callback_endpoint.verified", endpoint, by=by)
    return ""


def _unproven(reply: Reply, nonce: str) -> str:
    if not reply.ok:
        return retold(reply.error)
    answer = reply.text.strip()
    if secrets.compare_digest(answer.encode(), nonce.encode()):
        return ""
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    given = found.get("challenge") if isinstance(found, dict) else found
    if isinstance(given, str) and secrets.compare_digest(given.encode(), nonce.encode()):
        return ""
    return _("It answered %(status)s, but did not send the challenge back.") % {"status": reply.status}


def try_out(
    endpoint: CallbackEndpoint, *, kind: str, by: Actor, connection: ReceiverConnection, now: datetime
) -> tuple[Reply, dict[str, Any]]:
    """Post it an event that says `"test": true` as it would get a real one of that type; what it answered, and the event."""
    event = test_event(endpoint, kind=kind, now=now)
    body = msgspec.json.encode(event).decode()
    one = Callback(endpoint=endpoint, event_id=event["id"], kind=kind, body=body, created_at=now)
    reply = connection.post(batches.request(endpoint, [one], now=now))
    with transaction.atomic():
        audit("callback_endpoint.tested", endpoint, by=by, type=kind, status=reply.status)
    return replace(reply, error=retold(reply.error)), event


def test_event(endpoint: CallbackEndpoint, *, kind: str, now: datetime) -> dict[str, Any]:
    said = EXAMPLE | {"service": endpoint.service.slug, "state": STATES.get(kind, kind.partition(".")[2])}
    if not endpoint.full_numbers:
        said["number"] = mask(EXAMPLE["number"])
    if not endpoint.texts:
        said["text"] = None
    return {
        "id": f"evt_test_{secrets.token_hex(12)}",
        "type": kind,
        "timestamp": stamp(now),
        "test": True,
        "data": {name: said.get(name) for name in EVENT_TYPES[kind].fields},
    }
