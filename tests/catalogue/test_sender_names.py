"""Senders as operators provision them: the same names and numbers are taken by every way in, and reach the wire as they are."""

from io import StringIO

import pytest
from django.core.management import call_command

from sms.models import Sender, SenderKind
from sms.values import gsm7
from sms.webex import addresses
from tests.sandbox.running import sandbox
from tests.support.drop_in import body, post
from tests.support.pages import text_of
from tests.support.partners import Partner, a_key
from tests.support.people import a_cast
from tests.support.provider import Provider

pytestmark = pytest.mark.django_db
NAMES = ("O2", "H&M", "T-Mobile", "M-PESA", "AB", "Café", "3", "A", "ab.c_d", "x" * 11, "€uro", "3 Store")
PLAIN = ("SHOP2", "My Brand", "abc")
WRONG = {
    "x" * 12: "1 to 11 characters",
    "€" * 6: "1 to 11 characters",
    "Żabka": "“Ż” is not in the alphabet",
    "emoji🎉": "“🎉” is not in the alphabet",
    "12345": "This is a number",
    "+12345": "This is a number",
}


@pytest.fixture
def cast():
    return a_cast()


def add_on_page(cast, address, kind=SenderKind.ALPHANUMERIC):
    form = {"kind": kind, "address": address}
    return cast["admin"].post("/s/shop/senders/new/", form, follow=True)


def add_in_admin(cast, address, kind=SenderKind.ALPHANUMERIC):
    form = {"service": cast.service.pk, "kind": kind, "address": address, "active": "on"}
    return cast["admin"].post("/admin/sms/sender/add/", form, follow=True)


@pytest.mark.parametrize("add", [add_on_page, add_in_admin])
@pytest.mark.parametrize("name", [name for name in NAMES if not name.isdigit()])
def test_a_provisioned_name_is_taken_with_a_caution(cast, add, name):
    assert "Some networks replace or refuse" in text_of(add(cast, name)) or addresses.is_plain_name(name)
    assert Sender.objects.get(address=name).kind == SenderKind.ALPHANUMERIC


@pytest.mark.parametrize("add", [add_on_page, add_in_admin])
def test_a_plain_name_needs_no_caution(cast, add):
    for name in PLAIN:
        assert "Some networks" not in text_of(add(cast, name))
        assert Sender.objects.filter(address=name).exists()


@pytest.mark.parametrize("add", [add_on_page, add_in_admin])
@pytest.mark.parametrize("name", WRONG)
def test_what_no_network_can_show_is_refused_with_the_way_out(cast, add, name):
    assert WRONG[name] in text_of(add(cast, name))
    assert not Sender.objects.filter(address=name).exists()


@pytest.mark.parametrize("add", [add_on_page, add_in_admin])
def test_a_plus_before_a_long_code_is_dropped(cast, add):
    for written in ("+447860000001", "+123456789012345"):
        add(cast, written, SenderKind.LONG_CODE)
        assert Sender.objects.filter(address=written[1:], kind=SenderKind.LONG_CODE).exists()
    assert "already" in text_of(add(cast, "+447860000001", SenderKind.LONG_CODE))
    assert Sender.objects.filter(address__contains="447860000001").count() == 1


def test_a_test_message_may_come_from_any_of_them(cast):
    cast.service.base_url = "http://127.0.0.1:9"
    cast.service.save()
    for written, kept in (("H&M", "H&M"), ("+447860000001", "447860000001"), ("72346", "72346")):
        cast["admin"].post("/s/shop/settings/test/", {"sender": written, "number": "07700 900123"})
        assert Sender.objects.filter(address=kept).exists()
    page = cast["admin"].post("/s/shop/settings/test/", {"sender": "Żabka", "number": "07700 900123"})
    assert "“Ż” is not in the alphabet" in text_of(page)


def test_every_way_in_finds_them_and_they_reach_the_phone_as_they_are(cast, tmp_path):
    """By `/v2/messages`, `/api/v1/sends` and `manage.py send`, with the sandbox as the witness."""
    numbers = tmp_path / "people.csv"
    numbers.write_text("mobile\n+447700900001\n")
    for name in ("O2", "H&M", "Café"):
        Sender.objects.create(service=cast.service, address=name, kind=SenderKind.ALPHANUMERIC)
    Sender.objects.create(service=cast.service, address="447860000001", kind=SenderKind.LONG_CODE)
    token = a_key(cast.service)
    for at, (written, sent) in enumerate(
        [("O2", "O2"), ("H&M", "H&M"), ("Café", "Café"), ("+447860000001", "447860000001")]
    ):
        provider = Provider()
        assert post(token, body(**{"from": written})).status_code == 201
        made = Partner(token).post(
            "sends",
            {"sender": written, "text": "Hello", "recipients": [{"number": "+447700900001"}]},
            idempotency_key=f"sender-{at}",
        )
        assert made.status_code == 201, made.content
        options = {"service": "shop", "sender": written, "text": "Hello", "audience": numbers}
        call_command("send", **options, stdout=StringIO(), stderr=StringIO())
        provider.dispatch()
        assert [one["from"] for one in provider.bodies] == [sent] * 3
        with sandbox() as tenant:
            assert tenant.post(provider.bodies[0] | {"notifyUrl": ""}).status == 201
            assert tenant.last()["outcome"] != "invalid-sender"


def test_the_senders_resource_says_the_caution(cast):
    Sender.objects.create(service=cast.service, address="O2", kind=SenderKind.ALPHANUMERIC)
    found = Partner(a_key(cast.service, scopes=["catalogue", "read"])).get("senders").json()["items"]
    cautions = {one["address"]: one["detail"] for one in found}
    assert cautions["O2"].startswith("Some networks")
    assert cautions["SHOP"] is None


def test_names_are_of_the_alphabet_of_texts_without_line_breaks():
    taken = {char for char in map(chr, range(0x3000)) if not addresses.name_problem(f"a{char}b")}
    assert taken == gsm7.ALPHABET - set("\n\r\f")
