"""Names of sends that were not named by a person: what they say, and when they are due."""

from datetime import datetime

from django.utils import timezone

from sms.models import Send


def default_name(says: str, at: datetime) -> str:
    """As in “Your parcel is on its way · 03 Mar 14:00”."""
    return says[:70] + _time_suffix(at)


def own_name(send: Send) -> str:
    """The name that a person gave it; empty where it is a default name."""
    return "" if send.name.endswith(_time_suffix(send.due_at)) else send.name


def name_at(send: Send, at: datetime) -> str:
    """Its name once it is due at another time: a default name says the time."""
    before = _time_suffix(send.due_at)
    return send.name.removesuffix(before) + _time_suffix(at) if send.name.endswith(before) else send.name


def _time_suffix(at: datetime) -> str:
    return f" · {timezone.localtime(at):%d %b %H:%M}"
