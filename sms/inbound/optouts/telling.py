"""What people say, as events: SMS that came in, and refusals made and lifted. Each belongs to the send it is about, where one is known.

A refusal that names no send is about the last one that went to that number, so that whoever wrote to a person hears of it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_noop

from sms.callbacks import events
from sms.callbacks.events import Happening
from sms.models import InboundMessage, Message, NoticeKind, OptOut, Send
from sms.models.sql.id_list import among
from sms.notices import tell
from sms.values import msisdn

ADDED, LIFTED = "opt_out.added", "opt_out.lifted"


def tell_received(message: InboundMessage) -> None:
    data = {
        "keyword": message.meaning,
        "sure": message.sure,
        "conversation": message.conversation_id,
        "matched_keyword": message.matched,
    }
    found = {"at": message.received_at, "message_id": message.message_id, "data": data}
    send = _sends([message.send_id]).get(message.send_id or 0)
    events.record([_about(send, "inbound.received", message, **found)])


def tell_colleague(message: InboundMessage) -> None:
    """Whose conversation it is, else who made the send that is answered: once, until somebody answers."""
    talk = message.conversation
    if talk is None or not talk.told:
        return
    whose = talk.assigned_to_id or (message.send.created_by_id if message.send else None)
    tell(
        NoticeKind.REPLY,
        [whose],
        event=talk.told[0],
        says=gettext_noop("A reply waits for an answer."),
        service=message.service,
        page="reply",
        page_id=talk.pk,
    )


def tell_refusals(rows: Collection[OptOut], kind: str, *, answered: Mapping[str, int] | None = None) -> None:
    """ADDED or LIFTED refusals of one service. `answered`: which message a number refused after, where that is known."""
    followers = events.find_followers()
    if not {row.service_id for row in rows} & set(followers.services):
        return
    known = {number: pk for number, pk in (answered or {}).items() if pk}
    messages = known | _last_messages([row for row in rows if row.msisdn not in known])
    ids = among(set(messages.values()))
    found = dict(Message.objects.filter(pk__in=ids).values_list("pk", "send_id")) if messages else {}
    sends = _sends([*(row.send_id for row in rows), *found.values()])
    told = []
    for row in rows:
        message_id = messages.get(row.msisdn, 0)
        send = sends.get(row.send_id or found.get(message_id, 0))
        at = row.at if kind == ADDED else row.lifted_at
        told.append(_about(send, kind, row, at=at, message_id=message_id))
    events.record(told, followers)


def _about(send: Send | None, kind: str, subject: InboundMessage | OptOut, **found: Any) -> Happening:
    return Happening(
        type=kind,
        service_id=subject.service_id,
        once=(subject.pk,),
        owner=events.owner_of(send) if send else None,
        send_id=send.pk if send else 0,
        sender_id=send.sender_id if send else 0,
        subject_id=subject.pk,
        test=bool(send and send.simulated),
        **found,
    )


def _sends(ids: Iterable[int | None]) -> dict[int, Send]:
    wanted = {pk for pk in ids if pk}
    return (
        {send.pk: send for send in Send.objects.filter(pk__in=among(wanted)).only(*events.OF_SENDS)}
        if wanted
        else {}
    )


def _last_messages(rows: Collection[OptOut]) -> dict[str, int]:
    """By number as the opt-out has it: the newest message that went to its phone, of the send that it names or of any."""
    if not rows:
        return {}
    numbers = {spelled: row.msisdn for row in rows for spelled in msisdn.spellings(row.msisdn)}
    posted = Message.objects.filter(msisdn__in=numbers, posted_at__isnull=False, send__simulated=False)
    posted = posted.order_by()
    theirs = {row.msisdn: row.send_id for row in rows}
    newest = (
        posted.filter(send__service=next(iter(rows)).service_id)
        .values_list("msisdn")
        .annotate(last=Max("pk"))
    )
    found = {numbers[spelled]: pk for spelled, pk in newest if not theirs[numbers[spelled]]}
    named = {send_id for send_id in theirs.values() if send_id}
    if named:
        of_sends = posted.filter(send__in=among(named)).values_list("msisdn", "send_id", "pk")
        found |= {
            numbers[spelled]: pk for spelled, send_id, pk in of_sends if theirs[numbers[spelled]] == send_id
        }
    return found
