"""Throwing a draft away."""

from datetime import datetime

from django.db import transaction

from sms.compose import comments
from sms.compose.drafts import presence
from sms.models import Actor, Draft
from sms.models.audit import audit


class DraftOpen(ValueError):
    """A colleague has it open, and may be writing. The sentence names them."""


def discard(draft: Draft, *, by: Actor, now: datetime) -> bool:
    """False where it is gone or was sent in the meantime. Raises DraftOpen."""
    if others := presence.colleagues(draft, without=by.user, now=now):
        names = ", ".join(one.name for one in others)
        raise DraftOpen(f"{names} has this draft open. Ask them to leave it, then discard it.")
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).filter(Draft.open_ones(), pk=draft.pk).first()
        if locked is None:
            return False
        audit("draft.discarded", locked, by=by)
        comments.keep_without_draft([locked])
        locked.delete()
    return True
