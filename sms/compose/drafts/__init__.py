"""Drafts: from what a person has written to an order, its figures, and a send. The compose page's half of `sms.compose`.

    order      the draft as an order                  totals     its figures: at once for few rows, from a stored check for many
    send       the send, once                         rows       its audience: few rows in memory, many as a version (`versions`)
    preparations   work that can be stopped           corrections   rejects that were put right
    repeats    was the same sent before?              duplicate  a send as a new draft
    collaboration  several people at one draft        presence   who has it open now
    remembered_columns   columns and placeholder sources chosen before for a file with the same headings

A file or paste of more than SMALL bytes, or a saved audience of many rows, is large: it is read once into an `AudienceVersion`, which
`draft.version` names, and checked in the background (`sms.compose.background`).
"""

from sms.audiences.files.rows import SMALL
from sms.compose.drafts.corrections import add_corrections, base_of_corrections, draft_rejects_csv
from sms.compose.drafts.order import RELATED, options_of_draft, order_of_draft, with_related
from sms.compose.drafts.preparations import preparations_of, resume_preparing, stop_preparing
from sms.compose.drafts.remembered_columns import recall_columns, remember_columns
from sms.compose.drafts.repeats import file_sent_before, repeat_key, repeat_warning, sent_before
from sms.compose.drafts.rows import audience_of_draft
from sms.compose.drafts.send import send_draft
from sms.compose.drafts.totals import (
    DraftTotals,
    EditingTotals,
    check_digest,
    totals_of,
    totals_while_editing,
)
from sms.compose.drafts.versions import NotReady, first_stored_rows, version_in_use

__all__ = [
    "RELATED",
    "SMALL",
    "DraftTotals",
    "EditingTotals",
    "NotReady",
    "add_corrections",
    "audience_of_draft",
    "base_of_corrections",
    "check_digest",
    "draft_rejects_csv",
    "file_sent_before",
    "first_stored_rows",
    "options_of_draft",
    "order_of_draft",
    "preparations_of",
    "recall_columns",
    "remember_columns",
    "repeat_key",
    "repeat_warning",
    "resume_preparing",
    "send_draft",
    "sent_before",
    "stop_preparing",
    "totals_of",
    "totals_while_editing",
    "version_in_use",
    "with_related",
]
