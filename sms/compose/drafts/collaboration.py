"""Several people at one draft: whose change stands.

A page that saves says what each field was when it was shown (`fingerprints`). A field that only its person changed is stored, one that
only a colleague changed stays theirs, and one that both changed is a clash: it stays as it is stored until a person chooses. So two
people who write in different fields never disturb each other, and changes that were not seen are not overwritten.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sms.models import Draft
from sms.values.text import line_breaks

NOT_EDITED = {
    *("id", "service", "version", "send", "created_by", "changed_at", "changed_by", "revision", "begun"),
    *("recurring", "recurs_since"),
}
EDITED = tuple(field.name for field in Draft._meta.concrete_fields if field.name not in NOT_EDITED)


TOGETHER = ("expires_at", "validity")  # a draft has one of them


class DraftSent(ValueError):
    """The draft has become a send, or the content of a recurring one; nothing was stored. `draft` says which."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(_("This draft has already been sent."))
        self.draft = draft


@dataclass(frozen=True, slots=True)
class Saved:
    """The outcome of a save. `stored` is the draft as it is now, `theirs` are fields that a colleague changed since the page was shown,
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
    written = "" if value is None else line_breaks(str(value))
    return hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _attribute(name: str) -> str:
    return str(getattr(Draft._meta.get_field(name), "attname"))  # noqa: B009 - not every kind of field has one


def save(typed: Draft, *, base: Mapping[str, str], user: Any, theirs: Collection[str] = ()) -> Saved:
    """Store what `typed` changed since `base`; raises DraftSent. `theirs` are fields in which the colleague's value was chosen.

    A field that `base` does not name is stored as typed.
    """
    with transaction.atomic():
        stored = Draft.objects.select_for_update(of=("self",)).select_related("changed_by").get(pk=typed.pk)
        if not stored.is_open:
            raise DraftSent(stored)
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
    if {*TOGETHER} & {*others, *clashes}:  # a colleague chose how it expires, so both are theirs or both ours
        clashes += [name for name in TOGETHER if name in mine]
        mine = [name for name in mine if name not in TOGETHER]
    return mine, others, clashes
