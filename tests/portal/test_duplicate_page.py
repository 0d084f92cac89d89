"""The page that duplicates a send: whom it offers with which figures, and the draft that each choice makes."""

import html
import re

import pytest

from sms.models import AuditEvent, Draft
from tests.support.people import signed_in
from tests.support.provider import Provider, accepted, refused
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def composer(service):
    return signed_in("composer@example.test", service, "composer")


@pytest.fixture
def send(service):
    """Of four messages one failed, and three were accepted."""
    made = a_send(service, 4, name="Spring sale", labels=["spring"], callback_data="c-1")
    first = made.messages.order_by("row").first().msisdn.lstrip("+")
    Provider(
        lambda body: refused("7102") if body["to"][0]["msisdn"] == [first] else accepted(body)
    ).dispatch()
    made.refresh_from_db()
    return made


def text_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_each_choice_has_its_figure_and_says_what_to_know(composer, send):
    page = text_of(composer.get(f"/s/shop/sends/{send.pk}/duplicate/"))
    assert "The same recipients (4)" in page
    assert "Only those whose message failed (1)" in page
    assert "Only those without a delivery (4)" in page
    assert "Only the rejected rows (0) No row was rejected." in page
    assert "For 3 of them we do not know yet whether it arrived: they may get it twice." in page


def test_the_failed_ones_become_the_audience_of_the_draft(composer, send):
    failed = send.messages.get(state="failed").msisdn
    answer = composer.post(f"/s/shop/sends/{send.pk}/duplicate/", {"who": "failed"})
    draft = Draft.objects.get()
    assert answer.url == f"/s/shop/drafts/{draft.pk}/"
    assert (draft.name, draft.text, draft.labels, draft.callback_data) == (
        "Spring sale",
        send.text,
        "spring",
        "c-1",
    )
    rows = bytes(draft.upload.content).decode().split()
    assert rows[1:] == [failed]
    assert AuditEvent.objects.get(act="send.duplicated").details["who"] == "failed"


def test_no_recipients_yet_takes_the_text_alone(composer, send):
    composer.post(f"/s/shop/sends/{send.pk}/duplicate/", {"who": "nobody"})
    draft = Draft.objects.get()
    assert (draft.text, draft.upload, draft.pasted, draft.audience) == (send.text, None, "", None)


@pytest.mark.parametrize(("who", "says"), [("rejected", "No row was rejected."), ("x", "Choose to whom.")])
def test_what_cannot_be_chosen_says_why_and_makes_no_draft(composer, send, who, says):
    answer = composer.post(f"/s/shop/sends/{send.pk}/duplicate/", {"who": who})
    assert answer.status_code == 422 and says in text_of(answer)
    assert not Draft.objects.exists()


def test_of_a_send_that_goes_on_those_without_a_delivery_cannot_be_had_yet(service, composer):
    send = a_send(service, 2)
    page = text_of(composer.get(f"/s/shop/sends/{send.pk}/duplicate/"))
    assert "It has not ended, so recipients who still wait would get it twice." in page
