"""Sessions of people: the engine that `SESSION_ENGINE` names, what is known of each, and ending them.

Every session has its person and when it was last used as columns. From where and on what it began stands in its data, put there at
sign-in (`portal.session_ends`). A row that is deleted is a session that is over, in every process.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from portal import devices
from portal.models import PersonsSession, User

BEGAN = "signed_in"  # in a session's data


class SessionStore(DatabaseStore):
    used_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[PersonsSession]:
        return PersonsSession

    def _get_session_from_db(self) -> Any:
        row = super()._get_session_from_db()  # type: ignore[misc]
        if row is not None:
            self.used_at = row.used_at
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get("_auth_user_id")
        row.used_at = self.used_at or timezone.now()
        return row


@dataclass(frozen=True, slots=True)
class Beginning:
    """When, from where and on what a session began."""

    at: datetime
    address: str
    device: str

    @property
    def shown_device(self) -> str:
        """`device` is stored as English says it."""
        return devices.in_words(self.device)

    def packed(self) -> list[Any]:
        return [self.at.timestamp(), self.address, self.device]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One line of a person's list. `name` is no key: it opens nothing."""

    name: str
    began: Beginning
    used_at: datetime
    is_this: bool


def beginning_of(data: Any) -> Beginning | None:
    found = data.get(BEGAN)
    return Beginning(datetime.fromtimestamp(found[0], UTC), found[1], found[2]) if found else None


def is_over(began: Beginning | None, used_at: datetime | None, now: datetime) -> bool:
    """Too long unused, or too old whatever it is used for."""
    idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    longest = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return began is None or now - began.at >= longest or used_at is None or now - used_at >= idle


def open_of(user: User, *, this: str | None) -> list[OpenSession]:
    """Those that are not over, the one with the key `this` first, then the latest used."""
    now = timezone.now()
    found = [
        OpenSession(_name(row.session_key), began, row.used_at, row.session_key == this)
        for row in _rows(user)
        if (began := beginning_of(row.get_decoded())) and not is_over(began, row.used_at, now)
    ]
    return sorted(found, key=lambda one: (not one.is_this, -one.used_at.timestamp()))


def end(user: User, *, keep: str | None = None, name: str = "") -> int:
    """All sessions of a person but that with the key `keep`, or the one of a name; returns how many were open."""
    ended = [row for row in _rows(user) if row.session_key != keep and name in ("", _name(row.session_key))]
    now = timezone.now()
    were_open = sum(not is_over(beginning_of(row.get_decoded()), row.used_at, now) for row in ended)
    PersonsSession.objects.filter(pk__in=[row.session_key for row in ended]).delete()
    return were_open


def _rows(user: User) -> Iterator[PersonsSession]:
    yield from PersonsSession.objects.filter(user_id=user.pk, expire_date__gt=timezone.now())


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]
