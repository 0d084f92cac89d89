"""Whether mail can be sent, and sending one. Links that let people in are mailed, never written to a log or shown to a visitor."""

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from sms.notices import refusals
from sms.values.mail_subject import one_line

log = structlog.get_logger(__name__)


def is_set_up() -> bool:
    """Not where mail is written to a log, or nowhere (EMAIL_URL)."""
    return not settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend"))


def send(subject: str, words: str, email: str) -> bool:
    """Whether it was sent."""
    if not is_set_up():
        return False
    try:
        return bool(send_mail(one_line(subject), words, None, [email]))
    except OSError as problem:  # that of SMTP is one too
        log.warning("mail_not_sent", subject=subject, error=type(problem).__name__)
        refusals.note_address(email, problem, now=timezone.now())
        return False
