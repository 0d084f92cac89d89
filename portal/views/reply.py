"""One conversation: what was sent and what came, the answer, and who takes care of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.access import WRITE, actor, service_page
from portal.forms.numbers import key_of
from portal.forms.problems import add_problems
from portal.forms.replies import AnswerForm, AssignForm
from portal.forms.texts import text_of
from portal.views.button_base import Said, button, error, info
from portal.views.form_base import form_page
from sms.compose.errors import ComposeError
from sms.dispatch.last_look import quiet_until
from sms.models import Actor, Conversation, Send, SendState, Service
from sms.models.sql.clock import corrected_now
from sms.sends.replies import handling
from sms.sends.replies.answer import AnswerRefused, WrittenAnswer, answer, sender_at, sender_that_can
from sms.sends.replies.canned import canned_answers
from sms.sends.replies.handling import Overtaken
from sms.sends.replies.thread import Thread, thread_of
from sms.values import text
from sms.values.problems import Problem
from sms.webex.limits import LARGEST_TEXT_LIMIT

CONVERSATIONS = Conversation.objects.select_related("service", "assigned_to")


@service_page("see", of=CONVERSATIONS)
def reply(request: HttpRequest, service: Service, found: Conversation) -> HttpResponse:
    return _page(request, service, found)


@service_page("see", of=CONVERSATIONS)
def reply_thread(request: HttpRequest, _service: Service, found: Conversation) -> HttpResponse:
    """The part of the page that is fetched every few seconds."""
    thread = thread_of(found, sender=sender_at(found))
    return render(
        request, "replies/_thread.html", {"conversation": found, "thread": thread, "now": corrected_now()}
    )


@service_page("compose", WRITE, of=CONVERSATIONS)
def reply_answer(request: HttpRequest, service: Service, found: Conversation) -> HttpResponse:
    form = AnswerForm(request.POST, conversation=found)
    if not form.is_valid():
        return _page(request, service, found, form=form)
    typed = form.cleaned_data
    asked = WrittenAnswer(
        text=typed["text"],
        token=typed["token"],
        seen=typed["seen"],
        at_night=typed["at_night"],
        done=typed["done"],
    )
    try:
        made = answer(found, asked, by=actor(request))
    except Overtaken as problem:
        found.refresh_from_db()
        form.show_again(found)
        form.add_error(None, str(problem))
    except AnswerRefused as problem:
        add_problems(form, [Problem(problem.code, problem.field, str(problem))])
    except ComposeError as problem:
        add_problems(form, problem.problems)
    else:
        messages.success(request, _sentence(made.send))
        return redirect(
            "replies" if typed["done"] else "reply", service.slug, *([] if typed["done"] else [found.pk])
        )
    return _page(request, service, found, form=form)


def _sentence(send: Send) -> str:
    if send.state == SendState.AWAITING:
        return _("Your answer waits for approval. It goes out as soon as it is approved.")
    return _("Your answer is on its way.")


@service_page("compose", WRITE, of=CONVERSATIONS)
def reply_count(request: HttpRequest, _service: Service, _found: Conversation) -> HttpResponse:
    """What the answer takes on the air, while it is typed."""
    written = text.line_breaks(text_of(request.POST, "text", most=LARGEST_TEXT_LIMIT))
    return render(request, "replies/_count.html", _count(written))


@service_page("compose", WRITE, of=CONVERSATIONS)
def reply_assign(request: HttpRequest, service: Service, found: Conversation) -> HttpResponse:
    form = AssignForm(request.POST, service=service, conversation=found)
    if form.is_valid():
        to = form.cleaned_data["to"]
        try:
            handling.assign(found, to, was=form.cleaned_data["was"], by=actor(request))
        except Overtaken as problem:
            error(problem).on(request)
        else:
            messages.success(request, _assigned(to, request.user))
    else:
        error(_("Choose a colleague of this service who may answer.")).on(request)
    return redirect("reply", service=service.slug, pk=found.pk)


def _assigned(to: Any, user: Any) -> str:
    if to == user:
        return _("The conversation is yours now.")
    if to:
        return _("The conversation is given to %(person)s now.") % {"person": handling.name_of(to)}
    return _("The conversation is not assigned now.")


@service_page("compose", WRITE, of=CONVERSATIONS)
def reply_done(request: HttpRequest, service: Service, found: Conversation) -> HttpResponse:
    """`seen` is the newest SMS on the page that was looked at."""
    try:
        done = handling.mark_done(found, seen=key_of(request.POST, "seen") or 0, by=actor(request))
    except Overtaken as problem:
        error(problem).on(request)
        return redirect("reply", service=service.slug, pk=found.pk)
    says = _("Done. The next message of this person opens it again.")
    (Said(says) if done else info(_("It is done already."))).on(request)
    return redirect("replies", service=service.slug)


@button("compose", Conversation, back="reply")
def reply_reopen(conversation: Conversation, by: Actor) -> Said:
    if handling.reopen(conversation, by=by):
        return Said(_("The conversation is open again."))
    return info(_("It is open already."))


def _count(written: str) -> dict[str, Any]:
    return {"length": text.segments(written), "characters": len(written)}


def _page(
    request: HttpRequest, service: Service, found: Conversation, *, form: AnswerForm | None = None
) -> HttpResponse:
    sender = sender_at(found)
    thread = thread_of(found, sender=sender)
    context: dict[str, Any] = {
        "conversation": found,
        "thread": thread,
        "now": corrected_now(),
        "labels": found.labels.all(),
    }
    held: frozenset[str] = request.may  # type: ignore[attr-defined]
    if "compose" in held:
        context["assign"] = AssignForm(service=service, conversation=found)
        try:
            context["sender"] = sender_that_can(found, sender)
        except AnswerRefused as problem:
            context |= {"refused": problem, "form": form}
        else:
            context |= _answering(request, service, found, form, thread)
    return form_page(request, "replies/page.html", context)


def _answering(
    request: HttpRequest, service: Service, found: Conversation, form: AnswerForm | None, thread: Thread
) -> dict[str, Any]:
    """Templates are read where they are asked for: `?templates` lists them, `?canned` names one that is written into the form."""
    asked = request.GET.keys() & {"templates", "canned"}
    canned = canned_answers(service, message=thread.answered_last) if asked else []
    chosen = key_of(request.GET, "canned")
    written = next((one.text for one in canned if one.key == chosen), "")
    form = form or AnswerForm(conversation=found, text=written)
    return {
        "form": form,
        "canned": canned if "templates" in request.GET else [],
        "listed": "templates" in request.GET,
        "quiet_until": _quiet_until(service, found),
        **_count(text.line_breaks(str(form["text"].value() or ""))),
    }


def _quiet_until(service: Service, found: Conversation) -> Any:
    """When the quiet hours of the person end; None where it is not quiet there."""
    try:
        return quiet_until(
            found.msisdn,
            column="",
            service_zone=service.clock,
            quiet=service.quiet_hours,
            at=corrected_now(),
        )
    except ValueError:  # a zone that this machine does not know: the page of the send says so
        return None
