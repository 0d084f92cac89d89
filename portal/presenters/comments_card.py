"""The comments on a draft or a send as its pages show them, with the form for another one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.colleagues import who_may
from portal.forms.comments import CommentForm
from sms.compose import comments
from sms.models import Comment, Draft, Send

ACT = {Draft: "compose", Send: "see"}  # what opens the page of each


@dataclass(frozen=True, slots=True)
class CommentsCard:
    """`asked_by` are the people who asked the viewer to look and still wait; `back` says from which page a comment comes; `form_id` is
    the form that it is sent with, where it has none of its own."""

    comments: Sequence[Comment]
    form: CommentForm
    action: str
    looked_at: str
    asked_by: Sequence[str]
    back: str
    form_id: str


def comments_card(
    request: HttpRequest, thing: Draft | Send, *, back: str = "", form_id: str = ""
) -> CommentsCard:
    user: Any = request.user
    kind = "draft" if isinstance(thing, Draft) else "send"
    written = comments.of_draft(thing) if isinstance(thing, Draft) else comments.of_send(thing)
    people = who_may(ACT[type(thing)], thing.service, without=user)
    address = [thing.service.slug, thing.pk]
    return CommentsCard(
        comments=(said := list(written)),
        form=CommentForm(people=people, form_id=form_id, initial=_typed(request)),
        action=reverse(f"{kind}_comment", args=address),
        looked_at=reverse(f"{kind}_looked_at", args=address),
        asked_by=list(dict.fromkeys(_who_asks(said, user))),
        back=back,
        form_id=form_id,
    )


def _who_asks(said: Sequence[Comment], user: Any) -> Iterator[str]:
    for one in said:
        if any(asked.user == user and not asked.done_at for asked in one.asked.all()):
            yield one.label


def _typed(request: HttpRequest) -> dict[str, str]:
    """What a form brought that is shown again because of something else in it."""
    names = CommentForm.base_fields
    return {name: value for name in names if (value := request.POST.get(name))}
