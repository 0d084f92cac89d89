"""Who takes care of a conversation. What a page asks for holds only for what it showed: where a colleague was first, nothing is done, and
the sentence says who it was.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sms import notices
from sms.models import Actor, Conversation
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.values.problems import ProblemCode, ProblemError


class Overtaken(ProblemError):
    """The conversation is not as the page showed it."""

    def __init__(self, says: str) -> None:
        super().__init__(ProblemCode.CHANGED, says)


def name_of(user: Any) -> str:
    """What a colleague is called."""
    return user.get_full_name() or str(user) if user is not None else ""


def assign(conversation: Conversation, to: Any, *, was: int | None, by: Actor) -> None:
    """Give it to a person, or to nobody (None). `was` is whose it was on the page. Raises Overtaken."""
    with transaction.atomic():
        locked = _locked(conversation)
        if locked.assigned_to_id != was:
            whose = name_of(locked.assigned_to)
            if whose:
                says = _("A colleague was first: this conversation belongs to %(name)s now.") % {
                    "name": whose
                }
            else:
                says = _("A colleague was first: it is not assigned now.")
            raise Overtaken(says)
        locked.assigned_to, locked.assigned_at = to, corrected_now() if to else None
        locked.save(update_fields=["assigned_to", "assigned_at"])
        _audit("reply.assigned", locked, by=by, to=str(to) if to else "nobody")


def mark_done(conversation: Conversation, *, seen: int, by: Actor, now: datetime | None = None) -> bool:
    """`seen` is the newest SMS on the page; False where it is done already. Raises Overtaken."""
    with transaction.atomic():
        locked = _locked(conversation)
        if locked.last_inbound_id > seen:
            raise Overtaken(_("Another message came in a moment ago. Read it, then decide."))
        if locked.done_at is not None:
            return False
        notices.no_longer(*locked.told)
        end(locked, by=by, now=now or corrected_now())
        locked.save(update_fields=["done_at", "done_by", "waiting_since"])
        _audit("reply.done", locked, by=by)
    return True


def end(locked: Conversation, *, by: Actor, now: datetime) -> None:
    """In memory only."""
    locked.done_at, locked.done_by, locked.waiting_since = now, by.label, None


def reopen(conversation: Conversation, *, by: Actor) -> bool:
    """Nobody has written again, so nobody waits; False where it is open already."""
    with transaction.atomic():
        locked = _locked(conversation)
        if locked.done_at is None:
            return False
        locked.done_at, locked.done_by = None, ""
        locked.save(update_fields=["done_at", "done_by"])
        _audit("reply.reopened", locked, by=by)
    return True


def _locked(conversation: Conversation) -> Conversation:
    rows = Conversation.objects.select_for_update(of=("self",)).select_related("service", "assigned_to")
    return rows.get(pk=conversation.pk)


def _audit(act: str, conversation: Conversation, *, by: Actor, **details: Any) -> None:
    audit(
        act,
        by=by,
        service=conversation.service.slug,
        noun="conversation",
        key=conversation.pk,
        **details,
    )
