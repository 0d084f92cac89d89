"""What people and partners do with endpoints: add, change, pause, resume, remove. All audited.

Whose they are is proven in `proof`, what they are signed with is in `secrets_of`, and hosts of notifyUrls come from `notify`.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sms.callbacks.address import AddressPolicy, BadAddress, read
from sms.models import Actor, CallbackEndpoint, Service
from sms.models.audit import audit
from sms.models.callback import new_secret
from sms.models.event_types import EVENTS
from sms.models.sql.clock import corrected_now
from sms.values.msisdn.mention import masked_values
from sms.words import number

MOST = 50  # endpoints of ours that people made in a service, and as many of each API key
KINDS = frozenset(kind for kind, _name in EVENTS)
WANTS = ("name", "events", "full_numbers", "texts", "all_keys", "keys", "senders", "labels", "batch_size")


class TooMany(ValueError):
    """A limit is reached; the text is for people."""


def add(
    service: Service,
    *,
    name: str,
    url: str,
    by: Actor,
    policy: AddressPolicy,
    secret: str = "",
    **wants: Any,
) -> CallbackEndpoint:
    """A new endpoint, which gets nothing until it is verified. `wants` are others of WANTS. Raises `BadAddress` or `TooMany`."""
    read(url, policy)
    _check_events(wants.get("events", ()))
    with transaction.atomic():
        ours = _others_of(service, by.owner)
        _check_is_new(ours, url)
        if ours.count() >= MOST:
            raise TooMany(_("There are %(n)s endpoints at most. Remove one first.") % {"n": number(MOST)})
        endpoint = CallbackEndpoint.objects.create(
            service=service,
            name=name,
            url=url,
            secret=secret or new_secret(),
            created_by=by.label,
            key_owner=by.owner,
            **wants,
        )
        audit("callback_endpoint.added", endpoint, by=by, url=_shown(url), **_said(endpoint))
    return endpoint


def change(
    endpoint: CallbackEndpoint,
    *,
    by: Actor,
    policy: AddressPolicy,
    url: str = "",
    **wants: Any,
) -> None:
    """What it gets, and where. Another address has to be proven before anything goes there; log and backlog stay. Raises `BadAddress`."""
    _check_events(wants.get("events", ()))
    moves = bool(url) and url != endpoint.url
    if moves:
        read(url, policy)
        if endpoint.kind != CallbackEndpoint.Kind.EVENTS:
            raise BadAddress(_("It stands for the host of notifyUrls: name another one in your messages."))
    with transaction.atomic():
        before = _said(endpoint)
        for column, value in wants.items():
            setattr(endpoint, column, value)
        after = _said(endpoint)
        changed = [column for column in after if after[column] != before[column]]
        said = {
            "fields": changed,
            "before": masked_values({column: before[column] for column in changed}),
            "after": masked_values({column: after[column] for column in changed}),
        }
        if moves:
            _check_is_new(_others_of(endpoint.service, endpoint.key_owner).exclude(pk=endpoint.pk), url)
            said |= {"url_before": _shown(endpoint.url), "url": _shown(url)}
            _move(endpoint, url)
        endpoint.save(update_fields=[*wants, *(MOVED if moves else ())])
        audit("callback_endpoint.changed", endpoint, by=by, **said)


MOVED = (
    *("url", "verified_at", "moved_at", "disabled_at", "disabled_because"),
    *("failures", "given_up", "open_until", "width"),
)


def _move(endpoint: CallbackEndpoint, url: str) -> None:
    """To an address that nothing is known of. Whoever was heard from before goes on being written for."""
    heard = endpoint.verified_at or endpoint.moved_at
    fresh = CallbackEndpoint()
    for column in MOVED:
        setattr(endpoint, column, getattr(fresh, column))
    endpoint.url, endpoint.moved_at = url, corrected_now() if heard else None
    _try_anew(endpoint)


def _try_anew(endpoint: CallbackEndpoint) -> None:
    now = corrected_now()
    endpoint.callbacks.filter(next_at__gt=now).update(next_at=now)
    endpoint.callbacks.filter(next_at__isnull=False).update(since=None)


def _others_of(service: Service, owner: Any) -> Any:
    return CallbackEndpoint.objects.filter(
        service=service, kind=CallbackEndpoint.Kind.EVENTS, key_owner=owner
    )


def _check_is_new(others: Any, url: str) -> None:
    if others.filter(url=url).exists():
        raise BadAddress(_("There is an endpoint with that address already."))


def _said(endpoint: CallbackEndpoint) -> dict[str, Any]:
    return {column: getattr(endpoint, column) for column in WANTS}


def _shown(url: str) -> str:
    return url.partition("?")[0]  # behind it may be a secret


def _check_events(events: Sequence[str]) -> None:
    if unknown := [kind for kind in events if kind not in KINDS]:
        raise ValueError(f"There is no event {unknown[0]}.")


def pause(endpoint: CallbackEndpoint, *, by: Actor) -> bool:
    """Deliver nothing until it is resumed; callbacks go on being written and wait. False where it was paused."""
    with transaction.atomic():
        mine = CallbackEndpoint.objects.filter(pk=endpoint.pk, paused_at__isnull=True)
        if not mine.update(paused_at=corrected_now()):
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
        _try_anew(endpoint)
        audit("callback_endpoint.resumed", endpoint, by=by)
    return True


def remove(endpoint: CallbackEndpoint, *, by: Actor) -> None:
    """With its log and with what waits. A host of notifyUrls comes back with the next send that names it."""
    with transaction.atomic():
        audit("callback_endpoint.deleted", endpoint, by=by)
        endpoint.delete()
