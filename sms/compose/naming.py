"""Names of sends that nobody named: what they say, and when. Called by `create`, and by what moves or duplicates a send."""

from datetime import datetime

from django.utils import timezone

from sms.models import Send


def own_name(send: Send) -> str:
    """The name that a person gave it; empty where it is one of our making."""
    return "" if send.name.endswith(time_suffix(send.due_at)) else send.name


def time_suffix(at: datetime) -> str:
    """The end of a name of our making, which says when."""
    return f" · {timezone.localtime(at):%d %b %H:%M}"
