"""Replies as CSV: who wrote what, what it answers, and what became of it."""

from collections.abc import Iterator

from django.db.models import QuerySet

from sms.models import InboundMessage
from sms.sends.replies.handling import name_of
from sms.values.csv import MARK, csv_line

HEADINGS = (
    *("received", "number", "to", "text", "read as", "keyword", "answering send", "conversation"),
    *("state", "assigned to", "answers", "done at", "done by"),
)


def csv_of(rows: "QuerySet[InboundMessage]") -> Iterator[str]:
    """Lines for a streaming response, oldest first. Times are UTC; no cell begins a formula."""
    yield MARK + csv_line(*HEADINGS)
    related = rows.select_related("send", "conversation__assigned_to").defer("raw").order_by("pk")
    for one in related.iterator(chunk_size=2000):
        talk = one.conversation
        yield csv_line(
            one.received_at.isoformat(timespec="seconds"),
            one.msisdn,
            one.address,
            one.text,
            one.meaning,
            one.matched,
            one.send.name if one.send else "",
            str(talk.pk) if talk else "",
            talk.state if talk else "set aside",
            name_of(talk.assigned_to) if talk else "",
            str(talk.answered) if talk else "",
            talk.done_at.isoformat(timespec="seconds") if talk and talk.done_at else "",
            talk.done_by if talk else "",
        )
