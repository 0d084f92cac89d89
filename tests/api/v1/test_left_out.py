"""A default, null and what is empty are as if left out, in every field of every body; and what is read of a thing makes another."""

import json
from pathlib import Path

import pytest

from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.models import CallbackEndpoint, OptOut, SavedAudience, Send
from tests.support.partners import a_partner, one_of_everything
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text("utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
EMPTY = {"string": "", "array": [], "object": {}}
TO = ["+447700900101"]
UNREAL = {"endpoints_test"}  # posts to whoever the endpoint is
# by operation: a body that is taken, with what is required alone
TAKEN = {
    "sends_create": {"text": "Hello", "recipients": TO},
    "sends_plan": {"text": "Hello", "recipients": TO},
    "sends_pause": {},
    "audiences_create": {"name": "New", "csv": "mobile\n+447700900101\n"},
    "audiences_replace": {"csv": "mobile\n+447700900101\n"},
    "opt_outs_add": {"numbers": TO, "evidence": "asked"},
    "opt_outs_lift": {"numbers": TO, "reason": "asked"},
    "opt_outs_search": {"number": TO[0]},
    "messages_search": {"number": TO[0]},
    "inbound_answer": {"text": "Yes, at four."},
    "endpoints_create": {"name": "Shop", "url": "https://shop.example/in"},
    "endpoints_rotate_secret": {},
    "endpoints_replay": {"since": "2020-01-01T00:00:00Z"},
}


def bodies():
    """Each operation that makes something: its path and the component of its JSON."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if method == "post" and "application/json" in content and operation["operationId"] not in UNREAL:
                name = content["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
                if SCHEMAS.get(name, {}).get("properties"):
                    yield operation["operationId"], path, SCHEMAS[name]


def as_left_out(field):
    """What a client may write instead of leaving it out."""
    found = [None]
    kinds = field.get("type", [])
    found += [EMPTY[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind in EMPTY]
    if "oneOf" in field:
        found.append("")
    return found + ([field["default"]] if "default" in field else [])


@pytest.mark.parametrize(
    ("name", "path", "schema"), list(bodies()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_default_null_and_empty_are_as_if_left_out(name, path, schema):
    service, partner = a_partner()
    ids = one_of_everything(service)
    noun = path.split("/")[3]
    at = path.removeprefix("/api/v1/").replace("{id}", str(ids.get(noun, 0)))
    body = TAKEN[name]
    optional = [
        field
        for field in schema["properties"]
        if field not in schema.get("required", ()) and field not in body
    ]
    first = partner.post(at, body, Idempotency_Key="k")
    assert first.status_code < 300, first.content
    tried = 0
    for field in optional:
        for value in as_left_out(schema["properties"][field]):
            again = partner.post(at, body | {field: value}, Idempotency_Key="k")
            assert again.status_code == first.status_code, (field, value, again.content)
            if "Idempotent-Replayed" not in again:  # a search or a plan: its answer is the same
                told, before = again.json(), first.json()
                assert {**told, "created_at": 0, "start_at": 0} == {
                    **before,
                    "created_at": 0,
                    "start_at": 0,
                }, (
                    field,
                    value,
                )
            tried += 1
    assert tried >= len(optional)


def test_all_of_them_at_once_make_the_same_send():
    _service, partner = a_partner()
    fields = SCHEMAS["SendBody"]["properties"]
    bare = partner.post("sends", TAKEN["sends_create"], Idempotency_Key="bare").json()
    made = {"id", "created_at", "send_at", "name", "messages"}
    for at in range(3):
        said = {name: as_left_out(about)[at % len(as_left_out(about))] for name, about in fields.items()}
        answer = partner.post("sends", said | TAKEN["sends_create"], Idempotency_Key=f"k{at}")
        assert answer.status_code == 201, answer.content
        shown = answer.json()
        assert {name: shown[name] for name in shown.keys() - made} == {
            name: bare[name] for name in bare.keys() - made
        }


def test_requests_that_mean_the_same_are_the_same_request():
    _, partner = a_partner()
    body = {
        "text": "Hi $(a) é",
        "recipients": [{"number": TO[0], "values": {"a": "1", "b": "2"}}],
        "lane": "bulk",
    }
    first = partner.post("sends", body, Idempotency_Key="k")
    raws = (
        json.dumps(body, ensure_ascii=False, indent=2),
        json.dumps(dict(reversed(body.items()))),
        json.dumps(body | {"name": None, "tag1": "", "labels": [], "fillings": {}, "track_clicks": True}),
    )
    for raw in raws:
        headers = {"key": partner.token, "Idempotency-Key": "k"}
        again = partner.client.post("/api/v1/sends", raw, content_type="application/json", headers=headers)
        assert again["Idempotent-Replayed"] == "true" and again.content == first.content, raw
    other = partner.post("sends", body | {"lane": "normal"}, Idempotency_Key="k")
    assert other.json()["code"] == "idempotency_key_reused" and Send.objects.count() == 1


OPTIONS = [
    {"text": "Hello"},
    {"template": "order_shipped"},
    {
        "text": "Hi",
        "client_reference": "order-1",
        "labels": ["spring"],
        "lane": "urgent",
        "leave_out": ["none"],
    },
    {"text": "Hi", "policy_group": "marketing", "check_consent": True, "apply_frequency_cap": False},
    {"text": "See https://shop.example/a", "link_domain": "uk.wbxc.io", "track_clicks": False, "tag1": "a"},
    {
        "text": "Hi",
        "validity": 600,
        "receipts": ["DELIVERED", "FAILED"],
        "callback_data": " x ",
        "batch_id": "b",
    },
    {"text": "Hi", "send_at": "2090-01-01T00:00:00Z", "expires_at": "2090-01-02T00:00:00Z", "name": "Later"},
]


@pytest.mark.parametrize("asked", OPTIONS, ids=str)
def test_a_send_that_was_read_makes_another(asked):
    service, partner = a_partner()
    packed = packing.pack_pasted("mobile,name\n+447700900101,Ada\n", country="GB", limits=Limits())
    audience = saved.create(service, packed, name="Regulars", by=BY)
    made = partner.post("sends", asked | {"audience": audience.pk}, Idempotency_Key="k1")
    assert made.status_code == 201, made.content
    for answered in (partner.get(f"sends/{made.json()['id']}").json(), made.json()):
        body = answered | {"client_reference": None}
        assert partner.post("sends/plan", body).status_code == 200
        again = partner.post("sends", body, Idempotency_Key=f"again{len(body)}")
        assert again.status_code == 201, again.content
        own = {"id", "created_at", "send_at", "client_reference", "messages", "cautions"}
        shown = again.json()
        assert {name: shown[name] for name in answered if name not in own} == {
            name: answered[name] for name in answered if name not in own
        }
    if "client_reference" in asked:
        assert partner.post("sends", made.json(), Idempotency_Key="same").status_code == 409


def test_names_that_only_textdesk_writes_are_refused_where_nothing_was_read():
    _, partner = a_partner()
    for name, value in (("held", True), ("test", True), ("state", "scheduled")):
        answer = partner.post("sends", TAKEN["sends_create"] | {name: value}, Idempotency_Key="k")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name)


def test_an_audience_an_endpoint_and_an_opt_out_that_were_read_make_another():
    service, partner = a_partner()
    ids = one_of_everything(service)
    audience = partner.get(f"audiences/{ids['audiences']}").json() | {"name": "Second", "csv": TO[0]}
    assert partner.post("audiences", audience).status_code == 201
    endpoint = partner.get(f"callback-endpoints/{ids['callback-endpoints']}").json()
    assert partner.post("callback-endpoints", endpoint).status_code == 201
    opt_out = partner.get(f"opt-outs/{ids['opt-outs']}").json()
    assert partner.post("opt-outs", opt_out).json() == {"added": 0, "already": 1}
    counts = [model.objects.count() for model in (SavedAudience, CallbackEndpoint, OptOut)]
    assert counts == [2, 2, 1]
