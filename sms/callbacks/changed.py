"""What changed since a time, by the event log. For the API's lists; nothing is stored for it, because a column of each message that every
change moves would make each of them dearer (docs/decisions/0038).
"""

from datetime import datetime, timedelta
from typing import Literal

from django.db.models import Max, Min, QuerySet

from sms.models.api_key import ApiKey
from sms.models.event import Event

LONGEST_TRANSACTION = timedelta(minutes=10)


def since(
    key: ApiKey, at: datetime, *, of: Literal["message_id", "send_id"]
) -> "QuerySet[Event, dict[str, int]]":
    """Ids of the messages or sends that events tell of since then, which `key` may know of; a subquery, with repeats.

    Read from where that time is in the log, so it costs what has changed since.
    """
    begins = _transaction_at(at - LONGEST_TRANSACTION)
    told = Event.objects.filter(service=key.service_id, created_at__gte=at, transaction_id__gte=begins)
    return key.mine(told.exclude(**{of: 0}).order_by()).values(of)


def _transaction_at(at: datetime) -> int:
    """Of the first event that was written then or later, found by halving: ids and times grow together."""
    ends = Event.objects.aggregate(first=Min("pk"), last=Max("pk"))
    low, high, found = ends["first"] or 0, ends["last"] or 0, 0
    while low < high:
        middle = (low + high) // 2
        row = (
            Event.objects.filter(pk__gt=middle)
            .order_by("pk")
            .values("pk", "created_at", "transaction_id")[:1]
            .get()
        )
        if row["created_at"] < at:
            low, found = row["pk"], row["transaction_id"]
        else:
            high = middle
    return found
