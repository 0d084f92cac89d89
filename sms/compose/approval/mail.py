"""Mails about approval: approvers are asked and reminded, authors are sent the outcome. Numbers and texts stay on the page.

Each request has the moment at which its next mail is due (`mail_due_at`), so that a mail is sent after the act is committed, by any worker,
and again where the mail server was away. The pages say the same; nothing depends on mail.
"""

from datetime import datetime, timedelta

import structlog
from django.core.mail import EmailMessage
from django.utils import timezone

from sms import guard
from sms.compose.approval.parts import words_of
from sms.models import ApprovalRequest, ApprovalState
from sms.values.mail_subject import one_line
from sms.values.msisdn.mention import masked

log = structlog.get_logger(__name__)

RETRY_AFTER = timedelta(minutes=10)
MAILS_AT_A_TIME = 50
REMINDER_AT = 1 / 4  # of the time to answer is left then


def send_due(*, public_url: str, now: datetime | None = None) -> int:
    """Send what is due; returns how many mails left. Hosts share the work: the one that moves `mail_due_at` first sends the mail."""
    now = now or timezone.now()
    rows = ApprovalRequest.objects.filter(mail_due_at__lte=now).select_related("service", "send", "asked_by")
    waiting = rows.order_by("mail_due_at")[:MAILS_AT_A_TIME]
    return sum(_send(one, public_url=public_url, now=now) for one in waiting)


def _send(one: ApprovalRequest, *, public_url: str, now: datetime) -> bool:
    mine = ApprovalRequest.objects.filter(pk=one.pk, mail_due_at=one.mail_due_at, state=one.state)
    if not mine.update(mail_due_at=now + RETRY_AFTER):
        return False  # another process has it
    kind = _kind(one)
    to = _approvers(one) if one.state == ApprovalState.OPEN else _author(one)
    try:
        if to:
            _mail(one, kind, to, f"{public_url}/s/{one.service.slug}/approvals/{one.pk}/").send()
    except OSError as problem:
        log.error("approval_mail_not_sent", request=one.pk, kind=kind, error=repr(problem)[:300])
        return False
    reminder_at = one.expires_at - (one.expires_at - one.asked_at) * REMINDER_AT
    # where it was answered since, another mail is due and stays so
    mine = ApprovalRequest.objects.filter(pk=one.pk, mail_due_at=now + RETRY_AFTER, state=one.state)
    mine.update(mail_due_at=reminder_at if kind == "asked" else None, mailed=[*one.mailed, kind])
    return bool(to)


def _kind(one: ApprovalRequest) -> str:
    if one.state != ApprovalState.OPEN:
        return one.state
    return "reminded" if "asked" in one.mailed else "asked"


def _approvers(one: ApprovalRequest) -> list[str]:
    """Those who can answer and have not."""
    people = one.service.memberships.filter(role="approver", user__is_active=True)
    answered = one.decisions.exclude(by=None).values("by")
    people = people.exclude(user__in=one.authors.all()).exclude(user__in=answered)
    authors = list(one.authors.values_list("pk", flat=True))
    people = people.exclude(guard.tied(authors, now=timezone.now()))
    return sorted(set(people.values_list("user__email", flat=True)))


def _author(one: ApprovalRequest) -> list[str]:
    """Who asked, unless it was a program or they took it back themselves."""
    person = one.asked_by
    if person is None or not person.is_active or one.ended_by == person.email:
        return []
    return [person.email]


def _mail(one: ApprovalRequest, kind: str, to: list[str], page: str) -> EmailMessage:
    subject, says = _subject_and_text(one, kind)
    body = f"{one.service.name}\n\n{says}\n\n{page}\n"
    return EmailMessage(subject=one_line(f"Textdesk: {subject}"), body=body, bcc=to)


def _subject_and_text(one: ApprovalRequest, kind: str) -> tuple[str, str]:
    name, end = masked(one.send.name), f"{one.expires_at:%-d %B, %H:%M} UTC"
    if kind in ("asked", "reminded"):
        many = "Two people have to approve it." if one.approvers > 1 else "One person has to approve it."
        why = "\n".join(f"- {rule['detail']}" for rule in one.rules)
        when = "as soon as it is approved" if one.at_once else f"{one.due_at:%-d %B %Y, %H:%M} UTC"
        left_out = f"\n\nLeft out: {one.snapshot['rejected']}." if one.snapshot["rejected"] else ""
        changed = f"\n\nChanged since the last request: {words_of(one.changed)}." if one.changed else ""
        late = ", and the time is running out" if kind == "reminded" else ""
        ask = f"“{name}” needs your approval{late}"
        body = (
            f"{one.asked_label} asks to send “{name}” to {one.snapshot['recipients']:,} recipients, {when}.{left_out}\n\n"
            f"Why you are asked:\n{why}\n\n{many} It can be answered until {end}.{changed}"
        )
        return ask, body
    by = one.ended_by
    return {
        ApprovalState.APPROVED: (f"“{name}” was approved", f"The last approval is from {by}."),
        ApprovalState.REJECTED: (
            f"“{name}” was rejected",
            f"{by} rejected it; the reason is on the page. The send is cancelled, and its draft can be changed.",
        ),
        ApprovalState.VOID: (
            f"the approval of “{name}” is void",
            "It was changed after it was asked about, so it has to be approved again. The page says what changed.",
        ),
        ApprovalState.EXPIRED: (
            f"the approval of “{name}” expired",
            "The time for it ran out, so nothing was sent. You can ask again, or take the send back.",
        ),
        ApprovalState.WITHDRAWN: (f"“{name}” was taken back", f"{by} took it back. Nothing was sent."),
    }[ApprovalState(kind)]
