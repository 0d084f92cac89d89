"""Who has a draft open now. Called by the compose page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sms.compose.drafts.collaboration import EDITED
from sms.models import Draft, DraftPresence

GONE_AFTER = timedelta(seconds=40)
FORGET = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another person who has the draft open; `field` is where they write, empty for nowhere."""

    name: str
    field: str


def mark_present(draft: Draft, *, user: Any, field: str, now: datetime) -> None:
    DraftPresence.objects.update_or_create(
        draft=draft, user=user, defaults={"field": field if field in EDITED else "", "seen_at": now}
    )


def mark_left(draft: Draft, *, user: Any) -> None:
    DraftPresence.objects.filter(draft=draft, user=user).delete()


def colleagues(draft: Draft, *, without: Any, now: datetime) -> list[Colleague]:
    """Who else was seen in the last 40 seconds. Deletes old presences."""
    rows = DraftPresence.objects.filter(draft=draft)
    rows.filter(seen_at__lt=now - FORGET).delete()
    there = rows.filter(seen_at__gt=now - GONE_AFTER).exclude(user=without).select_related("user")
    return [Colleague(name_of(one.user), one.field) for one in there]


def name_of(user: Any) -> str:
    return user.get_full_name() or str(user)


def present_in(drafts: Iterable[Draft], *, now: datetime) -> dict[int, str]:
    """By key, the names of people who have each of these drafts open now. One query."""
    rows = DraftPresence.objects.filter(draft__in=list(drafts), seen_at__gt=now - GONE_AFTER)
    found: dict[int, list[str]] = {}
    for one in rows.select_related("user"):
        found.setdefault(one.draft_id, []).append(name_of(one.user))
    return {pk: ", ".join(names) for pk, names in found.items()}
