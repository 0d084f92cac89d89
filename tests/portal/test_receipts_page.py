"""The receipts page: who sees what, retry, rotation, replay and import without any script."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.utils import timezone

from sms.inbound import receipts
from sms.inbound.receipts.inbox import insert
from sms.ledger.counters import window_of
from sms.models import AuditEvent, Receipt, ReceiptInbox, Service, StateCount
from tests.support.pages import text_of
from tests.support.people import a_cast
from tests.support.receipts import receipt
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
PAGE = "/s/shop/receipts/"


@pytest.fixture
def cast():
    return a_cast()


def take_in(service: Service, *bodies: bytes) -> None:
    address = receipts.receipt_addresses.find(service.receipt_token)
    insert([receipts.Incoming.of(raw, address=address) for raw in bodies])
    receipts.fold()


def test_the_address_is_shown_to_admins_only(cast):
    token = cast.service.receipt_token
    assert token in cast["admin"].get(PAGE).content.decode()
    for who in ("composer", "approver", "auditor"):
        page = cast[who].get(PAGE)
        assert page.status_code == 200
        assert token not in page.content.decode()
        assert "<form" not in page.content.decode().partition("<main")[2].partition("</main>")[0]
    assert cast["foreigner"].get(PAGE).status_code == 404


def test_what_the_host_kept_is_taken_in_by_a_button_and_by_a_command(cast, state_folder, capsys):
    address = receipts.receipt_addresses.find(cast.service.receipt_token)
    for number in range(2):
        receipts.spool.append([receipts.Incoming.of(receipt(f"nobody-{number}"), address=address)])
        (path,) = (state_folder / "spool").glob("*.spool")
        path.replace(state_folder / "spool" / f"{number}.kept")
        page = text_of(cast["admin"].get(PAGE))
        assert "1 file on this host could not be brought in" in page
        if number:
            call_command("take_in_kept")
            assert "1 receipts and 0 incoming SMS were taken in." in capsys.readouterr().out
        else:
            assert cast["composer"].post(f"{PAGE}take-in-kept/").status_code == 403
            said = cast["admin"].post(f"{PAGE}take-in-kept/", follow=True)
            assert "1 receipts and 0 incoming SMS were taken in." in text_of(said)
        assert Receipt.objects.count() == number + 1
        assert list((state_folder / "spool").iterdir()) == []
    assert AuditEvent.objects.filter(act="receipts.kept_taken_in").count() == 1


def test_quarantine_is_listed_with_its_reason_and_tried_again(cast):
    take_in(cast.service, b"no json", receipt("nobody"))
    page = cast["admin"].get(PAGE).content.decode()
    assert "It is not JSON" in page
    assert "nobody" not in page, "no content of a receipt is shown here"
    assert "2 receipts could not be matched to a message." in text_of(cast["admin"].get("/s/shop/"))
    pk = ReceiptInbox.objects.get(why="unreadable").pk
    assert cast["composer"].post(f"{PAGE}retry/", {"receipt": pk}).status_code == 403
    assert cast["admin"].post(f"{PAGE}retry/", {"receipt": pk}).status_code == 302
    row = ReceiptInbox.objects.get(pk=pk)
    assert (row.why, row.tries) == ("new", 0)
    assert ReceiptInbox.objects.exclude(why="new").count() == 1, "only the one that was asked for"
    cast["admin"].post(f"{PAGE}retry/")
    assert not ReceiptInbox.objects.exclude(why="new").exists()
    assert [event.details for event in AuditEvent.objects.filter(act="receipts.retried")] == [
        {"receipts": 1},
        {"receipts": 1},
    ]


def test_another_services_receipt_is_not_retried(cast):
    take_in(cast.other, b"no json")
    pk = ReceiptInbox.objects.get().pk
    cast["admin"].post(f"{PAGE}retry/", {"receipt": pk})
    assert ReceiptInbox.objects.get().why == "unreadable"


def test_a_new_address_is_made_beside_the_previous_one_and_that_is_ended(cast):
    before = cast.service.receipt_token
    cast["admin"].post(f"{PAGE}rotate/")
    service = Service.objects.get(pk=cast.service.pk)
    assert service.receipt_token != before == service.receipt_token_before
    page = cast["admin"].get(PAGE).content.decode()
    assert service.receipt_token in page
    assert "previous address is answered until" in page
    cast["admin"].post(f"{PAGE}retire/")
    assert Service.objects.get(pk=service.pk).receipt_token_before is None
    acts = list(AuditEvent.objects.filter(act__startswith="service.receipt").values_list("act", flat=True))
    assert sorted(acts) == ["service.receipt_address_changed", "service.receipt_address_retired"]


@pytest.mark.parametrize(
    ("button", "column"), [("rotate", "receipt_token"), ("rotate-webhook", "webhook_token")]
)
def test_pressed_twice_it_does_not_end_the_address_that_webex_connect_has(cast, button, column):
    before = getattr(cast.service, column)
    cast["admin"].post(f"{PAGE}{button}/")
    made = getattr(Service.objects.get(pk=cast.service.pk), column)
    again = cast["admin"].post(f"{PAGE}{button}/", follow=True).content.decode()
    assert "end the previous address first" in again
    service = Service.objects.get(pk=cast.service.pk)
    assert (getattr(service, column), getattr(service, f"{column}_before")) == (made, before)
    cast["admin"].post(f"{PAGE}retire/")
    cast["admin"].post(f"{PAGE}{button}/")
    assert getattr(Service.objects.get(pk=cast.service.pk), column) != made


def test_an_export_is_imported_and_a_wrong_file_says_why(cast):
    file = SimpleUploadedFile("export.csv", b"correlationid,code\nx-1-y,7500\n,7500\n")
    page = cast["admin"].post(f"{PAGE}import/", {"file": file})
    assert page.status_code == 200
    assert "1 receipt imported" in page.content.decode()
    assert "Row 3: It names no message." in page.content.decode()
    assert Receipt.objects.count() == 1
    wrong = SimpleUploadedFile("export.csv", b"name\nAda\n")
    page = cast["admin"].post(f"{PAGE}import/", {"file": wrong})
    assert page.status_code == 422
    assert "No column names the message" in page.content.decode()
    assert cast["admin"].post(f"{PAGE}import/").status_code == 422


def test_replay_puts_the_last_day_into_the_inbox_again(cast):
    take_in(cast.service, receipt("nobody"))
    ReceiptInbox.objects.all().delete()
    asked = cast["admin"].get(f"{PAGE}replay/").content.decode()
    assert "1 stored receipts are read once more" in asked
    assert not ReceiptInbox.objects.exists()
    assert cast["admin"].post(f"{PAGE}replay/").status_code == 302
    assert ReceiptInbox.objects.get().why == "new"


def test_a_gap_is_shown_on_the_home_page_and_here(cast):
    send = a_send(cast.service)
    begin = window_of(timezone.now()) - 30
    for at in range(12):
        ended = 38 if at == 5 else 97
        StateCount.objects.create(send=send, state="delivered", window=begin + at, delta=ended)
        StateCount.objects.create(send=send, state="submitted", window=begin + at, delta=100 - ended)
    for path in ("/s/shop/", PAGE):
        page = cast["composer"].get(path).content.decode()
        assert "looks incomplete: 38 %" in page, path
        assert "the usual of the day is 97 %" in page
