"""What an accepted request is answered, and what a message looks like when it is asked for.

The messageId of a request is a UUID; of several destinations the first has it bare, the others with _1, _2 … behind it.
"""

import contextlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote_plus

import msgspec

from sms.api.drop_in.fields import Block
from sms.callbacks.bodies import REPORTED
from sms.compliance import archive
from sms.models import ApiKey, Echo, Message, MessageState, Receipt, Send, Service
from sms.values import text
from sms.values.msisdn import mask
from sms.values.msisdn.cells import without_numbers
from sms.values.msisdn.mention import starred
from sms.webex.codes import delivery_status
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt
from sms.webex.wire import stamp

# As a receipt has it where the provider or we have sent one.
STATUS = (
    {name: status for name, (_, _, status, _) in REPORTED.items()}
    | {
        MessageState.PENDING: "queued",
        MessageState.POSTING: "queued",
        MessageState.UNCONFIRMED: "Unconfirmed",  # not the provider's: there is no answer of which it could say anything
        MessageState.QUEUED: "queued",
        MessageState.NO_REPORT: "Submitted",
    }
)


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A request that became a send. `textdesk` is what the provider has no word for, in every reply where there is something to say."""

    reference: uuid.UUID
    at: datetime
    textdesk: Block = field(default_factory=dict)

    def with_ours(self, reply: Block) -> bytes:
        return msgspec.json.encode(reply | added(self.textdesk))


def added(textdesk: Block) -> Block:
    """The provider's object goes as it is where there is nothing to add."""
    return {"textdesk": textdesk} if textdesk else {}


def accepted(made: AcceptedRequest, correlation_id: str) -> bytes:
    """One object, for however many destinations; it describes the first."""
    return made.with_ours(
        {
            "requestTimestamp": stamp(made.at),
            "messageId": str(made.reference),
            "correlationId": correlation_id,
            "status": "queued",
        }
    )


def number_of(message: Message) -> str:
    """Empty where it is no longer kept, or was never one."""
    return message.msisdn if message.msisdn.startswith("+") else ""


def changed_at(message: Message) -> datetime:
    """When its state last changed."""
    known = (message.final_at, message.submitted_at, message.queued_at, message.posted_at)
    return next((at for at in known if at is not None), message.send.created_at)


def find(message_id: str, *, key: ApiKey) -> Message | None:
    """What a request of this key's name was answered with."""
    written, _, number = message_id.partition("_")
    if number and not (number.isascii() and number.isdecimal() and len(number) < 5):
        return None
    try:
        reference = uuid.UUID(written)
    except ValueError:
        return None
    if str(reference) != written.lower():
        return None
    row = int(number or 0) + 1
    messages = Message.objects.filter(send__reference=reference, send__service=key.service_id, row=row)
    related = key.mine(messages, "send__owner").select_related(
        "send__sender", "send__link_domain", "send__service", "echo"
    )
    found = related.defer(*Service.secrets("send__service")).first()
    return found or _archived(reference, key=key, row=row)


def _archived(reference: uuid.UUID, *, key: ApiKey, row: int) -> Message | None:
    rows = Send.objects.filter(
        reference=reference, service=key.service_id, keeping__archived_at__isnull=False
    )
    send = key.mine(rows).select_related("service", "sender").first()
    story = archive.at_row(send, row) if send else None
    return story.message if story else None


def without_number(message: Message) -> Message:
    """For a key without the scope `numbers`: the number without its middle, wherever it stands, and all else as it is. Never saved."""
    number, send = message.msisdn, message.send
    message.msisdn = mask(number) if number.startswith("+") else number
    message.text, message.detail = starred(message.text, number), starred(message.detail, number)
    send.callback_data, send.notify_url = (
        starred(send.callback_data, number),
        starred(send.notify_url, number),
    )
    echo: Echo | None = getattr(message, "echo", None)
    if echo is not None:
        echo.correlation_id = starred(echo.correlation_id, number)
        echo.destination = without_numbers(echo.destination, country=send.service.default_country)
    return message


def without_words(message: Message) -> Message:
    """For a key without the scope `texts`: an empty text. Never saved."""
    message.send.content_type = message.send.content_type or (
        "text" if text.is_gsm7(message.text) else "unicode"
    )
    message.text = ""
    return message


def shown(message: Message, message_id: str, textdesk: Block) -> bytes:
    """The read-back. Its text is form-URL-encoded and its segments are a text, as documented."""
    send: Send = message.send
    domain = send.link_domain
    return msgspec.json.encode(
        {
            "clientId": 1,
            "groupId": 1,
            "teamId": 1,
            "channel": "sms",
            "toType": "msisdn",
            "to": _destination(message),
            "from": send.sender.address,
            "messageId": message_id,
            "correlationId": message.partner_correlation_id,
            "numSegments": str(message.segments_billed or message.segments),
            "requestTimestamp": stamp(send.created_at),
            "requestedReceipts": sorted(send.receipts.names),
            "version": "2.0",
            "content": {
                "type": send.content_type or ("text" if text.is_gsm7(message.text) else "unicode"),
                "text": quote_plus(message.text, errors="replace"),
            },
            "callbackData": send.callback_data,
            "notifyUrl": send.notify_url,
            "options": {
                "trackOpens": False,
                "smsFallback": False,
                "bypassSuppression": False,
                "domain": domain.url if domain else "",
                "trackClicks": send.track_clicks,
                "shortenLinks": send.shorten_links,
            },
            "direction": "outbound",
            "status": _status(message),
        }
        | added(textdesk)
    )


def _destination(message: Message) -> str:
    """As the provider writes it, or as the partner wrote what is no number."""
    if message.msisdn.startswith("+"):
        return message.msisdn.removeprefix("+")
    echo: Echo | None = getattr(message, "echo", None)
    return echo.destination if echo else ""


def _status(message: Message) -> str:
    if message.state != MessageState.FAILED:
        return STATUS[MessageState(message.state)]
    receipts = Receipt.objects.filter(message_id=message.pk).order_by("-pk")
    for raw in receipts.values_list("raw", flat=True):
        with contextlib.suppress(UnreadableBody):
            note = parse_receipt(bytes(raw))
            if note.code == message.code and note.status:
                return note.status
    return delivery_status(message.code)
