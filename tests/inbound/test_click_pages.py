"""What people see of clicks: all three numbers on a send and on a message, and the reason beside each click."""

import re

import pytest

from sms.inbound.clicks.verdicts import VerdictReason
from sms.inbound.receipts import reason_in_words
from sms.models import Region, ShortLinkDomain
from tests.inbound.click_receipts import COMPUTER, TERMS, delivered, posted_within_an_hour, take, told
from tests.support.people import a_cast
from tests.support.provider import Provider
from tests.support.sends import a_send


@pytest.fixture
def cast(db):
    return a_cast()


def words(client, url):
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def a_clicked_send(service):
    """One message of two, clicked by a person and by two programs."""
    domain = ShortLinkDomain.objects.create(
        service=service, region=Region.objects.get(key="uk"), host="go.example.com"
    )
    send = a_send(service, 2, link_domain=domain, content="See https://shop.example/offer")
    Provider().dispatch()
    message = send.messages.order_by("pk").first()
    posted_within_an_hour(message)
    take(
        service,
        delivered(service, message, at=4),
        told(service, message, at=30),
        told(service, message, at=47, agent="curl/8.5.0", ip="192.0.2.71"),
        told(service, message, at=49, agent=COMPUTER, ip="52.4.17.9", url=TERMS),
    )
    return send, message


def test_a_send_shows_clicks_of_people_machines_and_unsure_ones(cast):
    send, _ = a_clicked_send(cast.service)
    for path in (
        f"/s/{cast.service.slug}/sends/{send.pk}/",
        f"/s/{cast.service.slug}/sends/{send.pk}/progress/",
    ):
        text = words(cast["composer"], path)
        assert "<dt>Human</dt> <dd> 1 <small>click in 1 message</small> </dd>" in text
        assert "<dt>Machine</dt> <dd> 2 <small>clicks</small> </dd>" in text
        assert "<dt>Unsure</dt> <dd> 0 <small>clicks</small> </dd>" in text


def test_clicks_are_drawn_over_time_by_who_clicked(cast):
    send, message = a_clicked_send(cast.service)
    later = 5 * 3600
    take(cast.service, told(cast.service, message, at=later))
    page = cast["composer"].get(f"/s/{cast.service.slug}/sends/{send.pk}/").content.decode()
    titles = re.findall(r"<title>([^<]+: [^<]+)</title>", page)
    assert [title.partition(": ")[2] for title in titles] == [
        "1 human, 2 machine",
        *["no clicks"] * (len(titles) - 2),
        "1 human",
    ]
    assert len(titles) in (6, 7), "an hour each, from the first to the last"
    assert "Clicks by hour, in " in page


def test_a_send_without_tracked_links_shows_no_numbers_of_clicks(cast):
    send = a_send(cast.service, 1)
    assert "Unsure" not in words(cast["composer"], f"/s/{cast.service.slug}/sends/{send.pk}/")


def test_a_message_shows_its_numbers_and_why_each_click_was_judged_so(cast):
    _, message = a_clicked_send(cast.service)
    text = words(cast["composer"], f"/s/{cast.service.slug}/messages/{message.pk}/")
    assert "1 human, 2 machine, 0 unsure" in text
    assert "Link clicked: human" in text
    assert text.count("Link clicked: machine") == 2
    assert "https://shop.example/terms · from a hosting company" in text


def test_every_reason_has_words_and_a_code_of_other_rules_is_shown_as_it_is():
    assert len({reason_in_words(reason) for reason in VerdictReason}) == len(VerdictReason)
    assert all(reason_in_words(reason) != reason.replace("_", " ") for reason in VerdictReason)
    assert reason_in_words("not_judged") == "not judged"
