"""The opt-outs page: the list and its search, adding one, a file with rejects, lifting with a reason, and who may do which."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from sms.inbound import optouts
from sms.models import AuditEvent, InboundMessage, OptOut
from tests.support.office_file import build
from tests.support.people import Cast, a_cast
from tests.support.provider import Provider
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
URL = "/s/shop/opt-outs/"
PHONE = "+447710000000"


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def refused(cast: Cast, *numbers: str) -> None:
    optouts.opt_out(
        cast.service.pk, [optouts.Refusal(one, "Said so.") for one in numbers], by=BY, source="page"
    )


def an_sms(cast: Cast, text: str, **fields) -> InboundMessage:
    body = {"oa": PHONE, "da": "SHOP", "message": text, "tid": text} | fields
    import json

    optouts.take(json.dumps(body).encode(), service_id=cast.service.pk, received_at=timezone.now())
    return InboundMessage.objects.first()


def test_an_empty_list_says_how_it_fills(cast):
    assert "No opt-outs" in text_of(cast["composer"].get(URL))


def test_the_list_masks_numbers_and_shows_the_evidence_and_the_send(cast):
    send = a_send(cast.service)
    Provider().dispatch()
    an_sms(cast, "STOP 🛑")
    page = cast["auditor"].get(URL)
    shown = text_of(page)
    assert "+44 7710 ••• 000" in shown
    assert "7710000000" not in page.content.decode()
    assert "“STOP 🛑” by SMS to SHOP" in shown
    assert send.name in shown
    assert "Opt a number out" not in shown
    assert "/lift/" not in page.content.decode()


def test_a_search_goes_by_post_and_finds_the_number_however_it_is_written(cast):
    refused(cast, PHONE, "+447710000001")
    shown = text_of(cast["auditor"].post(URL, {"search-number": "07710 000 001"}))
    assert "••• 001" in shown
    assert "••• 000" not in shown
    assert "Not opted out" in text_of(cast["auditor"].post(URL, {"search-number": "07710 000 002"}))
    wrong = cast["auditor"].post(URL, {"search-number": "nonsense"})
    assert wrong.status_code == 422
    assert wrong.context["search"].errors
    assert "••• 001" in text_of(cast["auditor"].get(f"{URL}?search-number=07710000000")), (
        "a GET searches nothing"
    )


def test_older_ones_are_a_page_away(cast):
    refused(cast, *(f"+44771{index:07d}" for index in range(60)))
    first = cast["admin"].get(URL)
    assert len(first.context["rows"]) == 50
    older = cast["admin"].get(f"{URL}?before={first.context['next_before']}")
    assert len(older.context["rows"]) == 10
    assert cast["admin"].get(f"{URL}?before=x{'9' * 30}").status_code == 200


def test_a_composer_adds_one_and_the_audit_names_no_number(cast):
    page = cast["composer"].post(
        f"{URL}add/", {"number": "07710 000000", "evidence": "Called us."}, follow=True
    )
    assert "+44 7710 ••• 000 is opted out from now on." in text_of(page)
    found = OptOut.objects.get()
    assert (found.msisdn, found.source, found.evidence, found.by) == (
        PHONE,
        "page",
        "Called us.",
        "composer@example.test",
    )
    event = AuditEvent.objects.get(act="optout.added")
    assert (event.noun_key, event.actor_label) == (str(found.pk), "composer@example.test")
    assert "7710" not in str(event.details)
    again = cast["composer"].post(f"{URL}add/", {"number": PHONE, "evidence": "Again."}, follow=True)
    assert "was opted out already" in text_of(again)


def test_a_wrong_number_is_refused_beside_its_field(cast):
    page = cast["composer"].post(f"{URL}add/", {"number": "12", "evidence": "x"})
    assert page.status_code == 422
    assert "number" in page.context["add"].errors
    assert not OptOut.objects.exists()


def upload(cast, content: bytes, name: str = "list.csv", who: str = "composer"):
    file = SimpleUploadedFile(name, content)
    return cast[who].post(f"{URL}upload/", {"upload-file": file, "upload-evidence": "Old CRM"})


def test_a_file_adds_its_numbers_and_reports_every_row_that_it_cannot_use(cast):
    refused(cast, PHONE)
    content = (
        "Mobile;Name\n07710000000;Ada\n07710000001;Bob\n07710000001;Bob again\nnonsense;Eve\n;\n123;Joe\n"
    )
    shown = text_of(upload(cast, content.encode("utf-16")))
    assert "1 opted out, 1 was already, 2 rows rejected." in shown
    assert "nonsense" in shown
    assert "Why it is not opted out" in shown
    assert "gets no message" not in shown
    assert OptOut.objects.get(msisdn="+447710000001").evidence == "Old CRM · list.csv, row 3"
    event = AuditEvent.objects.filter(act="optout.added").first()
    assert event.details == {"source": "csv", "added": 1, "already": 1}


def test_an_office_workbook_is_read_as_an_audience_is(cast):
    content, expected = build(300, seed=3, flavour="xlsx")
    assert upload(cast, content, "list.xlsx").status_code == 200
    assert set(OptOut.objects.values_list("msisdn", flat=True)) == set(expected.recipients.values())


def test_a_file_that_is_none_is_refused_with_a_sentence(cast):
    page = upload(cast, b"\x89PNG\r\n\x1a\n" + bytes(200), "photo.png")
    assert page.status_code == 422
    assert page.context["upload"].errors["file"]
    assert not OptOut.objects.exists()


def test_too_large_a_file_is_refused(cast, settings):
    settings.UPLOAD_MAX_BYTES = 1000
    page = upload(cast, io.BytesIO(b"number\n" + b"07710000001\n" * 100).read())
    assert page.status_code == 422
    assert "Split it" in text_of(page)


def test_an_admin_lifts_with_a_reason_and_others_may_not(cast):
    refused(cast, PHONE)
    url = f"{URL}{OptOut.objects.get().pk}/lift/"
    for who in ("composer", "approver", "auditor"):
        assert cast[who].post(url, {"reason": "x"}).status_code == 403
    assert "Write to +44 7710 ••• 000 again?" in text_of(cast["admin"].get(url))
    assert cast["admin"].post(url, {"reason": " "}).status_code == 422
    assert OptOut.objects.get().lifted_at is None
    page = cast["admin"].post(url, {"reason": "Asked by e-mail."}, follow=True)
    assert "can be written to again" in text_of(page)
    assert "admin@example.test: Asked by e-mail." in text_of(page)
    assert a_send(cast.service).recipients == 1
    assert "lifted already" in text_of(cast["admin"].get(url, follow=True))


def test_another_services_opt_out_is_not_there(cast):
    optouts.opt_out(cast.other.pk, [optouts.Refusal(PHONE)], by=BY, source="page")
    assert cast["admin"].get(f"{URL}{OptOut.objects.get().pk}/lift/").status_code == 404
    assert "••• 000" not in text_of(cast["admin"].get(URL))


def test_what_people_wrote_stands_under_replies_with_its_doubts(cast):
    sms = an_sms(cast, "Remove me from this <b>list</b>")
    assert "All of it stands under Replies" in text_of(cast["composer"].get(URL))
    page = cast["composer"].get(f"/s/shop/replies/{sms.conversation_id}/")
    assert "Remove me from this &lt;b&gt;list&lt;/b&gt;" in page.content.decode()
    assert "It says more than the word." in text_of(page)


def test_what_was_set_aside_shows_its_reason_and_an_admin_tries_again(cast):
    optouts.take(b"not json", service_id=cast.service.pk, received_at=timezone.now())
    found = InboundMessage.objects.get()
    assert "Stored, but not acted on. It is not JSON" in text_of(cast["composer"].get("/s/shop/replies/"))
    url = f"/s/shop/inbound/{found.pk}/retry/"
    assert cast["composer"].post(url).status_code == 403
    assert "still cannot be used" in text_of(cast["admin"].post(url, follow=True))
    InboundMessage.objects.filter(pk=found.pk).update(raw=b'{"oa": "447710000000", "message": "STOP"}')
    assert "acted upon." in text_of(cast["admin"].post(url, follow=True))
    assert OptOut.objects.get().msisdn == PHONE


def test_review_says_how_many_opted_out(cast):
    refused(cast, PHONE)
    page = cast["composer"].post(
        "/s/shop/compose/",
        {
            "sender": cast.service.senders.get().pk,
            "text": "Hello",
            "pasted": f"{PHONE}\n+447710000001",
            "country": "GB",
            "when": "now",
        },
        follow=True,
    )
    assert "1 row is for a person who opted out." in text_of(page)
    assert "This person opted out of messages." in text_of(page)


def test_admins_see_the_address_for_incoming_sms_and_others_do_not(cast):
    token = cast.service.webhook_token
    assert f"/inbound/{token}/" in cast["admin"].get(URL).content.decode()
    assert token not in cast["composer"].get(URL).content.decode()
