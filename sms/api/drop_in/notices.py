"""`textdesk` in answers: what the provider has no word for. It is there only where there is something to say."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sms.api.drop_in.dialect import Dialect
from sms.api.drop_in.unused import Notice, notice
from sms.callbacks import RECEIPT_CODES
from sms.models import Message, MessageState, Notify, Send
from sms.models.message import PRESUMED
from sms.sends.waits import Wait, waits_of
from sms.webex import codes
from sms.webex.wire import stamp

NO_TEXTS = notice("content.text", "This key lacks the scope “texts”, so the text is left empty.")
DOUBTFUL = (MessageState.UNCONFIRMED, MessageState.NO_REPORT)


def not_called(why: str = "") -> Notice:
    says = f"Textdesk does not call this address, so no receipts are passed on. {why}"
    return notice("notifyUrl", says.strip())


def of_reply(send: Send, notices: Sequence[Notice], *, now: datetime) -> dict[str, Any]:
    """For an accepted request."""
    waits = [_wait(one) for one in waits_of(send, now=now)]
    return _given(test=send.simulated or None, waits=waits, notices=list(notices))


def of_message(
    message: Message, dialect: Dialect, *, texts: bool, also: Sequence[Notice], now: datetime
) -> dict[str, Any]:
    """For a read; `also` is what of the request was not used."""
    send: Send = message.send
    pending = message.state == MessageState.PENDING
    waits = [_wait(one) for one in waits_of(send, now=now, message=message)] if pending else []
    silent = bool(send.notify_url) and not Notify.objects.filter(send=send).exists()
    said = [not_called()] if silent else []
    if dialect.tells_text and not texts:
        said.append(NO_TEXTS)
    return _given(
        **_doubt(message),
        test=send.simulated or None,
        waits=waits,
        notices=[*also, *dialect.named(said)],
    )


def _doubt(message: Message) -> dict[str, Any]:
    """What is known of a message of which it is not known whether it was sent, or how it ended."""
    if message.state not in DOUBTFUL and message.code not in PRESUMED:
        return {}
    ends = message.state == MessageState.UNCONFIRMED and message.posted_at
    return {
        "state": message.state,
        "code": RECEIPT_CODES.get(message.code, message.code),
        "detail": message.detail or (codes.lookup(message.code).meaning if message.code else ""),
        "until": stamp(ends + timedelta(hours=message.send.service.unconfirmed_hours)) if ends else None,
    }


def _wait(one: Wait) -> dict[str, Any]:
    return {"code": one.code, "until": stamp(one.until) if one.until else None, "detail": one.detail}


def _given(**parts: Any) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value not in ([], None)}
