"""Sends that nobody approved in time. A person asks again; a program would wait for good, so its send is cancelled. A job of workers."""

from datetime import datetime, timedelta

from django.db.models import Max

from sms.compose.approval import endings
from sms.models import Actor, ApprovalRequest, ApprovalState, Send, SendState
from sms.models.sql.session import database_now
from sms.sends.cancel import cancel

LOOKED_BACK = timedelta(days=2)


def expire_due(*, now: datetime | None = None) -> int:
    """End requests that were not answered in time, and approvals of sends that have not begun in time; returns how many."""
    now = now or database_now()
    ended = endings.expire_due(now=now)
    late = ApprovalRequest.objects.filter(state=ApprovalState.EXPIRED, ended_at__gte=now - LOOKED_BACK)
    sends = Send.objects.filter(state=SendState.AWAITING).exclude(partner="")
    for send in sends.filter(pk__in=late.order_by().values("send")).select_related("service"):
        latest = send.approvals.aggregate(latest=Max("pk"))["latest"]
        if ApprovalRequest.objects.filter(pk=latest, state=ApprovalState.EXPIRED).exists():
            cancel(send, by=Actor.system(), now=now)
    return ended
