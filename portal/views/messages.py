"""Messages: found by number, correlation id or provider id, and one message's whole story."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from portal.access import service_page
from portal.forms.numbers import key_of
from portal.presenters.keyset import keyset_page
from portal.presenters.send_state import may_send_again
from sms.compliance import archive
from sms.inbound.receipts import reason_in_words
from sms.models import Click, Message, MessageState, Receipt, SendKeeping, Service
from sms.sends.messages import find_messages, story_of
from sms.values import correlation_id
from sms.values.msisdn import mask
from sms.webex import codes
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt

PAGE = 50


@service_page("see")
def messages(request: HttpRequest, service: Service) -> HttpResponse:
    text = request.GET.get("q", "")
    found = find_messages(service, text, before=key_of(request.GET, "before"), page=PAGE)
    page = keyset_page(found.messages, PAGE)
    context = {
        "q": text,
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
        "correlation_id": _correlation_id(found, service),
        "code": codes.lookup(found.code) if found.code else None,
        "events": sorted(_events(found, receipts, clicks), key=lambda event: event.at),
        "clicks": {
            who: sum(click.verdict == who for click in clicks.values()) for who in Click.Verdict.values
        },
    }
    return render(request, "messages/detail.html", context)


def _correlation_id(found: Message, service: Service) -> str:
    """As the provider knows it, for a call to its support."""
    if not found.attempt:
        return ""
    return correlation_id.write(message_id=found.pk, attempt=found.attempt, key=service.correlation_key)


def _events(found: Message, receipts: list[Receipt], clicks: dict[int, Click]) -> list[TimelineEntry]:
    send = found.send
    events = [
        TimelineEntry(send.created_at, "Composed", f"Row {found.row} of {send.source or 'the audience'}")
    ]
    if found.posted_at:
        events.append(
            TimelineEntry(
                found.posted_at, "Posted to Webex Connect", f"Attempt {found.attempt}", MessageState.POSTING
            )
        )
    if found.queued_at:
        events.append(
            TimelineEntry(
                found.queued_at, "Accepted by Webex Connect", found.provider_id, MessageState.QUEUED
            )
            if found.provider_id
            else TimelineEntry(found.queued_at, "Counted as accepted", found.detail, MessageState.QUEUED)
        )
    if found.final_at and found.state in (MessageState.CANCELLED, MessageState.EXPIRED):
        events.append(
            TimelineEntry(found.final_at, str(MessageState(found.state).label), found.detail, found.state)
        )
    if found.state == MessageState.FAILED and found.final_at and not receipts:
        label = "Given up" if found.code == "given_up" else "Refused"
        events.append(TimelineEntry(found.final_at, label, found.detail, MessageState.FAILED))
    return events + [
        _receipt_event(receipt, clicks.get(receipt.pk), msisdn=found.msisdn) for receipt in receipts
    ]


def _receipt_event(receipt: Receipt, click: Click | None, *, msisdn: str) -> TimelineEntry:
    """`msisdn` is masked in the body, as everywhere on screen; the stored receipt stays as it came."""
    raw = bytes(receipt.raw)
    if not raw:
        return TimelineEntry(
            receipt.received_at, "Receipt", "What it said was deleted, and could not be read before."
        )

    def masked(text: str) -> str:
        if not msisdn.startswith("+"):
            return text
        return text.replace(msisdn, mask(msisdn)).replace(msisdn.lstrip("+"), mask(msisdn))

    try:
        note = parse_receipt(raw)
    except UnreadableBody as problem:
        return TimelineEntry(
            receipt.received_at,
            "Receipt that cannot be read",
            str(problem),
            raw=masked(raw.decode(errors="replace")),
        )
    known = codes.lookup(note.code)
    shown = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    label = "Link clicked" if note.state == "clicked" else f"Receipt: {note.status}"
    detail = note.url if note.state == "clicked" else known.meaning
    if click is not None:
        label, detail = f"{label}: {click.verdict}", f"{detail} · {reason_in_words(click.reason)}"
    return TimelineEntry(
        receipt.received_at,
        label,
        detail,
        state="" if note.state == "clicked" else note.state,
        raw=masked(shown),
    )
