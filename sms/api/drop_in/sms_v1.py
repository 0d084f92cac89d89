"""`/v1/sms/messages`, Webex Connect's Send SMS API v1: one flat object for one number, 202, and a read-back of its own."""

import msgspec
from django.http import HttpResponse

from sms.api.drop_in.body import DropInRequest
from sms.api.drop_in.dialect import JSON, Dialect
from sms.api.drop_in.errors import DropInRefused, invalid, missing
from sms.api.drop_in.fields import Block, as_text, flag, given
from sms.api.drop_in.older_fields import documented, not_passed_on, renamed
from sms.api.drop_in.replies import AcceptedRequest, added, changed_at, number_of
from sms.callbacks import RECEIPT_CODES
from sms.models import Message, MessageState
from sms.values import text
from sms.webex.wire import stamp

AS_V2 = {
    "from": "from",
    "substitutions": "substitutions",
    "expireAt": "expireAt",
    "callbackData": "callbackData",
    "callbackUrl": "notifyUrl",
    "callbackUrlAuthId": "notifyUrlAuthId",
}
LINKS = {"shortenUrls": "shortenLinks", "trackShortUrlClicks": "trackClicks", "shortUrlDomain": "domain"}
NOT_PASSED_ON = {
    "dltTemplateId": (
        "Textdesk sends through /v2/messages, which has no such field. Use a template of the type Approved "
        "DLT Template there."
    )
}
FIELDS = (*AS_V2, *LINKS, *NOT_PASSED_ON, "to", "content", "contentType", "correlationId")
NAMES = {theirs: name for name, theirs in AS_V2.items()} | {
    "msisdn": "to",
    "content.text": "content",
    "content.type": "contentType",
    "options": "shortUrlDomain",
    **{f"options.{theirs}": name for name, theirs in LINKS.items()},
}
STATUS = {
    MessageState.SUBMITTED: "SENT",
    MessageState.NO_REPORT: "SENT",
    MessageState.DELIVERED: "DELIVERED",
    MessageState.FAILED: "FAILED",
    MessageState.CANCELLED: "FAILED",
    MessageState.EXPIRED: "FAILED",
}


def as_v2(data: Block) -> Block:
    asked = documented(data, FIELDS)
    not_passed_on(asked, NOT_PASSED_ON)
    if given(asked, "to") is None:
        raise missing("to")
    number = as_text(asked["to"])
    if number is None:
        raise invalid("to", "It is one number, as a text.")
    if "content" not in asked:
        raise missing("content")
    destination = {"msisdn": [number]} | renamed(asked, {"correlationId": "correlationId"})
    made: Block = {"channel": "sms", "to": [destination]} | renamed(asked, AS_V2)
    kind = asked.get("contentType", "text")
    # documented as `text`; public clients, the provider's own SDK among them, send TEXT
    made["content"] = {"type": kind.lower() if isinstance(kind, str) else kind, "text": asked["content"]}
    links = renamed(asked, LINKS)
    if "domain" in links:
        made["options"] = links
    elif flag(asked, "shortenUrls") or flag(asked, "trackShortUrlClicks"):
        raise invalid("options.domain", "Say which domain shortens the links.")
    return made


def _accepted(made: AcceptedRequest, asked: DropInRequest) -> HttpResponse:
    (destination,) = asked.destinations
    said = {
        "acceptedTime": stamp(made.at),
        "messageId": str(made.reference),
        "correlationId": destination.correlation_id,
    }
    return HttpResponse(made.with_ours(said), status=202, content_type=JSON)


def _shown(message: Message, message_id: str, textdesk: Block) -> bytes:
    send = message.send
    found: Block = {
        "acceptedTime": stamp(send.created_at),
        "statusTime": stamp(changed_at(message)),
        "messageId": message_id,
        "correlationId": message.partner_correlation_id,
        "from": send.sender.address,
        "to": number_of(message),
        "contentType": "text" if text.is_gsm7(message.text) else "unicode",
        "content": message.text,
        "status": STATUS.get(MessageState(message.state), "QUEUED"),
    }
    if found["status"] == "FAILED" and message.code:
        code = RECEIPT_CODES.get(message.code, message.code)
        found["error"] = {"code": code, "message": message.detail}
    return msgspec.json.encode(found | added(textdesk))


def _answer(refused: DropInRefused) -> HttpResponse:
    """A key that opens nothing is 403 with 7001 here. Without a body where the documentation has none."""
    if refused.status == 401:
        return HttpResponse(refused.body(), status=403, content_type=JSON)
    if refused.status == 404 and not refused.name:
        return HttpResponse(status=404)
    return HttpResponse(refused.body(), status=refused.status, content_type=JSON)


SMS_V1 = Dialect(as_v2=as_v2, accepted=_accepted, shown=_shown, answer=_answer, names=NAMES)
