"""Rejected rows of a send, stored beside its messages."""

from collections.abc import Iterable

from sms.audiences.files import RejectedRow
from sms.models import Reject, Send
from sms.models.sql.insert import insert

COLUMNS = ("send_id", "row", "value", "code", "reason")


def store_rejects(send: Send, rejects: Iterable[RejectedRow]) -> None:
    rows = [(send.pk, bad.row, bad.value[:200], bad.code, bad.reason[:300]) for bad in rejects]
    insert(Reject, COLUMNS, rows)
