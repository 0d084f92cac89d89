"""Rejected rows of a send, stored beside its messages with what those who asked for it call them."""

from collections.abc import Iterable

from django.db.models import Count

from sms.audiences.files import RejectedGroup, RejectedRow
from sms.audiences.files.rows import most_first
from sms.callbacks import events
from sms.compose.resolved_order import ResolvedOrder
from sms.models import Reject, Send
from sms.models.callback import LONGEST_CORRELATION_ID, LONGEST_REFERENCE
from sms.models.sql.clock import corrected_now
from sms.models.sql.insert import insert
from sms.values.problems import ProblemCode

COLUMNS = ("send_id", "row", "value", "code", "field", "reason", "reference", "correlation_id")


def rejected_groups(send: Send) -> list[RejectedGroup]:
    """Its rejects by reason. Retention may have deleted some."""
    rows = send.rejects.order_by().values_list("code", "field").annotate(count=Count("id"))
    return most_first(
        RejectedGroup(code=ProblemCode(code), field=field, count=count) for code, field, count in rows
    )


def store_rejects(send: Send, rejects: Iterable[RejectedRow], *, order: ResolvedOrder) -> None:
    headings = list(order.audience.headings)

    def cell(bad: RejectedRow, heading: str) -> str:
        place = headings.index(heading) if heading else len(headings)
        return bad.cells[place] if place < len(bad.cells) else ""

    rows = [
        (
            *(send.pk, bad.row, bad.value[:200], bad.code.value, bad.field[:100], bad.reason[:300]),
            (bad.reference or cell(bad, order.reference_heading))[:LONGEST_REFERENCE],
            (bad.correlation_id or cell(bad, order.correlation_heading))[:LONGEST_CORRELATION_ID],
        )
        for bad in rejects
    ]
    keys = insert(Reject, COLUMNS, rows)
    if keys:
        now = corrected_now()
        events.record(
            [
                events.of_send(send, "message.rejected", at=now, once=("reject", pk), subject_id=pk)
                for pk in keys
            ]
        )
