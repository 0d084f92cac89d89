"""The page of one person: everything to and from one number, newest first, without the number in its address."""

import re

import pytest

from sms.inbound import optouts
from sms.models import InboundMessage, Message, OptOut
from sms.sends.person.identity import key_of
from sms.values.msisdn.hidden import hidden
from tests.support.people import Cast, a_cast
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
NUMBER = "+447710000000"  # of the first row of `a_send`


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def page_of(number: str, service) -> str:
    return f"/s/{service.slug}/people/{key_of(service, number)}/"


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def a_reply(service, text: str, number: str = NUMBER, *, at, **fields) -> InboundMessage:
    count = InboundMessage.objects.count()
    kept = {"dedupe": b"%016d" % count, "raw": b"{}", "received_at": at} | fields
    return InboundMessage.objects.create(service=service, msisdn=number, text=text, **kept)


def test_everything_to_and_from_a_number_stands_on_one_page_newest_first(cast):
    sends = [a_send(cast.service, name=f"Send {at}") for at in range(3)]
    a_send(cast.other, name="Foreign")
    a_reply(cast.service, "Thank you", at=sends[1].created_at)
    optouts.opt_out(
        cast.service.pk, [optouts.Refusal(NUMBER, "Asked us on the phone")], by=BY, source=OptOut.Source.PAGE
    )
    optouts.opt_in(cast.service.pk, [NUMBER], by=BY, reason="Came back")
    page = cast["approver"].get(page_of(NUMBER, cast.service))
    said = text_of(page)
    order = ["Came back", "Asked us on the phone", "Send 2", "Thank you", "Send 0"]
    assert [said.index(one) for one in order] == sorted(said.index(one) for one in order)
    assert "Foreign" not in said and NUMBER not in page.content.decode()
    for url in ("/s/shop/messages/", f"/s/shop/messages/{sends[0].messages.get().pk}/", "/s/shop/opt-outs/"):
        assert f'href="{page_of(NUMBER, cast.service)}"' in cast["approver"].get(url).content.decode(), url


def test_pages_follow_each_other_without_a_gap(cast, monkeypatch):
    monkeypatch.setattr("portal.views.recipient.CARDS", 4)
    for at in range(9):
        send = a_send(cast.service, name=f"Send {at}")
        a_reply(cast.service, f"Reply {at}", at=send.created_at)
    url, seen = page_of(NUMBER, cast.service), []
    following: str | None = url
    while following:
        page = cast["approver"].get(following).content.decode()
        seen += re.findall(r"(?:Send|Reply) \d(?!\d)", page)
        older = re.search(r'href="(\?before=[\d-]+)"', page)
        following = url + older[1] if older else None
    assert sorted(set(seen)) == sorted(f"{kind} {at}" for kind in ("Reply", "Send") for at in range(9))
    assert len(seen) == len(set(seen))


def test_a_number_has_one_page_however_it_is_spelled_and_its_digest_has_one_too(cast):
    service = cast.service
    assert key_of(service, "+5491123456789") == key_of(service, "+541123456789")
    assert key_of(service, "#erased") == key_of(service, "") == key_of(service, "no number") == ""
    message = a_send(service, name="Long ago").messages.get()
    digest = hidden(NUMBER, key=service.number_key)
    Message.objects.filter(pk=message.pk).update(msisdn=digest)
    assert "Long ago" in text_of(cast["approver"].get(page_of(NUMBER, service)))
    assert "Long ago" in text_of(cast["approver"].get(page_of(digest, service)))
    assert cast["approver"].get(f"/s/shop/people/{key_of(cast.other, NUMBER)}/").status_code == 404
    assert cast["approver"].get("/s/shop/people/nonsense/").status_code == 404
