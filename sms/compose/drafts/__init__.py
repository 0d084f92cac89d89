"""From a draft to an order, its figures, and a send. The compose page's half of `sms.compose`; it decides nothing of its own.

    order_of(draft)           the draft as compose wants it; `NotReady` while its large file is being read
    look(draft)               its figures: at once for a few rows, from the stored check for many, which it asks for
    count(draft)              the same for a page on which somebody still writes: it raises nothing
    send_draft(draft)         the send, once
    sent_before(order)        sends that went to the same file or people
    mend(draft, …)            a download of rejects that was put right joins the rows that are kept, which `base_of_corrections` has read first
    recall(draft), remember   columns and fillings that somebody chose for a file with the same headings
    stop, go_on               the work on a large audience

A file or paste of more than SMALL bytes, or a saved audience of many rows, is large: it is read once into an `AudienceVersion`, which
`draft.version` names, and checked in the background (`sms.compose.background`). `draft.fillings` maps a placeholder to the
column of another name
that fills it and to a fallback: `{"name": {"column": "Customer", "fallback": "friend"}}`, either may be missing.
"""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from sms.audiences.files import Limits
from sms.audiences.files.rows import SMALL
from sms.compose.create import create
from sms.compose.drafts.order import options_of, order_of
from sms.compose.drafts.remembered_columns import recall, remember
from sms.compose.drafts.repeats import file_sent_before, repeat_key, repeat_warning, sent_before
from sms.compose.drafts.rows import (
    NotReady,
    add_corrections,
    audience_of,
    base_of_corrections,
    first_rows,
    version_in_use,
)
from sms.compose.drafts.totals import (
    DraftTotals,
    EditingTotals,
    digest_of,
    preparations_of,
    rejects_csv,
    resume,
    stop,
    totals_of,
    totals_while_editing,
)
from sms.compose.errors import ComposeError, Problem
from sms.models import Actor, Draft, Preparation, Send, Upload

RELATED = (
    *("service__region", "upload", "audience__current", "version__preparation", "sender", "template"),
    *("policy_group", "link_domain"),
)
__all__ = [
    "RELATED",
    "SMALL",
    "DraftTotals",
    "EditingTotals",
    "NotReady",
    "add_corrections",
    "audience_of",
    "base_of_corrections",
    "digest_of",
    "file_sent_before",
    "first_rows",
    "options_of",
    "order_of",
    "preparations_of",
    "recall",
    "rejects_csv",
    "remember",
    "repeat_key",
    "repeat_warning",
    "resume",
    "send_draft",
    "sent_before",
    "stop",
    "totals_of",
    "totals_while_editing",
    "version_in_use",
    "with_related",
]


def with_related(rows: "QuerySet[Draft]") -> "QuerySet[Draft]":
    """Drafts with everything that their order is made of, but without the bytes of their file."""
    return rows.select_related(*RELATED).defer(Upload.LIGHT)


def send_draft(
    draft: Draft, *, by: Actor, user: Any, limits: Limits, again: bool = False, seen: int | None = None
) -> Send:
    """Make the send, once: a second press of the button finds the first one's send.

    `seen` is the revision of the draft that the person was shown: what a colleague changed since is not sent unseen. Raises NotReady
    while its rows are being read or checked, and ComposeError naming `again` where somebody has to look again: the draft was changed,
    or the same was sent before and nobody said that it is meant.
    """
    if (sent := Draft.objects.filter(pk=draft.pk, send__isnull=False).first()) is not None:
        assert sent.send is not None
        return sent.send
    looked = totals_of(draft, limits=limits)
    if looked.figures is None or looked.stale:
        assert looked.preparation is not None, "figures of a small draft are there at once"
        raise NotReady(looked.preparation)
    order = looked.order
    key = repeat_key(order)
    if not again and draft.again != key and (before := sent_before(order)):
        raise ComposeError([Problem("again", repeat_warning(before))])
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        if locked.send is not None:
            return locked.send
        if locked.revision != draft.revision or seen not in (None, locked.revision):
            raise ComposeError(
                [
                    Problem(
                        "again", "The draft was changed since this page was shown. Look again, then send it."
                    )
                ]
            )
        send = create(order, by=by, user=user, figures=looked.figures)
        locked.send = send
        locked.save(update_fields=["send", "changed_at"])
        Preparation.objects.filter(draft=locked).delete()
    remember(draft, limits=limits)
    return send
