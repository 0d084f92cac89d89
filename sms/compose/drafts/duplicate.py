"""Duplicate: any send as a new draft, to the same recipients or to some of them. It sends nothing; opt-outs count when the draft is sent.

Called by the send's page.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms.audiences.files import Limits
from sms.compose.drafts.recipients_of_send import (
    AUDIENCE_FIELDS,
    GONE,
    Who,
    has_rows,
    numbers_are_kept,
    take_over_recipients,
)
from sms.compose.naming import own_name
from sms.models import OVER, Actor, Draft, MessageState, Send
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.webex import codes
from sms.words import number, retold

# of one draft alone, not of what it says
OWN_FIELDS = {
    *("id", "name", "send", "send_at", "expires_at", "created_by", "changed_by", "changed_at", "revision"),
    *("begun", "again", "recurring", "recurs_since"),
}
OF_PROGRAMS = (
    "receipts",
    "notify_url",
    "notify_url_auth_id",
)  # what a partner's system hears of its own sends


@dataclass(frozen=True, slots=True)
class RecipientChoice:
    """`says` is what to know before choosing it, `problem` why it cannot be chosen."""

    who: Who
    count: int
    says: str = ""
    problem: str = ""


def choices(send: Send, *, code: str = "") -> list[RecipientChoice]:
    """All of them, also those that cannot be chosen: people look for them, and read why. With a `code`, of the failed those with it."""
    counts = send.counts()
    delivered, failed = counts.get(MessageState.DELIVERED, 0), counts.get(MessageState.FAILED, 0)
    if code:
        failed = dict(send.failures()).get(code, 0)
    none = _("No message failed with %(code)s.") % {"code": code} if code else _("No message failed.")
    gone = "" if numbers_are_kept(send) or has_rows(send) else _(GONE)
    without = send.recipients - delivered
    return [
        RecipientChoice(
            Who.ALL, send.recipients, _where(send), gone if send.recipients else _("It has no recipients.")
        ),
        RecipientChoice(
            Who.FAILED,
            failed,
            _("Those with code %(code)s: %(says)s")
            % {"code": code, "says": retold(codes.lookup(code).meaning)}
            if code
            else "",
            none if not failed else _kept(send),
        ),
        RecipientChoice(Who.UNDELIVERED, without, _doubts(counts), _undelivered_problem(send, without)),
        RecipientChoice(
            Who.REJECTED,
            send.rejected,
            _("Their cells are taken as they came, so most will be rejected again until they are corrected."),
            "" if send.rejected else _("No row was rejected."),
        ),
    ]


def duplicate(
    send: Send, who: Who | None, *, code: str = "", by: Actor, limits: Limits
) -> tuple[Draft, list[str]]:
    """A draft like the send, and in sentences what of it was not kept; `who` None takes no recipients over. Raises RecipientsGone."""
    draft, not_kept = draft_like(send)
    if who is not None:
        not_kept += take_over_recipients(draft, send, who, code=code, user=by.user, limits=limits)
    draft.created_by = draft.changed_by = by.user
    with_code: dict[str, Any] = {"code": code} if code else {}
    with transaction.atomic():
        draft.save()
        audit("draft.created", draft, by=by, duplicate_of=send.pk)
        audit("send.duplicated", send, by=by, draft=draft.pk, who=who or "nobody", **with_code)
    return draft, not_kept


def draft_like(send: Send) -> tuple[Draft, list[str]]:
    """Text, sender and options, and a sentence for each that is not what it was."""
    draft, not_kept = Draft(service=send.service, name=own_name(send)), list[str]()
    # one that came again is an occurrence of its draft
    before = Draft.objects.filter(Q(send=send) | Q(occurrences__send=send)).first()
    if before is not None:
        for field in Draft._meta.concrete_fields:
            if field.name not in OWN_FIELDS | AUDIENCE_FIELDS | {"service"}:
                setattr(draft, field.attname, getattr(before, field.attname))
    else:
        _from_send(draft, send)
        if send.partner:
            not_kept.append(_("A program made it; what only a program can ask for was not taken over."))
    draft.sender, draft.template = send.sender, send.template
    draft.policy_group, draft.link_domain = send.policy_group, send.link_domain
    for name, archived in (
        ("sender", _("The sender %(name)s is archived, so the draft has none. Choose another one.")),
        ("template", _("The template %(name)s is archived, so the draft has none. Choose another one.")),
        (
            "policy_group",
            _("The policy group %(name)s is archived, so the draft has none. Choose another one."),
        ),
        (
            "link_domain",
            _("The short-link domain %(name)s is archived, so the draft has none. Choose another one."),
        ),
    ):
        thing = getattr(draft, name)
        if thing is not None and not thing.active:
            setattr(draft, name, None)
            not_kept.append(archived % {"name": thing})
    version = send.template_version
    if draft.template is not None and version is not None:
        draft.language = version.language
        if version.state != "published":
            not_kept.append(
                _(
                    "The wording of %(template)s has changed since version %(version)s; the draft takes what is published now."
                )
                % {"template": draft.template, "version": version.number}
            )
    if send.expires_at is not None and send.validity is None:  # a draft has one of them
        if send.expires_at > corrected_now():
            draft.expires_at = send.expires_at
        else:
            not_kept.append(_("Its expiry has passed, so the draft has none."))
            draft.resend = "never" if draft.resend == "always" else draft.resend
    return draft, not_kept


def _from_send(draft: Draft, send: Send) -> None:
    for name, value in send.options().items():
        if not (send.partner and name in OF_PROGRAMS):
            setattr(draft, name, value)
    draft.text, draft.expires_at = "" if send.template_id else send.text, None
    draft.labels, draft.country = ", ".join(send.words), send.service.default_country


def _kept(send: Send) -> str:
    return "" if numbers_are_kept(send) else _(GONE)


def _where(send: Send) -> str:
    if send.audience is not None:
        return _("From %(source)s.") % {"source": retold(send.source)} if send.source else ""
    before = Draft.objects.filter(send=send).only("upload", "pasted").first()
    if before is not None and (before.upload_id or before.pasted.strip()):
        if before.upload_id:
            return _("From its own file, rejected rows included.")
        return _("From its own pasted numbers, rejected rows included.")
    return _("From its messages.")


def _doubts(counts: dict[str, int]) -> str:
    unsure = (MessageState.UNCONFIRMED, MessageState.QUEUED, MessageState.SUBMITTED, MessageState.NO_REPORT)
    doubtful = sum(counts.get(state, 0) for state in unsure)
    if not doubtful:
        return ""
    says = ngettext(
        "For %(n)s of them we do not know yet whether it arrived: they may get it twice.",
        "For %(n)s of them we do not know yet whether it arrived: they may get it twice.",
        doubtful,
    )
    return says % {"n": number(doubtful)}


def _undelivered_problem(send: Send, without: int) -> str:
    if not without:
        return _("Every message was delivered.")
    if send.state not in OVER:
        return _(
            "It has not ended, so recipients who still wait would get it twice. Wait for its end, or cancel it first."
        )
    return _kept(send)
