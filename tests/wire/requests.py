"""Requests that are valid: those of the golden files, and any other."""

import datetime as dt

from hypothesis import strategies as st

from sms.webex.wire import (
    ContactPolicy,
    Content,
    Destination,
    Options,
    Rules,
    SendRequest,
    SmartlinkOptions,
    TemplateRef,
)

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


RULES = Rules(now=NOW)


HOOK = "https://textdesk.example.net/receipts/r0Ck3T/"


ADA = Destination(msisdn=["+447700900001"])


TEXT = Content(text="Your table is ready.")


def request(**fields) -> SendRequest:
    given = {"from_": "TEXTDESK", "to": [ADA]} | fields
    if "template" not in fields:
        given.setdefault("content", TEXT)
    return SendRequest(**given)


def text(words: str, **fields) -> SendRequest:
    return request(content=Content(text=words), **fields)


GOLDEN = {
    "request_minimal": request(from_="447700900000"),
    "request_typical": request(
        to=[Destination(msisdn=["+447700900001"], correlation_id="m7.1.9f3c2a")],
        content=Content(text="Your parcel comes today between 2 and 4."),
        requested_receipts=["SUBMITTED", "DELIVERED", "FAILED"],
        callback_data="order=4711",
        notify_url=HOOK,
    ),
    "request_personalised": request(
        from_="72345",
        to=[
            Destination(msisdn=["+447700900001"], substitutions={"name": "Ada"}, correlation_id="m1.1.aa"),
            Destination(
                msisdn=["+447700900002"],
                substitutions={"name": "Grace", "shop": "York"},
                correlation_id="m2.1.bb",
            ),
        ],
        substitutions={"shop": "Leeds"},
        content=Content(text="Hi $(name), $(shop) opens at 9."),
    ),
    "request_unicode": request(content=Content(type="unicode", text='Grüße → "Kö\\ln" 🎉\nbis bald')),
    "request_template": request(
        from_="447700900000",
        to=[Destination(msisdn=["+447700900001"], substitutions={"area": "North"}, correlation_id="m3.1.cc")],
        substitutions={"offerName": "Spring"},
        template=TemplateRef(id="7K4QMPLE2R"),
        callback_data="wk=12",
        notify_url=HOOK,
    ),
    "request_links": request(
        content=Content(text="Sale: https://shop.example/spring"),
        options=Options(
            shorten_links=True,
            track_clicks=True,
            domain="https://uk.wbxc.io",
            tag1="spring",
            tag2="wk_12",
            allow_fallback_url=True,
        ),
        requested_receipts=["SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"],
        notify_url=HOOK,
    ),
    "request_smartlinks": request(
        content=Content(text="Get the app: {{smartlink_5120}}"),
        smartlinks=[SmartlinkOptions(smartlink_id=5120, validity=1440)],
    ),
    "request_scheduled": request(
        content=Content(text="We open in an hour."),
        send_at=dt.datetime(2026, 3, 4, 9, tzinfo=dt.UTC),
        validity=3600,
        batch_id="B-2026-03-04",
    ),
    "request_expiring": request(
        content=Content(text="Doors close at six."),
        send_at=dt.datetime(2026, 3, 4, 10, tzinfo=dt.timezone(dt.timedelta(hours=1))),
        expire_at=dt.datetime(2026, 3, 4, 18, 0, 0, 250_999, tzinfo=dt.UTC),
    ),
    "request_policy": request(
        content=Content(text="Members' evening on Friday."),
        notify_url=HOOK,
        notify_url_auth_id="TNQZ4821PD",
        contact_policy=ContactPolicy(
            group="GRP_textdesk_000000001", check_consent=True, apply_frequency_cap=True
        ),
    ),
}


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="${\0"), min_size=1, max_size=60)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="()$\0"), min_size=1, max_size=8)


SUBSTITUTIONS = st.dictionaries(
    NAMES, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10), max_size=3
)


DESTINATION = st.builds(
    lambda number, **fields: Destination(msisdn=[f"+{number}"], **fields),
    st.integers(10_000_000, 999_999_999_999_999),
    substitutions=SUBSTITUTIONS,
    correlation_id=st.text("abc.0189", max_size=50),
)


MOMENT = st.integers(1, 7 * 86_400_000).map(lambda ms: NOW + dt.timedelta(milliseconds=ms))


@st.composite
def valid_requests(draw) -> SendRequest:
    """Every field by itself there or not, and what hangs together together."""
    fields: dict = {
        "from_": draw(st.sampled_from(["72345", "447700900000", "TEXTDESK", "Text Desk"])),
        "to": draw(st.lists(DESTINATION, min_size=1, max_size=4)),
        "substitutions": draw(SUBSTITUTIONS),
        "callback_data": draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50)),
        "batch_id": draw(st.sampled_from(["", "B-1"])),
    }
    if draw(st.booleans()):
        fields["template"] = TemplateRef(id=draw(st.text("ABC123", min_size=1, max_size=10)))
    else:
        words = draw(WORDS)
        if draw(st.booleans()):
            name = draw(NAMES)
            words += f" $({name})"
            fields["substitutions"] = fields["substitutions"] | {name: "x"}
        if draw(st.booleans()):
            words += " {{smartlink_7}}"
            fields["smartlinks"] = [SmartlinkOptions(smartlink_id=7, validity=draw(st.integers(1, 10_000)))]
        fields["content"] = Content(type=draw(st.sampled_from(["text", "unicode"])), text=words)
    receipts = ["SUBMITTED", "SENT", "DELIVERED", "FAILED"]
    if draw(st.booleans()):
        tags = st.text("aZ0_-", max_size=50)
        flags = {
            name: draw(st.booleans()) for name in ("shorten_links", "track_clicks", "allow_fallback_url")
        }
        fields["options"] = Options(domain="https://uk.wbxc.io", tag1=draw(tags), tag2=draw(tags), **flags)
        if flags["shorten_links"] and flags["track_clicks"]:
            receipts.append("CLICKED")
    fields["requested_receipts"] = draw(st.lists(st.sampled_from(receipts), unique=True))
    if draw(st.booleans()):
        fields["notify_url"] = "https://textdesk.example.net/r/1"
        fields["notify_url_auth_id"] = draw(st.sampled_from(["", "TNQZ4821PD"]))
    if draw(st.booleans()):
        consent, cap = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
        fields["contact_policy"] = ContactPolicy(group="GRP", check_consent=consent, apply_frequency_cap=cap)
    moments = sorted(draw(st.lists(MOMENT, max_size=2, unique=True)))
    match draw(st.integers(0, 3)), moments:
        case 1, [only, *_]:
            fields["send_at"] = only
            fields["validity"] = draw(st.integers(1, 259_200))
        case 2, [only, *_]:
            fields["expire_at"] = only
        case 3, [first, second]:
            fields["send_at"], fields["expire_at"] = first, second
    return SendRequest(**fields)
