"""The provider's request body at our own `POST /v2/messages`: every spelling of its samples, and the refusals by code and parameter."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms.models import Message, Send
from tests.support.drop_in import body, get
from tests.support.link_fields import all_six
from tests.support.partners import DOMAIN
from tests.wire import golden
from tests.wire.at_our_door import Door, moved_to_now

pytestmark = pytest.mark.django_db

SMART = {"type": "text", "text": "Hi {{smartlink_4371}}"}
NAMED = {"type": "text", "text": "Hi $(name)"}
LINKED = {"type": "text", "text": "See https://example.com/a"}


@pytest.fixture
def door() -> Door:
    return Door()


# -- spellings


@pytest.mark.parametrize("yes", ["true", "True", "TRUE", True])
def test_quoted_booleans_of_the_samples_are_read(door, yes):
    no = str(not yes) if isinstance(yes, bool) else "False"
    options = {"domain": DOMAIN, "trackClicks": no, "shortenLinks": yes, "allowFallbackURL": yes}
    policy = {"contactPolicyGroup": "G", "channelCheckConsent": yes, "channelApplyFrequencyCap": no}
    (posted,) = door.sent(options=options, contactPolicy=policy, content=LINKED)
    assert posted["options"] == all_six(shortenLinks=True, domain=DOMAIN, allowFallbackURL="true")
    assert posted["contactPolicy"] == {"contactPolicyGroup": "G", "channelCheckConsent": True}


def test_numbers_and_texts_are_read_for_each_other(door):
    fields = {
        "from": 72345,
        "callbackData": 7,
        "validity": "60",
        "content": SMART | {"text": "$(n) {{smartlink_4371}}"},
    }
    answer = door.post(
        body(
            **fields,
            to=[{"msisdn": [447700900001], "correlationId": 12345, "substitutions": {"n": 5}}],
            smartlinks=[{"smartlinkId": "4371", "validity": "1"}],
        )
    )
    assert (answer.status_code, answer.json()["correlationId"]) == (201, "12345")
    back = get(door.token, answer.json()["messageId"]).json()
    assert (back["from"], back["to"], back["correlationId"]) == ("72345", "447700900001", "12345")
    assert (back["callbackData"], back["content"]["text"]) == ("7", "5+%7B%7Bsmartlink_4371%7D%7D")
    assert Send.objects.get().smartlinks == [[4371, 1]]


def test_empty_text_and_null_of_the_samples_mean_not_given(door):
    plain = door.sent()
    for nothing in ("", None):
        names = (
            *("callbackData", "notifyUrl", "sendAt", "expireAt", "validity", "substitutions", "template"),
            *("options", "smartlinks", "contactPolicy", "requestedReceipts", "clientReference", "batchId"),
        )
        to = [{"msisdn": ["447700900001"], "correlationId": nothing, "substitutions": nothing}]
        assert door.sent(**dict.fromkeys(names, nothing), to=to) == plain
        inside = {"domain": DOMAIN, "tag1": nothing, "tag2": nothing, "trackClicks": nothing}
        assert door.sent(options=inside) == plain


def test_substitution_that_is_null_is_not_given(door):
    to = [{"msisdn": ["447700900001"], "substitutions": {"name": None}}]
    (posted,) = door.sent(to=to, substitutions={"name": "you"}, content=NAMED)
    assert posted["content"]["text"] == "Hi you"
    assert door.code(body(to=to, content=NAMED)) == "7003"


def test_value_of_a_substitution_may_be_number_and_boolean(door):
    text = {"type": "text", "text": "$(a) $(b) $(c)"}
    (posted,) = door.sent(substitutions={"a": 5, "b": 1.5, "c": True}, content=text)
    assert posted["content"]["text"] == "5 1.5 true"


@pytest.mark.parametrize("number", ["447700900001", "+447700900001", 447700900001])
def test_one_number_without_its_list_is_read(door, number):
    assert door.sent(to=[{"msisdn": number}]) == door.sent()


@pytest.mark.parametrize(
    "template", [{"id": "5S2ABCDFNR"}, {"ID": "5S2ABCDFNR"}, {"id": "", "ID": "5S2ABCDFNR"}, {"id": 4711}]
)
def test_template_id_is_read_in_both_spellings(door, template):
    (posted,) = door.sent(template=template, content=...)
    assert posted["template"] == {"id": str(template.get("id") or template["ID"])}


def test_smartlinks_are_read_as_object_and_as_list(door):
    link = {"smartlinkId": 4371, "validity": 1}
    assert door.sent(smartlinks=link, content=SMART) == door.sent(smartlinks=[link], content=SMART)


def test_unknown_fields_are_ignored(door):
    options = {"domain": DOMAIN, "trackOpens": "true"}
    assert door.sent(appid="x", priority=1, nonsense={"deep": []}, options=options) == door.sent()


def test_mark_before_the_body_is_skipped(door):
    assert door.code(b"\xef\xbb\xbf" + json.dumps(body()).encode()) == "201"


@pytest.mark.parametrize("name", golden.names("request"))
def test_request_that_we_would_write_is_taken_by_our_own_endpoint(door, name):
    said = golden.value(name)
    said.pop("notifyUrl", None)  # an address of ours, which is nobody's
    if "smartlinks" not in said and "options" in said:
        said["options"]["domain"] = DOMAIN
    answer = door.post(moved_to_now(said))
    assert answer.status_code == 201, answer.content
    made = Message.objects.order_by("row")
    assert [one.msisdn for one in made] == [one["msisdn"][0] for one in said["to"]]
    assert answer.json()["correlationId"] == said["to"][0].get("correlationId", "")


# -- refusals


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 5000])
def test_body_that_is_no_json_object_is_refused_as_7000(door, raw):
    assert door.code(raw) == "7000"


@pytest.mark.parametrize(
    ("fields", "code", "parameter"),
    [
        ({"channel": ""}, "7003", "channel"),
        ({"from": None}, "7003", "from"),
        ({"to": ""}, "7003", "to"),
        ({"to": [{}]}, "7003", "msisdn"),
        ({"to": [{"msisdn": ""}]}, "7003", "msisdn"),
        ({"content": {"type": "", "text": "x"}}, "7003", "content.type"),
        ({"content": {"type": "text", "text": None}}, "7003", "content.text"),
        ({"content": ..., "template": {"ID": ""}}, "7003", "template.id"),
        ({"content": ..., "template": {"ID": ["x"]}}, "7004", "template.id"),
        ({"smartlinks": [{"smartlinkId": 1, "validity": ""}]}, "7003", "smartlinks.validity"),
        ({"to": {}}, "7004", "to"),
        ({"to": ["447700900001"]}, "7004", "to"),
        ({"to": [{"msisdn": True}]}, "7004", "msisdn"),
        ({"to": [{"msisdn": [True]}]}, "7004", "msisdn"),
        ({"to": [{"msisdn": [1.5]}]}, "7004", "msisdn"),
        ({"to": [{"msisdn": [""]}]}, "7003", "msisdn"),
        ({"to": [{"msisdn": ["447700900001"], "correlationId": True}]}, "7004", "correlationId"),
        ({"callbackData": 1.5}, "7004", "callbackData"),
        ({"sendAt": "tomorrow"}, "7004", "sendAt"),
        ({"sendAt": 1772445600}, "7004", "sendAt"),
        ({"sendAt": "null"}, "7004", "sendAt"),
        ({"expireAt": "1772445600"}, "7004", "expireAt"),
        ({"validity": 60.5}, "7004", "validity"),
        ({"validity": True}, "7004", "validity"),
        ({"substitutions": []}, "7004", "substitutions"),
        ({"substitutions": {"a": {}}}, "7004", "substitutions: a is a list or an object. Write a text."),
        ({"substitutions": {"a" * 2001: "x"}}, "7004", "substitutions"),
        ({"options": "null"}, "7004", "options"),
        ({"options": {"domain": DOMAIN, "shortenLinks": "maybe"}}, "7004", "shortenLinks"),
        ({"options": {"domain": DOMAIN, "shortenLinks": 0}}, "7004", "shortenLinks"),
        ({"options": {"domain": 5}}, "7004", "options.domain"),
        ({"options": {"domain": "go.example\0"}}, "7004", "options.domain"),
        ({"contactPolicy": "null"}, "7004", "contactPolicy"),
        ({"contactPolicy": {"contactPolicyGroup": "G", "channelCheckConsent": 1}}, "7004", "channelCheckConsent"),
        ({"requestedReceipts": "SENT"}, "7004", "requestedReceipts"),
        ({"smartlinks": ["4371"]}, "7004", "smartlinks"),
        ({"smartlinks": [{"smartlinkId": "x", "validity": 1}]}, "7004", "smartlinks.smartlinkId"),
        ({"content": {"type": "text", "text": "{{smartlink_12345678901}}"}}, "7004", "smartlinks"),
    ],
)  # fmt: skip
def test_refusal_has_the_providers_code_and_names_the_parameter(door, fields, code, parameter):
    answer = door.post(body(**fields))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"].endswith(f" - {parameter}")
    assert not Send.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content": {"type": "text", "text": "x" * 1025}}, "7107"),
        ({"content": NAMED, "substitutions": {"name": "x" * 1025}}, "7107"),
        ({"content": NAMED}, "7003"),
        ({"content": {"type": "text", "text": "Hi $(characters)"}}, "7003"),
        ({"content": NAMED, "substitutions": {"name": "$(characters)"}}, "7004"),
    ],
)
def test_refusal_of_a_text_follows_from_what_is_wrong_not_from_its_words(door, fields, code):
    assert door.code(body(**fields)) == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["msisdn", "type", "text", "id", "ID", "domain", "x"]), inner)
    ),
    max_leaves=8,
)
FIELDS = [
    *("channel", "from", "to", "content", "options", "template", "smartlinks", "sendAt", "validity"),
    *("contactPolicy", "substitutions", "callbackData", "requestedReceipts", "clientReference"),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FIELDS), value=JSON)
def test_any_value_in_any_field_is_taken_or_refused_with_a_code(door, name, value):
    assert door.code(body(**{name: value})) in {
        *("201", "7000", "7003", "7004", "7101", "7107", "7108", "7126"),
    }
