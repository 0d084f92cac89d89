"""What the provider does where its documents are silent or disagree: one switch each, with the choices and the default."""

from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any


def _switch(choices: str, about: str) -> Any:
    """A field whose first choice is the default."""
    first, *others = choices.split()
    return field(default=first, metadata={"about": about, "choices": (first, *others)})


@dataclass(frozen=True, slots=True)
class Switches:
    """Every switch at its setting. ``metadata`` of a field has ``about`` (a sentence) and ``choices``, the default first."""

    # -- the reply
    accepted_as: str = _switch("201 200 202", "status of an accepted request")
    reply_to_many: str = _switch(
        "object list object_with_list",
        "reply to several destinations: one object, a list, or an object with a list in it",
    )
    ids_of_many: str = _switch(
        "suffix same own",
        "message ids of several destinations: the first with _1, _2 behind it, all the same, or one each",
    )
    reply_status: str = _switch(
        "queued rejected bad_rejected bad_left_out",
        "status in the reply: queued; rejected; or a number that cannot exist is rejected at once, or left out of a list",
    )
    reply_time: str = _switch("utc offset", "requestTimestamp in UTC, or with an offset of -04:00")
    error_style: str = _switch("hyphen colon", "`Invalid parameter - x` or `Invalid parameter: x`")
    error_code: str = _switch("text number", "the code of a refusal as text or as a number")

    # -- who may call
    sign_in_refused: str = _switch(
        "401 401_body 403_body",
        "a wrong key or token: 401 without body, 401 with 7001 or 7002, 403 with the same",
    )
    jwt_future: str = _switch("minute none any", "how far ahead iat may be: a minute, not at all, any")
    jwt_life: str = _switch("hour exp", "a token ends an hour after iat, or at exp where it has one")
    blocked_address: str = _switch("7127 7010", "code for a caller outside --allow-ip")
    over_quota: str = _switch("403 7020 7103", "after --quota destinations: 403, or 400 with a code")
    read_back: str = _switch("on off", "GET /v2/messages/{id}, a beta that not every tenant has")

    # -- the rate
    throttle_as: str = _switch("429 7020 either", "above the rate: 429 without body, 400 with 7020, either")
    retry_after: str = _switch("none seconds date", "Retry-After with a throttle: none, seconds, a date")
    rate_counts: str = _switch("destinations calls", "--tps counts destinations, or calls")
    call_over_rate: str = _switch(
        "7009 throttle take",
        "more destinations in one call than --tps: 7009, a throttle each time, or taken once the second is free",
    )
    burst: str = _switch("off on", "burst mode: half as much again for 30 min a day and 8 h a month")

    # -- the request
    other_content_type: str = _switch(
        "415 7000 take", "a Content-Type other than JSON in UTF-8: 415 without body, 7000, or taken"
    )
    field_twice: str = _switch("7000 last", "a field twice in one object: 7000, or the last one counts")
    unwritable_text: str = _switch(
        "7004 take", "NUL or half a character, escaped: 7004 on the field, or taken"
    )
    plain_values: str = _switch(
        "7004 text", "a number or true as the value of a substitution: 7004, or taken as its text"
    )
    empty_field: str = _switch(
        "7004 ignore", "an empty text for what is no text (a time, validity, a list): 7004, or not given"
    )
    characters: str = _switch(
        "points utf16", "limits count an emoji as one character, or as two as Java does"
    )
    no_domain: str = _switch("7003 7004", "options without domain: 7003, or 7004")
    unknown_field: str = _switch("ignore 7004", "a field that no document names: ignored, or 7004")
    bad_type: str = _switch("7126 7004", "code for a content.type that there is not")
    destinations_counted: str = _switch("numbers objects", "the 1000 of 7009 are numbers, or objects of `to`")
    past_send_at: str = _switch("now 7004", "sendAt in the past: sent at once, or 7004")
    past_expire_at: str = _switch("7208 7004", "expireAt past or before sendAt: fails with 7208, or 7004")
    zero_validity: str = _switch("7004 7208", "validity of 0 or less: 7004, or fails with 7208")
    long_validity: str = _switch("7004 cut take", "validity over 72 h: 7004, cut to 72 h, or taken")
    zoneless_time: str = _switch("7004 utc", "a time without zone: 7004, or UTC")
    offset_time: str = _switch(
        "7004 take", "a time with an offset, or without seconds: 7004, or taken as it says"
    )
    long_correlation: str = _switch("keep 7004", "a correlationId over 50 bytes: kept, or 7004")
    omitted_receipts: str = _switch("all none", "no requestedReceipts: all of them, or none")
    bad_notify_url: str = _switch("silent 7004", "a notifyUrl that is none: taken and never called, or 7004")
    notify_url_end: str = _switch("invalid trim", "space behind notifyUrl: makes it invalid, or is cut off")
    plain_notify_url: str = _switch("take invalid", "an http:// notifyUrl: called, or invalid")
    bad_notify_auth: str = _switch(
        "park 7004", "a notifyUrlAuthId of another shape: receipts are parked, or 7004"
    )
    options_tags: str = _switch("optional required", "tag1 and tag2 with options: optional, or 7003 without")
    fallback_flag: str = _switch("optional required", "allowFallbackURL in options: optional, 7003 without")
    unknown_domain: str = _switch("take 7004", "a domain not among --domain: taken, or 7004")
    plus: str = _switch("optional required", "numbers of `to` need +: no, or yes and 7102 without")
    bad_sender: str = _switch("receipt reply", "7101 comes as a receipt, or in the reply")
    bad_address: str = _switch("receipt reply", "7102 comes as a receipt, or in the reply")
    long_text: str = _switch("receipt reply", "7107 comes as a receipt, or in the reply")
    bad_template: str = _switch("reply receipt", "7108 comes in the reply, or as a receipt")

    # -- the text
    missing_value: str = _switch(
        "leave blank 7121",
        "a placeholder without value: left as it is, blank, or the message fails with 7121",
    )
    placeholder: str = _switch("parentheses braces both", "placeholders are $(name), ${name}, or both")
    inline_values: str = _switch("fill templates", "substitutions fill content.text too, or templates only")
    text_outside_gsm: str = _switch(
        "upgrade replace 7004",
        "characters outside GSM-7 with type text: sent as Unicode, replaced by ?, or 7004",
    )
    length_counts: str = _switch(
        "filled written", "the text limit is for the text with its values, or as written"
    )

    # -- contact policy
    contact_policy: str = _switch("on off down", "policy app: on, not enabled (9000), out of reach (9004)")
    policy_codes: str = _switch("receipt reply", "9000 to 9010 come as a receipt, or in the reply")
    policy_no_flag: str = _switch(
        "7004 9001 ignore", "both flags false: 7004, 9001, or as if there were no policy"
    )
    policy_no_group: str = _switch("7003 7004 9001", "a flag without group: 7003, 7004, or 9001")

    # -- links
    no_fallback: str = _switch(
        "7202 long", "shortener down and no allowFallbackURL: fails with 7202, or the long link goes out"
    )
    unknown_smartlink: str = _switch(
        "reply receipt leave",
        "a smartlink that there is not: 7004 in the reply, 7004 as a receipt, or the token stays",
    )
    unlisted_smartlink: str = _switch(
        "leave 7004", "a token without entry in smartlinks: stays as it is, or 7004"
    )
    unused_smartlink: str = _switch("7004 ignore", "an entry without token in the text: 7004, or ignored")
    smartlink_validity: str = _switch("minutes seconds", "validity of a smartlink in minutes, or seconds")

    # -- receipts
    receipt_time: str = _switch(
        "Z +00:00 -04:00 +05:30", "times of receipts: with Z, with +00:00, or in the tenant's own zone"
    )
    receipt_region: str = _switch(
        "any canada_india", "a tenant anywhere, or in Canada or India: no messageCount and no carrier"
    )
    receipt_carrier: str = _switch("blank named none", "carrier of final receipts: blank, named, or no key")
    receipt_carrier_time: str = _switch(
        "none note info",
        "carrierSubmitTimeStamp in final receipts: none, beside carrier, or inside deliveryInfo",
    )
    branded_text: str = _switch(
        "none upgraded fallback not_tried",
        "the two keys of Branded Text tenants: none, sent as RCS, fallen back to SMS, or not tried",
    )
    receipt_more_keys: str = _switch("none some", "keys that no document names: none, or some at each level")
    receipt_number: str = _switch("digits plus", "destination of receipts as digits, or with +")
    submitted_sample: str = _switch(
        "7501 7102", "Submitted says 7501, or 7102 and Invalid address as the printed sample does"
    )
    request_faults: str = _switch(
        "failed un_delivered",
        "7101, 7102 and 7107 have deliveryStatus Failed, or Un-Delivered as the table has it",
    )
    failed_covers: str = _switch(
        "both failed", "FAILED in requestedReceipts lets Failed and Un-Delivered through, or Failed alone"
    )
    expiry_code: str = _switch("7208 7005 7019 7301 7503", "code of a message that the platform let expire")
    validity_kept: str = _switch(
        "yes no",
        "a phone that is off (outcome expired) past the end of its message: it fails, or is delivered after all",
    )
    clicks_told: str = _switch("each first", "Clicked for each click, or for the first of a message")
    number_is_code: str = _switch(
        "no yes", "the last four digits of a number choose its outcome where they are a code: no, or yes"
    )

    # -- calling the receiver
    retry_gaps: str = _switch(
        "60_60_60 30_60_120",
        "three retries after 60 s each, or after 30, 60 and 120 s; --retry-seconds stands for the 60",
    )
    answer_201: str = _switch("retry success", "a receiver's 201, which no list has: tried again, or success")
    head_check: str = _switch("no yes", "a HEAD that has to give 200 before the first POST to a URL")
    webhook_beside: str = _switch(
        "both notify_url webhook",
        "a message with a notifyUrl, while there is --webhook: its receipts go to both, to the notifyUrl alone, or to the webhook alone",
    )
    signed: str = _switch(
        "webhook both notify_url",
        "with --hub-secret, signed is what goes to webhooks (also of numbers), everything, or what goes to notifyUrls",
    )
    signature_hash: str = _switch(
        "sha256 sha512 sha1", "x-hub-signature by SHA-256, SHA-512, or SHA-1 as old webhooks"
    )
    signature_of: str = _switch(
        "body compact",
        "x-hub-signature is of the body as posted, or of its compact form while spaces are posted",
    )
    signature_prefix: str = _switch("yes no", "x-hub-signature begins with the hash's name and =, or not")

    # -- incoming messages
    inbound_user: str = _switch(
        "userId userld", "the user's key, as in the data streams or as printed (small L)"
    )
    inbound_channel: str = _switch("Channel channel", "the channel's key")
    inbound_to: str = _switch("text list", "da as text, or as a list of one")
    inbound_number: str = _switch("digits plus", "oa as digits, or with +")
    inbound_count: str = _switch("text number none", "messageCount as text, as a number, or no such key")
    inbound_carrier: str = _switch(
        "name number none",
        "x_networkid as a carrier's name, as the small number of older copies, or no such key",
    )
    inbound_id: str = _switch("tid transid", "the message's id under tid, or under transid")


TABLE: tuple[Field[Any], ...] = fields(Switches)


def switches_of(given: Sequence[str], start: Switches | None = None) -> Switches:
    """Read ``NAME=VALUE`` pairs onto ``start``; raise ``ValueError`` with a sentence on the first that is wrong."""
    choices = {one.name: one.metadata["choices"] for one in TABLE}
    values: dict[str, str] = {}
    for one in given:
        name, _, value = one.partition("=")
        if name not in choices:
            raise ValueError(f"There is no switch {name!r}; --help lists them.")
        if value not in choices[name]:
            raise ValueError(f"{name} is one of {', '.join(choices[name])}.")
        values[name] = value
    return replace(start or Switches(), **values)


def listing() -> str:
    """The table for ``--help``: a line for each switch, its default first."""
    return "\n".join(
        f"  {one.name} = {' | '.join(one.metadata['choices'])}\n      {one.metadata['about']}"
        for one in TABLE
    )
