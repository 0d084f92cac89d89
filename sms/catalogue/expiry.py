"""When admins hear that something expires: a week before, a day before, and where it matters once more when it has."""

from datetime import datetime, timedelta

EARLY, LATE = timedelta(days=7), timedelta(days=1)


def stage(expires_at: datetime, now: datetime) -> str:
    """`early`, `late` or `over`; empty for more than a week."""
    left = expires_at - now
    if left <= timedelta(0):
        return "over"
    return "late" if left <= LATE else "early" if left <= EARLY else ""


def in_words(at: datetime) -> str:
    """`3 March 2026, 14:00 UTC`: mails and notices are read in any time zone."""
    return f"{at:%-d %B %Y, %H:%M} UTC"
