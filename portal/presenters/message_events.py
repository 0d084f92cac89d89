"""What happened to one message, point by point, for its page and the page of its recipient."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.presenters.send_state import APPROVAL_MARKS
from sms.compliance.archive import MessageHistory
from sms.inbound.receipts import reason_in_words
from sms.models import ApprovalState, AuditEvent, Click, MessageState, Receipt, Send
from sms.models.audit_acts import THROUGH
from sms.sends.outcomes.answers import ApprovalAnswer
from sms.values.lives import words_of
from sms.values.msisdn.mention import masked, of_record
from sms.webex import codes
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One point of a timeline; `raw` is a receipt's body, indented."""

    at: datetime
    label: str
    detail: str = ""
    state: str = ""
    raw: str = ""


def events_of(
    story: MessageHistory, answers: Sequence[ApprovalAnswer] = (), *, door: str = ""
) -> list[TimelineEntry]:
    """The earliest first; `answers` are those of approvers about its send, `door` is how it was asked for, as the audit says it."""
    return sorted([*_events(story, door), *_approval(answers)], key=lambda event: event.at)


def door_of(send: Send) -> str:
    """How a send was asked for, one of `DOORS`; empty where the audit of that time was retired."""
    rows = AuditEvent.objects.filter(noun="send", noun_key=str(send.pk), service_slug=send.service.slug)
    return rows.order_by("pk").values_list("door", flat=True).first() or ("api" if send.partner else "")


def _events(story: MessageHistory, door: str) -> Iterator[TimelineEntry]:
    found, receipts, clicks = story.message, story.receipts, story.clicks
    send = found.send
    provider = "the simulator" if send.simulated else "Webex Connect"
    row = f"Row {found.row} of {send.source or 'the audience'}"
    composed = f"Composed by {author}" if (author := author_of(send)) else "Composed"
    way = f"Through {THROUGH[door]} · " if door in THROUGH else ""
    yield TimelineEntry(send.created_at, composed, f"{way}{row}")
    if found.posted_at:
        tried = words_of(found.attempt)
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


def author_of(send: Send) -> str:
    """The program or the person; empty where neither is known, as of the command line's."""
    return send.partner or (send.created_by.shown_name if send.created_by else "")


def _approval(answers: Sequence[ApprovalAnswer]) -> Iterator[TimelineEntry]:
    asked = set[datetime]()
    for one in answers:
        if one.asked_at not in asked:
            asked.add(one.asked_at)
            yield TimelineEntry(one.asked_at, "Approval was asked for", one.asked_by, "awaiting")
        if one.at:
            label, mark = ("Approved", "delivered") if one.approved else ("Not approved", "failed")
            yield TimelineEntry(one.at, f"{label} by {one.by}", masked(one.comment), mark)
        elif one.ended_at and one.state in (ApprovalState.EXPIRED, ApprovalState.VOID):
            words = (
                "Not answered in time"
                if one.state == ApprovalState.EXPIRED
                else "Changed, so it is asked again"
            )
            yield TimelineEntry(one.ended_at, words, "", APPROVAL_MARKS[one.state])


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
