"""Messages: found by number, correlation id or provider id, one message's whole story, and its number for those who may see it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from portal.access import service_page
from portal.forms.control import ReasonForm
from portal.forms.numbers import key_of
from portal.forms.texts import text_of
from portal.limits import PAGE
from portal.presenters.keyset import keyset_page
from portal.presenters.send_state import may_send_again
from portal.views.button_base import Said
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.compliance import archive
from sms.inbound.receipts import reason_in_words
from sms.models import Click, Message, MessageState, Receipt, SendKeeping, Service
from sms.models.audit import audit
from sms.sends.messages import find_messages, story_of
from sms.values import correlation_id
from sms.values.msisdn.mention import masked, of_record
from sms.webex import codes
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt

LONGEST_SEARCH = 300  # characters


@service_page("see")
def messages(request: HttpRequest, service: Service) -> HttpResponse:
    text = text_of(request.GET, "q", most=LONGEST_SEARCH)
    found = find_messages(service, text, before=key_of(request.GET, "before"), page=PAGE)
    page = keyset_page(found.messages, PAGE)
    context = {
        "q": text,
        "query": urlencode({"q": text}),
        "rows": page.rows,
        "next_before": page.next_key,
        "problem": found.problem,
    }
    return render(request, "messages/list.html", context)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One point of a message's timeline; `raw` is a receipt's body, indented."""

    at: datetime
    label: str
    detail: str = ""
    state: str = ""
    raw: str = ""


@service_page("see")
def message(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    try:
        story = story_of(service, pk)
    except archive.ArchiveError as problem:
        return render(request, "messages/unread.html", {"problem": str(problem)}, status=503)
    if story is None:
        raise Http404
    found, receipts, clicks = story.message, story.receipts, story.clicks
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
        "events": sorted(_events(found, receipts, clicks), key=lambda event: event.at),
        "clicks": Counter(click.verdict for click in clicks.values()),
    }
    return render(request, "messages/detail.html", context)


def _events(found: Message, receipts: list[Receipt], clicks: dict[int, Click]) -> Iterator[TimelineEntry]:
    send = found.send
    provider = "the simulator" if send.simulated else "Webex Connect"
    yield TimelineEntry(send.created_at, "Composed", f"Row {found.row} of {send.source or 'the audience'}")
    if found.posted_at:
        tried = f"Attempt {found.attempt}"
        yield TimelineEntry(found.posted_at, f"Posted to {provider}", tried, MessageState.POSTING)
    if found.queued_at:
        label = f"Accepted by {provider}" if found.provider_id else "Counted as accepted"
        yield TimelineEntry(found.queued_at, label, found.provider_id or found.detail, MessageState.QUEUED)
    if found.final_at and found.state in (MessageState.CANCELLED, MessageState.EXPIRED):
        yield TimelineEntry(found.final_at, str(MessageState(found.state).label), found.detail, found.state)
    if found.state == MessageState.FAILED and found.final_at and not receipts:
        label = "Given up" if found.code == "given_up" else "Refused"
        yield TimelineEntry(found.final_at, label, found.detail, MessageState.FAILED)
    for receipt in receipts:
        yield _receipt_event(receipt, clicks.get(receipt.pk), msisdn=found.msisdn)


def _receipt_event(receipt: Receipt, click: Click | None, *, msisdn: str) -> TimelineEntry:
    """`msisdn` is hidden in the body, as everywhere on screen; the stored receipt stays as it came."""
    raw, at = bytes(receipt.raw), receipt.received_at
    if not raw:
        return TimelineEntry(at, "Receipt", "What it said was deleted, and could not be read before.")
    try:
        note = parse_receipt(raw)
    except UnreadableBody as problem:
        written = of_record(raw.decode(errors="replace"), msisdn)
        return TimelineEntry(at, "Receipt that cannot be read", str(problem), raw=written)
    if note.state == "clicked":
        label, detail, state = "Link clicked", masked(note.url), ""
    else:
        label, detail, state = f"Receipt: {note.status}", codes.lookup(note.code).meaning, note.state
    if click is not None:
        label, detail = f"{label}: {click.verdict}", f"{detail} · {reason_in_words(click.reason)}"
    return TimelineEntry(at, label, detail, state, of_record(raw.decode(errors="replace"), msisdn))


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
