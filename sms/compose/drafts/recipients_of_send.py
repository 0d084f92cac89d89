"""The recipients of a send, all or some of them, as the audience of a new draft.

The rows come from where the send had them: its saved audience, its draft's file or the rows that a program or a command gave, by row
number, so that placeholders find their values again. A partner's request at `/v2/messages` keeps its numbers only.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

from django.db import models
from django.utils.translation import gettext, gettext_noop, ngettext, override
from django.utils.translation import gettext_lazy as _

from sms.audiences import storage
from sms.audiences.files import Audience, Limits, Recipient
from sms.audiences.files.choices import NAMES
from sms.audiences.files.rows import Rows
from sms.compose.drafts.rows import audience_of_draft
from sms.compose.errors import ComposeError
from sms.models import Draft, MessageState, Send, Upload
from sms.models.paging import given
from sms.values import text
from sms.words import number

AUDIENCE_FIELDS = {"pasted", "upload", "audience", "version", "column", "country", "allow_duplicates", *NAMES}
NUMBER = "number"
GONE = gettext_noop(
    "Its recipients are kept no longer, or in an archive only, so they cannot be written to again from here. "
    "Duplicate the text, and choose an audience in the draft."
)


class Who(models.TextChoices):
    ALL = "all", _("The same recipients")
    FAILED = "failed", _("Only those whose message failed")
    UNDELIVERED = "undelivered", _("Only those without a delivery")
    REJECTED = "rejected", _("Only the rejected rows")


class RecipientsGone(RuntimeError):
    """These recipients cannot be had; the sentence says why and what can be done."""


def take_over_recipients(
    draft: Draft, send: Send, who: Who, *, code: str = "", user: Any, limits: Limits
) -> list[str]:
    """Give the draft these recipients, of the failed those with a `code`, if given.

    Returns what of them was not kept, in sentences. Raises RecipientsGone.
    """
    rows = Draft.objects.filter(send=send).select_related("upload", "audience__current")
    before = rows.defer(Upload.LIGHT).first()
    if who == Who.ALL and _taken_as_it_was(draft, send, before):
        return []
    if who == Who.REJECTED:
        audience, not_kept = _rejected(send), list[str]()
    else:
        audience, not_kept = _chosen(send, _messages(send, who, code), before, limits=limits)
    if not audience.recipients:
        raise RecipientsGone(gettext(GONE) if send.recipients else gettext("It has no such recipients."))
    content = _csv(audience)
    with_code = f" with {code}" if code and who == Who.FAILED else ""
    with override("en"):  # it is kept
        name = f"{Who(who).label}{with_code} of send {send.pk}.csv"
    withheld = _withheld(send, before)
    draft.upload = Upload.keep(content, service=send.service, name=name, user=user, withheld=withheld)
    draft.column = audience.column
    draft.country = (before and before.country) or send.service.default_country
    draft.allow_duplicates = before.allow_duplicates if before is not None else True
    headings = {text.match_key(heading) for heading in audience.headings}
    missing = [name for name in _placeholders(send) if text.match_key(name) not in headings]
    if missing:
        not_kept.append(
            gettext(
                "The values for %(placeholders)s were not kept with these recipients. Upload them again, or write the text without."
            )
            % {"placeholders": ", ".join(f"$({name})" for name in missing)}
        )
    return not_kept


def numbers_withheld(send: Send) -> bool:
    """Whether its rows are of a saved audience or a program's, and not of the file of the person who sent it."""
    return _withheld(
        send, Draft.objects.filter(send=send).select_related("upload").defer(Upload.LIGHT).first()
    )


def _withheld(send: Send, before: Draft | None) -> bool:
    saved = send.audience is not None and send.audience.audience_id is not None
    return saved or before is None or before.numbers_withheld


def _taken_as_it_was(draft: Draft, send: Send, before: Draft | None) -> bool:
    """The very file, paste or audience, where it is still there: nothing is copied."""
    if send.audience is not None:
        kept = send.audience.audience
        if kept is not None:
            same = kept.current_id == send.audience_id and kept.archived_at is None
            draft.audience = kept if same else None
            return same
    if before is None or not (before.upload_id or before.pasted.strip()):
        return False
    for field in Draft._meta.concrete_fields:
        if field.name in AUDIENCE_FIELDS:
            setattr(draft, field.attname, getattr(before, field.attname))
    return True


def _chosen(
    send: Send, messages: "models.QuerySet[Any, Any]", before: Draft | None, *, limits: Limits
) -> tuple[Audience, list[str]]:
    """Rows of its messages, with all their columns where those are still there, and otherwise with what the messages kept."""
    rows = dict(messages.values_list("row", "msisdn").iterator(chunk_size=10_000))
    source = _source(send, before, limits=limits)
    if source is not None:
        kept = (one for block in source.blocks() for one in block.recipients)
        found = [one for one in kept if rows.get(one.row) == one.msisdn]
        if found:
            lost = len(rows) - len(found)
            says = ngettext(
                "%(n)s of them are no longer in its audience and were left out.",
                "%(n)s of them are no longer in its audience and were left out.",
                lost,
            )
            not_kept = [says % {"n": number(lost)}] if lost else []
            return Audience(list(source.headings), source.column, found, []), not_kept
    recipients = [
        Recipient(row=row, msisdn=msisdn, substitutions=values)
        for row, msisdn, values in messages.values_list("row", "msisdn", "substitutions")
        if _whole(msisdn)
    ]
    headings = [NUMBER, *dict.fromkeys(name for one in recipients for name in one.substitutions)]
    return Audience(headings, NUMBER, recipients, []), []


def _messages(send: Send, who: Who, code: str) -> "models.QuerySet[Any, Any]":
    found = send.messages.order_by("row", "id")
    if who == Who.FAILED:
        return found.filter(given(code=code), state=MessageState.FAILED)
    return found.exclude(state=MessageState.DELIVERED) if who == Who.UNDELIVERED else found


def _source(send: Send, before: Draft | None, *, limits: Limits) -> Rows | None:
    if send.audience is not None:
        return storage.StoredAudience(send.audience) if send.audience.erased_at is None else None
    try:
        return audience_of_draft(before, limits=limits) if before is not None else None
    except ComposeError:
        return None


def _rejected(send: Send) -> Audience:
    values = send.rejects.exclude(value="").values_list("row", "value")
    rows = [Recipient(row=row, msisdn=value, substitutions={}) for row, value in values]
    return Audience([NUMBER], NUMBER, rows, [])


def _csv(audience: Audience) -> bytes:
    """As an upload. It is never downloaded, so no cell is disarmed."""
    others = [name for name in dict.fromkeys(audience.headings) if name and name != audience.column]
    audience_column = audience.column or NUMBER
    page = io.StringIO()
    written = csv.writer(page)
    written.writerow([audience_column, *others])
    for one in audience.recipients:
        written.writerow([one.msisdn, *(one.substitutions.get(name, "") for name in others)])
    return page.getvalue().encode()


def _placeholders(send: Send) -> Sequence[str]:
    """Of the text; a template's have fallbacks of their own, which the draft's check knows."""
    return text.placeholders(send.text) if not send.template_id else ()


def _whole(msisdn: str) -> bool:
    """Whether a message still has its number: retention takes it away."""
    return msisdn.startswith("+") and msisdn[1:].isdecimal()


def numbers_are_kept(send: Send) -> bool:
    """Retention takes the numbers of a send all at once, so one message speaks for all."""
    return any(_whole(msisdn) for msisdn in send.messages.order_by("id").values_list("msisdn", flat=True)[:1])


def has_rows(send: Send) -> bool:
    if send.audience is not None:
        return send.audience.erased_at is None
    before = Draft.objects.filter(send=send).only("upload", "pasted").first()
    return before is not None and bool(before.upload_id or before.pasted.strip())
