"""One example per operation, by its id: the JSON sent, and the JSON answered by status. A test holds each to its schema."""

from typing import Any

from sms.api.v1.example_resources import (
    AT,
    AUDIENCE,
    CALLBACK,
    DOMAIN,
    ENDPOINT,
    FIGURES,
    LATER,
    MESSAGE,
    OPT_OUT,
    PLAN,
    POLICY_GROUP,
    SEND,
    SENDER,
    TEMPLATE,
)

PROBLEM: dict[str, Any] = {
    "type": "urn:textdesk:problem:invalid",
    "title": "The request cannot be used as it stands.",
    "status": 400,
    "code": "invalid",
    "detail": "recipients[2]: The number is missing. Write it as a text.",
    "errors": [
        {
            "field": "recipients[2]",
            "code": "invalid",
            "detail": "The number is missing. Write it as a text.",
            "row": 3,
        }
    ],
}


def _page(item: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"items": [item], "next_cursor": None}}


def _same(item: dict[str, Any]) -> dict[str, Any]:
    return {"request": {}, "200": item}


STOPPED = {"stopped": 1, "state": "cancelled"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "sends_list": _page(SEND),
    "sends_read": {"200": SEND},
    "sends_create": {
        "request": {
            "template": "order_shipped",
            "sender": "TEXTDESK",
            "recipients": [
                {"number": "+447700900001", "values": {"name": "Ada", "order": "4711"}},
                {"number": "07700 900002", "values": {"name": "Alan", "order": "4712"}},
            ],
            "fillings": {"name": {"fallback": "friend"}},
            "receipts": ["SUBMITTED", "DELIVERED", "FAILED"],
            "validity": 3600,
        },
        "201": SEND,
        "200": PLAN,
    },
    "sends_cancel": _same(STOPPED),
    "sends_stop": _same(STOPPED),
    "sends_pause": {"request": {"because": "The shop is down"}, "200": SEND | {"held": True}},
    "sends_resume": _same(SEND),
    "sends_reschedule": {
        "request": {"send_at": "2026-03-03T09:15:00Z"},
        "200": SEND | {"state": "scheduled", "send_at": "2026-03-03T09:15:00Z"},
    },
    "sends_messages": _page(MESSAGE),
    "sends_rejects": _page(
        {"row": 3, "value": "•••", "code": "duplicate", "reason": "The same number is already in row 1."}
    ),
    "audiences_list": _page(AUDIENCE),
    "audiences_read": {"200": AUDIENCE},
    "audiences_create": {
        "request": {"name": "Customers", "csv": "mobile,name\n+447700900001,Ada\n"},
        "201": AUDIENCE,
    },
    "audiences_replace": {"request": {"csv": "mobile,name\n+447700900001,Ada\n"}, "201": AUDIENCE},
    "audiences_change": {"request": {"note": "From the shop"}, "200": AUDIENCE | {"note": "From the shop"}},
    "audiences_remove": {},
    "audiences_archive": _same(AUDIENCE | {"archived_at": LATER}),
    "audiences_bring_back": _same(AUDIENCE),
    "audiences_versions": _page(AUDIENCE["current"]),
    "audiences_rejects": _page(
        {"row": 3, "value": "•••", "code": "duplicate", "reason": "The same number is already in row 1."}
    ),
    "messages_list": _page(MESSAGE),
    "messages_search": {"request": {"number": "+447700900001"}} | _page(MESSAGE),
    "messages_read": {
        "200": MESSAGE
        | {
            "text": "Hi Ada, order 4711 is on its way.",
            "timeline": [
                {"at": AT, "event": "composed", "code": "", "detail": "Row 1"},
                {"at": AT, "event": "posted", "code": "", "detail": "Attempt 1"},
                {"at": LATER, "event": "delivered", "code": "7500", "detail": "Delivered"},
            ],
        }
    },
    "templates_list": _page(TEMPLATE),
    "templates_read": {"200": TEMPLATE},
    "senders_list": _page(SENDER),
    "senders_read": {"200": SENDER},
    "policy_groups_list": _page(POLICY_GROUP),
    "policy_groups_read": {"200": POLICY_GROUP},
    "domains_list": _page(DOMAIN),
    "domains_read": {"200": DOMAIN},
    "opt_outs_list": _page(OPT_OUT),
    "opt_outs_read": {"200": OPT_OUT},
    "opt_outs_search": {"request": {"number": "+447700900002"}} | _page(OPT_OUT),
    "opt_outs_add": {
        "request": {"numbers": ["+447700900002"], "evidence": "Asked by telephone, ticket 4711"},
        "201": {"added": 1, "already": 0},
    },
    "opt_outs_lift": {
        "request": {"numbers": ["+447700900002"], "reason": "Asked for it in writing"},
        "200": {"lifted": 1},
    },
    "endpoints_list": _page(ENDPOINT),
    "endpoints_read": {"200": ENDPOINT},
    "endpoints_create": {
        "request": {
            "name": "Order system",
            "url": "https://partner.example/textdesk",
            "events": ["message.delivered", "message.failed"],
        },
        "201": ENDPOINT
        | {
            "verified_at": None,
            "last_ok_at": None,
            "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        },
    },
    "endpoints_change": {"request": {"name": "Orders"}, "200": ENDPOINT | {"name": "Orders"}},
    "endpoints_remove": {},
    "endpoints_verify": _same(ENDPOINT),
    "endpoints_rotate_secret": _same(
        {"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "before_until": LATER}
    ),
    "endpoints_pause": _same(ENDPOINT | {"paused_at": LATER}),
    "endpoints_resume": _same(ENDPOINT),
    "endpoints_replay": {"request": {"since": AT, "until": LATER}, "200": {"replayed": 12}},
    "callbacks_list": _page(CALLBACK),
    "callbacks_read": {
        "200": CALLBACK
        | {
            "body": '{"type":"message.delivered","timestamp":"2026-03-02T09:20:00.000Z","data":{"message":90211,"send":812}}',
            "log": [{"at": LATER, "status": 200, "milliseconds": 42, "error": "", "reply": ""}],
        }
    },
    "callbacks_replay": _same({"replayed": 1}),
    "reports_sends": _page({"send": 812, "name": SEND["name"], "state": "finished", "send_at": AT} | FIGURES),
    "reports_days": {"200": [{"day": "2026-03-02"} | FIGURES]},
    "v2_send": {
        "request": {
            "channel": "sms",
            "from": "TEXTDESK",
            "to": [{"msisdn": ["447700900001"], "correlationId": "order-4711"}],
            "content": {"type": "text", "text": "Hi Ada, order 4711 is on its way."},
        },
        "201": {
            "requestTimestamp": "2026-03-02T09:15:04.101Z",
            "messageId": "1a2b3c4d-0000-4000-8000-000000000000",
            "correlationId": "order-4711",
            "status": "queued",
        },
    },
    "v2_read": {"200": {"messageId": "1a2b3c4d-0000-4000-8000-000000000000", "status": "Delivered"}},
    "receipts_take": {
        "request": {
            "deliveryInfoNotification": {
                "deliveryInfo": {
                    "timeStamp": "2026-03-02T09:15:07.412Z",
                    "Description": "Delivered",
                    "code": "7500",
                    "messageCount": "1",
                    "deliveryChannel": "SMS",
                    "destination": "447700900001",
                    "destinationType": "msisdn",
                    "deliveryStatus": "Delivered",
                },
                "subtid": "",
                "transid": "1a2b3c4d-0000-4000-8000-000000000000",
                "callbackData": "",
                "correlationid": "1xlv-1-3f9a2c",
            }
        }
    },
    "inbound_take": {"request": {"from": "447700900001", "to": "72345", "text": "STOP"}},
}
