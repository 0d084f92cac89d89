"""Rows of receipts and incoming SMS."""

from tests.contract.reported import BEFORE, OURS, SECRET, Incoming, Reported
from tests.contract.rows import Part, row

DELIVERED = {"code": "7500", "deliveryStatus": "Delivered"}
PHONE = {"oa": "447700900001", "da": "TEXTDESK", "tid": "0044_1"}

RECEIPT = Part(
    "Receipt",
    ("field", "set by a person", "what we make of it", "what the sandbox does", "source", "examples"),
    (
        row(
            "Submitted 7501",
            "–",
            "submitted",
            "sends it first",
            "later",
            Reported({"code": "7501", "deliveryStatus": "Submitted"}, becomes={"state": "submitted"}),
        ),
        row(
            "Delivered 7500",
            "–",
            "delivered",
            "by number, the default",
            "later",
            Reported(DELIVERED, becomes={"state": "delivered", "code": "7500"}),
        ),
        row(
            "Un-Delivered, Failed",
            "–",
            "failed, with its code",
            "002, 003, 010, 011, 012",
            "later",
            Reported(
                {"code": "7208", "deliveryStatus": "Un-Delivered"},
                becomes={"state": "failed", "code": "7208"},
            ),
            Reported(
                {"code": "7101", "deliveryStatus": "Failed"}, becomes={"state": "failed", "code": "7101"}
            ),
        ),
        row(
            "Clicked 7528: `url|ip`, user agent",
            "–",
            "a click",
            "when a link is opened",
            "seed, trackClicks; shape: later",
            Reported(
                {
                    "code": "7528",
                    "deliveryStatus": "Clicked",
                    "Description": "https://shop.example/?a=1|192.0.2.44",
                    "additionalInfo": "Mozilla/5.0",
                },
                becomes={
                    "clicked": "https://shop.example/?a=1",
                    "from address": "192.0.2.44",
                    "by": "Mozilla/5.0",
                },
            ),
        ),
        row(
            "`code` against `deliveryStatus`",
            "–",
            "the code decides",
            "by switch, Submitted with 7102 as the printed sample",
            "later",
            Reported(
                {"code": "7102", "deliveryStatus": "Submitted"}, becomes={"state": "failed", "code": "7102"}
            ),
            Reported({"code": "7500", "deliveryStatus": "Failed"}, becomes={"state": "delivered"}),
        ),
        row(
            "code not documented",
            "–",
            "the status decides; a word not documented changes nothing",
            "–",
            "ours",
            Reported(
                {"code": "7999", "deliveryStatus": "Un-Delivered"},
                becomes={"state": "failed", "code": "7999"},
            ),
            Reported({"code": "7999", "deliveryStatus": "Pondering"}, becomes={"state": "queued"}),
        ),
        row(
            "`correlationid`",
            "–",
            "finds the message, in each of the documented spellings",
            "echoed in this spelling",
            "later",
            Reported(outer={"correlationid": OURS}, becomes={"state": "delivered"}),
            Reported(outer={"correlationId": OURS}, becomes={"state": "delivered"}),
            Reported(outer={"corelationid": OURS}, becomes={"state": "delivered"}),
        ),
        row(
            "`transid`",
            "–",
            "provider id",
            "the reply's `messageId`",
            "later",
            Reported(outer={"transid": "t-77"}, read={"provider_id": "t-77"}),
        ),
        row(
            "`timeStamp`",
            "–",
            "a moment with its offset; missing if it cannot be meant",
            "UTC, or an offset by switch",
            "later",
            Reported({"timeStamp": "2026-03-02T07:00:00-0500"}, read={"at": "2026-03-02T07:00:00-05:00"}),
            Reported({"timeStamp": "yesterday"}, becomes={"state": "delivered"}, read={"at": None}),
        ),
        row(
            "`messageCount`",
            "–",
            "segments",
            "final receipts only",
            "later",
            Reported({"messageCount": "2"}, becomes={"segments": 2}),
            Reported({"messageCount": 3}, becomes={"segments": 3}),
            Reported({"messageCount": "many"}, becomes={"segments": None}),
        ),
        row(
            "`carrier`, `carrierSubmitTimeStamp`",
            "–",
            "kept, on either level",
            "final receipts only; the time by switch, on either level",
            "later",
            Reported(outer={"carrier": "GBEEL"}, becomes={"carrier": "GBEEL"}),
            Reported(
                {"carrierSubmitTimeStamp": "2026-03-02T09:15:05Z"},
                read={"carrier_submitted_at": "2026-03-02T09:15:05+00:00"},
            ),
            Reported(
                outer={"carrierSubmitTimeStamp": "2026-03-02T09:15:05Z"},
                read={"carrier_submitted_at": "2026-03-02T09:15:05+00:00"},
            ),
        ),
        row(
            "`attemptedUpgradeto`, `upgradeResult`",
            "–",
            "kept",
            "by switch, in each of the documented pairs",
            "later",
            Reported(
                {"attemptedUpgradeto": "Branded Text", "upgradeResult": "Fallback to SMS"},
                read={"upgrade": "Branded Text", "upgrade_result": "Fallback to SMS"},
            ),
        ),
        row(
            "`destination`",
            "–",
            "with `+`",
            "without `+`, by switch with it",
            "later",
            Reported({"destination": "447700900001"}, read={"destination": "+447700900001"}),
            Reported({"destination": "+447700900001"}, read={"destination": "+447700900001"}),
        ),
        row(
            "unknown keys, other types",
            "–",
            "ignored, missing",
            "a switch adds some",
            "later",
            Reported(
                {"code": 7500, "colour": ["blue"]},
                {"carrier": {}},
                becomes={"state": "delivered", "carrier": ""},
            ),
        ),
        row(
            "body that is no receipt",
            "–",
            "Unreadable; the raw body stays",
            "–",
            "ours",
            Reported(raw="{}", becomes={"set aside": "unreadable", "state": "queued"}),
            Reported(raw="<html>", becomes={"set aside": "unreadable"}),
        ),
        row(
            "`x-hub-signature` of a webhook",
            'Set-up, "Signature secret"; a new one keeps the previous',
            "SHA-256 or SHA-512 over the raw bytes, two secrets during rotation; asked for once one has fitted",
            "signs when it has a secret",
            "later",
            Reported(signed=("sha256", SECRET), becomes={"state": "delivered"}),
            Reported(signed=("sha256", BEFORE), becomes={"state": "delivered"}),
            Reported(signed=("sha256", "another"), answer=401),
            Reported(signed=("sha256", "another"), proved=False, becomes={"state": "delivered"}),
        ),
        row(
            "`x-hub-signature` at a notifyUrl",
            'Set-up, "Receipts by notifyUrl are signed too"',
            "not asked for, unless the service says so",
            "by switch",
            "later",
            Reported(becomes={"state": "delivered"}),
        ),
        row(
            "`x-hub-signature`, SHA-1",
            "–",
            "refused",
            "by switch, as old webhooks",
            "later",
            Reported(signed=("sha1", SECRET), answer=401),
        ),
    ),
    before="An example is what a receipt for a posted message has beside, or instead of, the usual one (7500, Delivered). It is posted to\n"
    "the service's receipt address; at the right is what then holds of the message, or how the body is read.",
)

INCOMING = Part(
    "Incoming SMS",
    ("field", "set by a person", "what we make of it", "what the sandbox does", "source", "examples"),
    (
        row(
            "`oa`, `da`",
            "–",
            "handset and our number, as the samples have it",
            "posts it on demand",
            "later",
            Incoming(PHONE | {"message": "Hello"}, {"msisdn": "+447700900001", "address": "TEXTDESK"}),
            Incoming(PHONE | {"da": ["TEXTDESK"], "message": "Hello"}, {"address": "TEXTDESK"}),
            Incoming({"message": "Hello"}, {"why": "unreadable"}),
        ),
        row(
            "`message`",
            "–",
            "text and keyword (STOP and friends)",
            "as injected",
            "later",
            Incoming(PHONE | {"message": "Stop, please"}, {"text": "Stop, please", "meaning": "stop"}),
            Incoming(PHONE | {"message": "HELP"}, {"meaning": "help"}),
            Incoming(PHONE | {"message": "Ja ✔"}, {"text": "Ja ✔", "meaning": ""}),
        ),
        row(
            "`userId`, `userld`, `Channel`, `channel`",
            "–",
            "nothing, in either spelling",
            "the spelling of the samples, by switch the others",
            "later",
            Incoming(PHONE | {"userId": "8765", "Channel": "SMS", "message": "Hello"}, {"text": "Hello"}),
            Incoming(PHONE | {"userld": "8765", "channel": "sms", "message": "Hello"}, {"text": "Hello"}),
        ),
    ),
)
