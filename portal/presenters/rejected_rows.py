"""Rows of a send that became no message, with as much of what stood there as the viewer may see: in its file and on pages."""

from collections.abc import Iterator

from django.http import HttpRequest

from sms.audiences.files import RejectedRow, without_number
from sms.compose.drafts.recipients_of_send import numbers_withheld
from sms.models import Send
from sms.values.problems import ProblemCode


def shows_values(request: HttpRequest) -> bool:
    """Whether anything of what stood there is shown: to those who may have whole numbers, or have to correct the rows."""
    return not {"export", "compose"}.isdisjoint(request.may)  # type: ignore[attr-defined]


def rejected_rows(request: HttpRequest, send: Send, *, most: int | None = None) -> Iterator[RejectedRow]:
    """Of rows that are nobody's own file, the numbers are hidden from those who only compose."""
    held: frozenset[str] = request.may  # type: ignore[attr-defined]
    whole = "export" in held or ("compose" in held and not numbers_withheld(send))
    for bad in send.rejects.all()[:most].iterator():
        yield RejectedRow(
            row=bad.row,
            value=bad.value if whole else without_number(bad.value) if "compose" in held else "",
            code=ProblemCode(bad.code),
            reason=bad.reason,
        )
