"""What was sent to the person of a conversation from its sender, and what they wrote: the newest of both, in order of time."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from sms.models import Conversation, ConversationAnswer, InboundMessage, Message, Send, Sender
from sms.sends.replies.handling import name_of
from sms.values import msisdn

MOST = 30  # of each side


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """One SMS. Either `inbound` or `message`; of an answer `heading` says whose it is."""

    at: datetime
    inbound: InboundMessage | None = None
    message: Message | None = None
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    entries: list[ThreadEntry]
    more: bool  # older ones are left out

    @property
    def answered_last(self) -> Message | None:
        """The message to which the person wrote last."""
        ids = [one.inbound.message_id for one in self.entries if one.inbound and one.inbound.message_id]
        messages = [one.message for one in self.entries if one.message and ids and one.message.pk == ids[-1]]
        return messages[-1] if messages else None


def thread_of(conversation: Conversation, *, sender: Sender | None) -> Thread:
    """Two queries, however much was written. `sender` is the one of its address, None where that is none of ours."""
    came = list(conversation.inbound_messages.defer("raw").order_by("-pk")[: MOST + 1])
    went = _sent(conversation, sender)
    entries = [ThreadEntry(one.received_at, inbound=one) for one in came[:MOST]]
    entries += [
        ThreadEntry(one.posted_at or one.send.created_at, message=one, heading=_heading(one.send))
        for one in went[:MOST]
    ]
    entries.sort(key=lambda one: one.at)
    return Thread(entries, more=len(came) > MOST or len(went) > MOST)


def _sent(conversation: Conversation, sender: Sender | None) -> list[Message]:
    """By the index of the number; of another sender nothing, unless they wrote to an address that is none of ours."""
    number = conversation.msisdn
    if not number:
        return []
    rows = Message.objects.filter(
        msisdn__in=msisdn.spellings(number), send__service=conversation.service_id, send__simulated=False
    )
    if sender is not None:
        rows = rows.filter(send__sender=sender)
    related = rows.select_related("send__created_by", "send__answering__rule", "send__link_domain")
    return list(related.order_by("-pk")[: MOST + 1])


def _heading(send: Send) -> str:
    """Whose answer it is; empty where it is none."""
    made: ConversationAnswer | None = getattr(send, "answering", None)
    if made is None:
        return ""
    if made.rule is not None:
        return _("Answer of the keyword %(keyword)s") % {"keyword": made.rule}
    return _("Answer of %(name)s") % {"name": name_of(send.created_by) or send.partner or "Textdesk"}
