"""The admin's *add send* goes on to the flight plan; its lists show states and times as pages do."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.models import Membership, Role
from sms.models import AuditEvent, Draft, Message, Send, Service
from sms.sends import holds
from tests.support.pages import ADD_SEND, add_send_form, text_of
from tests.support.people import a_cast
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db


def test_adding_a_send_goes_on_to_its_flight_plan_and_sends_nothing_before():
    cast = a_cast()
    assert cast["admin"].get(ADD_SEND).status_code == 200
    typed = add_send_form(cast, labels="spring, shop", tag1="a", name="Easter")
    response = cast["admin"].post(ADD_SEND, typed)
    assert response.status_code == 302, response.content.decode()[:3000]
    draft = Draft.objects.get()
    assert response.url == f"/s/shop/drafts/{draft.pk}/review/"
    assert not Send.objects.exists() and not Message.objects.exists()
    assert not LogEntry.objects.exists(), "no send was added"
    made = AuditEvent.objects.get(act="draft.created")
    assert made.door == "admin"
    plan = text_of(cast["admin"].get(response.url))
    assert "Nothing is sent yet" in plan
    sent = cast["admin"].post(response.url)
    send = Send.objects.get()
    assert sent.url == f"/s/shop/sends/{send.pk}/"
    assert (send.recipients, send.rejected, send.name, send.tag1) == (2, 1, "Easter", "a")
    assert list(send.words) == ["shop", "spring"]
    assert send.counts() == {"pending": 2}
    assert send.created_by.email == "admin@example.test"


def test_its_time_is_meant_and_shown_by_the_clock_of_who_writes_it():
    cast = a_cast()
    admin = cast.users["admin"]
    admin.time_zone = "America/New_York"
    admin.save()
    typed = add_send_form(cast, send_at_0="2030-03-04", send_at_1="09:00:00")
    answer = cast["admin"].post(ADD_SEND, typed)
    assert Draft.objects.get().send_at == datetime(2030, 3, 4, 14, tzinfo=UTC)
    cast["admin"].post(answer.url)
    assert "4 Mar 2030, 09:00" in text_of(cast["admin"].get("/admin/sms/send/"))


def test_states_and_times_of_lists_are_written_as_pages_write_them():
    cast = a_cast()
    send = a_send(cast.service, 1)
    Message.objects.update(state="no_report")
    for address in ("/admin/sms/message/", f"/admin/sms/message/{send.messages.get().pk}/change/"):
        page = cast["admin"].get(address).text
        assert '<span class="mark no_report">' in page
    page = cast["admin"].get("/admin/sms/send/").text
    assert '<span class="mark scheduled">' in page or '<span class="mark sending">' in page
    assert "a.m." not in page and "p.m." not in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipients_text": "abc"}, "No valid recipient"),
        ({"text": ""}, "Write the text"),
        ({"sender": ""}, "Choose the sender"),
        ({"text": "Hi $(name)"}, "$(name)"),
    ],
)
def test_what_the_page_refuses_the_admin_refuses_in_the_same_words(changes, words):
    cast = a_cast()
    response = cast["admin"].post(ADD_SEND, add_send_form(cast, **changes))
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not Send.objects.exists() and not Draft.objects.exists()


def test_another_services_sender_cannot_be_chosen():
    cast = a_cast()
    response = cast["admin"].post(ADD_SEND, add_send_form(cast, sender=cast.other.senders.get().pk))
    assert response.status_code == 200
    assert not Send.objects.exists() and not Draft.objects.exists()


def test_a_send_that_is_held_is_on_hold_there_too():
    cast = a_cast()
    held, sends = a_send(cast.service, 1), [a_send(cast.service, 1) for _ in range(3)]
    holds.hold(held, by=BY, because="Look at it")
    with CaptureQueriesContext(connection) as asked:
        page = text_of(cast["admin"].get("/admin/sms/send/"))
    assert page.count("On hold") == 1
    assert sum("sms_hold" in one["sql"] for one in asked) == 1, "for all rows at once"
    assert "On hold" in text_of(cast["admin"].get(f"/admin/sms/send/{held.pk}/change/"))
    assert "On hold" not in text_of(cast["admin"].get(f"/admin/sms/send/{sends[0].pk}/change/"))


def test_times_are_those_of_the_services_where_the_viewer_has_no_zone():
    cast = a_cast()
    Service.objects.update(time_zone="Asia/Tokyo")
    send = a_send(cast.service, 1)
    Send.objects.update(due_at=datetime(2030, 3, 4, 14, tzinfo=UTC))
    assert "4 Mar 2030, 23:00" in text_of(cast["admin"].get("/admin/sms/send/"))
    Membership.objects.create(user=cast.users["admin"], service=cast.other, role=Role.ADMIN)
    Service.objects.filter(pk=cast.other.pk).update(time_zone="Europe/London")
    assert "4 Mar 2030, 14:00" in text_of(cast["admin"].get(f"/admin/sms/send/{send.pk}/change/"))


def test_messages_are_filtered_by_the_words_of_the_pages():
    cast = a_cast()
    _, second = a_send(cast.service, 2).messages.all()
    Message.objects.filter(pk=second.pk).update(state="no_report")
    page = text_of(cast["admin"].get("/admin/sms/message/"))
    assert "Not confirmed" in page and "unconfirmed" not in page
    page = cast["admin"].get("/admin/sms/message/", {"state__exact": "no_report"})
    assert [one.pk for one in page.context["cl"].result_list] == [second.pk]
    assert cast["admin"].get("/admin/sms/message/", {"state__gt": "no_report"}).status_code == 400
