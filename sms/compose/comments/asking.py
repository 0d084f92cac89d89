"""Asking a colleague to look at a draft or a send, and that they have."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from sms.models import Actor, AskedToLook, Comment, Draft, NoticeKind, Send, Service
from sms.models.audit import audit
from sms.notices import no_longer, tell
from sms.words import KeptSentence

Thing = Draft | Send
ASKS_ABOUT = {
    "draft": KeptSentence(gettext_noop("%(person)s asks you to look at the draft “%(name)s”.")),
    "send": KeptSentence(gettext_noop("%(person)s asks you to look at the send “%(name)s”.")),
}


def about(thing: Thing, path: str = "") -> Q:
    """Comments on this draft or send; those on a draft are on the send that it became as well. `path` leads to the comment."""
    if isinstance(thing, Draft):
        return Q(**{f"{path}draft": thing})
    return Q(**{f"{path}send": thing}) | Q(**{f"{path}draft__send": thing})


def ask(comment: Comment, people: Collection[Any], *, by: Actor, now: datetime) -> list[str]:
    """Ask these people to look, and say who they are; in the transaction of the comment."""
    AskedToLook.objects.bulk_create(
        [AskedToLook(comment=comment, user=one) for one in people], ignore_conflicts=True
    )
    thing = comment.thing
    kind = "send" if isinstance(thing, Send) else "draft"
    for one in people:
        tell(
            NoticeKind.MENTION,
            [one.pk],
            event=_event(comment.pk, one.pk),
            says=ASKS_ABOUT[kind](person=by.label, name=thing.name or thing.pk),
            service=comment.service,
            page=kind,
            page_id=thing.pk,
            anchor="comments",
            by=by,
            now=now,
        )
    return [one.email for one in people]


def _event(comment_id: int, user_id: int) -> str:
    return f"mention:{comment_id}:{user_id}"


def ask_no_longer(comment: Comment, *, now: datetime) -> None:
    """It was withdrawn."""
    waiting = comment.asked.filter(done_at=None)
    no_longer(*(_event(comment.pk, pk) for pk in waiting.values_list("user_id", flat=True)), now=now)
    waiting.delete()


def looked(thing: Thing, *, by: Actor, now: datetime) -> bool:
    """They looked, or commented: whatever asked them to look at this is done. False where nothing did."""
    if by.user is None:
        return False
    found = AskedToLook.objects.filter(about(thing, "comment__"), user=by.user, done_at=None)
    asked = dict(found.values_list("pk", "comment_id"))
    no_longer(*(_event(comment_id, by.user.pk) for comment_id in asked.values()), now=now)
    return bool(AskedToLook.objects.filter(pk__in=list(asked), done_at=None).update(done_at=now))


def say_looked(thing: Thing, *, by: Actor, now: datetime) -> bool:
    """The same for who says nothing else."""
    if not looked(thing, by=by, now=now):
        return False
    audit("comment.looked_at", thing, by=by)
    return True


def waiting_for(service: Service, user: Any) -> "QuerySet[AskedToLook]":
    """What a person is asked to look at and did not yet, the oldest first."""
    rows = AskedToLook.objects.filter(user=user, done_at=None, comment__service=service)
    rows = rows.filter(Q(comment__draft=None) | Q(comment__draft__discarded_at=None))
    return rows.select_related("comment__by", "comment__send", "comment__draft__send").order_by("pk")
