"""The admin's *add send* goes through the same door as the page."""

import pytest

from sms.models import AuditEvent, Send
from tests.support.pages import ADD_SEND, add_send_form
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db


def test_adding_a_send_makes_it_by_the_same_code():
    cast = a_cast()
    assert cast["admin"].get(ADD_SEND).status_code == 200
    response = cast["admin"].post(ADD_SEND, add_send_form(cast))
    assert response.status_code == 302, response.content.decode()[:3000]
    send = Send.objects.get()
    assert (send.recipients, send.rejected) == (2, 1)
    assert send.counts() == {"pending": 2}
    assert AuditEvent.objects.get(act="send.created").door == "admin"
    assert send.created_by.email == "admin@example.test"


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
    assert not Send.objects.exists()


def test_another_services_sender_cannot_be_chosen():
    cast = a_cast()
    response = cast["admin"].post(ADD_SEND, add_send_form(cast, sender=cast.other.senders.get().pk))
    assert response.status_code == 200
    assert not Send.objects.exists()
