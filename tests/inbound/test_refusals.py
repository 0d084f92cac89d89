"""Refusals as people write them: how well they are read, what a person decides, and that our own words refuse nothing."""

import json

import pytest
from django.test import Client

from sms.audiences.files import Limits, read_pasted
from sms.inbound.optouts.keywords import read
from sms.models import AuditEvent, InboundMessage, OptOut, Send, Sender, SenderKind
from tests.inbound.refusals import answers, figures
from tests.support.pages import text_of
from tests.support.people import Cast, a_cast
from tests.support.provider import Provider
from tests.support.sends import a_send

URL = "/s/shop/opt-outs/"
PHONE = "+447710000000"
SALE = "Sale: 20% off until Friday. To end these, text STOP to 60777."


@pytest.fixture
def cast() -> Cast:
    return a_cast(waiting=True)


def an_sms(cast: Cast, text: str, **fields: str) -> InboundMessage:
    said = {"oa": PHONE[1:], "da": "60777", "message": text, "tid": text} | fields
    answer = Client().post(
        f"/inbound/{cast.service.receipt_token}/", json.dumps(said), content_type="application/json"
    )
    assert answer.status_code == 200
    return InboundMessage.objects.first()


def is_opted_out() -> bool:
    return OptOut.objects.filter(msisdn=PHONE, lifted_at=None).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "written", ["+44 7710 000000", "0044 7710-000000", "tel:+447710000000", " 447710000000 "]
)
def test_the_handset_is_read_however_its_number_is_written(cast, written):
    an_sms(cast, "STOP", oa=written)
    assert is_opted_out()


def test_the_corpus_is_large_and_of_many_languages():
    known = answers()
    assert len(known) >= 400
    assert len({one.language for one in known}) >= 30
    assert len({one.text for one in known}) > 0.9 * len(known)


def test_precision_and_recall_have_a_floor():
    found = figures(answers())
    assert found.heeded_precision >= 0.97, found
    assert found.heeded_recall >= 0.97, found
    assert found.shown_recall >= 0.98, found
    assert found.shown_precision >= 0.97, found


@pytest.mark.parametrize("opening", ["“", '"', "«", "„", "「", "‘"])
@pytest.mark.parametrize(
    "said", ["Liked", "A aimé", "Gefällt", "Le gustó", "👍", "❤️ to", "Понравилось", "赞了"]
)
def test_a_reaction_of_a_phone_refuses_nothing(said, opening):
    closing = {"“": "”", '"': '"', "«": "»", "„": "“", "「": "」", "‘": "’"}[opening]
    for quoted in (SALE, "STOP", "Reply STOP to opt out", SALE[:40] + "…"):
        assert read(f"{said} {opening}{quoted}{closing}").meaning == "", quoted
    assert read(f"{said} {opening}{SALE}").meaning == ""


def test_what_stands_in_our_own_message_is_ours_in_any_language():
    assert read(f"Aimatut “{SALE}”", ours=SALE).meaning == ""
    assert read(f"> {SALE}\nThanks, see you there").meaning == ""
    assert read(f"“{SALE}” STOP", ours=SALE).meaning == "stop"
    assert read(f"You wrote “{SALE}”: remove my number", ours=SALE).meaning == "stop"


def test_a_quotation_of_a_refusal_is_set_before_a_person():
    assert read("She says “stop sending me these messages please”").meaning == "maybe"


@pytest.mark.django_db
def test_a_reaction_to_what_we_sent_opts_nobody_out(cast):
    Sender.objects.create(service=cast.service, address="60777", kind=SenderKind.SHORT_CODE)
    a_send(
        cast.service,
        content=SALE,
        audience=read_pasted(PHONE, country="GB", limits=Limits()),
        sender=cast.service.senders.get(address="60777"),
    )
    Provider().dispatch()
    assert an_sms(cast, f"Erittäin hyvä! “{SALE}”").meaning == ""
    assert not is_opted_out()
    assert an_sms(cast, "Who is this? STOP").meaning == "stop"
    assert is_opted_out()


@pytest.mark.django_db
def test_what_may_be_a_refusal_waits_for_one_press(cast):
    assert an_sms(cast, "wrong number").meaning == "maybe"
    assert not is_opted_out()
    assert "1 reply may be a refusal" in text_of(cast["composer"].get("/s/shop/"))
    assert "1 reply may be a refusal" in text_of(cast["composer"].get(URL))
    assert "wrong number" in text_of(cast["composer"].get("/s/shop/replies/?show=maybe"))
    pk = InboundMessage.objects.get().pk
    answer = cast["composer"].post(f"/s/shop/inbound/{pk}/refuses/", follow=True)
    assert "is opted out from now on" in text_of(answer)
    assert is_opted_out()
    kept = OptOut.objects.get()
    assert (kept.source, kept.inbound_id, "wrong number" in kept.evidence) == ("inbound", pk, True)
    assert AuditEvent.objects.get(act="reply.judged").details["refuses"] is True
    assert "may be a refusal" not in text_of(cast["composer"].get("/s/shop/"))
    again = cast["composer"].post(f"/s/shop/inbound/{pk}/refuses-nothing/", follow=True)
    assert "decided already" in text_of(again)
    assert is_opted_out()


@pytest.mark.django_db
def test_one_press_settles_all_of_a_person_and_nobody_is_asked_about_later(cast):
    an_sms(cast, "wrong number")
    an_sms(cast, "not interested")
    other = an_sms(cast, "not interested", oa="447710000009", tid="another person")
    first = InboundMessage.objects.filter(msisdn=PHONE).last()
    cast["composer"].post(f"/s/shop/inbound/{first.pk}/refuses/")
    assert list(InboundMessage.objects.filter(meaning="maybe")) == [other]
    assert an_sms(cast, "this is spam").meaning == ""


@pytest.mark.django_db
def test_what_is_no_refusal_changes_nothing(cast):
    an_sms(cast, "not interested")
    pk = InboundMessage.objects.get().pk
    answer = cast["admin"].post(f"/s/shop/inbound/{pk}/refuses-nothing/", follow=True)
    assert "No refusal" in text_of(answer)
    assert not OptOut.objects.exists()
    assert AuditEvent.objects.get(act="reply.judged").details["refuses"] is False
    assert a_send(cast.service, audience=read_pasted(PHONE, country="GB", limits=Limits())).recipients == 1


@pytest.mark.django_db
def test_only_those_who_may_opt_out_decide(cast):
    an_sms(cast, "wrong number")
    pk = InboundMessage.objects.get().pk
    for who in ("approver", "auditor"):
        conversation = InboundMessage.objects.get().conversation_id
        assert "Not a refusal" not in text_of(cast[who].get(f"/s/shop/replies/{conversation}/"))
        assert cast[who].post(f"/s/shop/inbound/{pk}/refuses/").status_code == 403
    assert cast["foreigner"].post(f"/s/shop/inbound/{pk}/refuses/").status_code == 404
    assert not OptOut.objects.exists()


@pytest.mark.django_db
def test_a_later_word_of_the_person_settles_it(cast):
    for last in ("START", "STOP"):
        an_sms(cast, "wrong number", tid=f"maybe {last}")
        an_sms(cast, last)
        assert not InboundMessage.objects.filter(meaning="maybe").exists()
    assert is_opted_out()


BROKEN = {
    "half an emoji": b'{"oa":"447710000000","da":"60777","message":"STOP \\ud83d"}',
    "half an emoji in bytes": b'{"oa":"447710000000","da":"60777","message":"STOP \xf0\x9f\x9b"}',
    "surrogates in bytes": b'{"oa":"447710000000","da":"60777","message":"STOP \xed\xa0\xbd\xed\xb8\x80"}',
    "keys in capitals": b'{"OA":"447710000000","DA":"60777","MESSAGE":"STOP"}',
    "other keys": b'{"from":"447710000000","to":"60777","text":"STOP"}',
    "keys with signs": b'{"Origin_Address":"447710000000","destination-address":"60777","message_text":"STOP"}',
    "a form": b"oa=447710000000&da=60777&message=STOP",
    "JSON in a form": b"payload=%7B%22oa%22%3A%22447710000000%22%2C%22message%22%3A%22STOP%22%7D",
    "a mark": b'\xef\xbb\xbf{"oa":"447710000000","da":"60777","message":"STOP"}',
    "UTF-16": '{"oa":"447710000000","da":"60777","message":"STOP"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"oa":"447710000000","da":"60777","message":"STOP"}'.encode("utf-16-le"),
    "a comma too many": b'{"oa":"447710000000","da":"60777","message":"STOP",}',
    "text behind": b'{"oa":"447710000000","da":"60777","message":"STOP"}\r\n-- sent by gateway',
    "text before": b')]}\',\n{"oa":"447710000000","da":"60777","message":"STOP"}',
    "Latin-1": '{"oa":"447710000000","da":"60777","message":"arrêt"}'.encode("latin-1"),
    "a line break in a text": b'{"oa":"447710000000","da":"60777","message":"STOP\n"}',
    "a wrong escape": b'{"oa":"447710000000","da":"60777","message":"STOP \\o/"}',
    "a key twice": b'{"oa":"447710000000","da":"60777","message":"STOP","message":""}',
    "in a list": b'[{"oa":"447710000000","da":["60777"],"message":"STOP"}]',
    "in an object": b'{"inboundSms":{"oa":"447710000000","da":"60777","message":"STOP"}}',
    "as a text of JSON": json.dumps('{"oa":"447710000000","da":"60777","message":"STOP"}').encode(),
    "a number as a number": b'{"oa":447710000000,"da":60777,"message":"STOP"}',
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BROKEN)
def test_a_slightly_broken_sms_counts(cast, name):
    address = f"/inbound/{cast.service.receipt_token}/"
    answer = Client().post(address, BROKEN[name], content_type="application/json")
    assert answer.status_code == 200
    kept = InboundMessage.objects.get()
    assert (kept.why, kept.meaning, kept.msisdn) == ("", "stop", PHONE)
    assert is_opted_out()
    assert "\ud83d" not in kept.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw", [b"<sms><from>447710000000</from></sms>", b"{", b"\x00\xff\xfe", b'{"message":"STOP"}']
)
def test_what_cannot_be_read_is_kept_and_shown(cast, raw):
    address = f"/inbound/{cast.service.receipt_token}/"
    assert Client().post(address, raw, content_type="text/plain").status_code == 200
    assert bytes(InboundMessage.objects.get().raw) == raw
    assert "Stored, but not acted on" in text_of(cast["admin"].get("/s/shop/replies/"))
    assert not Send.objects.exists()
