"""Drafts: from what a person has written to an order, its figures, and a send. The compose page's half of `sms.compose`.

    order      the draft as an order                  totals     its figures: at once for few rows, from a stored check for many
    send       the send, once                         rows       its audience: few rows in memory, many as a version (`versions`)
    versions   that work, which can be stopped       corrections   rejects that were put right
    repeats    was the same sent before?              duplicate  a send as a new draft
    collaboration  several people at one draft        presence   who has it open now
    remembered_columns   columns and placeholder sources chosen before for a file with the same headings

A file or paste of more than SMALL bytes, or a saved audience of many rows, is large: it is read once into an `AudienceVersion`, which
`draft.version` names, and checked in the background (`sms.compose.background`).
"""

from sms.audiences.files.rows import SMALL
from sms.compose.drafts.corrections import (
    CorrectedCell,
    Corrections,
    add_corrections,
    base_of_corrections,
    cells_of_reject,
    correct_pasted,
    corrected_csv,
    draft_rejects_csv,
)
from sms.compose.drafts.order import RELATED, order_of_draft, with_related
from sms.compose.drafts.remembered_columns import recall_columns, remember_columns
from sms.compose.drafts.repeats import file_sent_before, sent_before
from sms.compose.drafts.rows import audience_of_draft, several_sources
from sms.compose.drafts.send import send_draft
from sms.compose.drafts.totals import (
    DraftTotals,
    EditingTotals,
    check_digest,
    totals_of,
    totals_while_editing,
)
from sms.compose.drafts.versions import (
    NotReady,
    first_stored_rows,
    preparations_of,
    resume_preparing,
    stop_preparing,
    version_in_use,
)
