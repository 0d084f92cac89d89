"""What happened between a service and one person, newest first, a page at a time.

Each kind of row is read by the person's number, newest first, from behind where the page before ended: no page costs more for what
was shown before it, and none reads more than a page of any kind.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter

from django.db.models import Q

from sms.compliance import archive
from sms.models import InboundMessage, OptOut
from sms.models.paging import given
from sms.sends.messages import stories_to
from sms.sends.person.identity import Person

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PlaceInTimeline:
    """Where a page ended: the last of each kind that was shown, by its key, and of what is few by its time."""

    message: int | None = None
    reply: int | None = None
    at: datetime | None = None

    def __str__(self) -> str:
        """`1203-17-1764547200000000`; 0 where nothing of a kind was shown."""
        micros = (self.at - EPOCH) // MICROSECOND if self.at else 0
        return "-".join(str(one or 0) for one in (self.message, self.reply, micros))

    @classmethod
    def read(cls, text: str) -> "PlaceInTimeline":
        """The beginning for what was not written here."""
        parts = text.split("-")
        if len(parts) != 3 or not all(one.isascii() and one.isdecimal() and len(one) < 19 for one in parts):
            return cls()
        message, reply, micros = (int(one) or None for one in parts)
        try:
            return cls(message, reply, EPOCH + micros * MICROSECOND if micros else None)
        except OverflowError:
            return cls()


@dataclass(frozen=True, slots=True)
class MessageSent:
    at: datetime
    history: archive.MessageHistory


@dataclass(frozen=True, slots=True)
class ReplyReceived:
    at: datetime
    sms: InboundMessage


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Or opted in again, where `lifted`."""

    at: datetime
    opt_out: OptOut
    lifted: bool = False


Entry = MessageSent | ReplyReceived | OptedOut


@dataclass(frozen=True, slots=True)
class Timeline:
    """`older` is where the next page begins, None on the last; `problem` says why archives could not be read."""

    entries: Sequence[Entry]
    older: PlaceInTimeline | None
    problem: str = ""


def timeline_of(person: Person, *, after: PlaceInTimeline, page: int) -> Timeline:
    stories = stories_to(person.service, person.forms, before=after.message, most=page + 1)
    sent = [MessageSent(one.message.send.created_at, one) for one in stories.histories]
    kinds: list[Sequence[Entry]] = [
        sent,
        [*_replies(person, after, page + 1)],
        [*_opt_outs(person, after, page + 1)],
    ]
    found: list[Entry] = list(islice(heapq.merge(*kinds, key=attrgetter("at"), reverse=True), page + 1))
    shown = found[:page]
    older = _behind(shown, after) if len(found) > page else None
    return Timeline(sorted(shown, key=attrgetter("at"), reverse=True), older, stories.problem)


def _behind(shown: Sequence[Entry], place: PlaceInTimeline) -> PlaceInTimeline:
    for one in shown:
        match one:
            case MessageSent():
                place = replace(place, message=one.history.message.pk)
            case ReplyReceived():
                place = replace(place, reply=one.sms.pk)
            case _:
                place = replace(place, at=one.at)
    return place


def _replies(person: Person, after: PlaceInTimeline, most: int) -> Iterator[ReplyReceived]:
    rows = InboundMessage.objects.filter(
        given(pk__lt=after.reply), service=person.service, msisdn__in=person.forms
    )
    for one in rows.select_related("send").defer("raw").order_by("-pk")[:most]:
        yield ReplyReceived(one.received_at, one)


def _opt_outs(person: Person, after: PlaceInTimeline, most: int) -> Iterator[OptedOut]:
    """A number is opted out once at a time, so that the order of their keys is that of their times."""
    rows = OptOut.objects.filter(service=person.service, msisdn__in=person.forms)
    if after.at is not None:
        rows = rows.filter(Q(at__lt=after.at) | Q(lifted_at__lt=after.at))
    for one in rows.select_related("send", "inbound").defer("inbound__raw").order_by("-pk")[:most]:
        if one.lifted_at is not None and (after.at is None or one.lifted_at < after.at):
            yield OptedOut(one.lifted_at, one, lifted=True)
        if after.at is None or one.at < after.at:
            yield OptedOut(one.at, one)
