"""The home page of a service: how much it asks the database."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from sms.compose import comments
from sms.models import Conversation, Draft, Heartbeat, NoticeKind, Pace
from sms.notices import tell
from sms.sends import holds
from tests.support.people import a_cast
from tests.support.provider import Provider
from tests.support.recurring import a_draft_to, a_list, a_recurring_send
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db


def words(page: str) -> str:
    return " ".join(strip_tags(page).split())


def something_of_everything(cast, count: int) -> None:
    """What has a place on the page of a composer."""
    service, composer, now = cast.service, cast.users["composer"], timezone.now()
    sends = [a_send(service, due_at=now + timedelta(hours=1)) for _ in range(2)]
    holds.hold(sends[0], by=BY, because="Wrong price")
    content = a_draft_to(a_list(service, user=composer, name=f"Members {count}"), user=composer)
    tomorrow = (now + timedelta(days=1)).date()
    a_recurring_send(service, user=composer, draft=content, now=now, starts_on=tomorrow, every="daily")
    Draft.objects.create(service=service, name="Sale", send_at=now + timedelta(hours=3))
    comments.add(sends[1], "Look", by=BY, people=[composer], chosen=composer)
    Conversation.objects.create(
        service=service, msisdn=f"+44771000000{count}", address="SHOP", last_at=now, waiting_since=now
    )
    tell(NoticeKind.SEND_DONE, [composer.pk], event=f"done:{count}", says="Done.", service=service, now=now)


def test_home_asks_the_database_little_and_the_same_for_more(django_assert_max_num_queries):
    cast = a_cast(waiting=True)
    for count in range(2):
        something_of_everything(cast, count)
        cast["composer"].get("/s/shop/")
        with django_assert_max_num_queries(30):
            page = cast["composer"].get("/s/shop/").text
        for said in ("On hold", "asks you to look", "open repl", "Sale"):
            assert said in page, said
        assert count or "Training" in page, "the first five that are planned"


def test_home_shows_what_goes_out_how_fast_and_what_waits_and_asks_for_it_again():
    cast = a_cast()
    a_send(cast.service, 3, name="Spring sale")
    a_send(cast.service, 7, name="Later", due_at=timezone.now() + timedelta(hours=1))
    page = cast["composer"].get("/s/shop/")
    part = re.search(r'hx-get="([^"]+)"\s+hx-trigger="every 3s"', page.text)[1]
    going_out = words(page.text).partition("Going out now")[2].partition("Last sends")[0]
    assert "Spring sale" in going_out and "Later" not in going_out
    assert "Waiting to be posted 3 " in words(page.text)
    Provider().dispatch()
    live = cast["composer"].get(part).text
    assert "Waiting to be posted 0 " in words(live) and "Going out now" not in live
    assert "every 15s" in live and "<html" not in live
    assert "home-notes" not in live, "they are not a minute old"
    old = cast["composer"].get(re.sub(r"noted=\d+", "noted=1", part)).text
    assert 'id="home-notes" hx-swap-oob="true"' in old and 'id="home-plans" hx-swap-oob="true"' in old
    assert re.search(r'data-as-of="\d\d:\d\d:\d\d \w+"', live)


def test_home_says_what_is_wrong_with_the_provider():
    cast = a_cast()
    now = timezone.now().timestamp()
    Pace.objects.create(service=cast.service, held_until=now + 600)
    assert "Webex Connect asked us to wait for another 10 min." in words(
        cast["composer"].get("/s/shop/").text
    )
    Heartbeat.beat(
        "one", host="a", pid=1, kind=Heartbeat.Kind.DISPATCH, facts={"provider": {str(cast.service.pk): 240}}
    )
    assert "has not taken messages for 4 min" in words(cast["composer"].get("/s/shop/").text)
