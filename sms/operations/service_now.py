"""What a service does at this moment: what goes out, how fast, what waits for it, and how its provider answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext as _

from sms.dispatch.claim import open_slices
from sms.models import MessageState, Pace, Send, SendState, Service, StateCount
from sms.operations.processes import processes, provider_troubles
from sms.sends.progress import Progress, progress_of_page
from sms.sends.speed import service_speed
from sms.values.durations import duration

SHOWN = 5
TO_POST = (MessageState.PENDING, MessageState.POSTING)


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """What goes out of a service, without what is on hold, and without answers to replies.

    `going_out` are the newest sends, `more` how many others; `waiting` their messages to be posted. `trouble` says in a sentence what is
    wrong with the connection to the provider, or is empty.
    """

    going_out: Sequence[Progress]
    more: int
    waiting: int
    per_second: float
    trouble: str


def service_now(service: Service, *, now: datetime) -> ServiceNow:
    """However much is stored, it reads what is due, in six queries."""
    due = open_slices().filter(
        service=service,
        due_at__lte=now,
        send__state__in=(SendState.SCHEDULED, SendState.SENDING),  # others are looked at once more only
        send__answering__isnull=True,
    )
    ids = set(due.order_by().values_list("send_id", flat=True).distinct())
    sends = list(Send.objects.filter(pk__in=sorted(ids)[-SHOWN:]).select_related("sender", "created_by"))
    counters = StateCount.objects.filter(send__in=due.order_by().values("send"), state__in=TO_POST)
    waiting = (counters.aggregate(total=Sum("delta"))["total"] or 0) if ids else 0
    return ServiceNow(
        progress_of_page(sends),
        max(len(ids) - SHOWN, 0),
        max(waiting, 0),
        service_speed(service, now=now),
        _trouble(service, now=now),
    )


def _trouble(service: Service, *, now: datetime) -> str:
    seconds = provider_troubles(processes()).get(service.pk, 0.0)
    if seconds:
        says = _("Webex Connect has not taken messages for %(duration)s. We go on trying.")
        return says % {"duration": duration(seconds)}
    pace = Pace.objects.filter(service=service).first()
    if pace is None:
        return ""
    wait = pace.held_until - now.timestamp()
    if wait > 1:
        return _("Webex Connect asked us to wait for another %(duration)s.") % {"duration": duration(wait)}
    return _("Webex Connect slowed us down.") if now.timestamp() - pace.slowed_at < 60 else ""
