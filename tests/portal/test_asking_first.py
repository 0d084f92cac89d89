"""What destroys, and what sends at once, asks first and says how much; a discarded draft can be brought back."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.access import ACTS
from portal.costly_pages import CostlyPages
from sms.compose.drafts.discard import forget
from sms.models import AuditEvent, Draft, Send
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.people import Cast, a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
DESTROYS = re.compile(
    r"(^|_)(cancel|stop|discard|revoke|remove|retire|withdraw|delete|end|now|erase|unbind|archive_in_use)$"
)
# a press takes it back, or the form itself asks (a tick, numbers and a reason)
WITHOUT_QUESTION = {"draft_stop", "number_erase", "audience_erase"}


@pytest.fixture
def cast() -> Cast:
    return a_cast(waiting=True)


def test_every_address_that_destroys_asks_first(cast):
    send = a_send(cast.service, due_at=timezone.now() + timedelta(days=1))
    draft = Draft.objects.create(service=cast.service)
    address(SERVICE_PAGES[0][0], cast.service, send, draft)
    asked, silent = set(), []
    for path, name, entry in SERVICE_PAGES:
        if not DESTROYS.search(name) or name in WITHOUT_QUESTION:
            continue
        CostlyPages.forget()
        holders = ACTS[entry.callback.act]
        who = cast["admin" if "admin" in holders else min(holders)]
        page = who.get(address(path, cast.service, send, draft, furnished=True))
        if page.status_code == 302 or "No, go back" in page.content.decode():
            asked.add(name)
        else:
            silent.append((name, page.status_code))
    assert silent == []
    assert {
        "send_cancel",
        "send_now",
        "draft_discard",
        "api_key_revoke",
        "sender_remove",
        "settings_stop",
    } <= asked
    assert len(asked) > 20


def test_cancelling_says_how_many_go_and_how_many_are_gone(cast):
    send = a_send(cast.service, 3)
    page = cast["composer"].get(f"/s/shop/sends/{send.pk}/cancel/").content.decode()
    assert "3 messages will never be sent." in page
    assert Send.objects.get(pk=send.pk).state != "cancelled", "a look cancels nothing"
    cast["composer"].post(f"/s/shop/sends/{send.pk}/cancel/")
    assert Send.objects.get(pk=send.pk).state == "cancelled"
    again = cast["composer"].get(f"/s/shop/sends/{send.pk}/cancel/", follow=True)
    assert "Nothing is left to cancel." in again.content.decode()


def test_a_planned_send_goes_now_after_the_question_only(cast):
    due = timezone.now() + timedelta(days=2)
    send = a_send(cast.service, 2, due_at=due)
    page = cast["composer"].get(f"/s/shop/sends/{send.pk}/send-now/").content.decode()
    assert "Send 2 messages now" in page
    assert Send.objects.get(pk=send.pk).due_at == due
    cast["composer"].post(f"/s/shop/sends/{send.pk}/send-now/")
    assert Send.objects.get(pk=send.pk).due_at <= timezone.now()


def test_a_discarded_draft_comes_back_as_it_was_within_thirty_days(cast):
    draft = Draft.objects.create(
        service=cast.service, name="Spring", text="Hello", pasted="07700 900001\n07700 900002"
    )
    composer = cast["composer"]
    at = f"/s/shop/drafts/{draft.pk}/"
    assert "2 lines of numbers" in composer.get(f"{at}discard/").content.decode()
    for _ in range(2):  # a second press of the button says the same
        pressed = composer.post(f"{at}discard/", follow=True)
        assert "Discarded. You can bring it back for 30 days." in pressed.content.decode()
    assert AuditEvent.objects.filter(act="draft.discarded").count() == 1
    assert "Spring" not in composer.get("/s/shop/drafts/").content.decode()
    assert "Spring" in composer.get("/s/shop/drafts/?discarded=1").content.decode()
    assert composer.get(at, follow=True).redirect_chain[-1][0] == "/s/shop/drafts/?discarded=1"
    assert composer.post(f"{at}review/", {"send": "1"}).status_code == 302
    assert not Send.objects.filter(draft=draft).exists(), "what is discarded is not sent"
    composer.post(f"{at}bring-back/")
    back = Draft.objects.get(pk=draft.pk)
    assert (back.is_open, back.text, back.pasted) == (True, "Hello", "07700 900001\n07700 900002")
    assert "draft.brought_back" in AuditEvent.objects.values_list("act", flat=True)


def test_a_draft_that_nobody_brought_back_is_deleted_after_thirty_days(cast):
    now = timezone.now()
    kept = Draft.objects.create(service=cast.service, discarded_at=now - timedelta(days=29))
    old = Draft.objects.create(service=cast.service, discarded_at=now - timedelta(days=31))
    page = cast["composer"].get("/s/shop/drafts/?discarded=1").content.decode()
    assert f"Draft {kept.pk}" in page and f"Draft {old.pk}" not in page
    cast["composer"].post(f"/s/shop/drafts/{old.pk}/bring-back/")
    assert not Draft.objects.get(pk=old.pk).is_open
    assert forget(now) == 1
    assert list(Draft.objects.all()) == [kept]
