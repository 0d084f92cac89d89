"""The one way into the event log: what happened, recorded in the transaction of the change it tells of. Called by every room below.

A service that no program follows (no endpoint, no API key that may read) pays one query of two small tables for each batch of changes.
Otherwise a batch takes a handful of set-based statements, however large it is. An event recorded again is the same one.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Q

from sms.models.callback import Callback, CallbackEndpoint
from sms.models.send import Send
from sms.models.send_options import Lane
from sms.models.sql import events as log
from sms.models.sql.clock import corrected_now
from sms.models.sql.id_list import among

BATCH = 500
OF_SENDS = (
    "service_id",
    "owner",
    "sender_id",
    "lane",
    "state",
    "simulated",
    "settled_at",
)  # that events need of their send
_FOLLOWERS = """
    SELECT service_id, CAST(scopes AS text) FROM sms_apikey WHERE revoked_at IS NULL AND confirmed
    UNION SELECT service_id, '' FROM sms_callbackendpoint WHERE coalesce(verified_at, moved_at) IS NOT NULL
"""


class Happening(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What happened. `once` says what makes it this event and no other, beside its type.

    `data` is what only the event knows; what else it says (`sms.models.event_types`) is looked up when it is read. `owner` is the identity
    of the key whose send it is about, None for people's; `send_id`, `sender_id` and `urgent` are for endpoints that hear of some only, and
    for what is delivered first.
    """

    type: str
    service_id: int
    at: datetime
    once: tuple[object, ...]
    owner: UUID | None = None
    send_id: int = 0
    sender_id: int = 0
    message_id: int = 0
    subject_id: int = 0
    urgent: bool = False
    test: bool = False
    data: dict[str, Any] = {}

    @property
    def event_id(self) -> str:
        """Always the same for the same event: no two deliveries, replays or folds of it can be taken for two events."""
        return named(self.type, *self.once)


class Listener(msgspec.Struct, frozen=True):
    """An endpoint, and what it wants to hear. Empty means everything, and so do `keys` that are None."""

    endpoint_id: int
    service_id: int
    kind: str
    events: frozenset[str]
    keys: frozenset[UUID] | None
    senders: frozenset[int]
    labels: frozenset[str]

    def wants(self, one: Happening, labels: Mapping[int, set[str]]) -> bool:
        """`labels`: of sends, where any listener asks for some."""
        return (
            self.kind == CallbackEndpoint.Kind.EVENTS
            and self.service_id == one.service_id
            and (not self.events or one.type in self.events)
            and (self.keys is None or one.owner in self.keys)
            and (not self.senders or one.sender_id in self.senders)
            and (not self.labels or not self.labels.isdisjoint(labels.get(one.send_id, ())))
        )


class Followers(msgspec.Struct, frozen=True):
    """Who hears of events now. By service whether somebody hears of everything, or keys of their own sends only; and the endpoints."""

    services: dict[int, bool]
    listeners: list[Listener]

    def __bool__(self) -> bool:
        return bool(self.services)

    def follow(self, one: Happening) -> bool:
        everything = self.services.get(one.service_id)
        return everything is not None and (everything or one.owner is not None)


class _Row(msgspec.Struct, frozen=True, gc=False):
    event_id: str
    service_id: int
    owner: UUID | None
    type: str
    send_id: int
    message_id: int
    subject_id: int
    at: datetime
    created_at: datetime
    test: bool
    data: dict[str, Any]


def find_followers() -> Followers:
    """Most installations have no endpoint and few keys: one query without building it."""
    services: dict[int, bool] = {}
    endpoints = False
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOWERS)
        for service_id, scopes in cursor.fetchall():
            names = msgspec.json.decode(scopes) if scopes else ()
            endpoints = endpoints or not scopes
            if not scopes or "read" in names:
                services[service_id] = services.get(service_id, False) or not scopes or "all" in names
    return Followers(services, _listeners() if endpoints else [])


def _listeners() -> list[Listener]:
    """One whose address was changed is written for: it gets that when the new one is verified."""
    rows = CallbackEndpoint.objects.filter(
        Q(verified_at__isnull=False) | Q(moved_at__isnull=False)
    ).order_by()
    return [
        Listener(
            row.pk,
            row.service_id,
            row.kind,
            frozenset(row.events),
            None if row.all_keys else frozenset(map(UUID, row.keys)),
            frozenset(row.senders),
            frozenset(row.labels),
        )
        for row in rows.only("service_id", "kind", "events", "all_keys", "keys", "senders", "labels")
    ]


def _labels_of(told: Sequence[Happening]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    links = Send.labels.through.objects.filter(send__in=among({one.send_id for one in told}))
    for send_id, word in links.values_list("send_id", "label__word"):
        found.setdefault(send_id, set()).add(word)
    return found


def record(happenings: Sequence[Happening], followers: Followers | None = None) -> int:
    """Write what happened, and what endpoints are owed of it; returns how many events. Call it inside the changes' transaction."""
    if not happenings:
        return 0
    followers = find_followers() if followers is None else followers
    told = [one for one in happenings if followers.follow(one)]
    if not told:
        return 0
    now = corrected_now()
    log.write(
        _Row(
            one.event_id,
            one.service_id,
            one.owner,
            one.type,
            one.send_id,
            one.message_id,
            one.subject_id,
            one.at,
            now,
            one.test,
            one.data,
        )
        for one in told
    )
    labels = _labels_of(told) if any(listener.labels for listener in followers.listeners) else {}
    owed = [
        Callback(
            endpoint_id=listener.endpoint_id,
            event_id=one.event_id,
            kind=one.type,
            message_id=one.message_id,
            created_at=now,
            priority=priority(urgent=one.urgent),
            next_at=now,
        )
        for one in told
        for listener in followers.listeners
        if listener.wants(one, labels)
    ]
    if owed:
        Callback.objects.bulk_create(owed, batch_size=BATCH, ignore_conflicts=True)
    return len(told)


def of_send(
    send: Send, kind: str, *, at: datetime, once: Sequence[object] = (), subject_id: int = 0, **data: Any
) -> Happening:
    """Something that a whole send went through. `once`: what tells two of one type apart, where that is not the time."""
    return Happening(
        type=kind,
        service_id=send.service_id,
        at=at,
        once=(send.pk, *(once or (at.isoformat(),))),
        owner=owner_of(send),
        send_id=send.pk,
        sender_id=send.sender_id,
        subject_id=subject_id,
        urgent=send.lane == Lane.URGENT,
        test=send.simulated,
        data={"state": send.shown_state.value, **data},
    )


def record_sends(
    sends: Iterable[Send], kind: str, *, at: datetime, once: Sequence[object], **data: Any
) -> None:
    """The same happened to each of them."""
    record([of_send(send, kind, at=at, once=once, **data) for send in sends])


def owner_of(send: Send) -> UUID | None:
    return send.owner


def priority(*, urgent: bool) -> Callback.Priority:
    return Callback.Priority.URGENT if urgent else Callback.Priority.USUAL


def named(*what: object) -> str:
    digest = hashlib.sha256(msgspec.json.encode([str(one) for one in what])).digest()
    return "evt_" + base64.b32encode(digest[:20]).decode().lower()
