"""The home page of a service: how much it asks the database."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms.compose import comments
from sms.models import Conversation, Draft, NoticeKind
from sms.notices import tell
from sms.sends import holds
from tests.support.people import a_cast
from tests.support.recurring import a_draft_to, a_list, a_recurring_send
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db


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
        with django_assert_max_num_queries(24):
            page = cast["composer"].get("/s/shop/").text
        for said in ("On hold", "asks you to look", "open repl", "Sale"):
            assert said in page, said
        assert count or "Training" in page, "the first five that are planned"
