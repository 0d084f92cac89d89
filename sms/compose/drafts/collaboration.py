"""Several people at one draft: whose change stands, and who has it open now.

A page that saves says what each field was when it was shown (`fingerprints`). A field that only its person changed is stored, one that
only a colleague changed stays theirs, and one that both changed is a clash: it stays as it is stored until a person chooses. So two
people who write in different fields never disturb each other, and changes that were not seen are not overwritten.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from sms.models import Draft, DraftPresence

EDITED = (
    "name",
    "sender",
    "text",
    "template",
    "language",
    "audience",
    "upload",
    "pasted",
    "column",
    "country",
    "fillings",
    "again",
    "allow_duplicates",
    "policy_group",
    "check_consent",
    "apply_frequency_cap",
    "link_domain",
    "labels",
    "track_clicks",
    "tag1",
    "tag2",
    "send_at",
    "time_zone",
    "expires_at",
    "validity",
    "receipts",
    "callback_data",
    "lane",
    "resend",
    "ramp",
    "respect_quiet_hours",
)
GONE_AFTER = timedelta(seconds=40)
FORGET = timedelta(minutes=10)


class DraftSent(ValueError):
    """The draft has become a send; nothing was stored. `send_id` is that send's."""

    def __init__(self, send_id: int) -> None:
        super().__init__("This draft was sent meanwhile.")
        self.send_id = send_id


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save came to. `stored` is the draft as it stands now, `theirs` are fields that a colleague changed since the page was shown,
    `clashes` those that both changed; of them nothing was stored. `before` is who had changed it last."""

    stored: Draft
    changed: bool
    theirs: tuple[str, ...] = ()
    clashes: tuple[str, ...] = ()
    before: Any = None


def fingerprints(draft: Draft) -> dict[str, str]:
    """Twelve characters for the value of each field; the same for the same value however it was read or typed."""
    return {name: _fingerprint(draft, name) for name in EDITED}


def _fingerprint(draft: Draft, name: str) -> str:
    value: Any = getattr(draft, _attribute(name))
    if isinstance(value, datetime):
        value = value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        value = json.dumps(value, sort_keys=True) if value else ""
    # browsers send other line ends than programs write
    written = "" if value is None else str(value).replace("\r\n", "\n")
    return hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _attribute(name: str) -> str:
    """Of a related row its key, which costs no query."""
    return str(getattr(Draft._meta.get_field(name), "attname"))  # noqa: B009 - not every kind of field has one


def save(typed: Draft, *, base: Mapping[str, str], user: Any, theirs: Collection[str] = ()) -> Saved:
    """Store what `typed` changed since `base`; raises DraftSent. `theirs` are fields in which the colleague's value was chosen.

    A field that `base` does not name is stored as typed.
    """
    with transaction.atomic():
        stored = Draft.objects.select_for_update(of=("self",)).select_related("changed_by").get(pk=typed.pk)
        if stored.send_id is not None:
            raise DraftSent(stored.send_id)
        before = stored.changed_by
        mine, others, clashes = _sort_changes(fingerprints(typed), fingerprints(stored), base, set(theirs))
        for name in mine:
            setattr(stored, _attribute(name), getattr(typed, _attribute(name)))
        if mine:
            stored.revision += 1
            stored.changed_by = user
            stored.save(update_fields=[*mine, "revision", "changed_at", "changed_by"])
            if user is not None and user.pk:
                stored.editors.add(user)  # who wrote a part of it cannot approve it
    return Saved(stored, bool(mine), tuple(others), tuple(clashes), before)


def _sort_changes(
    typed: Mapping[str, str], stored: Mapping[str, str], base: Mapping[str, str], chosen: set[str]
) -> tuple[list[str], list[str], list[str]]:
    """Fields that only this person changed, that only others did, and that both did."""
    mine: list[str] = []
    others: list[str] = []
    clashes: list[str] = []
    for name in EDITED:
        before = base.get(name, stored[name])
        if stored[name] != before and (typed[name] == before or typed[name] == stored[name]):
            others.append(name)
        elif typed[name] == stored[name]:
            continue
        elif stored[name] != before:
            clashes.append(name)
        elif name in chosen:
            others.append(name)
        else:
            mine.append(name)
    return mine, others, clashes


# --- who has it open ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another person who has the draft open; `field` is where they write, empty for nowhere."""

    name: str
    field: str


def mark_present(draft: Draft, *, user: Any, field: str, now: datetime) -> None:
    """A heartbeat of a person who has the draft open."""
    DraftPresence.objects.update_or_create(
        draft=draft, user=user, defaults={"field": field if field in EDITED else "", "seen_at": now}
    )


def mark_left(draft: Draft, *, user: Any) -> None:
    """They closed it."""
    DraftPresence.objects.filter(draft=draft, user=user).delete()


def colleagues(draft: Draft, *, without: Any, now: datetime) -> list[Colleague]:
    """Who else was seen in the last 40 seconds. Deletes old presences."""
    rows = DraftPresence.objects.filter(draft=draft)
    rows.filter(seen_at__lt=now - FORGET).delete()
    there = rows.filter(seen_at__gt=now - GONE_AFTER).exclude(user=without).select_related("user")
    return [Colleague(name_of(one.user), one.field) for one in there]


def name_of(user: Any) -> str:
    """As colleagues call them; the address where no name is known."""
    return user.get_full_name() or str(user)


def present_in(drafts: Iterable[Draft], *, now: datetime) -> dict[int, str]:
    """By key, the names of people who have each of these drafts open now. One query."""
    rows = DraftPresence.objects.filter(draft__in=list(drafts), seen_at__gt=now - GONE_AFTER)
    found: dict[int, list[str]] = {}
    for one in rows.select_related("user"):
        found.setdefault(one.draft_id, []).append(name_of(one.user))
    return {pk: ", ".join(names) for pk, names in found.items()}
