"""Duplicate: any send as a new draft, to the same recipients or to some of them. It sends nothing; opt-outs count when the draft is sent.

    choices(send)               to whom, how many they are, and why not where that cannot be
    duplicate(send, who, …)     the draft, and in sentences what of the send could not be taken over

The rows come from where the send had them: its saved audience or its draft's file, by row number, so that placeholders find their
values again. A send of a program keeps its numbers only. Called by the send's page.
"""

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from sms.audiences import storage
from sms.audiences.files import Audience, Limits, Recipient
from sms.audiences.files.rows import Rows
from sms.compose import drafts
from sms.compose.errors import ComposeError
from sms.compose.naming import own_name
from sms.compose.options import USUAL
from sms.models import Actor, Draft, MessageState, Send, SendState, Upload
from sms.models.audit import audit
from sms.values import text

# what belongs to one draft and not to what it says
_OWN = {
    *("id", "name", "send", "send_at", "expires_at", "created_by", "changed_by", "changed_at", "revision"),
    *("begun", "again"),
}
_ROWS = {"pasted", "upload", "audience", "version", "column", "country", "allow_duplicates"}
OVER = (SendState.FINISHED, SendState.CANCELLED)
NUMBER = "number"


class Who(models.TextChoices):
    """Which of a send's recipients."""

    ALL = "all", "The same recipients"
    FAILED = "failed", "Only those whose message failed"
    UNDELIVERED = "undelivered", "Only those without a delivery"
    REJECTED = "rejected", "Only the rejected rows"


class NotThere(RuntimeError):
    """These recipients cannot be had; the sentence says why and what can be done."""


@dataclass(frozen=True, slots=True)
class RecipientChoice:
    """`says` is what to know before choosing it, `problem` why it cannot be chosen."""

    who: Who
    count: int
    says: str = ""
    problem: str = ""


def choices(send: Send) -> list[RecipientChoice]:
    """All of them, also those that cannot be: a person looks for them."""
    counts = send.counts()
    delivered, failed = counts.get(MessageState.DELIVERED, 0), counts.get(MessageState.FAILED, 0)
    gone = "" if _numbers_are_kept(send) or _has_rows(send) else _GONE
    without = send.recipients - delivered
    return [
        RecipientChoice(
            Who.ALL, send.recipients, _where(send), gone if send.recipients else "It has no recipients."
        ),
        RecipientChoice(Who.FAILED, failed, "", "No message failed." if not failed else _kept(send)),
        RecipientChoice(Who.UNDELIVERED, without, _doubts(counts), _undelivered_problem(send, without)),
        RecipientChoice(
            Who.REJECTED,
            send.rejected,
            "Their cells are taken as they came, so most will be rejected again until somebody mends them.",
            "" if send.rejected else "No row was rejected.",
        ),
    ]


_GONE = (
    "Its recipients are kept no longer, or in an archive only, so they cannot be written to again from here. "
    "Duplicate the text, and choose an audience in the draft."
)


def duplicate(
    send: Send, who: Who | None, *, by: Actor, user: Any, limits: Limits
) -> tuple[Draft, list[str]]:
    """A draft like the send; `who` None takes nobody over. Raises NotThere where the recipients cannot be had."""
    draft, told = _like(send)
    if who is not None:
        told += _with_rows(draft, send, who, user=user, limits=limits)
    draft.created_by = draft.changed_by = user
    with transaction.atomic():
        draft.save()
        audit("draft.created", draft, by=by, duplicate_of=send.pk)
        audit("send.duplicated", send, by=by, draft=draft.pk, who=who or "nobody")
    return draft, told


# --- what it says -------------------------------------------------------------------------------------------------------


def _like(send: Send) -> tuple[Draft, list[str]]:
    """Text, sender and options, and a sentence for each that is not what it was."""
    draft, told = Draft(service=send.service, name=own_name(send)), list[str]()
    before = Draft.objects.filter(send=send).first()
    if before is not None:
        for field in Draft._meta.concrete_fields:
            if field.name not in _OWN | _ROWS | {"service"}:
                setattr(draft, field.attname, getattr(before, field.attname))
    else:
        _from_send(draft, send)
        if send.partner:
            told.append("A program made it; what only a program can ask for was not taken over.")
    draft.sender, draft.template = send.sender, send.template
    draft.policy_group, draft.link_domain = send.policy_group, send.link_domain
    for name, noun in (
        ("sender", "sender"),
        ("template", "template"),
        ("policy_group", "policy group"),
        ("link_domain", "short-link domain"),
    ):
        thing = getattr(draft, name)
        if thing is not None and not thing.active:
            setattr(draft, name, None)
            told.append(f"The {noun} {thing} is archived, so the draft has none. Choose another one.")
    version = send.template_version
    if draft.template is not None and version is not None:
        draft.language = version.language
        if version.state != "published":
            told.append(
                f"The wording of {draft.template} has changed since version {version.number}; the draft takes what is published now."
            )
    if send.expires_at is not None:
        if send.expires_at > timezone.now():
            draft.expires_at = send.expires_at
        else:
            told.append("Its expiry has passed, so the draft has none.")
            draft.resend = "never" if draft.resend == "always" else draft.resend
    return draft, told


def _from_send(draft: Draft, send: Send) -> None:
    """For what was not made of a draft."""
    draft.text = "" if send.template_id else send.text
    draft.callback_data, draft.labels = send.callback_data, ", ".join(send.words)
    draft.lane, draft.resend, draft.ramp = send.lane, send.resend, send.ramp
    draft.respect_quiet_hours = bool(send.quiet_hours) or not send.service.quiet_hours
    draft.country = send.service.default_country
    kept = send.wishes
    options, policy = kept.get("options") or {}, kept.get("contactPolicy") or {}
    draft.track_clicks = bool(options.get("trackClicks", True))
    draft.tag1, draft.tag2 = str(options.get("tag1") or ""), str(options.get("tag2") or "")
    draft.check_consent, draft.apply_frequency_cap = policy.get("consent"), policy.get("cap")
    receipts = kept.get("receipts") or ()
    draft.receipts = [] if set(receipts) == set(USUAL) else list(receipts)
    draft.validity = kept.get("validity")


# --- to whom ------------------------------------------------------------------------------------------------------------


def _with_rows(draft: Draft, send: Send, who: Who, *, user: Any, limits: Limits) -> list[str]:
    rows = Draft.objects.filter(send=send).select_related("upload", "audience__current")
    before = rows.defer(Upload.LIGHT).first()
    if who == Who.ALL and _taken_as_it_was(draft, send, before):
        return []
    if who == Who.REJECTED:
        audience, told = _rejected(send), list[str]()
    else:
        audience, told = _chosen(send, who, before, limits=limits)
    if not audience.recipients:
        raise NotThere(_GONE if send.recipients else "It has no such recipients.")
    content = _csv(audience)
    draft.upload = Upload.keep(
        content, service=send.service, name=f"{Who(who).label} of send {send.pk}.csv", user=user
    )
    draft.column = audience.column
    draft.country = (before and before.country) or send.service.default_country
    draft.allow_duplicates = before.allow_duplicates if before is not None else True
    missing = [name for name in _placeholders(send) if text.match_key(name) not in _keys(audience.headings)]
    if missing:
        told.append(
            f"The values for {', '.join(f'$({name})' for name in missing)} were not kept with these recipients. "
            "Upload them again, or write the text without."
        )
    return told


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
        if field.name in _ROWS:
            setattr(draft, field.attname, getattr(before, field.attname))
    return True


def _chosen(send: Send, who: Who, before: Draft | None, *, limits: Limits) -> tuple[Audience, list[str]]:
    """Rows of its messages, with all their columns where those are still there, and otherwise with what the messages kept."""
    rows = dict(_messages(send, who).values_list("row", "msisdn").iterator(chunk_size=10_000))
    source = _source(send, before, limits=limits)
    if source is not None:
        kept = (one for block in source.blocks() for one in block.recipients)
        found = [one for one in kept if rows.get(one.row) == one.msisdn]
        if found:
            lost = len(rows) - len(found)
            told = [f"{lost:,} of them are no longer in its audience and were left out."] if lost else []
            return Audience(list(source.headings), source.column, found, []), told
    recipients = [
        Recipient(row=row, msisdn=msisdn, substitutions=values)
        for row, msisdn, values in _messages(send, who).values_list("row", "msisdn", "substitutions")
        if _whole(msisdn)
    ]
    headings = [NUMBER, *dict.fromkeys(name for one in recipients for name in one.substitutions)]
    return Audience(headings, NUMBER, recipients, []), []


def _messages(send: Send, who: Who) -> "models.QuerySet[Any, Any]":
    found = send.messages.order_by("row", "id")
    if who == Who.FAILED:
        return found.filter(state=MessageState.FAILED)
    return found.exclude(state=MessageState.DELIVERED) if who == Who.UNDELIVERED else found


def _source(send: Send, before: Draft | None, *, limits: Limits) -> Rows | None:
    """Where its rows came from, if that is still there."""
    if send.audience is not None:
        return storage.StoredAudience(send.audience) if send.audience.erased_at is None else None
    try:
        return drafts.audience_of(before, limits=limits) if before is not None else None
    except ComposeError:
        return None


def _rejected(send: Send) -> Audience:
    values = send.rejects.exclude(value="").values_list("row", "value")
    rows = [Recipient(row=row, msisdn=value, substitutions={}) for row, value in values]
    return Audience([NUMBER], NUMBER, rows, [])


def _csv(audience: Audience) -> bytes:
    """As an upload. It never leaves the desk, so nothing in it is disarmed."""
    others = [name for name in dict.fromkeys(audience.headings) if name and name != audience.column]
    audience_column = audience.column or NUMBER
    page = io.StringIO()
    written = csv.writer(page)
    written.writerow([audience_column, *others])
    for one in audience.recipients:
        written.writerow([one.msisdn, *(one.substitutions.get(name, "") for name in others)])
    return page.getvalue().encode()


def _placeholders(send: Send) -> Sequence[str]:
    """Of the text; a template's have fallbacks of their own, which the draft's check looks at."""
    return text.placeholders(send.text) if not send.template_id else ()


def _keys(headings: Collection[str]) -> set[str]:
    return {text.match_key(name) for name in headings}


# --- what is still there ------------------------------------------------------------------------------------------------


def _whole(msisdn: str) -> bool:
    """Whether a message still has its number: retention takes it away."""
    return msisdn.startswith("+") and msisdn[1:].isdecimal()


def _numbers_are_kept(send: Send) -> bool:
    """Retention takes the numbers of a send all at once, so one message speaks for all."""
    return any(_whole(msisdn) for msisdn in send.messages.order_by("id").values_list("msisdn", flat=True)[:1])


def _has_rows(send: Send) -> bool:
    if send.audience is not None:
        return send.audience.erased_at is None
    before = Draft.objects.filter(send=send).only("upload", "pasted").first()
    return before is not None and bool(before.upload_id or before.pasted.strip())


def _kept(send: Send) -> str:
    return "" if _numbers_are_kept(send) else _GONE


def _where(send: Send) -> str:
    if send.audience is not None:
        return f"From {send.source}." if send.source else ""
    before = Draft.objects.filter(send=send).only("upload", "pasted").first()
    if before is not None and (before.upload_id or before.pasted.strip()):
        return f"From its own {'file' if before.upload_id else 'pasted numbers'}, rejected rows included."
    return "From its messages."


def _doubts(counts: dict[str, int]) -> str:
    """Whom it may reach twice."""
    unsure = (MessageState.UNCONFIRMED, MessageState.QUEUED, MessageState.SUBMITTED, MessageState.NO_REPORT)
    doubtful = sum(counts.get(state, 0) for state in unsure)
    if not doubtful:
        return ""
    return f"Of {doubtful:,} of them nobody knows yet whether the message arrived: they may get it twice."


def _undelivered_problem(send: Send, without: int) -> str:
    if not without:
        return "Every message was delivered."
    if send.state not in OVER:
        return "It has not ended, so whoever still waits would get it twice. Wait for its end, or cancel it first."
    return _kept(send)
