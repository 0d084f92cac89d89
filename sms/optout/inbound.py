"""Incoming SMS: stored raw and acted upon in one transaction, so that an opt-out counts as soon as it is answered for.

Called by the inbound endpoint, by the sweeper for what had to wait on the disk, and by the page for what was set aside.
"""

import hashlib
import re
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, transaction

from sms.models import Actor, InboundMessage, Message, OptOut, Sender
from sms.optout import words
from sms.optout.acts import Refusal, opt_in, opt_out
from sms.webex.errors import Unreadable
from sms.webex.inbound import Inbound, parse_inbound

log = structlog.get_logger(__name__)

BY = Actor(kind="system", key="", label="The person, by SMS", door="inbound")
_E164 = re.compile(r"\+[1-9]\d{5,14}", re.ASCII)


def take(raw: bytes, *, service_id: int, received_at: datetime) -> bool:
    """Store one SMS and act on it; False where it was known already. Afterwards it is durable.

    Raises the database's troubles (OperationalError, InterfaceError), with nothing stored. Everything else that goes wrong with
    one SMS is kept with its reason.
    """
    try:
        said: Inbound | None = parse_inbound(raw)
    except Unreadable:
        said = None
    with transaction.atomic():
        message, new = InboundMessage.objects.get_or_create(
            dedupe=_digest(raw, said, service_id),
            defaults={"service_id": service_id, "raw": raw, "received_at": received_at},
        )
        if new:
            _act(message)
    return new


def retry(message: InboundMessage) -> bool:
    """Once more, after whatever was wrong was mended; True where it worked."""
    with transaction.atomic():
        locked = InboundMessage.objects.select_for_update().get(pk=message.pk)
        if locked.why:
            _act(locked)
    return not locked.why


def _digest(raw: bytes, said: Inbound | None, service_id: int) -> bytes:
    """The provider's id where it gives one: a repetition may carry another time."""
    if said is not None and said.provider_id:
        told = "\0".join((said.provider_id, said.msisdn, said.sender, said.text)).encode("utf-8", "replace")
    else:
        told = raw
    return hashlib.blake2b(b"%d:" % service_id + told, digest_size=16).digest()


def _act(message: InboundMessage) -> None:
    try:
        with transaction.atomic():
            _read(message)
            _obey(message)
            message.why, message.reason = "", ""
            message.save()
    except (OperationalError, InterfaceError):
        raise
    except Unreadable as problem:
        _set_aside(message, InboundMessage.Why.UNREADABLE, str(problem))
    except Exception as problem:
        log.error("inbound_set_aside", inbound=message.pk, error=repr(problem)[:300])
        _set_aside(message, InboundMessage.Why.BROKE, f"Acting on it broke off: {type(problem).__name__}.")


def _set_aside(message: InboundMessage, why: str, reason: str) -> None:
    InboundMessage.objects.filter(pk=message.pk).update(why=why, reason=reason[:300])
    message.why, message.reason = why, reason[:300]
    log.warning("inbound_kept", inbound=message.pk, why=why)


def _read(message: InboundMessage) -> None:
    said = parse_inbound(bytes(message.raw))
    if not _E164.fullmatch(said.msisdn):
        raise Unreadable("What it names as the handset (oa) is no phone number.")
    reading = words.read(said.text)
    message.msisdn = said.msisdn
    message.address = _plain(said.sender)[:20]
    message.text = _plain(said.text)
    message.meaning, message.sure = reading.meaning, reading.sure
    message.send_id = _answered(message)


def _plain(text: str) -> str:
    """PostgreSQL stores no NUL."""
    return text.replace("\0", "\ufffd")


def _answered(message: InboundMessage) -> int | None:
    """The newest send to that number from the sender that it wrote to; where that is none of our senders, the newest at all."""
    address = message.address.removeprefix("+")
    posted = Message.objects.filter(
        msisdn=message.msisdn, send__service=message.service_id, posted_at__isnull=False
    ).order_by("-pk")
    if Sender.objects.filter(service=message.service_id, address=address).exists():
        posted = posted.filter(send__sender__address=address)
    return posted.values_list("send_id", flat=True).first()


def _obey(message: InboundMessage) -> None:
    if message.meaning == InboundMessage.Meaning.STOP:
        evidence = f"“{message.text.strip()[:100]}” by SMS to {message.address or 'us'}"
        refusal = Refusal(message.msisdn, evidence, message.send_id, message.pk)
        opt_out(message.service_id, [refusal], by=BY, source=OptOut.Source.INBOUND)
    elif message.meaning == InboundMessage.Meaning.START:
        opt_in(message.service_id, [message.msisdn], by=BY, reason="Asked for messages again by SMS.")
