"""Incoming SMS: stored raw and acted upon in one transaction, so that an opt-out counts as soon as it is answered for.

Called by the inbound endpoint, by the sweeper for what had to wait on the disk, and by the page for what was set aside.
"""

import hashlib
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop
from msgspec import structs

from sms.inbound.optouts import keywords
from sms.inbound.optouts.acts import Refusal, opt_in, opt_out
from sms.inbound.optouts.conversations import put_in
from sms.inbound.optouts.telling import tell_colleague, tell_received
from sms.models import Actor, InboundMessage, Message, OptOut, Sender
from sms.models.audit import audit
from sms.models.optout import spellings
from sms.models.sql.opt_outs import lock_opt_outs
from sms.models.sql.session import limit_statements
from sms.models.sql.trouble import is_no_ones_fault
from sms.values import msisdn
from sms.webex import lenient
from sms.webex.addresses import PLUS_MSISDN
from sms.webex.errors import UnreadableBody
from sms.webex.inbound import Inbound, parse_inbound
from sms.webex.values import number
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

PATIENCE = 2000  # milliseconds for each statement
WINDOW = 600  # seconds in which the provider may send an SMS without an id once more
BROKE_OFF = KeptSentence(gettext_noop("Acting on it broke off: %(error)s."))
BY_SMS_TO_US = KeptSentence(gettext_noop("“%(text)s” by SMS to us"))
BY_SMS = KeptSentence(gettext_noop("“%(text)s” by SMS to %(address)s"))
BY = Actor(kind="system", key="", label=gettext_noop("The person, by SMS"), door="inbound")


def take(raw: bytes, *, service_id: int, received_at: datetime) -> bool:
    """Store an SMS, or each of those in one body, and act on it; False where it was known already. Afterwards it is durable.

    Raises the database's troubles (`is_no_ones_fault`), with nothing stored. Everything else that goes wrong with
    one SMS is kept with its reason.
    """
    if pieces := lenient.joined(raw):
        each = [take(one, service_id=service_id, received_at=received_at) for one in pieces]  # each of them
        return any(each)
    try:
        said: Inbound | None = parse_inbound(raw)
    except UnreadableBody:
        said = None
    with transaction.atomic():
        limit_statements(PATIENCE)  # a database that hangs counts as away: the SMS then waits on the disk
        lock_opt_outs([service_id])  # what a person says first and last is settled one by one
        digest = _digest(raw, said, service_id, received_at)
        if digest is None:
            return False
        message, new = InboundMessage.objects.get_or_create(
            dedupe=digest, defaults={"service_id": service_id, "raw": raw, "received_at": received_at}
        )
        if new:
            _act(message)
    return new


def retry(message: InboundMessage) -> bool:
    """Once more, after what was wrong was corrected; True where it worked."""
    with transaction.atomic():
        lock_opt_outs([message.service_id])
        locked = InboundMessage.objects.select_for_update().get(pk=message.pk)
        if locked.why:
            _act(locked)
    return not locked.why


def _digest(raw: bytes, said: Inbound | None, service_id: int, received_at: datetime) -> bytes | None:
    """What makes it one; None for a repetition that is known by its time only.

    By the provider's id where it gives one: a repetition may carry another time. Without an id the same words are a repetition within
    minutes, as the provider's own are, and unless the person said something else in between.
    """
    if said is not None and said.provider_id:
        said_all = "\0".join((said.provider_id, said.msisdn, said.sender, said.text)).encode(
            "utf-8", "replace"
        )
        return _hash(service_id, said_all)
    nearby = [
        _hash(service_id, b"%d:" % (int(received_at.timestamp()) // WINDOW + step) + raw)
        for step in (-1, 0, 1)
    ]
    last = InboundMessage.objects.filter(dedupe__in=nearby).order_by("-received_at", "-pk").first()
    if last is None:
        return nearby[1]
    others = InboundMessage.objects.filter(service_id=service_id, msisdn=last.msisdn, pk__gt=last.pk)
    near = abs(received_at - last.received_at) <= timedelta(seconds=WINDOW)
    if near and not (last.msisdn and others.exclude(meaning=last.meaning).exists()):
        return None
    return _hash(service_id, received_at.isoformat().encode() + raw)


def _hash(service_id: int, content: bytes) -> bytes:
    return hashlib.blake2b(b"%d:" % service_id + content, digest_size=16).digest()


def _act(message: InboundMessage) -> None:
    try:
        with transaction.atomic():
            _read(message)
            tell_received(message)
            tell_colleague(message)
            _obey(message)
            message.why, message.reason = "", ""
            message.save()
    except UnreadableBody as problem:
        _set_aside(message, InboundMessage.Why.UNREADABLE, str(problem))
    except Exception as problem:
        if is_no_ones_fault(problem):
            raise
        log.error("inbound_set_aside", inbound=message.pk, error=repr(problem)[:300])
        _set_aside(message, InboundMessage.Why.BROKE, BROKE_OFF(error=type(problem).__name__))


def _set_aside(message: InboundMessage, why: str, reason: str) -> None:
    InboundMessage.objects.filter(pk=message.pk).update(why=why, reason=reason[:300])
    message.why, message.reason = why, reason[:300]
    log.warning("inbound_kept", inbound=message.pk, why=why)


def _read(message: InboundMessage) -> None:
    said = _right_way_round(parse_inbound(bytes(message.raw)), service_id=message.service_id)
    # as lists have it: networks write some countries' mobiles in a way of their own
    message.msisdn = msisdn.sender(said.msisdn)
    if not PLUS_MSISDN.fullmatch(message.msisdn):
        message.msisdn = msisdn.sender(said.msisdn, country=message.service.default_country)
    if not PLUS_MSISDN.fullmatch(message.msisdn):
        raise UnreadableBody(gettext_noop("What it names as the handset (oa) is no phone number."))
    message.address = said.sender[:20]
    message.text = said.text
    answered = _answered(message)
    message.send_id, message.message_id = (answered.send_id, answered.pk) if answered else (None, 0)
    ours = answered.text if answered else ""
    reading = keywords.read(said.text, ours=ours)
    message.meaning, message.sure = reading.meaning, reading.sure
    put_in(message, ours=ours)


def _right_way_round(said: Inbound, *, service_id: int) -> Inbound:
    """The provider's table has the handset and our number the other way round than its samples. Our own senders tell which it is."""
    handset = number(said.sender)
    if not PLUS_MSISDN.fullmatch(handset):
        return said
    from_us, to_us = said.msisdn.removeprefix("+"), said.sender.removeprefix("+")
    ours = Sender.objects.filter(service=service_id, address__in=(from_us, to_us))
    if list(ours.values_list("address", flat=True)) != [from_us]:
        return said
    return structs.replace(said, msisdn=handset, sender=from_us)


def _answered(message: InboundMessage) -> Message | None:
    """The newest to that number from the sender that it wrote to; where that is none of our senders, the newest at all."""
    address = message.address.removeprefix("+")
    posted = Message.objects.filter(
        msisdn__in=msisdn.spellings(message.msisdn),
        send__service=message.service_id,
        send__simulated=False,  # which reached no phone
        posted_at__isnull=False,
    ).order_by("-pk")
    if Sender.objects.filter(service=message.service_id, address=address).exists():
        posted = posted.filter(send__sender__address=address)
    return posted.only("send_id", "text").first()


def _obey(message: InboundMessage) -> None:
    if message.meaning == InboundMessage.Meaning.MAYBE and OptOut.in_force(
        message.service_id, [message.msisdn]
    ):
        message.meaning, message.sure = "", True  # they refused already
    if message.meaning not in (InboundMessage.Meaning.STOP, InboundMessage.Meaning.START):
        return
    newer = InboundMessage.objects.filter(
        service=message.service_id,
        msisdn=message.msisdn,
        meaning__in=(InboundMessage.Meaning.STOP, InboundMessage.Meaning.START),
        received_at__gt=message.received_at,
    )
    if newer.exists():
        return  # it was brought in late, and the person's last word is another
    # what they may have meant before is settled
    _undecided(message).filter(received_at__lte=message.received_at).update(meaning="", sure=True)
    if message.meaning == InboundMessage.Meaning.STOP:
        stored = spellings(message.service_id, [message.msisdn])
        lifted = OptOut.objects.filter(
            service=message.service_id, msisdn__in=stored, lifted_at__gt=message.received_at
        )
        if lifted.exists():
            return
        opt_out(
            message.service_id,
            [_refusal(message)],
            by=BY,
            source=OptOut.Source.INBOUND,
            now=message.received_at,
        )
    else:
        because = gettext_noop("Asked for messages again by SMS.")
        opt_in(message.service_id, [message.msisdn], by=BY, reason=because, now=message.received_at)


def _undecided(message: InboundMessage) -> "QuerySet[InboundMessage]":
    """Of the same person."""
    maybe = InboundMessage.Meaning.MAYBE
    return InboundMessage.objects.filter(
        service=message.service_id, msisdn=message.msisdn, meaning=maybe
    ).order_by()


def _refusal(message: InboundMessage) -> Refusal:
    text = message.text.strip()[:100]
    evidence = BY_SMS(text=text, address=message.address) if message.address else BY_SMS_TO_US(text=text)
    return Refusal(message.msisdn, evidence, message.send_id, message.pk, message.message_id)


def decide(message: InboundMessage, *, refuses: bool, by: Actor) -> bool:
    """What a person makes of an SMS that may be a refusal; False where that is settled already."""
    with transaction.atomic():
        lock_opt_outs([message.service_id])
        locked = InboundMessage.objects.select_for_update().get(pk=message.pk)
        if locked.meaning != InboundMessage.Meaning.MAYBE:
            return False
        if refuses:
            _undecided(locked).exclude(pk=locked.pk).update(meaning=InboundMessage.Meaning.STOP, sure=True)
            opt_out(locked.service_id, [_refusal(locked)], by=by, source=OptOut.Source.INBOUND)
        locked.meaning, locked.sure = InboundMessage.Meaning.STOP if refuses else "", True
        locked.save(update_fields=["meaning", "sure"])
        audit(
            "reply.judged",
            by=by,
            service=locked.service.slug,
            noun="reply",
            key=locked.pk,
            refuses=refuses,
        )
    return True


def to_decide(service_id: int) -> "QuerySet[InboundMessage]":
    """SMS that may be refusals and that nobody has decided, the oldest first."""
    rows = InboundMessage.objects.filter(service=service_id, meaning=InboundMessage.Meaning.MAYBE)
    return rows.select_related("send").defer("raw").order_by("id")
