"""The retention page, sends that are kept from it, and pages that read archives."""

import pytest

from sms.compliance import archive
from sms.models import AuditEvent, SendKeeping, Service
from tests.support.pages import text_of
from tests.support.past_sends import a_past_send, run
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return a_cast()


def page(cast) -> str:
    return text_of(cast["admin"].get("/s/shop/settings/retention/"))


def test_the_page_says_what_would_go_what_stays_and_what_went(cast):
    assert "everything is kept for good" in page(cast)
    Service.objects.filter(pk=cast.service.pk).update(keep_bodies=10, keep_messages=30)
    service = Service.objects.get(pk=cast.service.pk)
    a_past_send(service, 4, days=20)
    a_past_send(service, 4, days=40)
    a_past_send(service, 2, days=40, ends=("unconfirmed",))
    said = page(cast)
    assert "messages without their text 8 in 2 sends" in said
    assert "messages moved into archive files 4 in 1 send" in said
    assert "1 send old enough stays because something of it is under way or not confirmed" in said
    run(service)
    said = page(cast)
    assert "Nothing is due now" in said
    assert "8 messages without their text, 4 messages moved into archive files" in said
    assert "1 archive file" in said


def test_an_admin_keeps_a_send_and_lets_it_go(cast):
    send = a_past_send(cast.service, 2, days=40)
    url = f"/s/shop/sends/{send.pk}/"
    assert cast["admin"].post(f"{url}keep/", {"reason": " "}, follow=True).status_code == 200
    assert not SendKeeping.objects.filter(held_at__isnull=False).exists()
    cast["admin"].post(f"{url}keep/", {"reason": "Case 12"})
    assert "“Case 12”" in text_of(cast["composer"].get(url))
    assert "“Case 12”" in page(cast)
    cast["admin"].post(f"{url}keep-no-more/")
    assert "Case 12" not in text_of(cast["admin"].get(url))


def test_archived_messages_are_on_their_pages_and_in_the_file(cast, state_folder):
    Service.objects.filter(pk=cast.service.pk).update(keep_messages=30)
    service = Service.objects.get(pk=cast.service.pk)
    send = a_past_send(service, 4, days=40, content="Hi $(number)")
    first = send.messages.first()
    run(service)
    assert not send.messages.exists()
    one = cast["composer"].get(f"/s/shop/messages/{first.pk}/")
    assert "read from an archive" in text_of(one)
    assert "Receipt: Delivered" in text_of(one)
    assert (
        f"/s/shop/messages/{first.pk}/"
        in cast["auditor"].post("/s/shop/messages/", {"q": first.msisdn}, follow=True).content.decode()
    )
    listed = text_of(cast["auditor"].get(f"/s/shop/sends/{send.pk}/", {"state": "failed"}))
    assert "These messages are in an archive since" in listed
    file = cast["auditor"].post(f"/s/shop/sends/{send.pk}/messages/").getvalue().decode()
    assert len(file.splitlines()) == 5
    assert first.msisdn in file
    assert AuditEvent.objects.get(act="send.messages_exported").noun_key == str(send.pk)
    next(state_folder.rglob("*.tda")).unlink()
    archive.read.forget_blocks()
    assert cast["composer"].get(f"/s/shop/messages/{first.pk}/").status_code == 503
    assert "put the file back" in text_of(cast["composer"].get(f"/s/shop/sends/{send.pk}/"))
    file = cast["auditor"].post(f"/s/shop/sends/{send.pk}/messages/").getvalue().decode()
    assert "not complete" in file
