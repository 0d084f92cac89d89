"""Rows of the request: the spellings of the provider's samples, and of real programs."""

from tests.contract.asked import (
    AREA,
    DOMAIN,
    LEFT_OUT,
    NAMED,
    NUMBER,
    PARAMETERS,
    SMART,
    TEMPLATE,
    Asked,
    linked,
    text,
    to,
)
from tests.contract.rows import row
from tests.support.link_fields import all_six

SPELLINGS = (
    row(
        "the seed's first sample",
        "–",
        "never with empty texts",
        "takes it, without `validity` beside `expireAt`",
        "seed, Request Body",
        Asked(
            {
                "to": [{"msisdn": [NUMBER], "substitutions": {"a": "1", "b": "2"}, "correlationId": ""}],
                "substitutions": {"c": "3", "d": "4"},
                "options": {
                    "trackClicks": "true",
                    "shortenLinks": "true",
                    "domain": "https://s.imiconnect.co",
                },
                "requestedReceipts": ["SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"],
                "content": text("This is sample content"),
                "sendAt": "2026-03-04T09:00:00.0Z",
                "validity": "60",
                "callbackData": "",
                "notifyUrl": "",
                "contactPolicy": {
                    "contactPolicyGroup": "G",
                    "channelCheckConsent": True,
                    "channelApplyFrequencyCap": True,
                },
            },
            sent=None,
        ),
    ),
    row(
        "the seed's sample with a template",
        "–",
        "as the sample",
        "takes it",
        "seed, Using Templates",
        Asked(
            TEMPLATE
            | {
                "to": [{"msisdn": [NUMBER], "correlationId": "", "substitutions": {"area": "North"}}],
                "substitutions": {"offerName": "Spring"},
                "callbackData": "",
                "notifyUrl": "",
            },
            sent={"template": {"id": "7K4QMPLE2R"}},
        ),
    ),
    row(
        "the seed's sample with a smartlink",
        "–",
        "as the sample",
        "takes it",
        "seed, Sending SMS with Smartlinks",
        Asked(
            {
                "to": [{"msisdn": [NUMBER], "substitutions": {"a": "1"}, "correlationId": ""}],
                "substitutions": {"b": "2"},
                "smartlinks": [{"smartlinkId": 4371, "validity": 1}],
                "content": text("Hi {{smartlink_4371}}, API V2 with smartlink"),
                "callbackData": "",
                "notifyUrl": "",
            },
            sent={"smartlinks": [{"smartlinkId": 4371, "validity": 1}]},
        ),
    ),
    row(
        "unknown fields",
        "–",
        "none",
        "ignores them, and so do we; by switch 7004",
        "not documented",
        Asked({"colour": "blue"}, sent={"colour": LEFT_OUT}),
        Asked({"colour": "blue"}, theirs="7004 colour", switches={"unknown_field": "7004"}),
    ),
    row(
        "quoted booleans",
        "–",
        "never",
        'takes `true` and `"true"`; we take them in any case',
        "seed, samples against table",
        Asked(
            linked(shortenLinks="True", trackClicks="TRUE"),
            "201",
            "7004 shortenLinks",
            sent={"options": all_six(shortenLinks=True, trackClicks=True, domain=DOMAIN)},
        ),
        Asked(
            linked(shortenLinks="true", trackClicks="false"),
            sent={"options": all_six(shortenLinks=True, domain=DOMAIN)},
        ),
    ),
    row(
        "numbers for text, text for numbers",
        "–",
        "never",
        "takes both for `smartlinkId` and `validity`, 7004 for a number elsewhere; we take both",
        "seed, samples against table",
        Asked({"from": 72345}, "201", "7004 from", sent={"from": "72345"}),
        Asked(
            {"smartlinks": [{"smartlinkId": "4371", "validity": "1"}], "content": SMART},
            sent={"smartlinks": [{"smartlinkId": 4371, "validity": 1}]},
        ),
        Asked(
            {"template": {"id": 4711}, "content": LEFT_OUT},
            "201",
            "7004 template.id",
            sent={"template": {"id": "4711"}},
        ),
        Asked({"to": to(correlationId=12345)}, "201", "7004 correlationId"),
    ),
    row(
        "empty text in unused fields",
        "–",
        "left out",
        "takes it as not given where the samples have it, and null everywhere; 7004 in a time. We take it everywhere",
        "seed, samples",
        Asked(
            {"callbackData": "", "notifyUrl": "", "template": None, "options": None, "sendAt": None},
            sent={"sendAt": LEFT_OUT, "options": LEFT_OUT},
        ),
        Asked({"sendAt": ""}, "201", "7004 sendAt", sent={"sendAt": LEFT_OUT}),
        Asked({"sendAt": ""}, switches={"empty_field": "ignore"}, sent={"sendAt": LEFT_OUT}),
        Asked({"validity": ""}, "201", "7004 validity"),
    ),
    row(
        "a substitution that is null",
        "–",
        "never",
        "takes it as not given, and so do we",
        "not documented",
        Asked(
            {"to": to(substitutions={"name": None}), "substitutions": {"name": "you"}, "content": NAMED},
            sent={"content": text("Hi you")},
        ),
    ),
    row(
        "a substitution that is no text",
        "–",
        "never",
        "7004, by switch its text; we take it as JSON has it",
        "not documented",
        Asked(
            {"to": to(substitutions={"name": 5}), "content": NAMED},
            "201",
            "7004 substitutions",
            sent={"content": text("Hi 5")},
        ),
        Asked(
            {"to": to(substitutions={"name": 5}), "content": NAMED},
            sent={"content": text("Hi 5")},
            switches={"plain_values": "text"},
        ),
    ),
    row(
        "an empty number",
        "–",
        "never",
        "7003",
        "seed, Request Body",
        Asked({"to": to(msisdn=[""])}, "7003 msisdn", "7003 msisdn"),
        Asked({"to": to(msisdn=[NUMBER, None])}, "7003 msisdn", "7003 msisdn"),
    ),
    row(
        "one number without its list",
        "–",
        "never",
        "7004; we take it",
        PARAMETERS,
        Asked({"to": to(msisdn=NUMBER)}, "201", "7004 msisdn", sent={"to": to(msisdn=["447700900001"])}),
        Asked(
            {"to": to(msisdn=447700900001)}, "201", "7004 msisdn", sent={"to": to(msisdn=["447700900001"])}
        ),
    ),
    row(
        "`template.ID`",
        "–",
        "never, `id` as the samples",
        "7003; we take both",
        "seed, description of `template`",
        Asked(
            TEMPLATE | {"template": {"ID": "7K4QMPLE2R"}, "substitutions": AREA},
            "201",
            "7003 template.id",
            sent={"template": {"id": "7K4QMPLE2R"}},
        ),
    ),
    row(
        "`smartlinks` as one object",
        "–",
        "never, a list as the sample",
        "takes both, and so do we",
        "seed, type of `smartlinks`",
        Asked(
            {"smartlinks": {"smartlinkId": 4371, "validity": 1}, "content": SMART},
            sent={"smartlinks": [{"smartlinkId": 4371, "validity": 1}]},
        ),
    ),
)
