"""Whole numbers leave by an export or a reveal alone: they stay hidden in texts, values and bodies, and rows keep where they came from."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from portal.models import User
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.compose import drafts
from sms.inbound import optouts
from sms.models import Callback, CallbackEndpoint, Draft, Message, Receipt, Send
from sms.sends import cancel
from tests.support.partners import a_partner
from tests.support.people import a_cast
from tests.support.receipts import receipt
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
LIMITS = Limits()
ROWS = "number,name,backup\n07700900351,Ann,07700 900351\n07700900352,Bob,+44 7700 900352\n"
DIGITS = ("7700900351", "7700900352", "7700 900351", "7700 900352")


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def shows_a_number(response) -> bool:
    text = b"".join(response).decode() if response.streaming else response.content.decode()
    return any(digits in text for digits in DIGITS)


def a_draft(service, text="Hi $(name), is $(number) still yours?", **changes) -> Draft:
    fields = {"text": text, "sender": service.senders.get(), "country": "GB"}
    return Draft.objects.create(service=service, **fields | changes)


@pytest.fixture
def copied(cast) -> Draft:
    """What a composer gets who sends to a saved audience, cancels it, and duplicates the send."""
    packed = packing.pack_pasted(ROWS, country="GB", limits=LIMITS)
    kept = saved.create(cast.service, packed, name="Regulars", by=BY)
    send = drafts.send_draft(a_draft(cast.service, text="Hi $(name)", audience=kept), by=BY, limits=LIMITS)
    cancel.cancel(send, by=BY)
    cast["composer"].post(f"/s/shop/sends/{send.pk}/duplicate/", {"who": "undelivered"})
    return Draft.objects.get(send=None)


def typed(draft: Draft, **changes) -> dict[str, object]:
    fields = {
        "sender": draft.sender_id,
        "text": draft.text,
        "country": "GB",
        "when": "now",
        "column": draft.column,
    }
    return fields | changes


def test_rows_of_a_saved_audience_stay_its_rows_when_a_send_is_duplicated(cast, copied):
    at = f"/s/shop/drafts/{copied.pk}/"
    for column in ("name", "backup", ""):
        cast["composer"].post(at, typed(copied, column=column, review="1"))
        copied.refresh_from_db()
        assert copied.column == "number", "what holds the numbers cannot be made a value"
    assert cast["composer"].get(f"{at}rejects.csv").status_code == 403
    assert cast["admin"].get(f"{at}rejects.csv").status_code == 200
    for page in (at, f"{at}review/", f"{at}plan.json"):
        assert not shows_a_number(cast["composer"].get(page)), page


@pytest.mark.parametrize(
    "choice", [{"heading_row": "2"}, {"heading_row": "0"}, {"column": "name", "heading_row": "3"}]
)
def test_their_rows_are_not_read_as_headings(cast, copied, choice):
    at = f"/s/shop/drafts/{copied.pk}/"
    shown = [cast["composer"].post(at, typed(copied, **choice, review="1"))]
    shown += [cast["composer"].get(page) for page in (at, f"{at}review/", f"{at}preview/", f"{at}plan.json")]
    assert not any(shows_a_number(page) for page in shown)
    copied.refresh_from_db()
    assert (copied.column, copied.heading_row) == ("number", None)


def test_a_test_of_their_rows_takes_no_number_of_theirs_along(cast, copied):
    copied.text = "Is $(backup) yours?"
    copied.save()
    User.objects.filter(pk=cast.users["composer"].pk).update(own_number="+447700900777")  # proved by a code
    cast["composer"].post(f"/s/shop/drafts/{copied.pk}/test/", {"to": "own"})
    message = Message.objects.get(send__test=True)
    assert message.msisdn == "+447700900777"
    assert message.text.startswith("Is +44 7***") and not shows_a_number_of(message.text)


def test_their_receipts_are_passed_on_for_those_who_may_export_alone(cast, copied):
    at = f"/s/shop/drafts/{copied.pk}/"
    fields = typed(copied, notify_url="https://partner.example/r", review="1")
    cast["composer"].post(at, fields)
    page = cast["composer"].get(f"{at}review/")
    assert (page.status_code, "which you may not export" in page.text) == (422, True)
    assert cast["composer"].post(f"{at}review/").status_code == 422
    assert Send.objects.count() == 1


def test_rejected_rows_of_a_saved_audience_hide_their_numbers(cast):
    rows = "number,name\n07700900351,Ann\n+44 7700 900351,Ann\n07700 900352x,Bob\nno number,Eve\n07700900353,Cy\n"
    packed = packing.pack_pasted(rows, country="GB", limits=LIMITS)
    kept = saved.create(cast.service, packed, name="Regulars", by=BY)
    optouts.opt_out(cast.service.pk, [optouts.Refusal("+447700900351")], by=BY, source="page")
    send = drafts.send_draft(a_draft(cast.service, text="Hi", audience=kept), by=BY, limits=LIMITS)
    for path, left_out in ((f"audiences/{kept.pk}", 3), (f"sends/{send.pk}", 1)):
        seen = cast["composer"].get(f"/s/shop/{path}/rejects.csv").getvalue().decode()
        assert len(seen.strip().splitlines()) == left_out + 1, seen
        assert ("no number" in seen) == (left_out == 3), "what is none helps to correct it"
        assert not shows_a_number_of(seen), path
        assert shows_a_number(cast["admin"].get(f"/s/shop/{path}/rejects.csv")), path


def test_a_copy_of_a_copy_is_withheld_too(cast, copied):
    second = drafts.send_draft(copied, by=BY, limits=LIMITS)
    cancel.cancel(second, by=BY)
    cast["composer"].post(f"/s/shop/sends/{second.pk}/duplicate/", {"who": "undelivered"})
    assert Draft.objects.get(send=None).upload.withheld


def test_rows_of_a_program_are_withheld_and_those_of_a_persons_file_are_not(cast):
    for send, withheld in ((a_send(cast.service, 2), True), (None, False)):
        if send is None:
            send = drafts.send_draft(
                a_draft(cast.service, text="Hi", pasted="07700900351"), by=BY, limits=LIMITS
            )
        cancel.cancel(send, by=BY)
        cast["composer"].post(f"/s/shop/sends/{send.pk}/duplicate/", {"who": "undelivered"})
        draft = Draft.objects.filter(send=None).order_by("-pk")[0]
        assert draft.upload.withheld is withheld


def test_a_file_that_replaces_them_is_the_composers_own(cast, copied):
    file = SimpleUploadedFile("own.csv", b"mobile,name\n07700900005,Eve\n")
    cast["composer"].post(f"/s/shop/drafts/{copied.pk}/", typed(copied, file=file, review="1"))
    copied.refresh_from_db()
    assert not copied.numbers_withheld
    assert cast["composer"].get(f"/s/shop/drafts/{copied.pk}/rejects.csv").status_code == 200


@pytest.mark.parametrize("text", ["Is $(number) yours?", "Is $(backup) yours?"])
def test_a_number_in_a_text_is_hidden_wherever_the_text_is_shown(cast, text):
    draft = a_draft(cast.service, text=text, pasted=ROWS)
    at = f"/s/shop/drafts/{draft.pk}/"
    for page in (f"{at}review/", f"{at}plan.json", f"{at}plan.json?row=2", f"{at}test/"):
        assert not shows_a_number(cast["composer"].get(page)), page
    shown = cast["composer"].get(at).context["look"]["preview"].phone.bits
    assert not shows_a_number_of("".join(bit.shown for bit in shown))
    send = drafts.send_draft(draft, by=BY, limits=LIMITS)
    message = send.messages.first()
    assert shows_a_number_of(message.text), "what is sent has it"
    page = cast["composer"].get(f"/s/shop/messages/{message.pk}/")
    assert "yours?" in page.text
    assert not shows_a_number(page)


def shows_a_number_of(text: str) -> bool:
    return any(digits in text for digits in DIGITS)


def test_hiding_moves_no_segment(cast):
    draft = a_draft(cast.service, text="x" * 130 + " $(number) $(name)", pasted=ROWS)
    page = cast["composer"].get(f"/s/shop/drafts/{draft.pk}/")
    phone = page.context["look"]["preview"].phone
    send = drafts.send_draft(draft, by=BY, limits=LIMITS)
    message = send.messages.get(row=phone.row)
    assert (phone.characters, phone.most) == (len(message.text), message.segments)


def test_the_api_hides_it_from_a_key_without_the_scope():
    service, partner = a_partner("send", "read", "texts", "all")
    send = drafts.send_draft(a_draft(service, pasted=ROWS), by=BY, limits=LIMITS)
    pk = send.messages.first().pk
    found = partner.get(f"messages/{pk}").json()
    assert found["id"] == pk and not shows_a_number_of(json.dumps(found))
    _, other = a_partner("send", "read", "texts", "all", "numbers", service=service)
    assert shows_a_number_of(json.dumps(other.get(f"messages/{pk}").json()))


def test_a_number_in_a_programs_text_is_not_in_the_name_of_its_send():
    service, partner = a_partner("send", "read")
    asked = {"text": "Call 07700 900351 or +447700900352", "recipients": ["+447700900351"]}
    name = partner.post("sends", asked, Idempotency_Key="k1").json()["name"]
    assert name.startswith("To 1 recipient · ")
    assert shows_a_number_of(Message.objects.get(send__service=service).text), "what is sent has it"


def test_the_log_of_callbacks_hides_it(cast):
    send = drafts.send_draft(a_draft(cast.service, text="Hi $(name)", pasted=ROWS), by=BY, limits=LIMITS)
    message = send.messages.first()
    endpoint = CallbackEndpoint.objects.create(
        service=cast.service, name="Shop", url="https://shop.example/h", full_numbers=True
    )
    said = json.dumps({"data": {"number": message.msisdn, "id": 1234567890123}})
    for known in (message.pk, 987654321):
        entry = Callback.objects.create(
            endpoint=endpoint,
            event_id=f"e{known}",
            kind="message.delivered",
            message_id=known,
            body=said,
            log=[{"at": "2026-03-02T09:00:00", "status": 200, "ms": 1, "error": "", "reply": f"got {said}"}],
            next_at=timezone.now(),
            created_at=timezone.now(),
            since=timezone.now(),
        )
        page = cast["admin"].get(reverse("callback_entry", args=["shop", entry.pk]))
        assert page.status_code == 200 and "got" in page.text
        assert not shows_a_number(page)
    for scopes, whole in (("callbacks", "all"), False), (("callbacks", "numbers", "all"), True):
        _, partner = a_partner(*scopes, service=cast.service)
        told = partner.get(f"callbacks/{entry.pk}").json()
        assert shows_a_number_of(told["log"][0]["reply"]) is whole
        assert shows_a_number_of(str(told)) is whole


@pytest.mark.parametrize("known", [True, False])
def test_a_receipt_on_the_page_hides_it_however_it_is_written(cast, known):
    send = drafts.send_draft(a_draft(cast.service, text="Hi $(name)", pasted=ROWS), by=BY, limits=LIMITS)
    message = send.messages.first()
    raw = receipt("x", info={"destination": "+44 7700 900351"}, callbackData="for 07700 900351")
    kept = {"raw": raw, "dedupe": b"1" * 16, "received_at": timezone.now()}
    Receipt.objects.create(service=cast.service, message_id=message.pk, **kept)
    if not known:
        Message.objects.filter(pk=message.pk).update(msisdn="#abcdefghijklmno")
    page = cast["composer"].get(f"/s/shop/messages/{message.pk}/")
    assert "deliveryInfoNotification" in page.text
    assert not shows_a_number(page)


@pytest.mark.parametrize(
    "query",
    [
        "msisdn__startswith=%2B447700",
        "msisdn=%2B447700900351",
        "text__contains=Ann",
        "send__messages__msisdn__gt=1",
    ],
)
def test_the_admin_compares_no_column_that_it_offers_no_filter_for(cast, query):
    assert Message.objects.count() == 0
    assert cast["admin"].get(f"/admin/sms/message/?{query}").status_code == 400


def test_the_admins_own_filters_work(cast):
    a_send(cast.service, 1)
    for at in (
        "message/?state__exact=pending",
        "message/?o=1",
        "auditevent/?door__exact=page",
        "auditevent/?at__gte=2026-01-01+00:00:00%2B00:00",
        "optout/?lifted_at__isempty=1",
        "sender/?kind__exact=long_code",
    ):
        assert cast["admin"].get(f"/admin/sms/{at}").status_code == 200, at


def test_the_admin_refuses_a_look_into_json_with_a_page(cast):
    assert cast["admin"].get("/admin/sms/auditevent/?details__foo=1").status_code == 400
