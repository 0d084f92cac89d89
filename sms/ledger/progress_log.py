"""One line in the log when a send begins, is handed over, and is settled, with its rate and its counts.

Of what programs post one by one (`/v2/messages`) there are none: each would be three lines for one message.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from datetime import datetime

import structlog
from django.db.models import Min, Sum

from sms.models.message import Message
from sms.models.send import Send, Slice, StateCount
from sms.models.sql.session import database_now

log = structlog.get_logger(__name__)


_said: deque[int] = deque(maxlen=1000)  # sends; what cannot be posted is claimed again and again


def forget() -> None:
    """As when the process began."""
    _said.clear()


def began(fresh: Mapping[int, int]) -> None:
    """Of these sends a slice is about to be posted for the first time, from this message on; it begins with its first slice."""
    new = fresh.keys() - set(_said)
    if not new:
        return
    found = Send.objects.filter(pk__in=new, reference=None).annotate(first=Min("slices__first_id"))
    for send, service, recipients, first in found.values_list("pk", "service__slug", "recipients", "first"):
        if fresh[send] == first:
            _said.append(send)
            log.info("send_began", send=send, service=service, recipients=recipients)


def began_at(send: Send) -> datetime | None:
    """When its first message was posted. Two queries."""
    first = Slice.objects.filter(send=send).aggregate(first=Min("first_id"))["first"]
    return Message.objects.filter(pk=first).values_list("posted_at", flat=True).first()


def posted(send: Send) -> None:
    """All of it was handed over. The time is counted from its first message."""
    if send.reference is not None:
        return
    began = began_at(send)
    seconds = (database_now() - began).total_seconds() if began else 0.0
    rate = round(send.recipients / seconds, 1) if seconds >= 0.1 else None
    log.info(
        "send_posted",
        send=send.pk,
        recipients=send.recipients,
        seconds=round(seconds, 1),
        per_second=rate,
        messages=send.counts(),
    )


def settled(sends: Collection[Send]) -> None:
    """Two queries for all of them."""
    rows = Send.objects.filter(pk__in=[one.pk for one in sends], reference=None).order_by("pk")
    recipients = dict(rows.values_list("pk", "recipients"))
    if not recipients:
        return
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    counters = (
        StateCount.objects.filter(send__in=list(recipients)).order_by("state").values_list("send", "state")
    )
    for send_id, state, count in counters.annotate(total=Sum("delta")).filter(total__gt=0):
        counts[send_id][state] = count
    for send_id, count in recipients.items():
        log.info("send_settled", send=send_id, recipients=count, messages=counts[send_id])
