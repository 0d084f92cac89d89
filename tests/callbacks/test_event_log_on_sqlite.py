"""The event log of the embedded database: a page costs what it shows, wherever its reader stands."""

import pytest
from django.db import connection
from django.utils import timezone

from sms.callbacks import events, feed
from sms.callbacks.feed import START, EventsWanted
from sms.models import Event
from sms.models.sql.events import Place
from tests.support.callbacks import an_endpoint
from tests.support.sends import a_send, a_service

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
STEPS = 20  # of SQLite's machine that are counted as one


def steps_of(wanted: EventsWanted, place: Place) -> int:
    counted = []
    connection.connection.set_progress_handler(lambda: counted.append(1), STEPS)
    try:
        assert len(feed.page(wanted, place, limit=10).events) == 10
    finally:
        connection.connection.set_progress_handler(None, 0)
    return len(counted)


def test_a_page_does_not_read_the_events_before_it():
    service = a_service()
    an_endpoint(service)
    send, now = a_send(service), timezone.now()
    events.record([events.of_send(send, "send.held", at=now, once=(str(at),)) for at in range(3000)])
    wanted = EventsWanted(service.pk)
    near_the_end = Place(*Event.objects.order_by("-pk").values_list("transaction_id", "pk")[20])

    assert steps_of(wanted, near_the_end) <= 2 * steps_of(wanted, START)
