"""The job that mails notices: one mail for each person with all that is due for them, so that ten sends that end together are one mail.

A host claims notices by moving `mail_due_at` to when they would be tried again. One that dies after the mail server took the mail, and
before that is noted, sends it once more with the same Message-ID.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import structlog
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms.models import Notice
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import database_now
from sms.notices import refusals
from sms.notices.message_ids import message_id
from sms.notices.visible import visible_to
from sms.values.mail_subject import one_line
from sms.words import in_language, retold

log = structlog.get_logger(__name__)

RETRY_AFTER = timedelta(minutes=10)
STALE = timedelta(days=3)  # of a mail that never left: the portal has it
PEOPLE_AT_A_TIME = 50
MOST = 50  # notices in one mail


def send_due(*, public_url: str, now: datetime | None = None) -> int:
    """Mail what is due; returns how many mails left. A server that does not take one is left alone with the others until the next time."""
    now = now or corrected_now()
    due = Notice.objects.filter(mail_due_at__lte=now).order_by("person").values_list("person", flat=True)
    people = get_user_model()._default_manager.filter(pk__in=list(due.distinct()[:PEOPLE_AT_A_TIME]))
    left = 0
    for one in people.select_related("notice_choices"):
        try:
            left += _mail(one, public_url, now=now)
        except OSError as problem:
            log.error("notice_mail_not_sent", person=one.pk, error=type(problem).__name__)
            break
    return left


def forget(*, now: datetime | None = None) -> int:
    """Delete old notices."""
    before = (now or database_now()) - timedelta(days=Notice.KEPT)
    old = Notice.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:5000]
    return Notice.objects.filter(pk__in=list(old)).delete()[0]


def _mail(person: Any, public_url: str, *, now: datetime) -> bool:
    """Raises OSError where the server took nothing, for another reason than the address."""
    due = Notice.objects.filter(person=person, mail_due_at__lte=now)
    if not person.is_active or refusals.is_refused(person):
        due.update(mail_due_at=None)
        return False
    due.filter(at__lt=now - STALE).update(mail_due_at=None)
    readable = visible_to(person).filter(mail_due_at__lte=now, seen_at=None)
    found = list(readable.select_related("service").order_by("pk")[:MOST])
    due.exclude(pk__in=readable.order_by().values("pk")).update(mail_due_at=None)
    claimed = Notice.objects.filter(pk__in=[one.pk for one in found])
    if not found or claimed.filter(mail_due_at__lte=now).update(mail_due_at=now + RETRY_AFTER) < len(found):
        return False  # another host has some of them
    try:
        with in_language(person.language):
            mail = _message(person, found, public_url)
        mail.send()
    except SMTPRecipientsRefused as problem:
        if not refusals.for_good(problem):
            log.warning("notice_mail_put_off", person=person.pk, codes=refusals.codes(problem))
            return False
        refusals.note(person, person.email, refusals.words_of(problem), now=now)
        claimed.update(mail_due_at=None)
        return False
    claimed.update(mail_due_at=None, mailed_at=now)
    return True


def _message(person: Any, found: Sequence[Notice], public_url: str) -> EmailMultiAlternatives:
    choose = f"{public_url}/accounts/notices/"
    n = len(found)
    subject = (
        retold(found[0].says).rstrip(".")
        if n == 1
        else ngettext("%(n)s notice", "%(n)s notices", n) % {"n": n}
    )
    pretended = all(one.service and one.service.is_sandbox for one in found)
    parts = [
        (
            one.service.name_in_mails if one.service else _("Every service"),
            retold(one.says),
            retold(one.more),
            f"{public_url}/notices/{one.pk}/",
        )
        for one in found
    ]
    text = "\n\n\n".join("\n\n".join(filter(None, part)) for part in parts)
    html = format_html_join(
        "\n",
        '<h3>{}</h3><p><strong>{}</strong></p><p style="white-space: pre-line">{}</p><p><a href="{}">{}</a></p>',
        ((*part, _("Open in Textdesk")) for part in parts),
    )
    told_by = _("Choose what you are told: %(address)s") % {"address": choose}
    named = _("Textdesk sandbox: %(subject)s") if pretended else _("Textdesk: %(subject)s")
    mail = EmailMultiAlternatives(
        subject=one_line(named % {"subject": subject}),
        body=f"{text}\n\n\n{told_by}\n",
        to=[person.email],
        headers={
            "List-Unsubscribe": f"<{choose}>",
            "Message-ID": message_id(person.pk, found[0].pk, found[-1].pk, public_url=public_url),
        },
    )
    footer = format_html('<hr><p><a href="{}">{}</a></p>', choose, _("Choose what you are told"))
    mail.attach_alternative(f"{html}\n{footer}\n", "text/html")
    return mail
