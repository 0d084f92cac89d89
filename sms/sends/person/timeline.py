"""What happened between a service and one person, newest first, a page at a time.

Messages go by their keys and notes by their times, each read by the person's number from behind where the page before ended: no page
costs more for what was shown before it, and none reads more than a page of either.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter

from sms.compliance.archive import MessageHistory
from sms.models import MessageState, OptOut
from sms.sends.messages import FoundHistories, stories_to
from sms.sends.outcomes.answers import ApprovalAnswer, answers_about
from sms.sends.outcomes.of_message import outcome_of
from sms.sends.outcomes.table import DeliveryOutcome
from sms.sends.person.identity import Person
from sms.sends.person.notes import Note, NoteKind, NotesPlace, notes_about
from sms.sends.waits import waits_among

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PlaceInTimeline:
    """Where a page ended: the last message and the last note that were shown; None where none was."""

    message: int | None = None
    note: NotesPlace | None = None

    def __str__(self) -> str:
        """`1203-1764547200000000-1`; 0 where nothing of a kind was shown."""
        micros = (self.note.at - EPOCH) // MICROSECOND if self.note else 0
        return f"{self.message or 0}-{micros}-{self.note.shown if self.note else 0}"

    @classmethod
    def read(cls, text: str) -> "PlaceInTimeline":
        """The beginning for what was not written here."""
        parts = text.split("-")
        if len(parts) != 3 or not all(one.isascii() and one.isdecimal() and len(one) < 19 for one in parts):
            return cls()
        message, micros, shown = map(int, parts)
        try:
            at = EPOCH + micros * MICROSECOND
        except OverflowError:
            return cls()
        return cls(message or None, NotesPlace(at, min(shown, 10_000)) if micros else None)


@dataclass(frozen=True, slots=True)
class MessageSent:
    at: datetime
    story: MessageHistory
    outcome: DeliveryOutcome
    answers: Sequence[ApprovalAnswer] = ()


Entry = MessageSent | Note


@dataclass(frozen=True, slots=True)
class Timeline:
    """`older` is where the next page begins, None on the last; `problem` says why archives could not be read.

    `refusal` is the key of the opt-out in force.
    """

    entries: Sequence[Entry]
    older: PlaceInTimeline | None
    problem: str = ""
    refusal: int | None = None


def timeline_of(
    person: Person, *, after: PlaceInTimeline, page: int, audited: bool, now: datetime
) -> Timeline:
    """`audited`: with who looked at the number, for those who may read the audit."""
    found = stories_to(person.service, person.forms, before=after.message, most=page + 1)
    sent: Sequence[Entry] = _with_outcomes(found, now=now)
    notes = list(notes_about(person, place=after.note, most=page + 1, audited=audited))
    merged: list[Entry] = list(islice(heapq.merge(sent, notes, key=attrgetter("at"), reverse=True), page + 1))
    shown = merged[:page]
    older = _behind(shown, after) if len(merged) > page else None
    first = after == PlaceInTimeline()
    refusal = _refusal(person, notes if first else (), all_there=first and len(notes) <= page)
    return Timeline(sorted(shown, key=attrgetter("at"), reverse=True), older, found.problem, refusal)


def _refusal(person: Person, notes: Sequence[Note], *, all_there: bool) -> int | None:
    last = next((one for one in notes if one.kind in (NoteKind.OPTED_OUT, NoteKind.LIFTED)), None)
    if last is None and not all_there:
        rows = OptOut.objects.filter(service=person.service, msisdn__in=person.forms, lifted_at=None)
        return rows.values_list("pk", flat=True).first()
    return last.pk if last is not None and last.kind == NoteKind.OPTED_OUT else None


def _with_outcomes(found: FoundHistories, *, now: datetime) -> list[MessageSent]:
    sends = {one.message.send_id: one.message.send for one in found.histories}
    answers = answers_about([pk for pk, send in sends.items() if send.approvers])
    pending = {one.message.send_id for one in found.histories if one.message.state == MessageState.PENDING}
    waits = waits_among([sends[pk] for pk in pending], now=now) if pending else {}
    entries = []
    for one in found.histories:
        send = one.message.send
        said = answers.get(send.pk, ())
        ends = outcome_of(one, waits=waits.get(send.pk, ()), answers=said)
        entries.append(MessageSent(send.created_at, one, ends, said))
    return entries


def _behind(shown: Sequence[Entry], place: PlaceInTimeline) -> PlaceInTimeline:
    for one in shown:
        if isinstance(one, MessageSent):
            place = replace(place, message=one.story.message.pk)
        else:
            same = place.note.shown if place.note and place.note.at == one.at else 0
            place = replace(place, note=NotesPlace(one.at, same + 1))
    return place
