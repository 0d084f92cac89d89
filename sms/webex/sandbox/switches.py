"""What the provider does where its documents are silent or disagree: one switch each, with the choices and the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any


def _switch(about: str, *choices: str) -> Any:
    """A field whose first choice is the default."""
    return field(default=choices[0], metadata={"about": about, "choices": choices})


@dataclass(frozen=True, slots=True)
class Switches:
    """Every switch at its setting. ``metadata`` of a field has ``about`` (a sentence) and ``choices``, the default first."""

    # -- the reply
    accepted_as: str = _switch("status of an accepted request", "201", "200", "202")
    reply_to_many: str = _switch(
        "reply to several destinations: one object, a list, or an object with a list in it",
        *("object", "list", "object_with_list"),
    )
    ids_of_many: str = _switch(
        "message ids of several destinations: the first with _1, _2 behind it, all the same, or one each",
        *("suffix", "same", "own"),
    )
    reply_time: str = _switch("requestTimestamp in UTC, or with an offset of -04:00", "utc", "offset")
    error_style: str = _switch("`Invalid parameter - x` or `Invalid parameter: x`", "hyphen", "colon")
    error_code: str = _switch("the code of a refusal as text or as a number", "text", "number")

    # -- who may call
    sign_in_refused: str = _switch(
        "a wrong key or token: 401 without body, 401 with 7001 or 7002, 403 with the same",
        *("401", "401_body", "403_body"),
    )
    jwt_future: str = _switch("how far ahead iat may be: a minute, not at all, any", "minute", "none", "any")
    jwt_life: str = _switch("a token ends an hour after iat, or at exp where it has one", "hour", "exp")
    blocked_address: str = _switch("code for a caller outside --allow-ip", "7127", "7010")
    over_quota: str = _switch("after --quota destinations: 403, or 400 with a code", "403", "7020", "7103")
    read_back: str = _switch("GET /v2/messages/{id}, a beta that not every tenant has", "on", "off")

    # -- the rate
    throttle_as: str = _switch(
        "above the rate: 429 without body, 400 with 7020, or either", "429", "7020", "either"
    )
    retry_after: str = _switch(
        "header Retry-After with a throttle: none, seconds, a date", "none", "seconds", "date"
    )
    rate_counts: str = _switch("--tps counts destinations, or calls", "destinations", "calls")
    call_over_rate: str = _switch(
        "more destinations in one call than --tps: 7009, a throttle each time, or taken once the second is free",
        *("7009", "throttle", "take"),
    )
    burst: str = _switch("burst mode: half as much again for 30 min a day and 8 h a month", "off", "on")

    # -- the request
    unknown_field: str = _switch("a field that no document names: ignored, or 7004", "ignore", "7004")
    bad_type: str = _switch("code for a content.type that there is not", "7126", "7004")
    destinations_counted: str = _switch(
        "the 1000 of 7009 are numbers, or objects of `to`", "numbers", "objects"
    )
    past_send_at: str = _switch("sendAt in the past: sent at once, or 7004", "now", "7004")
    past_expire_at: str = _switch("expireAt past or before sendAt: fails with 7208, or 7004", "7208", "7004")
    zero_validity: str = _switch("validity of 0 or less: 7004, or fails with 7208", "7004", "7208")
    long_validity: str = _switch("validity over 72 h: 7004, cut to 72 h, or taken", "7004", "cut", "take")
    zoneless_time: str = _switch("a time without zone: UTC, or 7004", "utc", "7004")
    long_correlation: str = _switch("a correlationId over 50 bytes: kept, or 7004", "keep", "7004")
    omitted_receipts: str = _switch("no requestedReceipts: all of them, or none", "all", "none")
    bad_notify_url: str = _switch(
        "a notifyUrl that is none: taken and never called, or 7004", "silent", "7004"
    )
    notify_url_end: str = _switch(
        "space behind notifyUrl: makes it invalid, or is cut off", "invalid", "trim"
    )
    plain_notify_url: str = _switch("an http:// notifyUrl: called, or invalid", "take", "invalid")
    bad_notify_auth: str = _switch(
        "a notifyUrlAuthId of another shape: receipts are parked, or 7004", "park", "7004"
    )
    options_tags: str = _switch(
        "tag1 and tag2 with options: optional, or 7003 without", "optional", "required"
    )
    fallback_flag: str = _switch(
        "allowFallbackURL with options: optional, or 7003 without", "optional", "required"
    )
    unknown_domain: str = _switch("a domain not among --domain: taken, or 7004", "take", "7004")
    plus: str = _switch("numbers of `to` need +: no, or yes and 7102 without", "optional", "required")
    bad_sender: str = _switch("7101 comes as a receipt, or in the reply", "receipt", "reply")
    bad_address: str = _switch("7102 comes as a receipt, or in the reply", "receipt", "reply")
    long_text: str = _switch("7107 comes as a receipt, or in the reply", "receipt", "reply")
    bad_template: str = _switch("7108 comes in the reply, or as a receipt", "reply", "receipt")

    # -- the text
    missing_value: str = _switch(
        "a placeholder without value: left as it is, blank, or the message fails with 7121",
        "leave",
        "blank",
        "7121",
    )
    placeholder: str = _switch("placeholders are $(name), ${name}, or both", "parentheses", "braces", "both")
    inline_values: str = _switch(
        "substitutions fill content.text too, or templates only", "fill", "templates"
    )
    text_outside_gsm: str = _switch(
        "characters outside GSM-7 with type text: sent as Unicode, replaced by ?, or 7004",
        "upgrade",
        "replace",
        "7004",
    )
    length_counts: str = _switch(
        "the text limit is for the text with its values, or as written", "filled", "written"
    )

    # -- contact policy
    contact_policy: str = _switch(
        "the policy app: on, not enabled (9000), out of reach (9004)", "on", "off", "down"
    )
    policy_codes: str = _switch("9000 to 9010 come as a receipt, or in the reply", "receipt", "reply")
    policy_no_flag: str = _switch(
        "both flags false: 7004, 9001, or as if there were no policy", "7004", "9001", "ignore"
    )
    policy_no_group: str = _switch("a flag without group: 7004, or 9001", "7004", "9001")

    # -- links
    no_fallback: str = _switch(
        "shortener down and no allowFallbackURL: fails with 7202, or the long link goes out", "7202", "long"
    )
    unknown_smartlink: str = _switch(
        "a smartlink that there is not: 7004 in the reply, 7004 as a receipt, or the token stays",
        *("reply", "receipt", "leave"),
    )
    unlisted_smartlink: str = _switch(
        "a token without entry in smartlinks: stays as it is, or 7004", "leave", "7004"
    )
    unused_smartlink: str = _switch("an entry without token in the text: ignored, or 7004", "ignore", "7004")
    smartlink_validity: str = _switch("validity of a smartlink in minutes, or seconds", "minutes", "seconds")

    # -- receipts
    receipt_time: str = _switch(
        "times of receipts: with Z, with +00:00, or in the tenant's own zone",
        *("Z", "+00:00", "-04:00", "+05:30"),
    )
    receipt_region: str = _switch(
        "a tenant anywhere, or in Canada or India: no messageCount and no carrier", "any", "canada_india"
    )
    receipt_carrier: str = _switch(
        "carrier in final receipts: blank, named, or no such key", "blank", "named", "none"
    )
    receipt_carrier_time: str = _switch(
        "carrierSubmitTimeStamp in final receipts: none, beside carrier, or inside deliveryInfo",
        *("none", "note", "info"),
    )
    branded_text: str = _switch(
        "the two keys of Branded Text tenants: none, sent as RCS, fallen back to SMS, or not tried",
        *("none", "upgraded", "fallback", "not_tried"),
    )
    receipt_more_keys: str = _switch(
        "keys that no document names yet: none, or some at each level", "none", "some"
    )
    receipt_number: str = _switch("destination of receipts as digits, or with +", "digits", "plus")
    submitted_sample: str = _switch(
        "Submitted says 7501, or 7102 and Invalid address as the printed sample does", "7501", "7102"
    )
    request_faults: str = _switch(
        "7101, 7102 and 7107 have deliveryStatus Failed, or Un-Delivered as the table has it",
        *("failed", "un_delivered"),
    )
    failed_covers: str = _switch(
        "FAILED in requestedReceipts lets Failed and Un-Delivered through, or Failed alone", "both", "failed"
    )
    expiry_code: str = _switch(
        "code of a message that the platform let expire", "7208", "7005", "7019", "7301", "7503"
    )
    clicks_told: str = _switch("Clicked for each click, or for the first of a message", "each", "first")
    number_is_code: str = _switch(
        "the last four digits of a number choose its outcome where they are a code: no, or yes", "no", "yes"
    )

    # -- calling the receiver
    retry_gaps: str = _switch(
        "three retries after 60 s each, or after 30, 60 and 120 s; --retry-seconds stands for the 60",
        *("60_60_60", "30_60_120"),
    )
    answer_201: str = _switch(
        "a receiver's 201, which no list names: tried again, or success", "retry", "success"
    )
    head_check: str = _switch("a HEAD that has to give 200 before the first POST to a URL", "no", "yes")
    signature_hash: str = _switch(
        "x-hub-signature by SHA-256, SHA-512, or SHA-1 as old webhooks", *("sha256", "sha512", "sha1")
    )
    signature_prefix: str = _switch(
        "x-hub-signature begins with the name of the hash and =, or not", "yes", "no"
    )

    # -- incoming messages
    inbound_user: str = _switch(
        "the user's key, as in the data streams or as printed (small L)", "userId", "userld"
    )
    inbound_channel: str = _switch("the channel's key", "Channel", "channel")
    inbound_to: str = _switch("da as text, or as a list of one", "text", "list")
    inbound_number: str = _switch("oa as digits, or with +", "digits", "plus")
    inbound_count: str = _switch(
        "messageCount as text, as a number, or no such key", "text", "number", "none"
    )
    inbound_carrier: str = _switch(
        "x_networkid as a carrier's name, as the small number of older copies, or no such key",
        *("name", "number", "none"),
    )
    inbound_id: str = _switch("the message's id under tid, or under transid", "tid", "transid")


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
    before = start or Switches()
    return Switches(**{one.name: values.get(one.name, getattr(before, one.name)) for one in TABLE})


def listing() -> str:
    """The table for ``--help``: a line for each switch, its default first."""
    return "\n".join(
        f"  {one.name} = {' | '.join(one.metadata['choices'])}\n      {one.metadata['about']}"
        for one in TABLE
    )
