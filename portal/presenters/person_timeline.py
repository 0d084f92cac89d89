"""Entries of a person's timeline as they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.presenters.message_events import TimelineEntry, events_of
from sms.models import InboundMessage, Message, OptOut
from sms.sends.person.timeline import Entry, MessageSent, OptedOut, ReplyReceived


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """One of `message`, `sms` and `opt_out`; `mark` is a picture of static/icons.svg."""

    at: datetime
    label: str
    mark: str
    message: Message | None = None
    events: Sequence[TimelineEntry] = ()
    sms: InboundMessage | None = None
    opt_out: OptOut | None = None
    lifted: bool = False


def shown(entry: Entry) -> ShownEntry:
    match entry:
        case MessageSent():
            message = entry.history.message
            label = "Test message" if message.send.test else "Message"
            return ShownEntry(entry.at, label, message.state, message, events_of(entry.history))
        case ReplyReceived():
            return ShownEntry(entry.at, "They wrote to you", "messages", sms=entry.sms)
        case OptedOut():
            label, mark = ("Opt-out lifted", "check") if entry.lifted else ("Opted out", "stop")
            return ShownEntry(entry.at, label, mark, opt_out=entry.opt_out, lifted=entry.lifted)
