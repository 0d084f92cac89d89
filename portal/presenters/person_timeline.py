"""Entries of a person's timeline as they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.presenters.message_events import TimelineEntry, author_of, events_of
from sms.models import InboundMessage, Message, OptOut
from sms.models.audit_acts import words_of
from sms.sends.outcomes.of_row import outcome_of_row
from sms.sends.outcomes.table import DeliveryOutcome
from sms.sends.person.notes import Note, NoteKind
from sms.sends.person.timeline import Entry, MessageSent
from sms.words import number

LABELS = {
    NoteKind.REPLY: (gettext_lazy("They wrote"), "messages"),
    NoteKind.OPTED_OUT: (gettext_lazy("Opted out"), "stop"),
    NoteKind.LIFTED: (gettext_lazy("Opt-out lifted"), "check"),
    NoteKind.LEFT_OUT: (gettext_lazy("Left out of a send"), "failed"),
    NoteKind.ERASURE_ASKED: (gettext_lazy("Erasure was asked for"), "info"),
    NoteKind.ERASED: (gettext_lazy("The number was erased"), "check"),
}
MEANINGS = dict(InboundMessage.Meaning.choices)
SOURCES = dict(OptOut.Source.choices)


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """A message or a note; `mark` is a picture of static/icons.svg, `facts` are said in one line."""

    at: datetime
    label: str
    mark: str
    message: Message | None = None
    outcome: DeliveryOutcome | None = None
    events: Sequence[TimelineEntry] = ()
    note: Note | None = None
    facts: Sequence[str] = ()


def shown(entry: Entry) -> ShownEntry:
    if isinstance(entry, MessageSent):
        message = entry.story.message
        author = author_of(message.send)
        return ShownEntry(
            entry.at,
            _("Test message") if message.send.test else _("Message"),
            message.state,
            message,
            entry.outcome,
            events_of(entry.story, entry.answers),
            facts=[
                _("From %(sender)s") % {"sender": message.send.sender},
                *([_("composed by %(person)s") % {"person": author}] if author else []),
            ],
        )
    label, mark = LABELS.get(entry.kind) or (words_of(entry.how), "info")
    ends = outcome_of_row(entry.how, reason=entry.said) if entry.kind == NoteKind.LEFT_OUT else None
    return ShownEntry(entry.at, str(label), mark, outcome=ends, note=entry, facts=_facts(entry))


def _facts(note: Note) -> Sequence[str]:
    match note.kind:
        case NoteKind.REPLY:
            found = [_("To %(number)s") % {"number": note.to} if note.to else "", MEANINGS.get(note.how, "")]
        case NoteKind.OPTED_OUT:
            found = [SOURCES.get(note.how, note.how), note.by]
        case NoteKind.LEFT_OUT:
            found = [_("Row %(row)s") % {"row": number(note.row)}]
        case _:
            found = [note.by]
    return [str(one) for one in found if one]
