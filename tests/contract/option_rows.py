"""Rows of the request: receipts, times, policy, and what else is optional."""

from sms.webex.limits import AHEAD, LONGEST_BATCH_ID, LONGEST_CALLBACK_DATA, LONGEST_VALIDITY, RECEIPTS
from tests.contract.asked import LEFT_OUT, PARAMETERS, Asked, linked
from tests.contract.rows import row

HOURS = LONGEST_VALIDITY // 3600
CLICKED = sorted(RECEIPTS)
TRACKED = linked(shortenLinks=True, trackClicks=True)

RECEIPTS_AND_TIMES = (
    row(
        "`requestedReceipts`",
        'Compose, "Receipts to ask for"',
        "SUBMITTED, DELIVERED, FAILED, and CLICKED with tracked links, unless chosen otherwise",
        "sends only those asked for; all where none is",
        PARAMETERS,
        Asked({}, sent={"requestedReceipts": ["SUBMITTED", "DELIVERED", "FAILED"]}),
        Asked(
            {"requestedReceipts": ["FAILED"]},
            sent={"requestedReceipts": ["SUBMITTED", "DELIVERED", "FAILED"]},
            words="a partner's choice is applied when its receipts are passed on",
        ),
        Asked({"requestedReceipts": ["READ"]}, "7004 requestedReceipts", "7004 requestedReceipts"),
    ),
    row(
        "`requestedReceipts`, CLICKED",
        'Compose, "Clicks"',
        "only with `shortenLinks` and `trackClicks`",
        "never sends it without both",
        "seed, Request Body",
        Asked(
            TRACKED | {"requestedReceipts": CLICKED},
            sent={"requestedReceipts": ["SUBMITTED", "DELIVERED", "FAILED", "CLICKED"]},
        ),
        Asked(
            {"requestedReceipts": ["CLICKED"]},
            sent={"requestedReceipts": ["SUBMITTED", "DELIVERED", "FAILED"]},
        ),
    ),
    row(
        "`sendAt`",
        "Compose, When: the portal holds the message until due",
        f"nothing: a partner's is held here too, at most {AHEAD.days} days ahead",
        f"holds it; 7004 beyond {AHEAD.days} days or unreadable; one in the past goes at once, by switch 7004",
        PARAMETERS,
        Asked({"sendAt": "2026-03-04T09:00:00.000Z"}, sent=None),
        Asked({"sendAt": "2026-03-02T08:59:00.000Z"}, sent={"sendAt": LEFT_OUT}, outcome="delivered"),
        Asked({"sendAt": "2026-03-09T09:10:00.000Z"}, "7004 sendAt", "7004 sendAt"),
        Asked({"sendAt": "tomorrow"}, "7004 sendAt", "7004 sendAt"),
    ),
    row(
        "`sendAt`, notation",
        "–",
        "`2024-09-26T13:47:18.000Z`, always UTC, milliseconds",
        "7004 for any other notation; by switches an offset, or UTC where no zone is given. We take both",
        PARAMETERS,
        Asked({"sendAt": "2026-03-04T09:00:00Z"}, sent=None),
        Asked({"sendAt": "2026-03-04T10:00:00+01:00"}, "201", "7004 sendAt", sent=None),
        Asked(
            {"expireAt": "2026-03-04T10:00:00+01:00"},
            "201",
            "7004 expireAt",
            sent={"expireAt": "2026-03-04T09:00:00.000Z"},
        ),
        Asked(
            {"expireAt": "2026-03-04T10:00:00+01:00"},
            switches={"offset_time": "take"},
            sent={"expireAt": "2026-03-04T09:00:00.000Z"},
        ),
        Asked({"sendAt": "2026-03-04T09:00:00"}, "201", "7004 sendAt", sent=None),
        Asked({"sendAt": "2026-03-04T09:00:00"}, switches={"zoneless_time": "utc"}, sent=None),
    ),
    row(
        "`expireAt`",
        "Compose, Expires: after it the portal posts nothing more",
        f"the send's expiry once it is less than {AHEAD.days} days ahead; always after `sendAt`",
        f"un-delivered with 7208 if not processed by then; 7004 beyond {AHEAD.days} days",
        f"{PARAMETERS}; {AHEAD.days} days: later",
        Asked({"expireAt": "2026-03-04T09:00:00.000Z"}, sent={"expireAt": "2026-03-04T09:00:00.000Z"}),
        Asked({"expireAt": "2026-03-02T08:59:00.000Z"}, "7004 expireAt", outcome="expired-before-sending"),
        Asked({"expireAt": "2026-03-09T09:10:00.000Z"}, "7004 expireAt", "7004 expireAt"),
    ),
    row(
        "`expireAt` and `validity`",
        "–",
        "never both",
        "7004 for both",
        "seed, note at validity",
        Asked({"expireAt": "2026-03-04T09:00:00.000Z", "validity": "60"}, "7004 validity", "7004 validity"),
    ),
    row(
        "`validity`",
        'Compose, "How long"',
        f"seconds as text, 1 to {LONGEST_VALIDITY} ({HOURS} h)",
        "takes text and number; 7004 outside these",
        f"{PARAMETERS}; {HOURS} h: later",
        Asked(
            {"validity": str(LONGEST_VALIDITY)},
            sent={"validity": str(LONGEST_VALIDITY), "expireAt": LEFT_OUT},
        ),
        Asked({"validity": 60}, sent={"validity": "60", "expireAt": LEFT_OUT}),
        Asked({"validity": "0"}, "7004 validity", "7004 validity"),
        Asked({"validity": LONGEST_VALIDITY + 1}, "7004 validity", "7004 validity"),
    ),
    row(
        "`validity` with `sendAt`",
        "–",
        "the validity at that time: we hold the message until then, and not longer than both together",
        "expires at `sendAt` plus `validity`",
        "seed, note at validity",
        Asked({"sendAt": "2026-03-04T09:00:00.000Z", "validity": "60"}, sent=None),
    ),
)

THE_REST = (
    row(
        "`callbackData`",
        'Compose, "Callback data"',
        f"up to {LONGEST_CALLBACK_DATA} characters; nothing of ours is in it, our key travels in `correlationId`",
        "7004 above; echoes it in each receipt",
        PARAMETERS,
        Asked({"callbackData": "x" * LONGEST_CALLBACK_DATA}),
        Asked({"callbackData": "x" * (LONGEST_CALLBACK_DATA + 1)}, "7004 callbackData", "7004 callbackData"),
    ),
    row(
        "`notifyUrl`",
        'made by us; shown in Set-up, "Receipt addresses"; the address of a copy is Compose, "Pass receipts on to"',
        "our receipt address, https and no spaces; http only to this machine",
        "posts receipts there; takes one that is none and never calls it, by switch 7004",
        f"{PARAMETERS}; spaces: later",
        Asked({"notifyUrl": "https://partner.example/receipts"}, words="ours leaves"),
        Asked({"notifyUrl": "partner"}, words="the reply says that it is not called"),
        Asked({"notifyUrl": "partner"}, theirs="7004 notifyUrl", switches={"bad_notify_url": "7004"}),
    ),
    row(
        "`notifyUrlAuthId`",
        'Compose, "Authorization for receipts"; Set-up, "Authorization for receipts"',
        "the id beside our receipt address; one of another form is ignored from the wire",
        "parks the receipts where its form is another",
        "later",
        Asked({"notifyUrlAuthId": "TNQZ4821PD"}, sent={"notifyUrlAuthId": "TNQZ4821PD"}),
        Asked({"notifyUrlAuthId": "TN Q"}, sent={"notifyUrlAuthId": LEFT_OUT}),
    ),
    row(
        "`contactPolicy.contactPolicyGroup`",
        'Compose, "Contact-policy group"; the list in the admin, Contact-policy groups',
        "whenever there is a policy",
        "7003 if missing, by switch 7004; looks at consent and cap of its group when the message goes out; 9005 or 9007 if there is none",
        PARAMETERS,
        Asked(
            {"contactPolicy": {"contactPolicyGroup": "G", "channelCheckConsent": True}},
            sent={"contactPolicy": {"contactPolicyGroup": "G", "channelCheckConsent": True}},
            outcome="policy-group",
        ),
        Asked(
            {"contactPolicy": {"channelCheckConsent": True}},
            "7003 contactPolicyGroup",
            "7003 contactPolicyGroup",
        ),
    ),
    row(
        "`contactPolicy.channelCheckConsent`",
        'Compose, "Check consent"; the admin, Contact-policy groups, "Require opt-in"',
        "`true`, or left out",
        "fails with 9002 (refused), 9003 (no record) or 9010 (over)",
        PARAMETERS,
        Asked({"contactPolicy": {"contactPolicyGroup": "G"}}, "7004 contactPolicy", "7004 contactPolicy"),
    ),
    row(
        "`contactPolicy.channelApplyFrequencyCap`",
        'Compose, "Apply the frequency cap"; the admin, Contact-policy groups, "Enforce frequency cap"',
        "`true`, or left out",
        "over the cap of the UTC day, week or month fails with 9006",
        PARAMETERS,
        Asked(
            {
                "contactPolicy": {
                    "contactPolicyGroup": "G",
                    "channelCheckConsent": False,
                    "channelApplyFrequencyCap": "true",
                }
            },
            sent={"contactPolicy": {"contactPolicyGroup": "G", "channelApplyFrequencyCap": True}},
        ),
    ),
    row(
        "`batchId`",
        'Compose, "Batch id"',
        f"as given, up to {LONGEST_BATCH_ID} characters",
        "ignores it",
        "later",
        Asked({"batchId": "B-1"}, sent={"batchId": "B-1"}),
        Asked({"batchId": "x" * (LONGEST_BATCH_ID + 1)}, "7004 batchId"),
    ),
)
