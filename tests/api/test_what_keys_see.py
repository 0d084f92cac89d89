"""What a key without a scope is not shown, wherever it asks; and what is not kept of what it was shown."""

import io
import zipfile

import pytest
from django.test import Client

from sms.models import CallbackEndpoint, IdempotentAnswer, OptOut
from tests.support.partners import Partner, a_key, a_partner_service
from tests.support.two_keys import (
    REFUSED,
    V1,
    WHOLE,
    Shop,
    asked,
    example_of,
    is_shared,
    operations,
    said,
)

pytestmark = pytest.mark.django_db
CODE = "quebec"  # in texts and values, of those who wrote and of those who answered


@pytest.fixture
def shop(monkeypatch) -> Shop:
    given = {
        "text": f"{CODE}: $(code)",
        "recipients": [{"number": "+447700900777", "values": {"code": CODE}}],
    }
    monkeypatch.setitem(Shop.asked, "sends", Shop.asked["sends"] | given)
    made = Shop(a_partner_service())
    made.send.answers.update(text=CODE)
    OptOut.objects.update(source="inbound", evidence=f"“{CODE}” by SMS")
    return made


def read(partner: Partner, at: str) -> str:
    answer = partner.client.get(at, headers={"key": partner.token})
    assert answer.status_code == 200, (at, answer.content)
    content = b"".join(answer) if answer.streaming else answer.content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b"".join(book.read(name) for name in book.namelist())
    return content.decode(errors="replace")


def test_no_key_without_the_scope_is_shown_what_messages_say(shop):
    blind = Partner(a_key(shop.service, name="Blind", scopes=[one for one in WHOLE if one != "texts"]))
    seer = Partner(a_key(shop.service, name="Seer", scopes=WHOLE))
    paths = [
        shop.address(path) for method, path, _ in operations() if method == "GET" and not is_shared(path)
    ]
    paths.append(f"{V1}sends/{shop.send.pk}/report?kind=xlsx")
    told = {at for at in paths if CODE in read(seer, at)}
    assert {at for at in paths if CODE in read(blind, at)} == set()
    assert len(told) > 5
    given = Shop.asked["sends"] | {"client_reference": "other"}
    for answer in (
        blind.post("opt-outs/search", {"number": REFUSED}),
        blind.post("messages/search", {"number": "+447700900777"}),
        blind.post("sends", given, Idempotency_Key="k1"),
    ):
        assert answer.status_code < 300 and CODE not in said(answer), said(answer)


def test_no_secret_is_kept_in_clear_among_the_answers(shop):
    """Every operation is run as its own key would, each with an Idempotency-Key, and looked for in what is kept."""
    shown: dict[str, str] = {}
    for method, path, name in operations():
        if method == "POST" and path.startswith(V1) and not name.endswith("_remove"):
            at = shop.address(path)
            given = Shop.asked.get(path.removeprefix(V1)) or example_of(name)
            answer = asked(shop.partner, method, at, given)
            if answer.status_code < 300 and '"secret"' in answer.content.decode():
                shown[name] = answer.content.decode()
            secrets = [one.secret.encode() for one in CallbackEndpoint.objects.all()]
            secrets += [
                one.secret_before.encode() for one in CallbackEndpoint.objects.exclude(secret_before="")
            ]
            kept = b"".join(bytes(one) for one in IdempotentAnswer.objects.values_list("body", flat=True))
            assert not [one for one in secrets if one in kept], name
    assert {"endpoints_rotate_secret"} <= set(shown)
    name, at = "endpoints_rotate_secret", shop.address(f"{V1}callback-endpoints/{{id}}/rotate-secret")
    again = asked(shop.partner, "POST", at, example_of(name))
    assert (again["Idempotent-Replayed"], again.content.decode()) == (
        "true",
        shown[name],
    )


def test_a_key_reads_who_it_is_whatever_its_scopes():
    service = a_partner_service(cap_key=100, cap_day=1000)
    token = a_key(service, scopes=["catalogue"], cap_minute=5, countries="gb, fr 7", networks=["127.0.0.0/8"])
    me = Partner(token).get("me").json()
    key = service.api_keys.get()
    assert (me["name"], me["prefix"], me["owner"]) == ("Shop", key.prefix, str(key.identity))
    assert (me["scopes"], me["purpose"], me["test"]) == (["catalogue"], "marketing", False)
    assert (me["service"]["slug"], me["service"]["sandbox"], me["service"]["rate"]) == (
        "shop",
        True,
        service.rate,
    )
    assert (me["countries"], me["networks"], me["text_limit"]["segments_gsm7"]) == (
        ["FR", "GB"],
        ["127.0.0.0/8"],
        -(-service.text_limit // 153),
    )
    limits = {one["name"]: (one["limit"], one["left"]) for one in me["limits"]}
    assert limits["requests"][0] == 6000 > limits["requests"][1] > 0
    assert (limits["messages"], limits["segments"], limits["segments-FR"]) == ((5, 5), (100, 100), (7, 7))
    assert limits["service-segments"] == (1000, 1000)
    assert Client().get("/api/v1/me").status_code == 401
