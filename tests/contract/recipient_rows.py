"""Rows of the request: who it goes to, and what it says."""

from sms.webex.limits import LARGEST_TEXT_LIMIT, MOST_DESTINATIONS, TEXT_LIMIT
from tests.contract.asked import AREA, LEFT_OUT, NAMED, NUMBER, OTHER, PARAMETERS, TEMPLATE, Asked, text, to
from tests.contract.rows import row

RECIPIENTS = (
    row(
        "`channel`",
        "–",
        "always `sms`",
        "7003 if missing, 7004 if another",
        PARAMETERS,
        Asked({}, sent={"channel": "sms"}),
        Asked({"channel": ""}, "7003 channel", "7003 channel"),
        Asked({"channel": "rcs"}, "7004 channel", "7004 channel"),
    ),
    row(
        "`from`",
        "Compose, Sender; the list in the admin, Senders",
        "digits without `+`, or a name of 1 to 11 GSM-7 characters",
        "7003 if missing; a sender it does not know fails with 7101, by receipt or by switch in the reply",
        f"{PARAMETERS}; the missing `+`: later",
        Asked({"from": "+447700900000"}, sent={"from": "447700900000"}),
        Asked({"from": "T-Mobile"}, sent={"from": "T-Mobile"}),
        Asked({"from": ""}, "7003 from", "7003 from"),
        Asked({"from": "ABCDEFGHIJKL"}, "7101", outcome="invalid-sender"),
    ),
    row(
        "`to`",
        'Compose, "Who gets it"',
        "one object for each number; one object by default",
        "7003 if missing or empty",
        PARAMETERS,
        Asked({"to": []}, "7003 to", "7003 to"),
        Asked({"to": {}}, "7004 to", "7004 to"),
    ),
    row(
        "`to[]`, how many",
        "Set-up, batch size",
        f"at most {MOST_DESTINATIONS} numbers",
        f"7009 above {MOST_DESTINATIONS}; with a rate also above that",
        "later",
        Asked({"to": to() * (MOST_DESTINATIONS + 1)}, "7009", "7009"),
    ),
    row(
        "`to[].msisdn`",
        'Compose, "Who gets it"',
        "exactly one, E.164",
        "takes several; 7003 if none; one that cannot exist fails with 7102",
        PARAMETERS,
        Asked({"to": to(msisdn=[NUMBER, OTHER])}, sent={"to": to(msisdn=["447700900001"])}),
        Asked({"to": [{}]}, "7003 msisdn", "7003 msisdn"),
    ),
    row(
        "`to[].msisdn`, form",
        'Compose, "Who gets it"',
        "7 to 15 digits, with or without `+`",
        "takes both forms",
        PARAMETERS,
        Asked({"to": to(msisdn=["447700900001"])}, sent={"to": to(msisdn=["447700900001"])}),
        Asked({"to": to(msisdn=["07700900001"])}, sent=None, outcome="invalid-address"),
    ),
    row(
        "`to[].msisdn`, +E.164",
        'Set-up, "Numbers with +"',
        "with `+` where the service has the rule; `from` never",
        "a switch makes it refuse numbers without `+`",
        "seed, note at msisdn",
        Asked(
            {"to": to(msisdn=["447700900001"])},
            sent={"to": to()},
            outcome="invalid-address",
            switches={"plus": "required"},
            service={"e164_plus": True},
            words="to a service with +E.164",
        ),
    ),
    row(
        "`to[].substitutions`",
        "Compose, File: its columns",
        "the row's values under bare names where the provider fills them in: its templates, and texts of a batch; otherwise we fill "
        "them in, and pass on what nothing in a partner's text takes",
        "puts them in for `$(name)`",
        "seed, Request Body",
        Asked(
            {"to": to(substitutions={"name": "Ada"}), "content": NAMED},
            sent={"content": text("Hi Ada"), "substitutions": LEFT_OUT},
        ),
        Asked(
            TEMPLATE | {"to": to(substitutions=AREA)},
            sent={"template": {"id": "7K4QMPLE2R"}, "to": to(msisdn=["447700900001"], substitutions=AREA)},
        ),
        Asked(
            {"to": to(substitutions={"n": "Ada"}), "content": text("Hi ${n}")},
            sent={"content": text("Hi ${n}"), "to": to(msisdn=["447700900001"], substitutions={"n": "Ada"})},
        ),
        Asked({"to": to(substitutions={"name": None}), "content": NAMED}, "7003 substitutions"),
    ),
    row(
        "`to[].correlationId`",
        "–",
        "message, attempt and a keyed check, up to 50 bytes",
        "echoes it in reply and receipts",
        f"{PARAMETERS}; 50: sibling API",
        Asked({"to": to(correlationId="x" * 200)}, words="ours leaves"),
        Asked({"to": to(correlationId="x" * 201)}, "7004 correlationId"),
        Asked(
            {"to": to(correlationId="x" * 51)},
            "201",
            "7004 correlationId",
            switches={"long_correlation": "7004"},
        ),
    ),
    row(
        "`substitutions`",
        "–",
        "nothing: from the wire, defaults for all numbers become values of each",
        "used where the number has no value of its own",
        "seed, Request Body",
        Asked(
            {"to": to(substitutions={"name": "Ada"}), "substitutions": {"name": "you"}, "content": NAMED},
            sent={"content": text("Hi Ada"), "substitutions": LEFT_OUT},
        ),
        Asked({"substitutions": {"name": "you"}, "content": NAMED}, sent={"content": text("Hi you")}),
    ),
    row(
        "`substitutions`, missing value",
        "Review shows the row",
        "refused: no placeholder stays without value",
        "leaves the token as it is; a switch blanks it or fails with 7121",
        "not documented",
        Asked({"content": NAMED}, "7003 substitutions", outcome="delivered"),
        Asked(
            {"content": NAMED},
            "7003 substitutions",
            outcome="missing-value",
            switches={"missing_value": "7121"},
        ),
    ),
)

CONTENT = (
    row(
        "`content` or `template`",
        "Compose, Text or Template",
        "exactly one",
        "7003 for none, 7004 for both",
        PARAMETERS,
        Asked({"content": LEFT_OUT}, "7003 content", "7003 content"),
        Asked({"template": {"id": "7K4QMPLE2R"}}, "7004 template", "7004 template"),
    ),
    row(
        "`$(` that begins no placeholder",
        "Compose, Text",
        "refused beside values, plain words without",
        "leaves it as it is",
        "not documented",
        Asked({"content": text("5 $( off")}, sent={"content": text("5 $( off")}),
    ),
    row(
        "`content.type`",
        "decided from the text",
        "`text` for GSM-7, `unicode` otherwise",
        "7126 for anything else, by switch 7004",
        PARAMETERS,
        Asked({"content": text("żółć", "unicode")}, sent={"content": text("żółć", "unicode")}),
        Asked({"content": text("Hello", "flash")}, "7126", "7126"),
        Asked(
            {"content": text("Hello", "flash")}, "7126", "7004 content.type", switches={"bad_type": "7004"}
        ),
    ),
    row(
        "`content.text`",
        "Compose, Text",
        "UTF-8, line ends as `\\n`, which is how they are counted",
        "7003 if empty",
        PARAMETERS,
        Asked({"content": text("one\r\ntwo")}, sent={"content": text("one\ntwo")}),
        Asked({"content": text("")}, "7003 content.text", "7003 content.text"),
    ),
    row(
        "`content.text`, length",
        "Set-up, text limit",
        f"at most {TEXT_LIMIT} characters after substitution ({LARGEST_TEXT_LIMIT} on newer tenants)",
        "above its limit the message fails with 7107",
        f"{PARAMETERS}; {LARGEST_TEXT_LIMIT}: later",
        Asked({"content": text("x" * TEXT_LIMIT)}, outcome="delivered"),
        Asked({"content": text("x" * (TEXT_LIMIT + 1))}, "7107", outcome="too-long"),
        Asked(
            {"content": text("x" * LARGEST_TEXT_LIMIT)},
            outcome="too-long",
            service={"text_limit": LARGEST_TEXT_LIMIT},
            words="by a service of a newer tenant",
        ),
    ),
    row(
        "`template.id`",
        "Compose, Template; its id in the admin, Message templates",
        "the id as it is",
        "7108 if it does not know it",
        "seed, Using Templates",
        Asked(
            TEMPLATE | {"substitutions": AREA}, sent={"template": {"id": "7K4QMPLE2R"}, "content": LEFT_OUT}
        ),
        Asked({"template": {"id": "NOBODY"}, "content": LEFT_OUT}, "7108", "7108"),
    ),
)
