"""One example per operation, by its id: the JSON sent, and the JSON answered by status. A test holds each to its schema."""

from typing import Any

AT, LATER = "2026-03-02T09:15:00Z", "2026-03-02T09:20:00Z"

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
SEND: dict[str, Any] = {
    "id": 812,
    "name": "order_shipped · 02 Mar 09:15",
    "client_reference": "",
    "state": "sending",
    "held": False,
    "approval": None,
    "sender": "TEXTDESK",
    "text": "Hi $(name), order $(order) is on its way.",
    "template": "order_shipped",
    "policy_group": None,
    "link_domain": None,
    "labels": ["spring-sale"],
    "audience": None,
    "send_at": AT,
    "expires_at": None,
    "lane": "normal",
    "resend": "never",
    "ramp": False,
    "callback_data": "",
    "track_clicks": False,
    "tag1": "",
    "tag2": "",
    "check_consent": None,
    "apply_frequency_cap": None,
    "receipts": ["SUBMITTED", "DELIVERED", "FAILED"],
    "validity": 3600,
    "test": False,
    "recipients": 2,
    "rejected": 0,
    "counts": {"pending": 1, "queued": 1},
    "created_at": AT,
    "cancelled_at": None,
}
MESSAGE: dict[str, Any] = {
    "id": 90211,
    "send": 812,
    "number": "+44 7700 ••• 001",
    "row": 1,
    "state": "delivered",
    "code": "7500",
    "detail": "Delivered",
    "segments": 1,
    "segments_billed": 1,
    "provider_id": "1a2b3c4d-0000-4000-8000-000000000000",
    "posted_at": AT,
    "queued_at": AT,
    "submitted_at": AT,
    "final_at": LATER,
}
AUDIENCE: dict[str, Any] = {
    "id": 12,
    "name": "Customers",
    "note": "From the shop, every Monday",
    "current": {
        "version": 2,
        "source": "customers.csv",
        "country": "GB",
        "headings": ["mobile", "name"],
        "column": "mobile",
        "recipients": 4120,
        "rejected": 3,
        "uploaded_at": AT,
        "erased_at": None,
    },
    "created_at": AT,
    "archived_at": None,
}
TEMPLATE: dict[str, Any] = {
    "id": 3,
    "name": "order_shipped",
    "text": "Hi $(name), order $(order) is on its way.",
    "provider_template_id": "",
    "placeholders": ["name", "order"],
    "active": True,
    "changed_at": AT,
}
SENDER: dict[str, Any] = {
    "id": 1,
    "address": "TEXTDESK",
    "kind": "alphanumeric",
    "is_default": True,
    "active": True,
}
POLICY_GROUP: dict[str, Any] = {
    "id": 2,
    "name": "demo-marketing",
    "group_id": "G-1001",
    "check_consent": True,
    "apply_frequency_cap": False,
    "description": "News and offers",
    "active": True,
}
DOMAIN: dict[str, Any] = {
    "id": 4,
    "host": "go.example.com",
    "region": "uk",
    "dns_kind": "CNAME",
    "dns_target": "links.example.net",
    "state": "healthy",
    "says": "DNS and certificate are right, and links work.",
    "checked_at": "2026-03-02T09:00:00Z",
    "active": True,
}
OPT_OUT: dict[str, Any] = {
    "id": 51,
    "number": "+44 7700 ••• 002",
    "source": "api",
    "evidence": "Asked by telephone, ticket 4711",
    "send": None,
    "at": AT,
    "lifted_at": None,
    "lifted_because": "",
}
ENDPOINT: dict[str, Any] = {
    "id": 7,
    "name": "Order system",
    "kind": "ours",
    "url": "https://partner.example/textdesk",
    "events": ["message.delivered", "message.failed"],
    "full_numbers": False,
    "verified_at": AT,
    "paused_at": None,
    "disabled_at": None,
    "disabled_because": "",
    "last_ok_at": LATER,
    "created_at": AT,
}
CALLBACK: dict[str, Any] = {
    "id": 3301,
    "endpoint": 7,
    "event_id": "evt_90211_delivered",
    "kind": "message.delivered",
    "message": 90211,
    "state": "delivered",
    "created_at": AT,
    "next_at": None,
    "done_at": LATER,
    "tries": 1,
    "last_status": 200,
    "last_error": "",
}
FIGURES: dict[str, Any] = {
    "recipients": 2,
    "posted": 2,
    "delivered": 1,
    "failed": 0,
    "unconfirmed": 0,
    "no_report": 0,
    "counts": {"delivered": 1, "queued": 1},
    "coverage": 0.5,
}
PLAN: dict[str, Any] = {
    "made_at": AT,
    "recipients": 2,
    "rejected": 1,
    "removed": [
        {
            "code": "duplicate",
            "reason": "The same number is already in row 1.",
            "count": 1,
            "rows": [3],
        }
    ],
    "encoding": "gsm7",
    "encodings": {"gsm7": 2, "ucs2": 0, "unknown": 0},
    "segments": {"worst": 1, "typical": 1, "total": 2},
    "segments_range": {"least": 2, "most": 2},
    "countries": [
        {
            "country": "GB",
            "recipients": 2,
            "least": 2,
            "most": 2,
            "price": "0.045000",
            "currency": "EUR",
            "cost_least": "0.090000",
            "cost_most": "0.090000",
        }
    ],
    "cost": {
        "entered": True,
        "sums": [{"currency": "EUR", "least": "0.090000", "most": "0.090000"}],
        "unpriced": 0,
        "says": "At the prices entered, for messages that the provider takes.",
    },
    "policy": None,
    "deferred": {"quiet_hours": "", "messages": 0, "until": []},
    "ahead": 0,
    "rate": None,
    "start_at": AT,
    "finish_at": None,
    "finish_latest_at": None,
    "too_late": 0,
    "forecast": "The service has no contracted rate, so the end cannot be foreseen.",
    "warnings": [],
    "cautions": [
        {
            "code": "opt_out",
            "text": "It does not say how to opt out. Marketing needs it: add “Reply STOP to opt out”.",
        }
    ],
    "approval": {"approvers": 0, "rules": [], "eligible": 0, "says": ""},
    "row": 1,
    "request": {
        "from": "TEXTDESK",
        "to": [{"msisdn": ["447700900001"], "correlationId": "(made when it is sent)"}],
        "content": {"type": "text", "text": "Hi Ada, order 4711 is on its way."},
        "requestedReceipts": ["SUBMITTED", "DELIVERED", "FAILED"],
        "notifyUrl": "https://desk.example.com/receipts/…/",
    },
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
