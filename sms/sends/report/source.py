"""The rows of a send as they were given: its file or paste, its saved audience, or what a program's request had."""

from collections.abc import Iterator
from operator import attrgetter

from django.utils.translation import gettext, gettext_noop

from sms.audiences.files import Limits, Recipient, RejectedRow
from sms.audiences.files.rows import Rows
from sms.audiences.storage import StoredAudience
from sms.compose.drafts.rows import audience_of_draft
from sms.compose.errors import ComposeError
from sms.models import Draft, Send, Upload

SourceRow = Recipient | RejectedRow
GONE = gettext_noop(
    "The rows it went to were deleted when their days were over, so their columns are not in the report. "
    "What is kept of each message is."
)
NONE = gettext_noop(
    "It was asked for without further columns, so the report has its numbers and what became of them."
)


def source_of(send: Send, *, limits: Limits) -> Rows | None:
    """None where nothing was given but what its messages hold themselves, and where it is kept no longer."""
    if send.audience is not None:
        return None if send.audience.erased_at else StoredAudience(send.audience)
    draft = _draft_of(send)
    if draft is None or not (draft.upload_id or draft.pasted.strip()):
        return None
    try:
        return audience_of_draft(draft, limits=limits)
    except ComposeError:  # it was read when the send was made, by rules that are others today
        return None


def missing_columns(send: Send) -> str:
    """Why the report has no columns of the rows; empty where it has them."""
    if send.audience is not None:
        return gettext(GONE) if send.audience.erased_at else ""
    draft = _draft_of(send)
    if draft is None:
        return gettext(NONE)
    return "" if draft.upload_id or draft.pasted.strip() else gettext(GONE)


def _draft_of(send: Send) -> Draft | None:
    rows = Draft.objects.filter(send=send).select_related("service", "upload", "audience__current")
    return rows.defer(Upload.LIGHT).first()


def blocks_of(source: Rows) -> Iterator[list[SourceRow]]:
    """In the order of the file: a stored audience block by block, what is small enough to be in memory as one."""
    whole = list[SourceRow]()
    for block in source.blocks():
        rows: list[SourceRow] = [*block.recipients, *block.rejects]
        if isinstance(source, StoredAudience):
            yield sorted(rows, key=attrgetter("row"))
        else:
            whole += rows
    yield sorted(whole, key=attrgetter("row"))
