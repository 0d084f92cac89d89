"""Whether mail can be sent. Links that let people in are mailed, never written to a log or shown to a visitor."""

from django.conf import settings


def is_set_up() -> bool:
    """Not where mail is written to a log, or nowhere (EMAIL_URL)."""
    return not settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend"))
