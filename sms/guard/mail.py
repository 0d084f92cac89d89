"""Notices about waiting changes, to all admins of the service and to superusers: that one waits, and what became of it."""

from datetime import datetime, timedelta

import structlog
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db.models import Q
from django.utils import timezone

from sms.models import ChangeState, WaitingChange
from sms.values.mail_subject import one_line
from sms.values.msisdn.mention import masked

log = structlog.get_logger(__name__)

RETRY_AFTER = timedelta(minutes=10)
MAILS_AT_A_TIME = 50


def send_due(*, public_url: str, now: datetime | None = None) -> int:
    """Send what is due; returns how many mails left. Hosts share the work: the one that moves `mail_due_at` first sends the mail."""
    now = now or timezone.now()
    due = WaitingChange.objects.filter(mail_due_at__lte=now).select_related("service").order_by("mail_due_at")
    return sum(_send(one, public_url=public_url, now=now) for one in due[:MAILS_AT_A_TIME])


def _send(one: WaitingChange, *, public_url: str, now: datetime) -> bool:
    mine = WaitingChange.objects.filter(pk=one.pk, mail_due_at=one.mail_due_at, state=one.state)
    if not mine.update(mail_due_at=now + RETRY_AFTER):
        return False  # another process has it
    to = _admins(one)
    try:
        if to:
            _mail(one, to, public_url).send()
    except OSError as problem:
        log.error("guard_mail_not_sent", change=one.pk, error=repr(problem)[:300])
        return False
    WaitingChange.objects.filter(pk=one.pk, mail_due_at=now + RETRY_AFTER, state=one.state).update(
        mail_due_at=None
    )
    return bool(to)


def _admins(one: WaitingChange) -> list[str]:
    people = get_user_model()._default_manager.filter(is_active=True)
    admins = Q(memberships__service=one.service_id, memberships__role="admin") if one.service_id else Q()
    found = people.filter(Q(is_superuser=True) | admins if one.service_id else Q(is_superuser=True))
    return sorted(set(found.values_list("email", flat=True)))


def _mail(one: WaitingChange, to: list[str], public_url: str) -> EmailMessage:
    where = one.service.name if one.service is not None else "every service"
    lines = "\n".join(f"- {line['name']}: from {line['before']} to {line['after']}" for line in one.says)
    page = (
        f"{public_url}/s/{one.service.slug}/settings/waiting-changes/"
        if one.service is not None
        else public_url
    )
    if one.state == ChangeState.WAITING:
        subject = f"“{one.title}” waits for a second admin"
        ends = (
            f"{one.asked_label} asks for it. While approval is on, it waits. Another admin confirms or declines it. "
            f"If nobody does, it takes effect by itself at {one.takes_effect_at:%-d %B %Y, %H:%M} UTC."
        )
    else:
        subject = f"“{one.title}”: {ChangeState(one.state).label.lower()}"
        why = f" Reason: {masked(one.because)}" if one.because else ""
        ends = f"{one.asked_label} asked for it. {ChangeState(one.state).label} ({one.ended_by}).{why}"
    return EmailMessage(
        subject=one_line(f"Textdesk: {subject}"), body=f"{where}\n\n{lines}\n\n{ends}\n\n{page}\n", bcc=to
    )
