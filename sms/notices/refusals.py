"""Mail that does not arrive: refused while it is handed over, or sent back later (`sms.notices.bounces`). Kept at the person.

Nothing more is mailed to that address until the person says that it works again, or has another one.
"""

from datetime import datetime
from smtplib import SMTPRecipientsRefused
from typing import Any

import structlog
from django.contrib.auth import get_user_model
from django.db import transaction

from sms.models import Actor, NoticeChoices
from sms.models.audit import audit

log = structlog.get_logger(__name__)


def is_refused(person: Any) -> bool:
    choices = getattr(person, "notice_choices", None)
    return choices is not None and choices.refused_at is not None and choices.refused_address == person.email


def note(person: Any, address: str, says: str, *, now: datetime) -> None:
    said = " ".join(says.replace("\0", "").split())[:300]  # PostgreSQL keeps no such character
    kept = {"refused_address": address, "refused_says": said, "refused_at": now}
    with transaction.atomic():
        NoticeChoices.objects.update_or_create(person=person, defaults=kept)
        audit("user.mail_refused", person, by=Actor.system())
    log.warning("mail_refused", person=person.pk)


def note_address(address: str, problem: OSError, *, now: datetime) -> None:
    """Mail that is no notice was refused."""
    if isinstance(problem, SMTPRecipientsRefused) and for_good(problem):
        for person in get_user_model()._default_manager.filter(email__iexact=address):
            note(person, person.email, words_of(problem), now=now)


def for_good(problem: SMTPRecipientsRefused) -> bool:
    """Whether the mail server will not take it later either."""
    return all(code >= 500 for code in codes(problem))


def codes(problem: SMTPRecipientsRefused) -> list[int]:
    return [code for code, _ in problem.recipients.values()]


def words_of(problem: SMTPRecipientsRefused) -> str:
    """`550 5.1.1 No such user`: what the mail server said."""
    code, said = next(iter(problem.recipients.values()))
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f"{code} {words}"
