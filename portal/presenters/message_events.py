"""What happened to one message, point by point, for its page and the page of its recipient."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from portal.presenters.send_state import APPROVAL_MARKS
from sms.compliance.archive import MessageHistory
from sms.inbound.receipts import reason_in_words
from sms.models import ApprovalState, AuditEvent, Click, Message, MessageState, Receipt, Send
from sms.models.audit_acts import THROUGH
from sms.sends.outcomes.answers import ApprovalAnswer
from sms.values.lives import words_of
from sms.values.msisdn.mention import masked, of_record
from sms.webex import codes
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt
from sms.words import retold


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
    author = author_of(send)
    composed = _("Composed by %(person)s") % {"person": author} if author else _("Composed")
    yield TimelineEntry(send.created_at, composed, _way(found, door))
    if found.posted_at:
        tried = words_of(found.attempt)
        label = _("Posted to the simulator") if send.simulated else _("Posted to Webex Connect")
        yield TimelineEntry(found.posted_at, label, tried, MessageState.POSTING)
    if found.queued_at:
        label = _("Accepted by the simulator") if send.simulated else _("Accepted by Webex Connect")
        label = label if found.provider_id else _("Counted as accepted")
        detail = found.provider_id or retold(found.detail)
        yield TimelineEntry(found.queued_at, label, detail, MessageState.QUEUED)
    if found.final_at and found.state in (MessageState.CANCELLED, MessageState.EXPIRED):
        label = str(MessageState(found.state).label)
        yield TimelineEntry(found.final_at, label, retold(found.detail), found.state)
    if found.state == MessageState.FAILED and found.final_at and not receipts:
        label = _("Given up") if found.code == "given_up" else _("Refused")
        yield TimelineEntry(found.final_at, label, retold(found.detail), MessageState.FAILED)
    for receipt in receipts:
        yield _receipt_event(receipt, clicks.get(receipt.pk), msisdn=found.msisdn)


def _way(message: Message, door: str) -> str:
    send = message.send
    said = {"row": message.row, "source": send.source}
    row = _("Row %(row)s of %(source)s") % said if send.source else _("Row %(row)s of the audience") % said
    if door not in THROUGH:
        return row
    # Translators: door is like “the website” or “the API”.
    through = _("Through %(door)s") % {"door": THROUGH[door]}
    return f"{through} · {row}"


def author_of(send: Send) -> str:
    """The program or the person; empty where neither is known, as of the command line's."""
    return send.partner or (send.created_by.shown_name if send.created_by else "")


def _approval(answers: Sequence[ApprovalAnswer]) -> Iterator[TimelineEntry]:
    asked = set[datetime]()
    for one in answers:
        if one.asked_at not in asked:
            asked.add(one.asked_at)
            yield TimelineEntry(one.asked_at, _("Approval was asked for"), one.asked_by, "awaiting")
        if one.at:
            label = _("Approved by %(person)s") if one.approved else _("Not approved by %(person)s")
            mark = "delivered" if one.approved else "failed"
            yield TimelineEntry(one.at, label % {"person": one.by}, masked(one.comment), mark)
        elif one.ended_at and one.state in (ApprovalState.EXPIRED, ApprovalState.VOID):
            words = (
                _("Not answered in time")
                if one.state == ApprovalState.EXPIRED
                else _("Changed, so it is asked again")
            )
            yield TimelineEntry(one.ended_at, words, "", APPROVAL_MARKS[one.state])


def _receipt_event(receipt: Receipt, click: Click | None, *, msisdn: str) -> TimelineEntry:
    """`msisdn` is hidden in the body, as everywhere on screen; the stored receipt stays as it came."""
    raw, at = bytes(receipt.raw), receipt.received_at
    if not raw:
        return TimelineEntry(at, _("Receipt"), _("What it said was deleted, and could not be read before."))
    try:
        note = parse_receipt(raw)
    except UnreadableBody as problem:
        written = of_record(raw.decode(errors="replace"), msisdn)
        return TimelineEntry(at, _("Receipt that cannot be read"), str(problem), raw=written)
    if note.state == "clicked":
        label, detail, state = _("Link clicked"), masked(note.url), ""
    else:
        label = _("Receipt: %(status)s") % {"status": note.status}
        detail, state = codes.lookup(note.code).meaning, note.state
    if click is not None:
        said = {"event": label, "verdict": _verdict(click)}
        # Translators: event is like “Link clicked”, verdict like “human”: who clicked.
        label = _("%(event)s: %(verdict)s") % said
        detail = f"{detail} · {reason_in_words(click.reason)}"
    return TimelineEntry(at, label, detail, state, of_record(raw.decode(errors="replace"), msisdn))


def _verdict(click: Click) -> str:
    words = {
        Click.Verdict.HUMAN: pgettext("click", "human"),
        Click.Verdict.MACHINE: pgettext("click", "machine"),
        Click.Verdict.UNSURE: pgettext("click", "unsure"),
    }
    return words.get(Click.Verdict(click.verdict), click.verdict) if click.verdict else ""
