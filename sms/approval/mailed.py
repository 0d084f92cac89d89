"""Mails about approval: approvers are asked and reminded, authors hear what became of it. Numbers and texts stay on the page.

Each request has the moment at which its next mail is due (`tell_at`), so that a mail is sent after the act is committed, by whoever looks,
and again where the mail server was away. The pages say the same; nobody depends on mail.
"""

from datetime import datetime, timedelta

import structlog
from django.core.mail import EmailMessage
from django.utils import timezone

from sms.approval.fingerprint import words_of
from sms.models import ApprovalRequest, ApprovalState

log = structlog.get_logger(__name__)

AGAIN = timedelta(minutes=10)  # after mail could not leave
AT_ONCE = 50
LAST_CALL = 4  # the reminder goes when a quarter of the time is left


def send_due(*, public_url: str, now: datetime | None = None) -> int:
    """Send what is due; returns how many mails left. Hosts share it: whoever moves `tell_at` first has the mail."""
    now = now or timezone.now()
    rows = ApprovalRequest.objects.filter(tell_at__lte=now).select_related("service", "send", "asked_by")
    return sum(_tell(one, public_url=public_url, now=now) for one in rows.order_by("tell_at")[:AT_ONCE])


def _tell(one: ApprovalRequest, *, public_url: str, now: datetime) -> bool:
    mine = ApprovalRequest.objects.filter(pk=one.pk, tell_at=one.tell_at, state=one.state)
    if not mine.update(tell_at=now + AGAIN):
        return False  # another process has it
    kind = _kind(one)
    to = _approvers(one) if one.state == ApprovalState.OPEN else _author(one)
    try:
        if to:
            _mail(one, kind, to, f"{public_url}/s/{one.service.slug}/approvals/{one.pk}/").send()
    except OSError as problem:
        log.error("approval_mail_not_sent", request=one.pk, kind=kind, error=repr(problem)[:300])
        return False
    following = _reminder_at(one) if kind == "asked" else None
    # where somebody answered meanwhile, their mail is due and stays so
    mine = ApprovalRequest.objects.filter(pk=one.pk, tell_at=now + AGAIN, state=one.state)
    mine.update(tell_at=following, told=[*one.told, kind])
    return bool(to)


def _kind(one: ApprovalRequest) -> str:
    if one.state != ApprovalState.OPEN:
        return one.state
    return "reminded" if "asked" in one.told else "asked"


def _reminder_at(one: ApprovalRequest) -> datetime:
    return one.expires_at - (one.expires_at - one.asked_at) / LAST_CALL


def _approvers(one: ApprovalRequest) -> list[str]:
    """Those who can answer and have not."""
    people = one.service.memberships.filter(role="approver", user__is_active=True)
    people = people.exclude(user__in=one.authors.all()).exclude(
        user__in=one.decisions.exclude(by=None).values("by")
    )
    return sorted(set(people.values_list("user__email", flat=True)))


def _author(one: ApprovalRequest) -> list[str]:
    """Whoever asked, unless it was a program or they took it back themselves."""
    person = one.asked_by
    if person is None or not person.is_active or one.ended_by == person.email:
        return []
    return [person.email]


def _mail(one: ApprovalRequest, kind: str, to: list[str], page: str) -> EmailMessage:
    subject, says = _words(one, kind)
    return EmailMessage(
        subject=f"Textdesk: {subject}", body=f"{one.service.name}\n\n{says}\n\n{page}\n", bcc=to
    )


def _words(one: ApprovalRequest, kind: str) -> tuple[str, str]:
    name, end = one.send.name, f"{one.expires_at:%-d %B, %H:%M} UTC"
    if kind in ("asked", "reminded"):
        many = "Two people have to approve it." if one.approvers > 1 else "One person has to approve it."
        why = "\n".join(f"- {rule['says']}" for rule in one.rules)
        when = "as soon as it is approved" if one.at_once else f"{one.due_at:%-d %B %Y, %H:%M} UTC"
        changed = f"\n\nChanged since the last request: {words_of(one.changed)}." if one.changed else ""
        ask = f"“{name}” needs your approval" + (
            ", and the time is running out" if kind == "reminded" else ""
        )
        body = (
            f"{one.asked_label} asks to send “{name}” to {one.snapshot['recipients']:,} recipients, {when}.\n\n"
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
