"""Messages: found by number or ID, or by what is known of them; one message's whole story, and its number for those who may see it."""

from collections import Counter
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.message_filter import MessageFilterForm
from portal.forms.numbers import key_of
from portal.forms.sealed_search import address_of_words, is_typed, words_of
from portal.limits import PAGE
from portal.presenters.downloads import csv_download
from portal.presenters.keyset import keyset_page
from portal.presenters.list_columns import chosen_columns
from portal.presenters.message_events import door_of, events_of
from portal.presenters.saved_filters import saved_filters
from portal.presenters.send_state import may_send_again
from portal.views.button_base import error
from portal.views.draft_opened import opened
from portal.views.form_base import form_page
from portal.views.reveal_base import RevealView
from sms.compliance import archive
from sms.compose.drafts.for_one import same_again
from sms.models import KeptList, Message, MessageState, SendKeeping, Service
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.message_search import csv_of, select_messages
from sms.sends.messages import FoundMessages, find_messages, story_of
from sms.sends.outcomes.answers import answers_about
from sms.sends.outcomes.of_message import outcome_of
from sms.sends.waits import waits_of
from sms.values import correlation_id
from sms.webex import codes


@service_page("see", FORM)
def messages(request: HttpRequest, service: Service) -> HttpResponse:
    text = words_of(request, service)
    if is_typed(request):
        return redirect(address_of_words(request.path, text, service))
    before = key_of(request.GET, "before")
    form = _filter(request, service, request.GET)
    query = urlencode({"for": request.GET["for"]} if text else form.chosen)
    if text:
        found = find_messages(service, text, before=before, page=PAGE)
    elif form.errors:  # looking for less than was asked would find what was not
        found = FoundMessages([])
    else:
        found = select_messages(service, form.selection, before=before, page=PAGE)
    page = keyset_page(found.messages, PAGE)
    context = {
        "q": text,
        "form": form,
        "chosen": {} if text else form.chosen,
        "rows": page.rows,
        "query": query,
        "next_before": page.next_key or found.looked_to,
        "looked_to": None if page.next_key else found.looked_to,
        "problem": found.problem,
        "kept": saved_filters(request, KeptList.MESSAGES, query=query if text else form.address),
        "columns": chosen_columns(request.user, KeptList.MESSAGES),
        "archived": archive.amount(service, since=None if text or form.errors else form.selection.since),
    }
    return form_page(request, "messages/list.html", context)


def _filter(request: HttpRequest, service: Service, given: QueryDict) -> MessageFilterForm:
    may_reveal = "reveal" in request.may  # type: ignore[attr-defined]
    form = MessageFilterForm(given, service=service, may_reveal=may_reveal)
    form.is_valid()
    return form


@service_page("export", WRITE)
def messages_export(request: HttpRequest, service: Service) -> HttpResponseBase:
    """What the filter finds, as CSV. It holds whole numbers, so the audit records who took it."""
    form = _filter(request, service, request.POST)
    if not form.is_valid():
        error(_("Nothing was exported: the filter was not understood.")).on(request)
        return redirect("messages", service=service.slug)
    named = {name: value for name, value in form.chosen.items() if name != "ends"}
    if "ends" in form.chosen:
        named["ends"] = "given"
    audit("message.exported", by=actor(request), service=service.slug, noun="message", selection=named)
    lines = csv_of(service, form.selection)
    return csv_download(lines, name=f"messages-{service.slug}{service.file_mark}.csv")


@service_page("see")
def message(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    try:
        story = story_of(service, pk)
    except archive.ArchiveError as problem:
        return render(request, "messages/unread.html", {"problem": str(problem)}, status=503)
    if story is None:
        raise Http404
    found, clicks = story.message, story.clicks
    answers = answers_about([found.send_id] if found.send.approvers else []).get(found.send_id, ())
    waits = (
        waits_of(found.send, now=corrected_now(), message=found)
        if found.state == MessageState.PENDING
        else []
    )
    kept = SendKeeping.objects.filter(pk=found.send_id).first()
    context = {
        "message": found,
        "send": found.send,
        "can_send_again": may_send_again(found.send),
        "archived": story.archived,
        "text_gone": kept.bodies_gone_at if kept else None,
        "number_gone": not found.msisdn.startswith("+"),
        # as the provider knows it, for a call to its support
        "correlation_id": correlation_id.write(
            message_id=found.pk, attempt=found.attempt, key=service.correlation_key
        )
        if found.attempt
        else "",
        "code": codes.lookup(found.code) if found.code else None,
        "outcome": outcome_of(story, waits=waits, answers=answers),
        "events": events_of(story, answers, door=door_of(found.send)),
        "clicks": Counter(click.verdict for click in clicks.values()),
    }
    return render(request, "messages/detail.html", context)


class RevealNumber(RevealView):
    crumb = gettext_lazy("Message")
    asks = gettext_lazy("Show the number of this message?")
    audited = "message.revealed"

    def find(self) -> Message | None:
        try:
            story = story_of(self.service, self.kwargs["pk"])
        except archive.ArchiveError:
            return None
        if story is None:
            raise Http404
        return story.message if story.message.msisdn.startswith("+") else None

    def number(self) -> str:
        found: Message = self.thing
        return found.msisdn

    def get_success_url(self) -> str:
        return reverse("message", args=[self.service.slug, self.kwargs["pk"]])

    def details(self) -> dict[str, Any]:
        return {"message": self.kwargs["pk"]}


@service_page("compose", WRITE)
def message_again(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """The same to the same person, as a draft, which opens next, or its tests. Nothing is sent."""
    try:
        story = story_of(service, pk)
    except archive.ArchiveError as problem:
        return render(request, "messages/unread.html", {"problem": str(problem)}, status=503)
    if story is None:
        raise Http404
    if not story.message.msisdn.startswith("+"):
        error(_("Its number is kept no longer, so it cannot be sent again from here.")).on(request)
        return redirect("message", service=service.slug, pk=pk)
    page = "draft_test" if "test" in request.POST else "draft"
    return opened(request, *same_again(story.message, by=actor(request)), page=page)
