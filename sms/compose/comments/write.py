"""A comment: added, edited, withdrawn, and what becomes of it when its draft is sent or discarded."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms.compose.comments.asking import Thing, about, ask, ask_no_longer, looked
from sms.compose.comments.mentions import mentioned
from sms.models import Actor, Comment, Draft, Send
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.values.problems import ProblemCode, ProblemError
from sms.words import number

LONGEST = 2000  # characters
MOST = 200  # comments on one draft or send
MOST_ASKED = 10  # people, by one comment


class CommentError(ProblemError):
    """It cannot be said so; nothing was stored."""


def of_draft(draft: Draft) -> "QuerySet[Comment]":
    return _with_people(Comment.objects.filter(about(draft)))


def of_send(send: Send) -> "QuerySet[Comment]":
    """Those on its draft as well."""
    return _with_people(Comment.objects.filter(about(send)))


def _with_people(rows: "QuerySet[Comment]") -> "QuerySet[Comment]":
    return rows.select_related("by").prefetch_related("asked__user").order_by("pk")


def add(
    thing: Thing,
    text: str,
    *,
    by: Actor,
    people: Sequence[Any] = (),
    chosen: Any = None,
    begun: UUID | None = None,
    now: datetime | None = None,
) -> Comment:
    """Say something about a draft or a send. Of `people`, who may see it, those that the text mentions and `chosen` are asked to look.

    A second press with the same `begun` by the same person here finds the first one's comment. Raises CommentError.
    """
    now, text = now or corrected_now(), text.strip()
    if begun and (mine := _begun(thing, begun, by)):
        return mine
    _check(text)
    if Comment.objects.filter(about(thing)).count() >= MOST:
        says = _("There are %(n)s comments here already, which is as many as there can be.") % {
            "n": number(MOST)
        }
        raise CommentError(ProblemCode.TOO_MANY, says, field="comment")
    asked = _asked(text, people, chosen, by=by)
    draft, send = _both(thing)
    fresh = {"service_id": thing.service_id, "draft": draft, "send": send, "begun": begun}
    with transaction.atomic():
        try:
            with transaction.atomic():  # at once, two presses wait for each other here
                comment = Comment.objects.create(text=text, by=by.user, label=by.label, at=now, **fresh)
        except IntegrityError:
            if begun and (mine := _begun(thing, begun, by)):
                return mine
            raise
        looked(thing, by=by, now=now)
        named = ask(comment, asked, by=by, now=now)
        audit("comment.added", comment, by=by, **_on(comment), asked=named)
    return comment


def _begun(thing: Thing, begun: UUID, by: Actor) -> Comment | None:
    return Comment.objects.filter(about(thing), begun=begun, by=by.user).first()


def _check(text: str) -> None:
    if not text:
        raise CommentError(ProblemCode.REQUIRED, _("Write what you want to say."), field="comment")
    if len(text) > LONGEST:
        says = _(
            "That is %(characters)s characters; a comment has at most %(most)s. Shorten it, or write two."
        ) % {"characters": number(len(text)), "most": number(LONGEST)}
        raise CommentError(ProblemCode.TOO_LONG, says, field="comment")


def _asked(text: str, people: Sequence[Any], chosen: Any, *, by: Actor) -> list[Any]:
    others = [one for one in people if one != by.user]
    if chosen is not None and chosen not in others:
        says = _("That person cannot open this page. Choose another one.")
        raise CommentError(ProblemCode.NOT_USABLE, says, field="comment_asks")
    named = mentioned(text, others)
    asked = [*named, *(one for one in (chosen,) if one is not None and one not in named)]
    if len(asked) > MOST_ASKED:
        says = ngettext(
            "That asks %(n)s person to look; one comment asks at most %(most)s.",
            "That asks %(n)s people to look; one comment asks at most %(most)s.",
            len(asked),
        ) % {"n": number(len(asked)), "most": number(MOST_ASKED)}
        raise CommentError(ProblemCode.TOO_MANY, says, field="comment")
    return asked


def _both(thing: Thing) -> tuple[Draft | None, Send | None]:
    if isinstance(thing, Draft):
        return thing, thing.send
    return Draft.objects.filter(send=thing).first(), thing


def _on(comment: Comment) -> dict[str, Any]:
    """Where it stands, for the audit."""
    ids = {"draft": comment.draft_id, "send": comment.send_id}
    return {name: pk for name, pk in ids.items() if pk}


def edit(
    comment: Comment, text: str, *, by: Actor, people: Sequence[Any] = (), now: datetime | None = None
) -> bool:
    """Other words for it. Who is mentioned only now is asked to look as well. Raises CommentError; False where nothing changed."""
    now, text = now or corrected_now(), text.strip()
    _check(text)
    with transaction.atomic():
        locked = Comment.objects.select_for_update(of=("self",)).get(pk=comment.pk)
        if locked.withdrawn_at:
            says = _("This comment was withdrawn in the meantime. Write a new one.")
            raise CommentError(ProblemCode.NOT_USABLE, says, field="comment")
        if locked.text == text:
            return False
        before = set(locked.asked.values_list("user_id", flat=True))
        fresh = [one for one in _asked(text, people, None, by=by) if one.pk not in before]
        named = ask(locked, fresh, by=by, now=now)
        locked.text, locked.edited_at = text, now
        locked.save(update_fields=["text", "edited_at"])
        audit("comment.edited", locked, by=by, **_on(locked), asked=named)
    return True


def withdraw(comment: Comment, *, by: Actor, now: datetime | None = None) -> bool:
    """Its text goes, and nobody is asked to look because of it; that there was one stays. False where it was withdrawn already."""
    now = now or corrected_now()
    with transaction.atomic():
        rows = Comment.objects.filter(pk=comment.pk, withdrawn_at=None)
        if not rows.update(withdrawn_at=now, text=""):
            return False
        ask_no_longer(comment, now=now)
        audit("comment.withdrawn", comment, by=by, **_on(comment), author=comment.label)
    return True


def to_send(draft: Draft, send: Send) -> None:
    """The draft becomes this send, in the transaction that makes it: its comments stand there also if it is taken back."""
    Comment.objects.filter(draft=draft, send=None).update(send=send)


def keep_without_draft(drafts: Collection[Draft]) -> None:
    """Before drafts are discarded: comments that stand on a send as well, because it was taken back, stay there."""
    Comment.objects.filter(draft__in=drafts, send__isnull=False).update(draft=None)
