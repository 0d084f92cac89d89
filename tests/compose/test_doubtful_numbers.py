"""Numbers that may be no mobile of the person, at every way in: said of each row, counted by kind, and left out where somebody chose so."""

import io
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from sms.audiences import packing, saved
from sms.audiences.contents import export
from sms.audiences.files import Limits, read
from sms.compose import background
from sms.inbound import optouts
from sms.models import AuditEvent, Draft, InboundMessage, Message, OptOut, Reject, SavedAudience, Send
from tests.support.drop_in import post
from tests.support.large_audiences import a_draft, finished, people
from tests.support.partners import Partner, a_key, a_partner
from tests.support.people import a_cast
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service, an_order

pytestmark = pytest.mark.django_db

MOBILE, LANDLINE, FREE, ABROAD = "07712 345678", "0151 496 0123", "0800 123 4567", "33612345678"
LIST = "\n".join((MOBILE, LANDLINE, FREE, ABROAD))


def sent_to() -> list[str]:
    return list(Message.objects.order_by("row").values_list("msisdn", flat=True))


def left_out() -> list[tuple[int, str, str]]:
    return list(Reject.objects.order_by("row").values_list("row", "code", "field"))


@pytest.fixture
def cast():
    return a_cast()


def typed(cast, **changes):
    fields = {"sender": cast.service.senders.get().pk, "text": "Hi", "country": "GB", "when": "now"}
    return fields | {"pasted": LIST, "review": "1"} | changes


# --- pages --------------------------------------------------------------------------------------------------------------
def test_the_flight_plan_asks_once_for_each_kind_and_the_choice_is_in_the_audit(cast):
    saved_page = cast["composer"].post("/s/shop/compose/", typed(cast))
    page = cast["composer"].get(saved_page.url).content.decode()
    assert "1 number looks like a landline; most landlines get no text." in page
    assert "1 number fits another country only, and has no +; a digit may be wrong." in page
    assert "Row 2: +44 1514 ••• 123" in page and "1514960123" not in page
    draft = Draft.objects.get()
    choose = f"/s/shop/drafts/{draft.pk}/leave-out/"
    cast["composer"].post(choose, {"landline": "leave_out", "free": "send", "abroad": "leave_out"})
    assert AuditEvent.objects.get(act="draft.numbers_chosen").details == {"leave_out": ["landline", "abroad"]}
    cast["composer"].post(saved_page.url)
    assert sent_to() == ["+447712345678", "+448001234567"]
    assert left_out() == [(2, "left_out", "landline"), (4, "left_out", "abroad")]
    assert AuditEvent.objects.get(act="send.created").details["leave_out"] == ["landline", "abroad"]


def test_a_choice_can_be_taken_back_and_a_number_abroad_is_sent_to_once_it_is_meant(cast):
    saved_page = cast["composer"].post("/s/shop/compose/", typed(cast))
    choose = f"/s/shop/drafts/{Draft.objects.get().pk}/leave-out/"
    cast["composer"].post(choose, {"abroad": "send", "landline": "nonsense", "mobile": "leave_out"})
    cast["composer"].post(saved_page.url)
    assert sent_to() == ["+447712345678", "+441514960123", "+448001234567", "+33612345678"]
    late = cast["composer"].post(choose, {"abroad": "leave_out"}, follow=True)
    assert late.redirect_chain[-1][0] == f"/s/shop/sends/{Send.objects.get().pk}/"


def test_a_choice_made_just_before_the_press_is_not_lost(cast):
    saved_page = cast["composer"].post("/s/shop/compose/", typed(cast))
    page = cast["composer"].get(saved_page.url).content.decode()
    assert page.count('form="go"') == 3 * 2 + 1 and 'id="go"' in page, (
        "one form for the choices and the press"
    )
    seen = Draft.objects.get().revision
    pressed = {"revision": seen, "landline": "leave_out", "free": "send", "abroad": "leave_out"}
    page = cast["composer"].post(saved_page.url, pressed, follow=True).content.decode()
    assert sent_to() == [] and "Nothing is sent yet" in page and "Send to 2 recipients" in page
    Draft.objects.update(leave_out=0)  # as a colleague chooses meanwhile
    cast["composer"].post(saved_page.url, pressed)
    assert sent_to() == [] and Draft.objects.get().leave_out == 0, "what was not seen is not undone"


def test_a_choice_stands_on_the_page_while_its_figures_are_counted(cast):
    content = people(5_001) + b"\n0151 496 0123,Person,x"
    draft = a_draft(cast.service, content, text="Hi", country="GB")
    finished(draft)
    url = f"/s/shop/drafts/{draft.pk}/"
    page = cast["composer"].post(f"{url}leave-out/", {"landline": "leave_out"}, follow=True).content.decode()
    assert "These figures are from before your last change" in page
    checked = re.findall(r'id="(\w+-landline)"[^>]* checked', page)
    assert checked == ["leave-landline"]


def test_ticks_of_the_compose_page_are_stored_and_none_at_all_is_told_from_a_page_without_them(cast):
    def stored(**changes):
        cast["composer"].post("/s/shop/compose/", typed(cast, **changes))
        return Draft.objects.latest("pk").leave_out.names

    assert stored() == ["abroad"]
    assert stored(leave_out=["", "landline", "free"]) == ["landline", "free"]
    assert stored(leave_out=[""]) == []
    page = cast["composer"].get(f"/s/shop/drafts/{Draft.objects.latest('pk').pk}/").content.decode()
    assert 'data-kind="landline"' in page, "what is in doubt stands beside the numbers"


def test_who_may_not_compose_does_not_choose(cast):
    cast["composer"].post("/s/shop/compose/", typed(cast))
    choose = f"/s/shop/drafts/{Draft.objects.get().pk}/leave-out/"
    assert cast["auditor"].post(choose, {"landline": "leave_out"}).status_code == 403
    assert cast["composer"].get(choose).status_code == 405


# --- programs -----------------------------------------------------------------------------------------------------------
def test_the_api_says_what_is_in_doubt_and_leaves_out_what_it_is_told():
    _, partner = a_partner()
    body = {"text": "Hi", "recipients": [LANDLINE, ABROAD, MOBILE, "0906 123 4567"]}
    plan = partner.post("sends/plan", body | {"country": "GB"}).json()
    doubts = {one["kind"]: (one["count"], one["left_out"], one["rows"]) for one in plan["doubtful"]}
    assert doubts == {"landline": (1, False, [1]), "abroad": (1, True, [2])}
    assert {one["code"] for one in plan["rejects"]} == {"left_out", "premium"}
    made = partner.post("sends", body | {"leave_out": ["landline"]}, Idempotency_Key="k").json()
    assert (made["recipient_count"], made["rejected"]) == (2, 2)
    assert sent_to() == ["+33612345678", "+447712345678"], "abroad is meant now"
    wrong = partner.post("sends", body | {"leave_out": ["fax"]}, Idempotency_Key="l")
    assert wrong.json()["errors"][0]["field"] == "leave_out[0]"


def test_a_number_that_is_only_perhaps_abroad_alone_is_refused_with_the_way_out():
    _, partner = a_partner()
    answer = partner.post("sends", {"text": "Hi", "recipients": [ABROAD]}, Idempotency_Key="k")
    assert answer.status_code == 422 and "write it with +" in answer.json()["detail"]
    assert not Send.objects.exists()


def test_a_partner_of_the_drop_in_leaves_kinds_out_and_each_destination_has_its_report():
    service, _ = a_partner()
    content = {
        "channel": "sms",
        "from": "SHOP",
        "to": [{"msisdn": ["447712345678"]}, {"msisdn": ["+441514960123"]}, {"msisdn": ["449061234567"]}],
        "content": {"type": "text", "text": "Hi"},
        "textdesk": {"leave_out": ["landline"]},
    }
    assert post(a_key(service, name="Other"), content).status_code == 201
    states = [(one.row, one.state, one.code) for one in Message.objects.order_by("row")]
    assert states == [(1, "pending", ""), (2, "failed", "7102"), (3, "failed", "7102")]


def test_the_command_and_the_admin_leave_kinds_out(cast, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("number\n" + LIST)
    whole = ["send", "--service=shop", "--sender=SHOP", "--text=Hi", f"--audience={file}"]
    call_command(*whole, "--leave-out=landline,abroad")
    assert sent_to() == ["+447712345678", "+448001234567"]
    call_command(*whole, "--leave-out=")
    assert len(sent_to()) == 2 + 4
    with pytest.raises(Exception, match="leave_out: “fax” is no kind of number. Choose from landline, free"):
        call_command(*whole, "--leave-out=fax")


def test_a_saved_audience_keeps_its_doubts_and_an_export_does_not_lose_them():
    service = a_service()
    packed = packing.pack_pasted(LIST, country="GB", limits=Limits())
    made = saved.create(service, packed, name="Regulars", by=BY)
    partner = Partner(a_key(service))
    body = {"text": "Hi", "audience": made.pk, "leave_out": ["free", "abroad"]}
    assert partner.post("sends", body, Idempotency_Key="k").status_code == 201
    assert sent_to() == ["+447712345678", "+441514960123"]
    again = "".join(export(SavedAudience.objects.get().current)).encode()
    kinds = [one.kind.names for one in read(io.BytesIO(again), name="x.csv", country="GB").recipients]
    assert kinds == [["mobile"], ["landline"], ["free"], ["abroad"]]


def test_a_large_send_leaves_the_same_rows_out_in_the_background():
    service = a_service()
    rows = [f"+44771{at:07d}" for at in range(5_001)] + [LANDLINE, ABROAD]
    audience = read(io.BytesIO("\n".join(["number", *rows]).encode()), name="x.csv", country="GB")
    send = a_send(service, audience=audience, leave_out=an_order(service).options.leave_out)
    background.run(stopped=lambda: False)
    send.refresh_from_db()
    assert (send.recipients, send.rejected) == (5_002, 1)
    assert left_out() == [(5_004, "left_out", "abroad")]


def test_a_number_that_is_certain_further_down_is_not_lost_with_the_row_that_is_in_doubt(cast):
    """Sent to once, whatever is chosen."""
    pasted = f"{ABROAD}\n+33 612 345678\n+33612345678\n{MOBILE}"
    saved_page = cast["composer"].post("/s/shop/compose/", typed(cast, pasted=pasted))
    cast["composer"].post(saved_page.url)
    assert sent_to() == ["+33612345678", "+447712345678"]
    assert list(Reject.objects.order_by("row").values_list("row", "code")) == [
        (1, "left_out"),
        (3, "duplicate"),
    ]
    partner = Partner(a_key(cast.service))
    body = {"text": "Hi", "recipients": pasted.splitlines(), "country": "GB"}
    assert (
        partner.post("sends", body | {"leave_out": ["none"]}, Idempotency_Key="k").json()["recipient_count"]
        == 2
    )
    rows = (
        Message.objects.filter(send=Send.objects.latest("pk")).order_by("row").values_list("row", flat=True)
    )
    assert list(rows) == [1, 4], "the first one, where it is in no doubt for the person"
    file = SimpleUploadedFile("refusals.csv", f"number\n{pasted}\n".encode())
    cast["composer"].post("/s/shop/opt-outs/upload/", {"upload-file": file, "upload-evidence": "x"})
    assert OptOut.in_force(cast.service.pk, ["+33612345678"]), "a refusal is not lost either"


def test_a_saved_audience_keeps_both_rows_of_a_number(cast):
    packed = packing.pack_pasted(f"{ABROAD}\n+33 612 345678", country="GB", limits=Limits())
    made = saved.create(cast.service, packed, name="Regulars", by=BY)
    partner = Partner(a_key(cast.service))
    for leave_out, row in (["abroad"], 2), (["none"], 1):
        body = {"text": "Hi", "audience": made.pk, "leave_out": leave_out}
        assert partner.post("sends", body, Idempotency_Key=f"k{row}").status_code == 201
        assert [one.row for one in Message.objects.filter(send=Send.objects.latest("pk"))] == [row]


# --- acts on one number -------------------------------------------------------------------------------------------------
def test_nobody_abroad_is_opted_out_by_a_digit_too_many(cast):
    file = SimpleUploadedFile("refusals.csv", f"number\n{MOBILE}\n{ABROAD}\n".encode())
    page = cast["composer"].post("/s/shop/opt-outs/upload/", {"upload-file": file, "upload-evidence": "x"})
    assert list(OptOut.objects.values_list("msisdn", flat=True)) == ["+447712345678"]
    assert "write it with +" in page.content.decode()
    answer = Partner(a_key(cast.service, scopes=["optouts"])).post(
        "opt-outs", {"numbers": [ABROAD], "evidence": "asked"}, Idempotency_Key="k"
    )
    assert answer.status_code == 400 and "write it with +" in answer.json()["detail"]
    assert OptOut.objects.count() == 1


# --- what comes in ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("listed", "reported"),
    [
        ("+52 55 9595 4860", "5215595954860"),
        ("+54 9 11 2345 6789", "541123456789"),
        ("+54 11 2345 6789", "5491123456789"),
        ("+55 11 98765 4321", "551187654321"),
        ("+44 7712 345678", "+447712345678"),
    ],
)
def test_a_refusal_counts_for_the_number_that_is_written_to(listed, reported):
    service = a_service()
    file = io.BytesIO(f"number\n{listed}\n".encode())
    audience = read(file, name="x.csv", country="GB")
    send = a_send(service, audience=audience)
    Provider().dispatch()
    told = json.dumps({"oa": reported, "da": "SHOP", "message": "STOP", "tid": "t-1", "channel": "sms"})
    url = f"/inbound/{service.receipt_token}/"
    assert Client().post(url, told, content_type="application/json").status_code == 200
    message = InboundMessage.objects.get()
    assert (message.why, message.meaning, message.send_id) == ("", "stop", send.pk)
    assert OptOut.in_force(service.pk, [audience.recipients[0].msisdn]) == {audience.recipients[0].msisdn}
    start = json.dumps({"oa": reported, "da": "SHOP", "message": "START", "tid": "t-2", "channel": "sms"})
    Client().post(url, start, content_type="application/json")
    assert OptOut.in_force(service.pk, [audience.recipients[0].msisdn]) == set()


def test_both_spellings_of_a_handset_are_left_out_of_one_block():
    service = a_service()
    optouts.opt_out(service.pk, [optouts.Refusal("+5491123456789")], by=BY, source="page")
    both = ["+5491123456789", "+541123456789", "+447712345678"]
    assert OptOut.in_force(service.pk, both) == set(both[:2])
