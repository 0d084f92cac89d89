"""The event log as programs read it: the oldest first, from where they were. Nothing is ever put behind a reader's back.

A page looks at a bounded number of events, so a reader that wants few of many gets short pages, and is told that there is more.
"""

import base64
import binascii
import struct
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from sms.callbacks.event_bodies import LoggedEvent, logged
from sms.models.event import Event
from sms.models.paging import given
from sms.models.sql import events as log
from sms.models.sql.events import Place
from sms.models.sql.session import database_now

KEPT = timedelta(days=30)
FORGET_AT_ONCE = 20_000
LOOKED_AT = 5_000  # events of one page
START = Place(-1, 0)
NOW = "now"
_LAYOUT = struct.Struct(">cqqq")
_MARK = b"\x02"


class BadPlace(ValueError):
    """This is no cursor of ours."""


@dataclass(frozen=True, slots=True)
class EventsWanted:
    """Which events: of one owner (None for everybody's), of some sends, of a message, of some types."""

    service_id: int
    owner: UUID | None = None
    sends: Collection[int] | None = None
    message: int | None = None
    types: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class FeedPage:
    """`after` is where to go on; `more`: at once, there is more to look at."""

    events: list[LoggedEvent]
    after: Place
    more: bool


def page(wanted: EventsWanted, after: Place, *, limit: int) -> FeedPage:
    rows = _complete(wanted.service_id).filter(log.behind(after))
    if wanted.owner is not None:
        rows = rows.filter(owner=wanted.owner)
    if wanted.sends is not None:
        rows = rows.filter(send_id__in=wanted.sends)
    if not wanted.types and wanted.message is None:
        found = logged(rows[: limit + 1])
        return FeedPage(found[:limit], _place(found[:limit], after), len(found) > limit)
    # where it ends is settled first, or what is complete a moment later would be passed over
    looked_at = rows.values_list("transaction_id", "pk")
    ends = looked_at[LOOKED_AT - 1 : LOOKED_AT].first()
    last = ends or _last(rows)
    if last is None:
        return FeedPage([], after, more=False)
    fitting = rows.filter(log.up_to(Place(*last))).filter(given(message_id=wanted.message))
    if wanted.types:
        fitting = fitting.filter(type__in=wanted.types)
    found = logged(fitting[: limit + 1])
    if len(found) > limit:
        return FeedPage(found[:limit], _place(found[:limit], after), more=True)
    return FeedPage(found, Place(*last), more=ends is not None)


def _complete(service_id: int) -> "QuerySet[Event]":
    return Event.objects.filter(log.complete(), service=service_id).order_by("transaction_id", "pk")


def _last(rows: "QuerySet[Event]") -> tuple[int, int] | None:
    return rows.reverse().values_list("transaction_id", "pk").first()


def _place(found: list[LoggedEvent], after: Place) -> Place:
    return Place(found[-1].transaction_id, found[-1].pk) if found else after


def written(page: FeedPage, *, now: datetime) -> str:
    """The cursor behind a page. It holds since when events may be unread, because one that is older than what is kept has a gap."""
    since = now
    if page.more and page.events:
        since = Event.objects.values_list("created_at", flat=True).get(pk=page.events[-1].pk)
    packed = _LAYOUT.pack(_MARK, *page.after, int(since.timestamp()))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read(cursor: str, *, service_id: int, now: datetime) -> Place:
    """Where a reader was. One that read on in another copy of this database begins anew. Raises BadPlace."""
    if not cursor:
        return START
    if cursor == NOW:
        last = _last(_complete(service_id))
        return Place(*last) if last else START
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        mark, transaction_id, event, since = _LAYOUT.unpack(raw)
    except (ValueError, binascii.Error, struct.error):
        mark, transaction_id, event, since = b"", 0, 0, 0
    if mark != _MARK or min(transaction_id + 1, event, since) < 0:
        raise BadPlace("This is no cursor. Take `next_cursor` of the page before, unchanged.")
    if since < (now - KEPT).timestamp():
        raise BadPlace(
            "This cursor is more than thirty days old, and events behind it are gone. Begin without `after`."
        )
    place = Place(transaction_id, event)
    return START if log.is_to_come(place) else place


def forget(*, at_once: int = FORGET_AT_ONCE) -> int:
    """Delete the oldest that are older than KEPT; a bounded piece at a time. Returns how many."""
    before = database_now() - KEPT
    oldest = Event.objects.order_by("pk").values_list("pk", "created_at")[:at_once]
    old = [pk for pk, created_at in oldest if created_at < before]
    if old:
        Event.objects.filter(pk__lte=old[-1], created_at__lt=before).delete()
    return len(old)
