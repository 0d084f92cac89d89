"""Nothing of a partner's request to `/v2/messages` is thrown away in silence: it reaches the wire as given, is refused by name, or stands
in the reply. The sandbox is the witness of what arrives."""

from datetime import UTC, datetime, timedelta

import pytest

from sms.models import Message, MessageTemplate, Send, Service, Slice
from tests.sandbox.running import sandbox
from tests.support.drop_in import LINKED, body, get, post
from tests.support.partners import DOMAIN, Partner, a_key, a_partner_service
from tests.support.provider import Provider

pytestmark = pytest.mark.django_db
BY_ID = {"template": {"id": "5S2ABCDFNR"}, "content": ...}


@pytest.fixture
def service():
    return a_partner_service(link_fields="given")


@pytest.fixture
def token(service):
    return a_key(service)


def sent(token: str, asked: dict) -> list[dict]:
    """What the provider is posted for a request that is accepted."""
    answer = post(token, asked)
    assert answer.status_code == 201, answer.content
    provider = Provider()
    provider.dispatch()
    return provider.bodies


def noticed(token: str, asked: dict) -> dict[str, str]:
    answer = post(token, asked)
    assert answer.status_code == 201, answer.content
    return {one["field"]: one["detail"] for one in answer.json().get("textdesk", {}).get("notices", [])}


# --- Values ---------------------------------------------------------------------------------------------------------------


def test_values_reach_a_template_of_which_only_the_id_is_known(token):
    asked = body(
        to=[
            {"msisdn": ["447700900001"], "substitutions": {"name": "Ada", "order": "1"}},
            {"msisdn": ["447700900002"]},
        ],
        substitutions={"order": "4711", "shop": "York"},
        **BY_ID,
    )
    for batch_size in (1, 10):
        Service.objects.update(batch_size=batch_size)
        found = [one for posted in sent(token, asked) for one in posted["to"]]
        assert [one["substitutions"] for one in sorted(found, key=lambda one: one["msisdn"])] == [
            {"name": "Ada", "order": "1", "shop": "York"},
            {"order": "4711", "shop": "York"},
        ]


def test_values_that_the_catalogue_does_not_list_go_along_with_those_that_it_does(token):
    MessageTemplate.objects.filter(name="theirs").update(provider_placeholders="First Name")
    asked = body(substitutions={"first_name": "Ada", "order": "4711"}, **BY_ID)
    (posted,) = sent(token, asked)
    assert posted["to"][0]["substitutions"] == {"first_name": "Ada", "order": "4711", "First Name": "Ada"}
    assert post(token, body(substitutions={"order": "4711"}, **BY_ID)).json()["code"] == "7003"


def test_the_values_of_a_template_are_put_in_by_the_provider(token):
    """The sandbox, sent the request that leaves us."""
    (posted,) = sent(token, body(substitutions={"name": "Ada", "order": 4711}, **BY_ID))
    with sandbox(template="5S2ABCDFNR=Hi $(name), order $(order)", fault="receipt_drop=1") as tenant:
        assert tenant.post(posted).status == 201
        assert tenant.last()["text"] == "Hi Ada, order 4711"


@pytest.mark.parametrize(("batch_size", "hi"), [(1, "$(name)"), (10, "you")])
def test_values_that_no_placeholder_takes_are_passed_on_and_named(token, batch_size, hi):
    Service.objects.update(batch_size=batch_size)
    asked = body(
        to=[{"msisdn": [f"44770090000{at}"], "substitutions": {"n": f"Ada{at}"}} for at in range(3)],
        substitutions={"unused": "x"} | ({"name": "you"} if "$" in hi else {}),
        content={"type": "text", "text": f"Hi {hi} and ${{n}}"},
    )
    said = noticed(token, asked)
    assert "“name”" not in said["substitutions"]
    assert all(name in said["substitutions"] for name in ("“n”", "“unused”"))
    assert "“${n}” would be sent as it stands" in said["content.text"]
    provider = Provider()
    provider.dispatch()
    found = [one for posted in provider.bodies for one in posted["to"]]
    assert {posted["content"]["text"] for posted in provider.bodies} == {"Hi you and ${n}"}
    given = [{"n": f"Ada{at}", "unused": "x"} for at in range(3)]
    assert [one["substitutions"] for one in sorted(found, key=lambda one: one["msisdn"])] == given


def test_a_tenant_that_fills_braces_fills_them_behind_textdesk_too(token):
    (posted,) = sent(token, body(content={"type": "text", "text": "Hi ${n}"}, substitutions={"n": "Ada"}))
    with sandbox(switch="placeholder=braces", fault="receipt_drop=1") as tenant:
        assert tenant.post(posted).status == 201
        assert tenant.last()["text"] == "Hi Ada"


def test_numbers_stand_as_they_were_written(token):
    raw = b'{"channel":"sms","from":"SHOP","to":[{"msisdn":["447700900001"]}],"content":{"type":"text","text":"$(a) $(b) $(c)"},'
    raw += b'"substitutions":{"a":1.10,"b":12345678901234567890123,"c":true}}'
    assert post(token, raw).status_code == 201
    assert Message.objects.get().text == "1.10 12345678901234567890123 true"


@pytest.mark.parametrize("name", ["", "$(name)"])
def test_a_value_without_a_usable_name_is_refused_by_name(token, name):
    answer = post(token, body(substitutions={name: "Ada"}))
    assert (answer.status_code, answer.json()["code"]) == (400, "7004")
    assert "substitutions: " in answer.json()["message"]
    assert "Write name for $(name)" in answer.json()["message"]


def test_values_of_a_list_reach_a_template_by_id_in_our_own_api_too(token):
    partner = Partner(token)
    made = partner.post(
        "sends",
        {
            "template": "theirs",
            "recipients": [
                {"number": "+447700900001", "values": {"name": "Ada"}, "correlation_id": "x"},
                {"number": "+447700900002", "values": {"order": "4711"}},
            ],
        },
        idempotency_key="values",
    )
    assert made.status_code == 201, made.content
    provider = Provider()
    provider.dispatch()
    values = {one["to"][0]["msisdn"][0]: one["to"][0]["substitutions"] for one in provider.bodies}
    assert values == {"447700900001": {"name": "Ada"}, "447700900002": {"order": "4711"}}


def test_columns_that_a_template_by_id_does_not_get_are_named_on_the_flight_plan(token):
    partner = Partner(token)
    asked = {"template": "theirs", "csv": "mobile,name,order\n+447700900001,Ada,1\n"}
    cautions = {one["code"]: one["detail"] for one in partner.post("sends/plan", asked).json()["cautions"]}
    assert "the columns “name”, “order”" in cautions["columns"]
    listed = {"number": "+447700900001", "values": {"name": "Ada"}}
    asked = {"template": "theirs", "recipients": [listed]}
    made = partner.post("sends/plan", asked).json()
    assert "columns" not in {one["code"] for one in made["cautions"]}
    assert '"substitutions":{"name":"Ada"}' in str(made["request"]).replace("': '", '":"').replace(
        "'", '"'
    ).replace(": ", ":")


# --- Null -----------------------------------------------------------------------------------------------------------------


def test_null_is_not_given_in_every_field_of_the_drop_in(token):
    nothing = dict.fromkeys(
        (
            *("sendAt", "expireAt", "validity", "callbackData", "notifyUrl", "notifyUrlAuthId", "batchId"),
            *("options", "contactPolicy", "smartlinks", "requestedReceipts", "template", "clientReference"),
        )
    )
    asked = body(
        to=[{"msisdn": ["447700900001"], "substitutions": {"name": None}, "correlationId": None}],
        substitutions={"name": "Ada", "other": None},
        content={"type": "text", "text": "Hi $(name)"},
        textdesk={"lane": None, "language": None, "ramp": None},
        **nothing,
    )
    (posted,) = sent(token, asked)
    assert posted["content"]["text"] == "Hi Ada"
    assert "null" not in str(posted) and "None" not in str(posted)
    options = LINKED | dict.fromkeys(("tag1", "tag2", "allowFallbackURL", "trackClicks"))
    (posted,) = sent(token, body(options=options))
    assert posted["options"] == {"shortenLinks": True, "domain": DOMAIN}
    alone = body(substitutions={"name": None}, content={"type": "text", "text": "Hi $(name)"})
    assert post(token, alone).json()["code"] == "7003"


def test_null_is_not_given_in_our_own_api_either(token):
    partner = Partner(token)
    nothing = dict.fromkeys(
        (
            *("validity", "expires_at", "tag1", "callback_data", "notify_url", "lane", "receipts", "ramp"),
            *("send_at", "sender", "name", "labels", "country", "csv", "audience", "template", "fillings"),
            *("policy_group", "link_domain", "client_reference", "allow_duplicates", "column"),
        )
    )
    listed = {"number": "+447700900001", "values": {"name": "Ada", "other": None}, "correlation_id": None}
    asked = {"text": "Hi $(name)", "recipients": [listed]} | nothing
    made = partner.post("sends", asked, idempotency_key="null")
    assert made.status_code == 201, made.content
    provider = Provider()
    provider.dispatch()
    assert provider.bodies[0]["content"]["text"] == "Hi Ada"
    assert "null" not in str(provider.bodies) and "None" not in str(provider.bodies)
    without = {"text": "Hi $(name)", "recipients": [{"number": "+447700900001", "values": {"name": None}}]}
    refused = partner.post("sends", without, idempotency_key="null-2")
    assert refused.status_code == 422, refused.content


# --- Validity -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("validity", ["60", 60, "259200"])
def test_a_validity_stays_one(token, validity):
    (posted,) = sent(token, body(validity=validity))
    assert posted["validity"] == str(validity)
    assert "expireAt" not in posted


def test_a_held_message_is_posted_at_its_time_with_its_validity(token):
    soon = datetime.now(UTC) + timedelta(hours=2)
    assert sent(token, body(sendAt=soon.isoformat(), validity="60")) == []
    send = Send.objects.get()
    assert send.expires_at == send.due_at + timedelta(seconds=60)
    due = datetime.now(UTC) - timedelta(seconds=1)
    Send.objects.update(due_at=due, expires_at=due + timedelta(seconds=60))
    Slice.objects.update(due_at=due)
    provider = Provider()
    provider.dispatch()
    (posted,) = provider.bodies
    assert posted["validity"] == "60"
    assert not {"sendAt", "expireAt"} & posted.keys()


def test_what_waits_here_for_longer_is_not_posted_any_more(token):
    asked = post(token, body(validity="60")).json()["messageId"]
    Send.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    provider = Provider()
    provider.dispatch()
    assert provider.bodies == []
    assert Message.objects.get().state == "expired"
    assert get(token, asked).json()["status"] == "Un-Delivered"


# --- As given -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fallback", [False, "false", "False"])
def test_a_fallback_that_is_declined_is_declined_on_the_wire(token, fallback):
    """The provider's own sample of its newer documents has it, and may want all six options."""
    options = {
        "trackClicks": "true",
        "shortenLinks": "true",
        "domain": DOMAIN,
        "tag1": "promo",
        "tag2": "spring",
        "allowFallbackURL": fallback,
    }
    (posted,) = sent(token, body(options=options, batchId="B-7"))
    assert posted["options"] == {
        "shortenLinks": True,
        "trackClicks": True,
        "domain": DOMAIN,
        "tag1": "promo",
        "tag2": "spring",
        "allowFallbackURL": "false",
    }
    assert posted["batchId"] == "B-7"
    with sandbox(
        switch=["options_tags=required", "fallback_flag=required"], fault="receipt_drop=1"
    ) as tenant:
        assert tenant.post(posted).status == 201


def test_what_is_given_comes_before_what_the_tenant_wants_in_every_request(token):
    Service.objects.update(link_fields="all")
    wanted = {"tag1": "textdesk", "tag2": "sms", "allowFallbackURL": "false", "shortenLinks": True}
    for given, is_sent in (({"tag1": "promo"}, {"tag1": "promo"}), ({"allowFallbackURL": "true"},) * 2):
        (posted,) = sent(token, body(options={"domain": DOMAIN, "shortenLinks": True} | given))
        assert posted["options"] == wanted | {"trackClicks": False, "domain": DOMAIN} | is_sent


def test_tags_of_links_that_are_not_shortened_are_passed_on_where_the_domain_is_known(token):
    (posted,) = sent(token, body(options={"domain": DOMAIN, "tag1": "promo", "shortenLinks": False}))
    assert posted["options"] == {"domain": DOMAIN, "tag1": "promo"}
    said = noticed(token, body(options={"domain": "https://go.example.com", "tag1": "promo"}))
    assert "no such short-link domain" in said["options"]


def test_smartlinks_of_a_template_that_only_the_provider_knows_are_passed_on(token):
    (posted,) = sent(token, body(smartlinks=[{"smartlinkId": 4371, "validity": 5}], **BY_ID))
    assert posted["smartlinks"] == [{"smartlinkId": 4371, "validity": 5}]


@pytest.mark.parametrize(
    ("kind", "words", "says"),
    [
        ("text", "Hi $(name)", ""),
        ("text", "Zażółć", "Posted as unicode"),
        ("unicode", "Zażółć", ""),
        ("unicode", "Hello", "Posted as text"),
    ],
)
def test_a_text_that_is_posted_as_another_type_is_named(token, kind, words, says):
    asked = body(content={"type": kind, "text": words}, substitutions={"name": "Ada"} if "$" in words else {})
    said = noticed(token, asked).get("content.type", "")
    assert said.startswith(says) and bool(said) == bool(says)
    emoji = body(content={"type": "text", "text": "Hi $(name)"}, substitutions={"name": "😀"})
    assert noticed(token, emoji)["content.type"].startswith("Posted as unicode")


def test_values_for_all_do_not_grow_without_end(token):
    """They are stored and posted with each of a thousand numbers."""
    for size, status in ((19_000, 201), (20_000, 400)):
        answer = post(token, body(substitutions={"x": "y" * size}, **BY_ID))
        assert answer.status_code == status
    assert "20,000 characters" in answer.json()["message"]


def test_fields_that_are_not_the_providers_are_named_in_the_reply(token):
    asked = body(
        expireat="2030-01-01T00:00:00Z",
        appid="a1",
        priority=None,
        notifyUrlAuthId="not one",
        to=[{"msisdn": ["447700900001"], "correlationid": "c"}],
        content={"type": "text", "text": "Hello", "dcs": 8},
        options=LINKED | {"trackOpens": True},
        smartlinks=[{"smartlinkId": 9, "validity": 1}],
    )
    said = noticed(token, asked)
    fields = "expireat appid to[].correlationid content.dcs options.trackOpens notifyUrlAuthId smartlinks"
    assert set(said) == set(fields.split())
    assert said["expireat"].endswith("The field is written expireAt.")
    assert said["to[].correlationid"].endswith("The field is written correlationId.")
    assert "{{smartlink_9}}" in said["smartlinks"]
    assert noticed(token, body(sendAt="", validity=None, requestedReceipts=[])) == {}
    assert len(noticed(token, body(**{f"x{at}": at for at in range(500)}))) == 20


def test_a_new_send_names_its_cautions_as_its_plan_does(token):
    partner = Partner(token)
    asked = {"text": "Sale today", "recipients": ["+447700900001"]}
    made = partner.post("sends", asked, idempotency_key="cautions")
    assert made.status_code == 201, made.content
    (said,) = made.json()["cautions"]
    assert said.keys() == {"code", "detail"} and said["code"] == "opt_out"
    assert said in [
        {name: one[name] for name in said} for one in partner.post("sends/plan", asked).json()["cautions"]
    ]
