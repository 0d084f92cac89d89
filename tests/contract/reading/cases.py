"""A case or more for every rule that one body can break or keep, under the rule's name in `rules.txt`."""

import copy
from collections.abc import Callable

from tests.contract.reading.bodies import (
    TAKEN,
    TEMPLATE,
    Body,
    Case,
    Random,
    inside,
    one_of,
    raw,
    stamp,
    text,
)

Change = Callable[[bytes], bytes]


def more(field: bytes) -> Change:
    """One field more, behind the others."""
    return lambda body: body[:-1] + b", " + field + b"}"


def many(count: int, *, together: bool) -> Callable[[Body, Random], None]:
    """So many numbers, each in an object of its own or all in one."""

    def make(body: Body, random: Random) -> None:
        numbers = [f"4477009{one:05d}" for one in range(count)]
        body["to"] = [{"msisdn": numbers}] if together else [{"msisdn": [one]} for one in numbers]

    return make


def smart(rule: str, answer: str, entries: object, words: str = "Hi {{smartlink_4371}}") -> Case:
    def make(body: Body, random: Random) -> None:
        body.pop("template", None)
        body["content"] = {"type": "text", "text": words}
        body["smartlinks"] = copy.deepcopy(entries)

    return Case(rule, make, answer)


def times(rule: str, answer: str, **fields: object) -> Case:
    """Times and nothing else of that kind."""

    def make(body: Body, random: Random) -> None:
        for name in ("sendAt", "expireAt", "validity"):
            body.pop(name, None)
        body |= fields

    return Case(rule, make, answer)


def template(rule: str, answer: str, said: object) -> Case:
    def make(body: Body, random: Random) -> None:
        body.pop("content", None)
        body["template"] = copy.deepcopy(said)

    return Case(rule, make, answer)


def content(rule: str, answer: str, said: object) -> Case:
    def make(body: Body, random: Random) -> None:
        body.pop("template", None)
        body["content"] = copy.deepcopy(said)

    return Case(rule, make, answer)


def neither(body: Body, random: Random) -> None:
    body.pop("content", None)
    body.pop("template", None)


def both(body: Body, random: Random) -> None:
    body |= {"content": dict(HI), "template": {"id": TEMPLATE}}


HI = {"type": "text", "text": "Hi"}
SMART = {"smartlinkId": 4371, "validity": 60}
OPTIONS = {"domain": "https://s.imiconnect.co"}
POLICY = {"contactPolicyGroup": "demo-marketing"}

BYTES = (
    raw("B01", "7000", lambda body: b"", lambda body: body[:-1], lambda body: body.replace(b'"', b"'")),
    raw("B01", "7000", lambda body: b"// SMS\n" + body, lambda body: body[:-1] + b",}"),
    raw("B02", "7000", more(b'"more": NaN'), more(b'"more": -Infinity'), more(b'"more": 01'), more(b'"more": .5')),
    raw("B03", "7000", *(lambda body, to=to: body.decode().encode(to) for to in ("utf-16", "utf-16-be", "utf-32-le"))),
    raw("B04", "7000", more(b'"callbackData": "\xff"'), more(b'"notifyUrlAuthId": "\xed\xa0\x80"')),
    raw("B05", TAKEN, lambda body: b"\xef\xbb\xbf" + body),
    raw("B06", "7000", more(b'"more": "a\x00b"'), more(b'"more": "a\nb"')),
    raw("B07", "7004 batchId", more(rb'"batchId": "a\u0000"')),
    raw("B08", "7004 batchId", more(rb'"batchId": "\ud83d"'), more(rb'"batchId": "\uDC00 a"')),
    raw("B09", "7000", more(b'"channel": "sms"'), more(b'"more": {"a": 1, "a": 1}')),
    raw("B10", "7000", lambda body: body + b"x", lambda body: body + b" {}", lambda body: body + b"\x00"),
    raw("B11", "7000", more(b'"more": ' + b"[" * 20_000 + b"]" * 20_000)),
    raw("B12", "7000", more(b'"more": ' + b"9" * 1001)),
    raw("B13", "7000", lambda body: b"[" + body + b"]", lambda body: b"null", lambda body: b'"sms"'),
    raw("B14", "7022", more(b'"more": "' + b"x" * (5 * 1024 * 1024) + b'"')),
    raw("B15", TAKEN, more(b'"more": 1'), more(b'"priority": {"a": []}')),
    raw("B16", "7003 channel", lambda body: body.replace(b'"channel"', b'"Channel"', 1)),
)  # fmt: skip

FIELDS = (
    one_of("B17", TAKEN, "validity", None),
    one_of("B17", TAKEN, "requestedReceipts", None),
    one_of("B18", "7004 from", "from", 447860000001, True, ["TEXTDESK"]),
    one_of("B18", "7004 callbackData", "callbackData", 1, False, {}),
    one_of("C01", "7003 channel", "channel", None, ""),
    one_of("C02", "7004 channel", "channel", "SMS", "rcs", " sms", "sms "),
    one_of("C03", "7003 from", "from", None, ""),
    one_of("C04", TAKEN, "from", "447860000001", "+447860000001", "72345", "My Shop"),
    one_of("C06", "7003 to", "to", None, []),
    one_of("C06", "7004 to", "to", "447700900001", {"msisdn": ["447700900001"]}, 1),
    one_of("C07", "7004 to", "to", ["447700900001"], [None], [[{}]]),
    inside("C08", "7003 msisdn", "to", msisdn=([], None)),
    inside("C08", "7004 msisdn", "to", msisdn=("447700900001", 447700900001)),
    one_of("C09", "7003 msisdn", "to", [{"msisdn": [""]}], [{"msisdn": ["447700900001", None]}]),
    one_of("C09", "7004 msisdn", "to", [{"msisdn": [447700900001]}], [{"msisdn": [["447700900001"]]}]),
    one_of("C10", TAKEN, "to", [{"msisdn": ["447700900001"]}], [{"msisdn": ["+447700900001"]}]),
    one_of("C10", "201 7102", "to", [{"msisdn": ["0770"]}], [{"msisdn": ["00447700900001"]}], [{"msisdn": ["Ada"]}]),
    Case("C12", many(1000, together=False), TAKEN),
    Case("C12", many(1000, together=True), TAKEN),
    Case("C12", many(1001, together=False), "7009"),
    Case("C12", many(1001, together=True), "7009"),
    inside("C14", "7004 correlationId", "to", correlationId=(1, {}, [], True)),
    inside("C14", TAKEN, "to", correlationId=("", "12345")),
    inside("C15", TAKEN, "to", correlationId="x" * 51),
    inside("C16", "7004 substitutions", "to", substitutions=("", [], "name", 1)),
    inside("C17", "7004 substitutions", "to", substitutions=({"a": 1}, {"a": True}, {"a": {}}, {"a": ["b"]})),
    inside("C17", TAKEN, "to", substitutions={"a": None, "b": ""}),
    one_of("C19", "7004 substitutions", "substitutions", "", [], "name", 1, {"a": 1.5}),
    one_of("C20", "7004 options", "options", "", [], True, "domain"),
    one_of("C21", "7003 options.domain", "options", {}, {"domain": ""}, {"shortenLinks": True}, {"domain": None}),
    one_of("C21", "7004 options.domain", "options", {"domain": 1}, {"domain": "https://"}, {"domain": "a b"}),
    one_of("C22", "7004 trackClicks", "options", *(OPTIONS | {"trackClicks": one} for one in ("", "TRUE", 1, "yes", []))),
    one_of("C22", "7004 shortenLinks", "options", *(OPTIONS | {"shortenLinks": one} for one in ("", 0, "1", {}))),
    one_of("C22", TAKEN, "options", *(OPTIONS | {"trackClicks": one} for one in (True, False, "true", "false", None))),
    one_of("C23", TAKEN, "options", {"domain": "uk.wbxc.io"}, {"domain": "https://go.example"}, OPTIONS),
    one_of("C24", "7004 options.tag1", "options", *(OPTIONS | {"tag1": one} for one in ("a b", "x" * 51, 1, "é"))),
    one_of("C24", TAKEN, "options", OPTIONS | {"tag1": "x" * 50, "tag2": "a_B-1"}),
    one_of("C25", "7004 allowFallbackURL", "options", OPTIONS | {"allowFallbackURL": "yes"}),
    one_of("C25", TAKEN, "options", OPTIONS | {"allowFallbackURL": "true"}, OPTIONS | {"allowFallbackURL": False}),
    one_of("C26", "7004 requestedReceipts", "requestedReceipts", "", "SENT", {}, ["sent"], ["SENT", ""], ["READ"], [1], [None]),
    one_of("C26", TAKEN, "requestedReceipts", ["SENT"], ["CLICKED"], ["FAILED", "FAILED"]),
    one_of("C27", TAKEN, "requestedReceipts", [], None),
    times("C28", TAKEN),
    times("C29", TAKEN, sendAt="2027-01-15T09:00:00Z"),
    times("C29", TAKEN, sendAt="2027-01-15T09:00:00.1Z"),
    *(
        times("C29", "7004 sendAt", sendAt=one)
        for one in ("", "2027-01-15T10:00:00.000+01:00", "2027-01-15T09:00:00", "2027-01-15T09:00Z", "2027-01-16",
                    "2027-01-15 09:00:00Z", "2027-02-30T09:00:00Z", "2027-01-15T24:00:00Z", "2027-01-15T09:00:60Z",
                    "2027-01-15t09:00:00z", " 2027-01-15T09:00:00Z", "tomorrow", 1_800_003_600)
    ),
    times("C30", TAKEN, sendAt=stamp(days=7)),
    times("C30", "7004 sendAt", sendAt=stamp(days=7, seconds=1)),
    times("C41", TAKEN, sendAt=stamp(hours=-1)),
    *(times("C31", TAKEN, validity=one) for one in ("60", 60, "1", "259200", "0060")),
    *(
        times("C31", "7004 validity", validity=one)
        for one in ("", "0", 0, "-5", "259201", 259_201, "1.5", 1.5, "60s", " 60", "+60", "٦٠", True, [], "9" * 30, 10**30)
    ),
    times("C32", TAKEN, expireAt=stamp(days=7)),
    times("C32", "7004 expireAt", expireAt=stamp(days=7, seconds=1)),
    times("C32", "7004 expireAt", expireAt=""),
    times("C42", TAKEN, expireAt=stamp(hours=-1)),
    times("C42", TAKEN, sendAt=stamp(hours=2), expireAt=stamp(hours=1)),
    times("C33", "7004 validity", expireAt=stamp(hours=1), validity="60"),
    times("C34", TAKEN, sendAt=stamp(days=7), validity="259200"),
    one_of("C35", "7004 callbackData", "callbackData", "x" * 2001, " " * 2001, "é" * 2001),
    one_of("C35", TAKEN, "callbackData", "", " " * 2000, "é" * 2000),
    one_of("C36", "7004 notifyUrl", "notifyUrl", 1, {}, ["https://hooks.example.net"]),
    one_of("C36", TAKEN, "notifyUrl", "", None),
    one_of("C37", TAKEN, "notifyUrl", "hooks.example.net", "ftp://a.example", "https://a.example/ ", " https://a.example"),
    one_of("C38", TAKEN, "notifyUrlAuthId", "TNPXXXT09U", "unknown", ""),
    one_of("C38", "7004 notifyUrlAuthId", "notifyUrlAuthId", 1, {}),
    one_of("C39", TAKEN, "callbackData", "👋" * 2000),
)  # fmt: skip

CONTENT = (
    Case("D01", neither, "7003 content"),
    content("D01", "7004 content", "Hi"),
    content("D01", "7004 content", []),
    Case("D02", both, "7004 template"),
    content("D03", "7003 content.type", {"text": "Hi"}),
    content("D03", "7003 content.type", HI | {"type": ""}),
    content("D04", "7126", HI | {"type": "flash"}),
    content("D04", "7126", HI | {"type": "TEXT"}),
    content("D05", "7003 content.text", {"type": "text"}),
    content("D05", "7003 content.text", HI | {"text": ""}),
    content("D05", "7004 content.text", HI | {"text": 5}),
    content("D05", "7004 content.text", HI | {"text": ["Hi"]}),
    content("D05", TAKEN, HI | {"text": " "}),
    text("D06", TAKEN, "x" * 1024, "é" * 1024),
    text("D06", "201 7107", "x" * 1025, "x" * 4001),
    text("C39", TAKEN, "👋" * 1024),
    content("D07", TAKEN, HI | {"text": "$(nobody)" + "x" * 1015}),
    text("D08", TAKEN, "Привет", "你好"),
    template("D09", "7003 template.id", {}),
    template("D09", "7003 template.id", {"ID": "5S2XXXXFNR"}),
    template("D09", "7004 template", "5S2XXXXFNR"),
    template("D10", TAKEN, {"id": "5S2XXXXFNR"}),
    template("D10", "7004 template.id", {"id": 5}),
    template("D10", "7108", {"id": "5S2UNKNOWN"}),
    content("D11", TAKEN, HI | {"text": "Hi $(nobody)"}),
)  # fmt: skip

BLOCKS = (
    one_of("E01", "7004 contactPolicy", "contactPolicy", "", [], True, "demo-marketing"),
    one_of("E02", "7004 channelCheckConsent", "contactPolicy", *(POLICY | {"channelCheckConsent": one} for one in ("yes", 1, "", []))),
    one_of("E02", TAKEN, "contactPolicy", *(POLICY | {"channelCheckConsent": one} for one in (True, "true"))),
    one_of("E03", "7003 contactPolicyGroup", "contactPolicy", {"channelCheckConsent": True},
           {"contactPolicyGroup": "", "channelApplyFrequencyCap": True}),
    one_of("E04", "7004 contactPolicy", "contactPolicy", {}, POLICY, POLICY | {"channelCheckConsent": False}),
    one_of("E05", "7004 contactPolicyGroup", "contactPolicy", {"contactPolicyGroup": 1, "channelCheckConsent": True}),
    smart("G02", TAKEN, [SMART]),
    smart("G02", TAKEN, SMART),
    smart("G02", "7004 smartlinks", "4371"),
    smart("G02", "7004 smartlinks", ["4371"]),
    smart("G03", TAKEN, [{"smartlinkId": "4371", "validity": "1"}]),
    smart("G03", "7003 smartlinks.validity", [{"smartlinkId": 4371}]),
    smart("G03", "7003 smartlinks.smartlinkId", [{"validity": 1}]),
    smart("G03", "7004 smartlinks.smartlinkId", [{"smartlinkId": "a", "validity": 1}]),
    smart("G04", "7004 smartlinks", [SMART], "Hi {{smartlink_5120}}"),
    smart("G05", "7004 smartlinks.validity", [SMART | {"validity": 0}]),
    smart("G05", "7004 smartlinks.validity", [SMART | {"validity": "1.5"}]),
    smart("G06", TAKEN, [], "Hi {{smartlink_4371}}"),
    smart("G06", TAKEN, None, "Hi {{smartlink_4371}}"),
    one_of("G08", TAKEN, "requestedReceipts", ["CLICKED"]),
)  # fmt: skip

CASES = (*BYTES, *FIELDS, *CONTENT, *BLOCKS)
