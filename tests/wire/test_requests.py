"""What we send: golden bodies byte for byte, and each rule refusing with its field and its reason."""

import datetime as dt

import msgspec
import pytest

from sms.webex.wire import (
    ContactPolicy,
    Content,
    Destination,
    Options,
    Rules,
    SendRequest,
    SmartlinkOptions,
    TemplateRef,
    WireError,
    encode,
    stamp,
    validate,
)
from tests.wire import golden
from tests.wire.requests import ADA, GOLDEN, HOOK, NOW, RULES, TEXT, request, text

LINKS = Options(shorten_links=True, track_clicks=True, domain="https://uk.wbxc.io")


def refusal(bad: SendRequest, rules: Rules = RULES) -> WireError:
    with pytest.raises(WireError) as caught:
        encode(bad, rules=rules)
    assert caught.value.rule
    assert str(caught.value) == f"{caught.value.field}: {caught.value.rule}"
    return caught.value


def test_every_golden_request_has_its_struct():
    assert sorted(GOLDEN) == golden.names("request")


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_encoded_request_equals_its_golden_file_byte_for_byte(name):
    assert encode(GOLDEN[name], rules=RULES) == golden.body(name)


def test_moment_is_written_in_utc_to_the_millisecond():
    summer = dt.timezone(dt.timedelta(hours=2))
    assert stamp(dt.datetime(2024, 9, 26, 15, 47, 18, tzinfo=summer)) == "2024-09-26T13:47:18.000Z"
    assert stamp(dt.datetime(2024, 9, 26, 13, 47, 18, 7_999, tzinfo=dt.UTC)) == "2024-09-26T13:47:18.007Z"


def test_channel_is_always_written_and_nothing_but_sms():
    assert b'"channel":"sms"' in encode(request())
    assert refusal(request(channel="mms")).field == "channel"


@pytest.mark.parametrize(
    "sender", ["72345", "447700900000", "TEXTDESK", "Text Desk 1", "A", "A&B", "O2", "Café"]
)
def test_sender_as_long_code_short_code_or_name_is_accepted(sender):
    validate(request(from_=sender))


@pytest.mark.parametrize(
    "sender", ["", "+447700900000", "12", "1" * 16, "ABCDEFGHIJKL", " AB", "AB ", "Żabka", "٣٤٥", "AB\n"]
)
def test_sender_of_another_form_is_refused(sender):
    wrong = refusal(request(from_=sender))
    assert wrong.field == "from"
    assert wrong.code == ("7004" if sender else "7003")


def test_sender_never_takes_the_plus_even_where_the_service_does():
    assert "without +" in refusal(request(from_="+447700900000"), Rules(e164_plus=True)).rule


def test_request_without_destination_is_refused_as_missing():
    assert (refusal(request(to=[])).field, refusal(request(to=[])).code) == ("to", "7003")


@pytest.mark.parametrize("number", ["447700900001", "+447700900001", "+1234567"])
def test_number_with_or_without_plus_is_accepted(number):
    validate(request(to=[Destination(msisdn=[number])]))


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+",
        "07700900001",
        "00447700900001",
        "+44 7700 900001",
        "+4477009000011234",
        "+44٧700900001",
        "4477a",
        "+447700900001\n",
    ],
)
def test_number_of_another_form_is_refused_with_its_place(number):
    assert refusal(request(to=[ADA, Destination(msisdn=[number])])).field == "to[1].msisdn"


def test_number_needs_the_plus_where_the_service_has_e164_plus():
    bare = request(to=[Destination(msisdn=["447700900001"])], from_="447700900000")
    assert "+E.164" in refusal(bare, Rules(e164_plus=True)).rule
    validate(request(from_="447700900000"), rules=Rules(e164_plus=True))


def test_destination_holds_exactly_one_number_unless_allowed():
    two = request(to=[Destination(msisdn=["+447700900001", "+447700900002"])])
    assert refusal(two).field == "to[0].msisdn"
    validate(two, rules=Rules(several_msisdns=True))
    assert refusal(request(to=[Destination(msisdn=[])])).code == "7003"


def test_batch_smaller_than_the_providers_limit_may_be_demanded():
    assert refusal(request(to=[ADA] * 11), Rules(max_destinations=10)).code == "7009"


def test_more_destinations_than_allowed_are_refused_counting_numbers():
    validate(request(to=[ADA] * 1000))
    assert refusal(request(to=[ADA] * 1001)).code == "7009"
    crowd = [Destination(msisdn=["+447700900001"] * 501)] * 2
    assert refusal(request(to=crowd), Rules(several_msisdns=True)).code == "7009"


def test_correlation_id_longer_than_fifty_bytes_is_refused():
    validate(request(to=[Destination(msisdn=["+447700900001"], correlation_id="x" * 50)]))
    long = request(to=[Destination(msisdn=["+447700900001"], correlation_id="é" * 26)])
    assert refusal(long).field == "to[0].correlationId"


def test_substitutions_of_a_destination_win_over_those_of_the_request():
    """By length: the destination's short value is the one that counts."""
    both = text(
        "$(name)",
        to=[Destination(msisdn=["+447700900001"], substitutions={"name": "Ada"})],
        substitutions={"name": "x" * 30},
    )
    validate(both, rules=Rules(text_limit=3))
    validate(text("$(name)", substitutions={"name": "Ada"}), rules=Rules(text_limit=3))


def test_placeholder_without_value_is_refused_with_the_row():
    missing = text(
        "Hi $(name)", to=[Destination(msisdn=["+447700900001"], substitutions={"name": "Ada"}), ADA]
    )
    assert refusal(missing).field == "to[1].substitutions"
    assert "$(name)" in refusal(missing).rule


@pytest.mark.parametrize("words", ["$(Amount (GBP)", "$(name) and $(", "$()", "$(a $(name))"])
def test_what_looks_like_a_placeholder_and_is_none_is_refused_beside_values(words):
    for values in (
        {"substitutions": {"name": "Ada"}},
        {"to": [Destination(msisdn=["+447700900001"], substitutions={"name": "Ada"})]},
    ):
        wrong = refusal(text(words, **values))
        assert (wrong.field, wrong.code) == ("content.text", "7004")
    if "$(name)" not in words:
        validate(text(words))  # plain words, where nothing is to be filled in


def test_substitution_named_with_its_brackets_is_refused():
    validate(request(substitutions={"Amount (GBP)": "5"}))  # a heading of somebody's sheet, used or not
    assert refusal(request(substitutions={"$(name)": "Ada"})).field == "substitutions"
    wrong = Destination(msisdn=["+447700900001"], substitutions={"": "x"})
    assert refusal(request(to=[wrong])).field == "to[0].substitutions"


def test_content_and_template_exclude_each_other_and_one_is_needed():
    assert refusal(SendRequest(from_="A", to=[ADA])).code == "7003"
    assert refusal(request(content=TEXT, template=TemplateRef(id="X"))).field == "template"


def test_template_needs_its_id():
    assert (
        refusal(request(template=TemplateRef(id=""))).field,
        refusal(request(template=TemplateRef(id=" A"))).code,
    ) == (
        "template.id",
        "7108",
    )


@pytest.mark.parametrize("kind", ["", "flash", "TEXT"])
def test_content_type_other_than_text_and_unicode_is_refused(kind):
    wrong = refusal(request(content=Content(type=kind, text="x")))
    assert (wrong.field, wrong.code) == ("content.type", "7126")


def test_text_may_not_be_empty():
    assert refusal(text("")).field == "content.text"


def test_text_limit_counts_characters_after_substitution():
    validate(text("x" * 1024))
    assert refusal(text("x" * 1025)).code == "7107"
    validate(text("x" * 4000), rules=Rules(text_limit=4000))
    fits = [Destination(msisdn=["+447700900001"], substitutions={"a": "y" * n}) for n in (5, 6)]
    over = refusal(text("$(a)" + "x" * 1014 + "$(a)", to=fits))
    assert (over.field, over.code) == ("content.text", "7107")
    assert "1026" in over.rule and "to[1]" in over.rule


def test_nul_is_refused_wherever_it_stands():
    assert refusal(text("a\0")).field == "content.text"
    found = refusal(request(to=[Destination(msisdn=["+447700900001"], substitutions={"a": "\0"})]))
    assert found.field == "to[0].substitutions.a" and "U+0000" in found.rule
    encode(text("C:\\u0000"), rules=Rules(now=NOW))  # these are characters of their own


def test_half_a_surrogate_is_refused_and_not_a_crash():
    half = "a\ud83d"
    assert refusal(text(half)).field == "content.text"
    assert "U+D83D" in refusal(request(callback_data=half)).rule
    for field, fields in (
        ("callbackData", {"callback_data": half}),
        ("substitutions.name", {"substitutions": {"name": half}}),
        ("substitutions", {"substitutions": {half: "Ada"}}),
        ("to[1].correlationId", {"to": [ADA, Destination(msisdn=["+447700900001"], correlation_id=half)]}),
    ):
        assert refusal(request(**fields)).field == field


@pytest.mark.parametrize(
    "domain",
    ["", "uk.wbxc.io", "http://uk.wbxc.io", "https://", "https://uk.wbxc.io/x", " https://uk.wbxc.io"],
)
def test_options_need_a_domain_that_is_an_https_host(domain):
    assert refusal(request(options=Options(shorten_links=True, domain=domain))).field == "options.domain"


def test_domain_without_certificate_is_taken_on_this_machine_only():
    validate(request(options=Options(domain="http://127.0.0.1:8001")))
    assert refusal(request(options=Options(domain="http://sandbox:8001"))).field == "options.domain"


def test_tag_of_fifty_characters_is_accepted():
    validate(request(options=Options(domain="https://uk.wbxc.io", tag1="aZ09_-" * 8 + "xy", tag2="x" * 50)))


@pytest.mark.parametrize("tag", ["a b", "é", "x" * 51])
def test_tag_of_other_characters_or_over_fifty_is_refused(tag):
    for field in ("tag1", "tag2"):
        options = Options(domain="https://uk.wbxc.io", **{field: tag})
        assert refusal(request(options=options)).field == f"options.{field}"


def test_link_flags_are_written_as_booleans_and_the_fallback_as_text():
    options = msgspec.json.decode(encode(GOLDEN["request_links"], rules=RULES))["options"]
    assert options["shortenLinks"] is True and options["trackClicks"] is True
    assert options["allowFallbackURL"] == "true"
    assert b"Fallback" not in encode(request(options=LINKS))


def test_requested_receipt_of_another_name_is_refused():
    assert refusal(request(requested_receipts=["DELIVERED", "READ"])).field == "requestedReceipts[1]"


def test_clicked_is_refused_without_shortened_and_tracked_links():
    validate(request(requested_receipts=["CLICKED"], options=LINKS))
    for options in (
        None,
        Options(shorten_links=True, domain="https://a.io"),
        Options(track_clicks=True, domain="https://a.io"),
    ):
        assert (
            refusal(request(requested_receipts=["CLICKED"], options=options)).field == "requestedReceipts[0]"
        )


def test_smartlinks_and_their_tokens_in_the_text_must_agree():
    link = SmartlinkOptions(smartlink_id=4371, validity=1)
    validate(text("{{smartlink_4371}}", smartlinks=[link]))
    assert refusal(text("no token", smartlinks=[link])).field == "smartlinks[0].smartlinkId"
    assert refusal(text("{{smartlink_4371}} {{smartlink_9}}", smartlinks=[link])).field == "smartlinks"
    assert refusal(text("{{smartlink_4371}}")).field == "smartlinks"
    assert refusal(text("{{smartlink_4371}}", smartlinks=[link, link])).rule == "names a link twice"
    validate(request(template=TemplateRef(id="X"), smartlinks=[link]))


def test_smartlink_without_a_number_of_the_console_is_refused():
    nought = text("{{smartlink_0}}", smartlinks=[SmartlinkOptions(smartlink_id=0, validity=1)])
    assert refusal(nought).field == "smartlinks[0].smartlinkId"


def test_smartlink_validity_below_a_minute_is_refused():
    zero = SmartlinkOptions(smartlink_id=1, validity=0)
    assert refusal(text("{{smartlink_1}}", smartlinks=[zero])).field == "smartlinks[0].validity"


def test_send_at_is_neither_past_nor_more_than_seven_days_ahead():
    for fine in (NOW, NOW + dt.timedelta(days=7)):
        validate(request(send_at=fine), rules=RULES)
    for wrong in (
        NOW - dt.timedelta(seconds=1),
        NOW + dt.timedelta(days=7, seconds=1),
        NOW.replace(tzinfo=None),
    ):
        assert refusal(request(send_at=wrong)).field == "sendAt"


def test_expire_at_is_after_send_at_and_at_most_seven_days_ahead():
    hour = dt.timedelta(hours=1)
    validate(request(expire_at=NOW + hour), rules=RULES)
    validate(request(send_at=NOW + hour, expire_at=NOW + 2 * hour), rules=RULES)
    for send_at, expire_at in (
        (None, NOW),
        (None, NOW - hour),
        (None, NOW + 169 * hour),
        (NOW + hour, NOW + hour),
    ):
        assert refusal(request(send_at=send_at, expire_at=expire_at)).field == "expireAt"


def test_expire_at_and_validity_exclude_each_other():
    assert refusal(request(expire_at=NOW + dt.timedelta(hours=1), validity=60)).field == "validity"


@pytest.mark.parametrize("validity", [0, -1, 259_201, "", "1.5", "60s", "٦٠", "9" * 40])
def test_validity_outside_one_second_to_72_hours_is_refused(validity):
    assert refusal(request(validity=validity)).field == "validity"


@pytest.mark.parametrize("validity", [1, 259_200, "60"])
def test_validity_is_written_as_text(validity):
    assert msgspec.json.decode(encode(request(validity=validity)))["validity"] == str(validity)


def test_validity_with_send_at_is_accepted_and_counts_from_there():
    """72 hours from a moment 7 days ahead is past the 7 days, and still within the rule."""
    validate(request(send_at=NOW + dt.timedelta(days=7), validity=259_200), rules=RULES)


def test_clock_is_used_where_the_rules_name_no_moment():
    with pytest.raises(WireError):
        validate(request(send_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)))
    validate(request(send_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)))


def test_callback_data_over_two_thousand_characters_is_refused():
    validate(request(callback_data="€" * 2000))
    assert refusal(request(callback_data="x" * 2001)).field == "callbackData"


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/x",
        "https://a.example/x ",
        " https://a.example",
        "a.example",
        "https://",
        "https://a.example/ö",
    ],
)
def test_notify_url_that_is_no_clean_https_address_is_refused(url):
    assert refusal(request(notify_url=url)).field == "notifyUrl"


def test_notify_url_of_the_sandbox_on_this_machine_needs_no_https():
    for url in (
        "http://127.0.0.1:8000/receipts/x/",
        "http://localhost:8000/",
        "https://textdesk.example.net:8443/a?b=c",
    ):
        validate(request(notify_url=url))
    assert refusal(request(notify_url="http://web:8000/r/")).field == "notifyUrl"


def test_notify_url_auth_id_needs_a_notify_url_and_the_form_of_an_id():
    assert refusal(request(notify_url_auth_id="TNQZ4821PD")).field == "notifyUrlAuthId"
    for wrong in ("TN Q", "TNÉ", "٣"):
        assert refusal(request(notify_url_auth_id=wrong, notify_url=HOOK)).field == "notifyUrlAuthId"
    validate(request(notify_url_auth_id="T" * 64, notify_url=HOOK))
    assert refusal(request(notify_url_auth_id="T" * 65, notify_url=HOOK)).field == "notifyUrlAuthId"


def test_contact_policy_needs_its_group():
    wrong = refusal(request(contact_policy=ContactPolicy(check_consent=True)))
    assert wrong.field == "contactPolicy.contactPolicyGroup"


def test_contact_policy_needs_at_least_one_flag():
    assert refusal(request(contact_policy=ContactPolicy(group="G"))).field == "contactPolicy"
    validate(request(contact_policy=ContactPolicy(group="G", check_consent=True)))
    validate(request(contact_policy=ContactPolicy(group="G", apply_frequency_cap=True)))


def test_contact_policy_flag_that_is_off_is_left_out():
    policy = ContactPolicy(group="G", check_consent=True)
    sent = msgspec.json.decode(encode(request(contact_policy=policy)))["contactPolicy"]
    assert sent == {"contactPolicyGroup": "G", "channelCheckConsent": True}


def test_batch_id_with_a_space_around_it_is_refused():
    assert refusal(request(batch_id=" b")).field == "batchId"
