"""One text by every way in: the same refusal, the same cautions, the same text, segments and price, whatever stands in it."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from sms.audiences.files import Limits, read_pasted
from sms.catalogue import templates
from sms.catalogue.templates import TemplateError, Wording
from sms.models import Message, Send, Sender, SenderKind, Service
from tests.support.drop_in import body, post
from tests.support.pages import ADD_SEND, add_send_form, text_of
from tests.support.partners import Partner, a_key
from tests.support.people import a_cast
from tests.support.provider import Provider
from tests.support.sends import BY, PROVED
from tests.support.wordings import rows

pytestmark = pytest.mark.django_db
NUMBER = "+447700900123"
OUTSIDE = ("{{name}}", "((name))", "{name}", "[Name]", "#NAME#", "%name%", "*|NAME|*", "<<name>>", "<name>")


@dataclass
class Told:
    """What a way in said: whether it took the text, and all of its words."""

    taken: bool
    says: str


Values = dict[str, Any]
KEYS = count()


def key_of(cast) -> str:
    """A partner's key of its own for each service."""
    if not hasattr(cast.service, "partner_token"):
        cast.service.partner_token = a_key(cast.service)
    return cast.service.partner_token


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def table(values: Values) -> str:
    cells = [f'"{one}"' for one in values.values()]
    return f"mobile,{','.join(values)}\n{NUMBER},{','.join(cells)}\n" if values else f"mobile\n{NUMBER}\n"


def by_the_page(cast, text: str, values: Values, *, upload: bool = False) -> Told:
    typed = {"sender": cast.service.senders.get(is_default=True).pk, "text": text, "country": "GB"}
    typed |= {"when": "now", "review": "1", "name": ""}
    rows = table(values)
    typed |= {"file": SimpleUploadedFile("people.csv", rows.encode())} if upload else {"pasted": rows}
    saved = cast["composer"].post("/s/shop/compose/", typed)
    if saved.status_code != 302:
        return Told(False, text_of(saved))
    review = cast["composer"].get(saved.url)
    said = text_of(review)
    sent = cast["composer"].post(saved.url)
    return Told(sent.status_code == 302 and Send.objects.exists(), said)


def by_an_upload(cast, text: str, values: Values) -> Told:
    return by_the_page(cast, text, values, upload=True)


def by_the_plan(cast, text: str, values: Values) -> Told:
    asked = {"text": text, "recipients": [{"number": NUMBER, "values": values}]}
    answer = Partner(key_of(cast)).post("sends/plan", asked)
    return Told(answer.status_code == 200, json.dumps(answer.json(), ensure_ascii=False))


def by_the_api(cast, text: str, values: Values) -> Told:
    asked = {"text": text, "recipients": [{"number": NUMBER, "values": values}]}
    answer = Partner(key_of(cast)).post("sends", asked, Idempotency_Key=str(next(KEYS)))
    return Told(answer.status_code == 201, json.dumps(answer.json(), ensure_ascii=False))


def by_the_drop_in(cast, text: str, values: Values) -> Told:
    given = body(NUMBER, content={"type": "text", "text": text}, substitutions=values)
    answer = post(key_of(cast), given)
    return Told(answer.status_code == 201, json.dumps(answer.json(), ensure_ascii=False))


def by_the_older_api(cast, text: str, _values: Values) -> Told:
    given: Values = {"deliverychannel": "sms", "channels": {"sms": {"senderid": "SHOP", "text": text}}}
    given["destination"] = [{"msisdn": [NUMBER[1:]]}]
    key = {"key": key_of(cast)}
    raw = json.dumps(given)
    answer = cast["visitor"].post(
        "/resources/v1/messaging", raw, content_type="application/json", headers=key
    )
    return Told(answer.status_code == 200, json.dumps(answer.json(), ensure_ascii=False))


def by_the_command(cast, text: str, values: Values, tmp_path) -> Told:
    file = tmp_path / "people.csv"
    file.write_text(table(values), encoding="utf-8")
    told = io.StringIO()
    given = ["--service=shop", "--sender=SHOP", f"--text={text}", f"--audience={file}"]
    try:
        call_command("send", *given, stderr=told, stdout=io.StringIO())
    except CommandError as problem:
        return Told(False, str(problem))
    return Told(True, told.getvalue())


def by_the_admin(cast, text: str, values: Values) -> Told:
    sender = cast.service.senders.get(is_default=True).pk
    answer = cast["admin"].post(
        ADD_SEND, add_send_form(cast, text=text, recipients_text=table(values), sender=sender)
    )
    if answer.status_code != 302:
        return Told(False, text_of(answer))
    plan = text_of(cast["admin"].get(answer.url))
    assert cast["admin"].post(answer.url).status_code == 302
    return Told(True, plan)


WAYS: dict[str, Callable[..., Told]] = {
    "page": by_the_page,
    "upload": by_an_upload,
    "api": by_the_api,
    "drop-in": by_the_drop_in,
    "older api": by_the_older_api,
    "command": by_the_command,
    "admin": by_the_admin,
}
WITH_VALUES = [way for way in WAYS if way != "older api"]  # which has none


def told(cast, way: str, text: str, values: Values, tmp_path) -> Told:
    more = [tmp_path] if way == "command" else []
    return (WAYS | {"plan": by_the_plan})[way](cast, text, values, *more)


def on_the_wire() -> tuple[str, int]:
    """The text that the provider got, and the segments that we count."""
    provider = Provider()
    provider.dispatch()
    (sent,) = provider.bodies
    return sent["content"]["text"], Message.objects.get().segments


@pytest.mark.parametrize("way", [*WITH_VALUES, "plan"])
def test_a_placeholder_of_another_product_around_a_heading_is_refused_with_the_way_out(cast, way, tmp_path):
    for written in OUTSIDE:
        found = told(cast, way, f"Hi {written}, bye", {"name": "Ann"}, tmp_path)
        assert not found.taken, (written, found)
        assert "$(name)" in found.says, (written, found)
    assert not Send.objects.exists()


@pytest.mark.parametrize("way", [*WAYS, "plan"])
def test_around_another_word_it_is_taken_with_a_caution(cast, way, tmp_path):
    found = told(cast, way, "Hi {{title}}, bye [urgent]", {"name": "Ann"}, tmp_path)
    assert found.taken, found
    assert "“{{title}}” would be sent as it stands" in found.says.replace("&quot;", '"')
    assert "[urgent]" in found.says


@pytest.mark.parametrize("way", [*WAYS, "plan"])
def test_an_answer_that_the_sender_cannot_receive_is_cautioned(cast, way, tmp_path):
    Sender.objects.create(service=cast.service, address="60777", kind=SenderKind.SHORT_CODE)
    found = told(cast, way, "20% off. Reply STOP to opt out", {}, tmp_path)
    assert found.taken, found
    assert "No one can reply to SHOP" in found.says
    assert "text STOP to 60777" in found.says


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_a_line_break_is_one_character_by_every_way(cast, way, ending, tmp_path):
    assert told(cast, way, "a" * 80 + ending + "b" * 79, {}, tmp_path).taken
    assert on_the_wire() == ("a" * 80 + "\n" + "b" * 79, 1)


@pytest.mark.parametrize("way", WITH_VALUES)
def test_a_line_break_in_a_value_is_one_character_by_every_way(cast, way, tmp_path):
    assert told(cast, way, "To: $(address)", {"address": "1 High St\r\nLeeds"}, tmp_path).taken
    assert on_the_wire()[0] == "To: 1 High St\nLeeds"


@pytest.mark.parametrize("way", WITH_VALUES)
def test_names_with_brackets_can_be_written(cast, way, tmp_path):
    values = {"Amount (GBP)": "12.50", "Name (2)": "Lee", "a (b (c))": "x"}
    text = "Pay $(Amount (GBP)), $(name (2)): $(a (b (c)))"
    assert told(cast, way, text, values, tmp_path).taken
    assert on_the_wire()[0] == "Pay 12.50, Lee: x"


@pytest.mark.parametrize("way", WITH_VALUES)
def test_a_value_in_a_link_is_percent_encoded_and_elsewhere_it_is_not(cast, way, tmp_path):
    text = "Hi $(name), https://x.example/p/$(name)?n=$(name)&t=1 $(name)"
    assert told(cast, way, text, {"name": "Zoë R&D"}, tmp_path).taken
    link = "https://x.example/p/Zo%C3%AB%20R&D?n=Zo%C3%AB%20R%26D&t=1"
    assert on_the_wire()[0] == f"Hi Zoë R&D, {link} Zoë R&D"


@pytest.mark.parametrize("way", ["api", "drop-in"])
def test_a_number_as_a_value_is_its_text_and_null_is_none(cast, way, tmp_path):
    values = {"n": 4711, "amount": 12.50}
    assert told(cast, way, "Order $(n): $(amount)", values, tmp_path).taken
    assert on_the_wire()[0] == "Order 4711: 12.5"
    refused = told(cast, way, "Hi $(name)", {"name": None}, tmp_path)
    assert not refused.taken
    assert "$(name)" in refused.says
    for value in ([], {"a": 1}):
        refused = told(cast, way, "Hi $(name)", {"name": value}, tmp_path)
        assert not refused.taken
        assert "name" in refused.says


def test_a_number_stands_as_it_was_written(cast):
    raw = '{"text": "Pay $(a)", "recipients": [{"number": "%s", "values": {"a": 1.10}}]}'
    partner = Partner(key_of(cast))
    answer = partner.client.post(
        "/api/v1/sends/plan", raw % NUMBER, content_type="application/json", headers={"key": partner.token}
    )
    assert answer.json()["request"]["content"]["text"] == "Pay 1.10"


def test_a_second_column_of_the_same_name_can_be_written(cast):
    rows = f"mobile,Name,Name\n{NUMBER},Ann,Lee\n"
    asked = {"text": "Hi $(Name) $(Name (2))", "csv": rows}
    answer = Partner(key_of(cast)).post("sends/plan", asked)
    assert answer.json()["request"]["content"]["text"] == "Hi Ann Lee"


@pytest.mark.parametrize("heading", ["Amount (GBP", "a) b", "((", "two\nlines", "x" * 300, "$(name)"])
def test_whatever_a_heading_is_the_desk_calls_it_so_that_it_can_be_written(cast, heading):
    rows = f'mobile,"{heading}"\n{NUMBER},Ann\n'
    partner = Partner(key_of(cast))
    typed = {"sender": cast.service.senders.get().pk, "text": "Hi", "country": "GB", "when": "now"}
    shown = cast["composer"].post("/s/shop/compose/save/", typed | {"pasted": rows})
    assert shown.status_code == 200
    (name,) = [one for one in read_pasted(rows, country="GB", limits=Limits()).headings if one != "mobile"]
    answer = partner.post("sends/plan", {"text": f"Hi $({name})", "csv": rows})
    assert answer.status_code == 200, answer.content
    assert answer.json()["request"]["content"]["text"] == "Hi Ann"


def test_templates_refuse_what_nothing_fills_and_take_brackets(cast):
    with pytest.raises(TemplateError) as problem:
        templates.create(cast.service, "a", Wording("Hi {{x}}"), by=BY)
    assert problem.value.code == "foreign_placeholder"
    with pytest.raises(TemplateError):
        templates.create(cast.service, "a", Wording("Hi $(name) and {name}"), by=BY)
    made = templates.create(cast.service, "pay", Wording("Pay $(Amount (GBP))\r\nBye"), by=BY)
    assert made.versions.get().text == "Pay $(Amount (GBP))\nBye"
    answer = Partner(key_of(cast)).post(
        "sends/plan",
        {
            "template": "pay",
            "recipients": [{"number": NUMBER, "values": {"Amount (GBP)": "5"}}],
        },
    )
    assert answer.json()["request"]["content"]["text"] == "Pay 5\nBye"
    form = {
        "name": "",
        "text": "Pay $(Amount (GBP))",
        **rows(**{"Amount (GBP)": {"kind": "number", "example": "5"}}),
    }
    page = cast["admin"].post("/s/shop/templates/new/", form | {"name": "pay2"})
    assert page.status_code == 302, text_of(page)


def test_what_a_batch_would_fill_in_is_filled_here_where_it_stands_in_a_link(cast):
    Service.objects.filter(pk=cast.service.pk).update(batch_size=10, **PROVED)
    asked = {
        "text": "Hi $(n) https://x.example/?n=$(n)",
        "recipients": [
            {"number": "+447700900123", "values": {"n": "Ann Lee"}},
            {"number": "+447700900124", "values": {"n": "Bo"}},
        ],
    }
    assert Partner(key_of(cast)).post("sends", asked, Idempotency_Key=str(next(KEYS))).status_code == 201
    provider = Provider()
    provider.dispatch()
    texts = sorted(one["content"]["text"] for one in provider.bodies)
    assert texts == ["Hi Ann Lee https://x.example/?n=Ann%20Lee", "Hi Bo https://x.example/?n=Bo"]
