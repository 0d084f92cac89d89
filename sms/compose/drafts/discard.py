"""Throwing a draft away, and bringing it back: it is kept for some days, and only then deleted."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from sms.compose import comments
from sms.compose.drafts import presence
from sms.models import Actor, Draft, Preparation
from sms.models.audit import audit

AT_ONCE = 500


class DraftOpen(ValueError):
    """A colleague has it open, and may be writing. The sentence names them."""


def discard(draft: Draft, *, by: Actor, now: datetime) -> bool:
    """False where it is gone or was sent in the meantime. Raises DraftOpen."""
    if others := presence.colleagues(draft, without=by.user, now=now):
        names = ", ".join(one.name for one in others)
        says = _("%(people)s has this draft open. Ask them to leave it, then discard it.")
        raise DraftOpen(says % {"people": names})
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).filter(Draft.open_ones(), pk=draft.pk).first()
        if locked is None:
            return False
        audit("draft.discarded", locked, by=by)
        Preparation.objects.filter(draft=locked).delete()
        locked.discarded_at = now
        locked.save(update_fields=["discarded_at"])
    return True


def bring_back(draft: Draft, *, by: Actor, now: datetime) -> bool:
    """False where it was brought back or deleted in the meantime."""
    with transaction.atomic():
        gone = Draft.objects.select_for_update(of=("self",)).filter(Draft.discarded_ones(now), pk=draft.pk)
        locked = gone.first()
        if locked is None:
            return False
        audit("draft.brought_back", locked, by=by)
        locked.discarded_at = None
        locked.save(update_fields=["discarded_at", "changed_at"])
    return True


def forget(now: datetime) -> int:
    """Delete those that nobody brought back in time; how many."""
    old = Draft.objects.filter(discarded_at__lte=now - timedelta(days=Draft.BROUGHT_BACK_FOR))
    with transaction.atomic():
        found = list(old.select_for_update(of=("self",)).only("pk")[:AT_ONCE])
        comments.keep_without_draft(found)
        Draft.objects.filter(pk__in=[one.pk for one in found]).delete()
    return len(found)
