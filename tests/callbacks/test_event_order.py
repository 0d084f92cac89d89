"""No event is passed over by a reader that follows, in whatever order transactions commit; a restored database is read anew."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from sms.callbacks import events, feed
from sms.callbacks.feed import START, EventsWanted
from sms.models import Event
from tests.support.callbacks import an_endpoint
from tests.support.sends import a_send, a_service

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def record(send, name: str) -> None:
    events.record([events.of_send(send, "send.held", at=timezone.now(), once=(name,), reason=name)])


def names(page) -> list[str]:
    return [one.data["reason"] for one in page.events]


def test_what_commits_late_is_not_passed_over():
    service = a_service()
    an_endpoint(service)
    send, wanted = a_send(service), EventsWanted(service.pk)
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            record(send, "began first")
            begun.set()
            assert may_end.wait(30)
        connection.close()

    other = threading.Thread(target=slow)
    other.start()
    assert begun.wait(30)
    record(send, "committed first")
    assert Event.objects.count() == 1
    page = feed.page(wanted, START, limit=10)
    assert (names(page), page.after, page.more) == ([], START, False)
    filtered = feed.page(EventsWanted(service.pk, types=["send.held"]), START, limit=10)
    assert (names(filtered), filtered.after) == ([], START)
    now = feed.read("now", service_id=service.pk, now=timezone.now())
    may_end.set()
    other.join()
    assert names(feed.page(wanted, START, limit=10)) == ["began first", "committed first"]
    assert names(feed.page(wanted, now, limit=10)) == ["began first", "committed first"]
    first = feed.page(wanted, START, limit=1)
    assert first.more and names(feed.page(wanted, first.after, limit=10)) == ["committed first"]


def test_a_database_restored_into_another_cluster_is_read_anew():
    service = a_service()
    an_endpoint(service)
    send, wanted, now = a_send(service), EventsWanted(service.pk), timezone.now()
    record(send, "before")
    Event.objects.update(transaction_id=2**60)  # as the other one numbered it
    theirs = feed.written(feed.FeedPage([], feed.Place(2**60, Event.objects.get().pk), more=False), now=now)
    record(send, "after")
    place = feed.read(theirs, service_id=service.pk, now=now)
    assert place == START
    assert names(feed.page(wanted, place, limit=10)) == ["before", "after"]
