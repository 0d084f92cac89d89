"""What people and partners do with endpoints: add, verify, change the secret, pause, resume, remove; and what a send asks for. All audited.

Ownership of an endpoint of ours is proven by a challenge: a signed POST of type `endpoint.verification` whose nonce must come back as the
whole body of a 2xx answer, or as `challenge` at the top of a JSON object. An answer 200 alone proves nothing, since half the internet
gives one, and an echo of the request is no answer either. Addresses that came as notifyUrl are not asked: they get receipts of the very
messages that were sent with them, nothing else.
"""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from sms.callbacks.address import AddressPolicy, BadAddress, read
from sms.callbacks.bodies import envelope
from sms.callbacks.post import CallbackRequest, ReceiverConnection, Reply
from sms.models import Actor, CallbackEndpoint, Notify, Send, Service
from sms.models.audit import audit
from sms.models.callback import new_secret
from sms.models.event_types import EVENTS
from sms.models.service import HAND_OVER
from sms.values.msisdn.mention import masked_values

MOST = 50  # endpoints of ours that people made in a service, and as many of each API key
MOST_ORIGINS = 500  # hosts of notifyUrls, likewise
CHALLENGE = "endpoint.verification"
KINDS = frozenset(kind for kind, _ in EVENTS)


class TooMany(ValueError):
    """A limit is reached; the text is for people."""


def add(
    service: Service,
    *,
    name: str,
    url: str,
    by: Actor,
    policy: AddressPolicy,
    events: Sequence[str] = (),
    full_numbers: bool = False,
) -> CallbackEndpoint:
    """A new endpoint, which gets nothing until it is verified. Raises `BadAddress` or `TooMany`."""
    read(url, policy)
    _check_events(events)
    ours = CallbackEndpoint.objects.filter(
        service=service, kind=CallbackEndpoint.Kind.OURS, key_owner=by.owner
    )
    with transaction.atomic():
        if ours.filter(url=url).exists():
            raise BadAddress("There is an endpoint with that address already.")
        if ours.count() >= MOST:
            raise TooMany(f"There are {MOST} endpoints at most. Remove one first.")
        endpoint = CallbackEndpoint.objects.create(
            service=service,
            name=name,
            url=url,
            events=list(events),
            full_numbers=full_numbers,
            created_by=by.label,
            key_owner=by.owner,
        )
        address = url.partition("?")[0]  # behind it may be a secret
        said: dict[str, Any] = {"url": address, "events": list(events), "full_numbers": full_numbers}
        audit("callback_endpoint.added", endpoint, by=by, **said)
    return endpoint


def change(
    endpoint: CallbackEndpoint, *, by: Actor, name: str, events: Sequence[str], full_numbers: bool
) -> None:
    """Everything but the address: another address is another endpoint, with an owner of its own to prove."""
    _check_events(events)
    after = {"name": name, "events": list(events), "full_numbers": full_numbers}
    with transaction.atomic():
        before = {column: getattr(endpoint, column) for column in after}
        fields = [column for column in after if after[column] != before[column]]
        for column in fields:
            setattr(endpoint, column, after[column])
        endpoint.save(update_fields=list(after))
        said = {"fields": fields, "before": masked_values(before), "after": masked_values(after)}
        audit("callback_endpoint.changed", endpoint, by=by, **said)


def _check_events(events: Sequence[str]) -> None:
    if unknown := [kind for kind in events if kind not in KINDS]:
        raise ValueError(f"There is no event {unknown[0]}.")


def verify(endpoint: CallbackEndpoint, *, by: Actor, connection: ReceiverConnection) -> str:
    """Ask the receiver for the nonce; returns why it is not verified, empty where it is. Posts, so call it outside transactions."""
    now = timezone.now()
    nonce = secrets.token_urlsafe(24)
    body = envelope(CHALLENGE, at=now, data={"challenge": nonce, "endpoint": endpoint.pk})
    signing = endpoint.secrets_at(now, endpoint.secret_before_until)
    request = CallbackRequest(f"chl_{secrets.token_hex(12)}", endpoint.url, body.encode(), signing)
    reply = connection.post(request)
    if why := _unproven(reply, nonce):
        return why
    endpoint.verified_at = now
    with transaction.atomic():
        endpoint.save(update_fields=["verified_at"])
        audit("callback_endpoint.verified", endpoint, by=by)
    return ""


def _unproven(reply: Reply, nonce: str) -> str:
    if not reply.ok:
        return reply.error
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
    return f"It answered {reply.status}, but did not send the challenge back."


def rotate(endpoint: CallbackEndpoint, *, by: Actor) -> str:
    """A new secret, returned this once. The present one stays valid beside it for HAND_OVER."""
    endpoint.secret_before, endpoint.secret = endpoint.secret, new_secret()
    endpoint.secret_before_until = timezone.now() + HAND_OVER
    with transaction.atomic():
        endpoint.save(update_fields=["secret", "secret_before", "secret_before_until"])
        audit("callback_endpoint.secret_changed", endpoint, by=by)
    return endpoint.secret


def retire(endpoint: CallbackEndpoint, *, by: Actor) -> bool:
    """End the previous secret now; False where there is none."""
    if endpoint.secret_before_until is None:
        return False
    endpoint.secret_before, endpoint.secret_before_until = "", None
    with transaction.atomic():
        endpoint.save(update_fields=["secret_before", "secret_before_until"])
        audit("callback_endpoint.secret_retired", endpoint, by=by)
    return True


def pause(endpoint: CallbackEndpoint, *, by: Actor) -> bool:
    """Deliver nothing until it is resumed; callbacks go on being written and wait. False where it was paused."""
    with transaction.atomic():
        mine = CallbackEndpoint.objects.filter(pk=endpoint.pk, paused_at__isnull=True)
        if not mine.update(paused_at=timezone.now()):
            return False
        audit("callback_endpoint.paused", endpoint, by=by)
    return True


def resume(endpoint: CallbackEndpoint, *, by: Actor) -> bool:
    """Go on, also after it was switched off by itself; what waits is due at once. False where nothing held it."""
    with transaction.atomic():
        held = CallbackEndpoint.objects.filter(pk=endpoint.pk).exclude(
            paused_at__isnull=True, disabled_at__isnull=True
        )
        if not held.update(
            paused_at=None, disabled_at=None, disabled_because="", failures=0, given_up=0, open_until=None
        ):
            return False
        now = timezone.now()
        endpoint.callbacks.filter(next_at__gt=now).update(next_at=now, since=now)
        endpoint.callbacks.filter(next_at__isnull=False).update(since=now)
        audit("callback_endpoint.resumed", endpoint, by=by)
    return True


def remove(endpoint: CallbackEndpoint, *, by: Actor) -> None:
    """With its log and with what waits. A host of notifyUrls comes back with the next send that names it."""
    with transaction.atomic():
        audit("callback_endpoint.deleted", endpoint, by=by)
        endpoint.delete()


def pass_receipts_on(send: Send, *, policy: AddressPolicy) -> Notify:
    """Have its receipts passed on to its `notify_url`, in the transaction that makes the send. Raises `BadAddress`, `TooMany`."""
    origin = read(send.notify_url, policy).origin
    kind = CallbackEndpoint.Kind.NOTIFY
    hosts = CallbackEndpoint.objects.filter(service=send.service_id, kind=kind, key_owner=send.owner)
    endpoint_id = hosts.filter(url=origin).values_list("pk", flat=True).first()
    if endpoint_id is None:
        if hosts.count() >= MOST_ORIGINS:
            raise TooMany(f"Receipts go to {MOST_ORIGINS} hosts already.")
        made, _ = CallbackEndpoint.objects.get_or_create(
            service_id=send.service_id,
            key_owner=send.owner,
            kind=kind,
            url=origin,
            defaults={"name": origin.partition("://")[2][:80], "verified_at": timezone.now()},
        )
        endpoint_id = made.pk
    return Notify.objects.create(send=send, endpoint_id=endpoint_id)
