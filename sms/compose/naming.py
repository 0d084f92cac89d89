"""Names of sends: one line each, and where nobody gave one, how many it goes to and when it is due.

Names stand in mails, lists and reports, so a default name has nothing of the text.
"""

import re
from datetime import datetime

from django.utils import timezone

from sms.models import Send

_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def default_name(template: str, recipients: int, at: datetime) -> str:
    """As in “To 40 recipients · 03 Mar 14:00”, or with the name of its template in front."""
    says = template[:70] or f"To {recipients:,} recipient{'' if recipients == 1 else 's'}"
    return says + _time_suffix(at)


def in_one_line(name: str) -> str:
    """Line breaks and control characters are spaces: a name is a subject of mails and a cell of lists."""
    return " ".join(_NOT_IN_A_LINE.sub(" ", name).split())


def own_name(send: Send) -> str:
    """The name that a person gave it; empty where it is a default name."""
    return "" if send.name.endswith(_time_suffix(send.due_at)) else send.name


def name_at(send: Send, at: datetime) -> str:
    """Its name once it is due at another time: a default name says the time."""
    before = _time_suffix(send.due_at)
    return send.name.removesuffix(before) + _time_suffix(at) if send.name.endswith(before) else send.name


def _time_suffix(at: datetime) -> str:
    return f" · {timezone.localtime(at):%d %b %H:%M}"
