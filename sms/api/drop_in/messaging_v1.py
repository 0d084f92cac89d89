"""`/resources/v1/messaging`, Webex Connect's Send Message API v1: many numbers, and HTTP 200 with a code for whatever the request asks.

The body is the one that the documentation shows for SMS, and `message`, `expiry` and `priority` of its older edition, which most public
clients were written by.
"""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.http import HttpResponse

from sms.api.drop_in.body import DropInRequest
from sms.api.drop_in.dialect import JSON, Dialect
from sms.api.drop_in.errors import DropInRefused, invalid, missing
from sms.api.drop_in.fields import Block, as_text, block, text
from sms.api.drop_in.older_fields import documented, not_passed_on, renamed
from sms.api.drop_in.replies import AcceptedRequest, added, changed_at, number_of
from sms.callbacks.bodies import RECEIPT_CODES, name_of
from sms.models import Message, MessageState

AS_V2 = {
    "callbackData": "callbackData",
    "notifyurl": "notifyUrl",
    "notifyurlAuthId": "notifyUrlAuthId",
    "expiry": "expireAt",
    "options": "options",
    "contactPolicy": "contactPolicy",
}
FIELDS = (*AS_V2, "deliverychannel", "destination", "channels", "message", "correlationid", "priority")
SMS = ("senderid", "text", "type", "sendLinkAsAppClip", "storeRegion", "body", "media-path", "extras")
LINK = {"linkid": "smartlinkId", "validity": "validity"}
OPTIONS = ("trackClicks", "shortenLinks", "domain", "tag1", "tag2", "allowFallbackURL")
POLICY = ("contactPolicyGroup", "channelCheckConsent", "channelApplyFrequencyCap")
NO_FIELD = "Textdesk sends through /v2/messages, which has no such field."
NOT_PASSED_ON = {
    "body": "Textdesk sends texts, no binary messages.",
    "media-path": NO_FIELD,
    "sendLinkAsAppClip": NO_FIELD,
    "extras": f"{NO_FIELD} For a DLT template id, use a template of the type Approved DLT Template there.",
}
TYPES = {"1": "text", "4": "unicode"}
LANES = {"1": "bulk", "2": "normal", "3": "urgent"}
TOKEN = re.compile(r"\{\{link_([0-9]{1,9})\}\}")
NAMES = {theirs: name for name, theirs in AS_V2.items()} | {
    "channel": "deliverychannel",
    "from": "channels.sms.senderid",
    "content": "channels.sms.text",
    "content.text": "channels.sms.text",
    "content.type": "channels.sms.type",
    "template": "message.template",
    "template.id": "message.template",
    "substitutions": "message.parameters",
    "to": "destination",
    "msisdn": "destination.msisdn",
    "correlationId": "correlationid",
    "smartlinks": "channels.smartlinks",
    "smartlinks.smartlinkId": "channels.smartlinks.linkid",
    "smartlinks.validity": "channels.smartlinks.validity",
    "textdesk.lane": "priority",
}
STATUS = {
    MessageState.SUBMITTED: "sent",
    MessageState.NO_REPORT: "sent",
    MessageState.DELIVERED: "delivered",
    MessageState.FAILED: "failed",
    MessageState.CANCELLED: "failed",
    MessageState.EXPIRED: "expired",
}
DATE = "%a, %d %b %Y %H:%M:%S UTC"
WITH_200 = (400, 401, 403, 429)  # what the request, its key or their number are refused for


def as_v2(data: Block) -> Block:
    asked = documented(data, FIELDS)
    channels = documented(block(asked, "channels") or {}, ("sms", "smartlinks"), "channels.")
    sms = documented(block(channels, "sms") or {}, SMS, "channels.sms.")
    not_passed_on(sms, NOT_PASSED_ON, "channels.sms.")
    made = (
        {"channel": asked.get("deliverychannel")} | renamed(asked, AS_V2) | renamed(sms, {"senderid": "from"})
    )
    for name, known in (("options", OPTIONS), ("contactPolicy", POLICY)):
        if name in made:
            made[name] = documented(block(made, name) or {}, known, f"{name}.")
    made["to"] = _destinations(asked)
    made |= _content(asked, sms)
    if "smartlinks" in channels:
        made["smartlinks"] = _smartlinks(channels["smartlinks"])
    if "priority" in asked:
        made["textdesk"] = {"lane": _one_of(LANES, asked["priority"], "textdesk.lane", "1, 2 or 3")}
    return made


def _content(asked: Block, sms: Block) -> Block:
    """A text goes before a template where both are given, as the documentation has it."""
    if "text" in sms:
        kind = _one_of(TYPES, sms.get("type", "1"), "content.type", "1 (text) or 4 (unicode)", "7126")
        return {
            "content": {
                "type": kind,
                "text": TOKEN.sub(r"{{smartlink_\1}}", text(sms, "text", "content.text")),
            }
        }
    message = documented(block(asked, "message") or {}, ("template", "parameters"), "message.")
    if not message:
        raise missing("content")
    return {"template": {"id": message.get("template")}} | renamed(message, {"parameters": "substitutions"})


def _one_of(known: dict[str, str], value: Any, name: str, choices: str, code: str = "7004") -> str:
    found = known.get(as_text(value) or "")
    if found is None:
        words = "Invalid content type" if code == "7126" else "Invalid parameter"
        raise DropInRefused(code, words, f"{name}: Textdesk takes {choices}.")
    return found


def _destinations(asked: Block) -> list[Block]:
    entries = asked.get("destination")
    if entries is None:
        raise missing("to")
    shared = renamed(asked, {"correlationid": "correlationId"})
    found = []
    for entry in _blocks(entries, "to"):
        one = documented(entry, ("msisdn", "customerid", "correlationid"), "destination.")
        not_passed_on(one, {"customerid": "Textdesk sends to numbers. Give msisdn."}, "destination.")
        numbers = renamed(one, {"msisdn": "msisdn", "correlationid": "correlationId"})
        found.append(shared | numbers)
    return found


def _smartlinks(entries: Any) -> list[Block]:
    return [
        renamed(documented(entry, LINK, "channels.smartlinks."), LINK)
        for entry in _blocks(entries, "smartlinks")
    ]


def _blocks(entries: Any, name: str) -> list[Block]:
    """A list of objects, for which one object may stand."""
    found = entries if isinstance(entries, list) else [entries]
    if not all(isinstance(one, dict) for one in found):
        raise invalid(name)
    return found


def _accepted(made: AcceptedRequest, asked: DropInRequest) -> HttpResponse:
    """An entry for each number: the documentation shows a list, and one number's entry in it."""
    said = [
        {"code": "1001", "transid": name_of(str(made.reference), row=row), "description": "Queued"}
        for row in range(1, len(asked.destinations) + 1)
    ]
    return HttpResponse(made.with_ours({"response": said}), content_type=JSON)


def _shown(message: Message, transaction_id: str, textdesk: Block) -> bytes:
    """As the older edition documents it, without the request's JSON, which is not kept."""
    send = message.send
    failed = message.state in (MessageState.FAILED, MessageState.CANCELLED, MessageState.EXPIRED)
    found = {
        "transactionid": transaction_id,
        "clientid": "1",
        "api_version": "v1",
        "type": "outbound-api",
        "from": send.sender.address,
        "to": number_of(message),
        "channel": "SMS",
        "status": STATUS.get(MessageState(message.state), "queued"),
        "date_created": _date(send.created_at),
        "last_updated": _date(changed_at(message)),
        "error_code": (RECEIPT_CODES.get(message.code, message.code) or None) if failed else None,
        "error_message": (message.detail or None) if failed else None,
    }
    return msgspec.json.encode([found | added(textdesk)])


def _date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(DATE)


def _answer(refused: DropInRefused) -> HttpResponse:
    said = {"code": refused.code, "description": refused.message, "transid": str(uuid.uuid4())}
    status = 200 if refused.status in WITH_200 else refused.status
    return HttpResponse(msgspec.json.encode({"response": said}), status=status, content_type=JSON)


MESSAGING_V1 = Dialect(
    as_v2=as_v2, accepted=_accepted, shown=_shown, answer=_answer, names=NAMES, tells_text=False
)
