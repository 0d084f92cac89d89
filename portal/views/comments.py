"""Comments on a draft or a send: added, edited, withdrawn; and saying that one looked at what a colleague asked about."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import FORM, actor, service_page
from portal.colleagues import who_may
from portal.forms.comments import CommentEditForm, CommentForm
from portal.presenters.comments_card import ACT
from portal.views.button_base import Said, button, error, info
from portal.views.confirm_base import Confirmation, ConfirmView
from portal.views.form_base import form_page, refused_beside, typed
from sms.compose import comments
from sms.compose.approval import requests
from sms.models import Actor, Comment, Draft, Send, Service
from sms.models.sql.clock import corrected_now

WITHDRAWN = gettext_lazy("This comment was withdrawn already.")
DRAFTS = Draft.objects.select_related("service", "send")
SENDS = Send.objects.select_related("service")
COMMENTS = Comment.objects.select_related(
    "service", "draft__service", "draft__send__service", "send__service"
)


@service_page("compose", FORM, of=DRAFTS)
def draft_comment(request: HttpRequest, _service: Service, found: Draft) -> HttpResponse:
    return said_about(request, found.send or found)


@service_page("see", FORM, of=SENDS)
def send_comment(request: HttpRequest, _service: Service, found: Send) -> HttpResponse:
    return said_about(request, found)


def said_about(request: HttpRequest, thing: Draft | Send) -> HttpResponse:
    """Stores the comment and leads back; where it cannot be, and where signing in led here, a page with the form and what was typed."""
    user: Any = request.user
    form = CommentForm(**typed(request), people=who_may(ACT[type(thing)], thing.service, without=user))
    if form.is_valid():
        given = form.cleaned_data
        with refused_beside(form, comments.CommentError):
            made = comments.add(
                thing,
                given["comment"],
                by=actor(request),
                people=form.people,
                chosen=form.chosen,
                begun=given["comment_begun"],
            )
            asked = ", ".join(one.user.shown_name for one in made.asked.select_related("user"))
            said = _("Comment added. Asked to look: %(names)s.") if asked else _("Comment added.")
            messages.success(request, said % {"names": asked})
            return redirect(_page_of(request, thing))
    context = {"form": form, "thing": thing, "back": _page_of(request, thing), "from": _from(request)}
    return form_page(request, "comments/form.html", context)


def _from(request: HttpRequest) -> str:
    return request.POST.get("back", request.GET.get("back", ""))


def _page_of(request: HttpRequest, thing: Draft | Send) -> str:
    """The page on which the comment was written, at its comments."""
    name, pk = ("draft", thing.pk) if isinstance(thing, Draft) else ("send", thing.pk)
    if name == "draft" and _from(request) == "review":
        name = "draft_review"
    if isinstance(thing, Send) and _from(request) == "approval":
        asked = requests.latest_of(thing)
        name, pk = ("approval", asked.pk) if asked is not None else (name, pk)
    return f"{reverse(name, args=[thing.service.slug, pk])}#comments"


def _find(request: HttpRequest, service: Service, pk: int) -> Comment:
    """One that the person can read: comments on a draft are for those who may compose."""
    found = get_object_or_404(COMMENTS, service=service, pk=pk)
    held: frozenset[str] = request.may  # type: ignore[attr-defined]
    if ACT[type(found.thing)] not in held:
        raise Http404
    request.place = "drafts" if isinstance(found.thing, Draft) else "sends"  # type: ignore[attr-defined]
    return found


@service_page("see", FORM)
def comment_edit(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    user: Any = request.user
    found = _find(request, service, pk)
    thing = found.thing
    if found.withdrawn_at or found.by_id != user.pk:
        others = _("Only the person who wrote a comment can edit it.")
        error(WITHDRAWN if found.withdrawn_at else others).on(request)
        return redirect(_page_of(request, thing))
    form = CommentEditForm(**typed(request), initial={"comment": found.text})
    if form.is_valid():
        people = who_may(ACT[type(thing)], service, without=user)
        with refused_beside(form, comments.CommentError):
            comments.edit(found, form.cleaned_data["comment"], by=actor(request), people=people)
            messages.success(request, _("Saved."))
            return redirect(_page_of(request, thing))
    return form_page(
        request,
        "comments/form.html",
        {"form": form, "thing": thing, "back": _page_of(request, thing), "comment": found},
    )


class WithdrawComment(ConfirmView):
    """One's own; an admin also what others wrote."""

    act = "see"
    refusals = (comments.CommentError,)

    def find(self) -> Comment:
        found = _find(self.request, self.service, self.kwargs["pk"])
        self.crumb = str(found.thing)
        return found

    def over(self) -> Said | None:
        if self.thing.withdrawn_at:
            return info(WITHDRAWN)
        if self.thing.by_id != self.request.user.pk and "configure" not in self.request.may:  # type: ignore[attr-defined]
            return error(_("Only an admin can withdraw what a colleague wrote."))
        return None

    def get_success_url(self) -> str:
        return _page_of(self.request, self.thing.thing)

    def confirmation(self) -> Confirmation:
        return Confirmation(
            _("Withdraw this comment?"),
            _(
                "Its text is deleted for good. Colleagues still see that there was a comment, by whom and when."
            ),
            _("People whom it asked to look are no longer asked."),
            button=_("Withdraw it"),
        )

    def confirmed(self, form: Any) -> Said:
        comments.withdraw(self.thing, by=self.by)
        return Said(_("The comment is withdrawn."))


def _looked_at(thing: Draft | Send, by: Actor) -> Said:
    if comments.say_looked(thing, by=by, now=corrected_now()):
        return Said(_("Thank you. Your colleague sees that you looked."))
    return info(_("Nothing here waits for you to look at it."))


draft_looked_at = button("compose", Draft, back="draft")(_looked_at)
send_looked_at = button("see", Send, back="send")(_looked_at)
