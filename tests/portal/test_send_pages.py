"""The list of sends and the page of one: the bar of its states, and what an address can and cannot ask for."""

import re

import pytest

from sms.models import Send
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


def bar(page: str) -> list[tuple[str, str, str]]:
    return re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="0" width="([\d.]+)"', page)


def test_the_bar_shows_each_state_by_its_share_the_surest_first(service, composer):
    send = a_send(service, 4)
    address = f"/s/shop/sends/{send.pk}/"
    assert bar(composer.get(address).content.decode()) == [("pending", "0.000", "100.000")]
    first = send.messages.order_by("row").first().msisdn.lstrip("+")
    Provider(
        lambda body: refused("7102") if body["to"][0]["msisdn"] == [first] else accepted(body)
    ).dispatch()
    page = composer.get(address).content.decode()
    assert bar(page) == [("failed", "0.000", "25.000"), ("queued", "25.000", "75.000")]
    assert re.findall(r"\?state=(\w+)#messages", page) == ["failed", "queued"], "in the order of the bar"


def test_the_progress_is_asked_for_until_every_message_is_settled(service, composer):
    send = a_send(service, 2)
    progress = f"/s/shop/sends/{send.pk}/progress/"
    assert "every 2s" in composer.get(progress).content.decode()
    Provider(lambda _: refused("7102")).dispatch()
    page = composer.get(progress).content.decode()
    assert "every 2s" not in page and "Finished: 0 of 2 delivered" in page


@pytest.mark.parametrize(
    "query",
    [
        "before=0",
        "before=-1",
        "before=x",
        "before=9223372036854775808",
        "state=gone",
        "tests=all",
        "by=team:1",
    ],
)
def test_what_an_address_asks_without_sense_asks_for_nothing(service, composer, query):
    send = a_send(service, name="Spring sale")
    page = composer.get(f"/s/shop/sends/?{query}")
    assert [row.send for row in page.context["rows"]] == [send]


@pytest.mark.parametrize("query", ["by=user:x", "by=user:99999999999999999999", "label=Not a label!", "q=x"])
def test_what_no_send_has_finds_none_and_the_way_back(service, composer, query):
    a_send(service, name="Sale")
    page = composer.get(f"/s/shop/sends/?{query}").content.decode()
    assert "No such send" in page and "All sends" in page


def test_the_place_in_the_list_is_below_the_send_that_it_names(service, composer):
    sends = [a_send(service, name=f"Sale {place}") for place in range(3)]
    page = composer.get(f"/s/shop/sends/?before={sends[2].pk}&q=sale")
    assert [row.send for row in page.context["rows"]] == [sends[1], sends[0]]
    assert 'href="?q=sale"' in page.content.decode(), "back to the newest of the same search"


def test_a_send_held_by_its_sender_or_its_domain_is_marked_in_the_list(service, composer):
    from sms.models import Actor
    from sms.sends import holds

    held, other = a_send(service), a_send(service)
    Send.objects.filter(pk=other.pk).update(
        sender=service.senders.create(address="OTHER", kind="alphanumeric")
    )
    holds.hold(held.sender, by=Actor.system(), because="being moved")
    page = composer.get("/s/shop/sends/")
    assert page.context["held"] == {held.pk}


def test_each_count_and_each_code_of_a_send_leads_to_its_messages(service, composer):
    send = a_send(service, 3)
    first = send.messages.order_by("row").first()
    Provider(
        lambda body: (
            refused("7102") if body["to"][0]["msisdn"] == [first.msisdn.lstrip("+")] else accepted(body)
        )
    ).dispatch()
    page = composer.get(f"/s/shop/sends/{send.pk}/progress/").text
    leads = dict(re.findall(r'href="(/s/shop/[^"]+)"\s+aria-label="([^"]+)"', page))
    assert leads == {
        f"/s/shop/sends/{send.pk}/?state=failed#messages": "1: Failed",
        f"/s/shop/sends/{send.pk}/?state=queued#messages": "2: Accepted",
        f"/s/shop/messages/?send={send.pk}&amp;code=7102": "1 with code 7102",
    }
    found = composer.get(f"/s/shop/messages/?send={send.pk}&code=7102")
    assert [one.pk for one in found.context["rows"]] == [first.pk]
    assert 'href="/s/shop/messages/?code=7102"' in found.text
