"""Messages of a service by what is known of them, newest first. However many there are, each statement looks through so many ids."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, QuerySet
from django.utils.translation import override

from sms.models import Message, Service
from sms.models.message import MessageState
from sms.models.paging import given
from sms.models.sql import id_windows
from sms.sends.messages import PATIENCE, WINDOW, FoundMessages
from sms.values.csv import MARK, csv_line
from sms.webex import codes

LARGEST_ID = 2**63 - 1
CLOCKS = timedelta(
    days=1
)  # more than clocks of hosts can differ, of which one dates a send and another one its posts
HEADINGS = (
    *("message", "number", "country", "state", "code", "meaning", "send", "send name", "sender"),
    *("posted", "ended", "segments", "provider id"),
)


@dataclass(frozen=True, slots=True)
class MessageSelection:
    """Empty fields choose everything. `since` and `until` are about when it was posted, `ends` is how its number ends."""

    state: str = ""
    code: str = ""
    sender: int | None = None
    send: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    ends: str = ""


def select_messages(
    service: Service,
    chosen: MessageSelection,
    *,
    before: int | None = None,
    page: int = 50,
    window: int = WINDOW,
    patience: float = PATIENCE,
) -> FoundMessages:
    """Messages below id `before` that fit, those of the ledger; what was archived is found by number or id."""
    rows = _rows(service, chosen).select_related("send", "echo")
    found, deadline = list[Message](), time.monotonic() + patience
    # without a filter the first ids are those that are wanted, and of a service that rests they may be far back
    size = LARGEST_ID if chosen == MessageSelection() else window
    windows = _windows(service, chosen, before=before, size=size)
    for low, high in windows:
        part = rows.filter(pk__gte=low, pk__lt=high).order_by("-pk")
        found += part[: page + 1 - len(found)]
        if len(found) > page:
            break
        if time.monotonic() >= deadline and next(windows, None):
            return FoundMessages(found, looked_to=low)
    return FoundMessages(found)


def csv_of(service: Service, chosen: MessageSelection) -> Iterator[str]:
    """Lines for a streaming response, newest first, with whole numbers where they are still kept. Times are UTC."""
    yield MARK + csv_line(*HEADINGS)
    with override("en"):
        states = {value: str(label) for value, label in MessageState.choices}
    rows = _rows(service, chosen).select_related("send__sender")
    for low, high in _windows(service, chosen, before=None, size=WINDOW):
        for one in rows.filter(pk__gte=low, pk__lt=high).order_by("-pk").iterator(chunk_size=2000):
            yield csv_line(
                *(str(one.pk), one.msisdn if one.msisdn.startswith("+") else "", one.country),
                *(states[one.state], one.code),
                codes.lookup(one.code).meaning if one.code else "",
                *(str(one.send_id), str(one.send), str(one.send.sender)),
                *(at.isoformat(timespec="seconds") if at else "" for at in (one.posted_at, one.final_at)),
                *(str(one.segments_billed or one.segments or ""), one.provider_id),
            )


def _rows(service: Service, chosen: MessageSelection) -> "QuerySet[Message]":
    asked = given(
        state=chosen.state,
        code=chosen.code,
        send__sender=chosen.sender,
        send=chosen.send,
        posted_at__gte=chosen.since,
        posted_at__lt=chosen.until,
        msisdn__endswith=chosen.ends,
    )
    rows = Message.objects.filter(asked, send__service=service)
    # what stands there once a number is gone may end in digits as well
    return rows.filter(msisdn__startswith="+") if chosen.ends else rows


def _windows(
    service: Service, chosen: MessageSelection, *, before: int | None, size: int
) -> Iterator[tuple[int, int]]:
    """Ranges of ids, from and up to but not including, the newest first."""
    later = _made_after(service, chosen.until + CLOCKS) if chosen.until else None
    below = min((one for one in (before, later) if one is not None), default=None)
    yield from id_windows.descending(Message.objects.filter(given(send=chosen.send)), width=size, below=below)


def _made_after(service: Service, moment: datetime) -> int | None:
    """The id of a message that was made then or later: whatever was posted before that moment has a lower one."""
    sends = list(
        service.sends.filter(created_at__gte=moment).order_by("created_at").values_list("pk", flat=True)[:10]
    )
    return Message.objects.filter(send__in=sends).aggregate(id=Min("pk"))["id"]
