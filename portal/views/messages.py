"""Messages: found by number, correlation id or provider id, one message's whole story, and its number for those who may see it."""

from collections import Counter
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from portal.access import FORM, service_page
from portal.forms.control import ReasonForm
from portal.forms.numbers import key_of
from portal.forms.sealed_search import address_of_words, is_typed, words_of
from portal.limits import PAGE
from portal.presenters.keyset import keyset_page
from portal.presenters.list_columns import chosen_columns
from portal.presenters.message_events import events_of
from portal.presenters.send_state import may_send_again
from portal.views.button_base import Said
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.compliance import archive
from sms.models import KeptList, Message, SendKeeping, Service
from sms.models.audit import audit
from sms.sends.messages import find_messages, story_of
from sms.values import correlation_id
from sms.values.msisdn.mention import masked
from sms.webex import codes


@service_page("see", FORM)
def messages(request: HttpRequest, service: Service) -> HttpResponse:
    text = words_of(request, service)
    if is_typed(request):
        return redirect(address_of_words(request.path, text, service))
    found = find_messages(service, text, before=key_of(request.GET, "before"), page=PAGE)
    page = keyset_page(found.messages, PAGE)
    context = {
        "q": text,
        "query": urlencode({"for": request.GET["for"]}) if text else "",
        "rows": page.rows,
        "next_before": page.next_key,
        "problem": found.problem,
        "columns": chosen_columns(request.user, KeptList.MESSAGES),
    }
    return render(request, "messages/list.html", context)


@service_page("see")
def message(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    try:
        story = story_of(service, pk)
    except archive.ArchiveError as problem:
        return render(request, "messages/unread.html", {"problem": str(problem)}, status=503)
    if story is None:
        raise Http404
    found, clicks = story.message, story.clicks
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
        "events": events_of(story),
        "clicks": Counter(click.verdict for click in clicks.values()),
    }
    return render(request, "messages/detail.html", context)


class RevealNumber(ConfirmView):
    """Asks for a reason, then shows the number once. That it was shown is in the audit before it is; the number never is."""

    act = "reveal"
    form_class = ReasonForm
    crumb = "Message"

    def find(self) -> Message | None:
        """None where the page of the message says why there is no number to show."""
        try:
            story = story_of(self.service, self.kwargs["pk"])
        except archive.ArchiveError:
            return None
        if story is None:
            raise Http404
        return story.message if story.message.msisdn.startswith("+") else None

    def over(self) -> Said | None:
        return Said("") if self.thing is None else None

    def get_success_url(self) -> str:
        return reverse("message", args=[self.service.slug, self.kwargs["pk"]])

    def confirmation(self) -> Confirmation:
        return Confirmation(
            "Show the number of this message?",
            "Pages show numbers without their middle. Who looked at a whole one, and why, stays in the audit.",
            button="Show the number",
            danger=False,
        )

    def confirmed(self, form: Any) -> HttpResponse:
        reason = masked(form.cleaned_data["reason"])
        key, slug = self.kwargs["pk"], self.service.slug
        audit("message.revealed", by=self.by, service=slug, noun="message", key=key, reason=reason)
        return render(self.request, "messages/number.html", {"message": self.thing, "reason": reason})
