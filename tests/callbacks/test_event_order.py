"""No event is passed over by a reader that follows, in whatever order transactions commit, also in a database restored elsewhere."""

import threading

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from sms.callbacks import events, feed
from sms.callbacks.feed import START, EventsWanted
from sms.models import Event, EventEpoch
from sms.models.sql import events as log
from sms.models.sql.events import Place
from tests.support.callbacks import an_endpoint
from tests.support.processes import until
from tests.support.sends import a_send, a_service

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def record(send, name: str) -> None:
    events.record([events.of_send(send, "send.held", at=timezone.now(), once=(name,), reason=name)])


def names(page) -> list[str]:
    return [one.data["reason"] for one in page.events]


def nothing_is_kept_back() -> None:
    """What other tests have open in the same server keeps events back as well."""
    until(lambda: not Event.objects.exclude(log.complete()).exists(), "every event can be read")


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
    nothing_is_kept_back()
    assert names(feed.page(wanted, START, limit=10)) == ["began first", "committed first"]
    assert names(feed.page(wanted, now, limit=10)) == ["began first", "committed first"]
    first = feed.page(wanted, START, limit=1)
    assert first.more and names(feed.page(wanted, first.after, limit=10)) == ["committed first"]


def cursor_behind(place: Place) -> str:
    return feed.written(feed.FeedPage([], place, more=False), now=timezone.now())


@pytest.mark.parametrize("ahead", (-700, 10**12), ids=("its numbers were lower", "its numbers were higher"))
def test_a_database_restored_into_another_cluster_goes_on_where_readers_are(ahead):
    service = a_service()
    an_endpoint(service)
    send, wanted = a_send(service), EventsWanted(service.pk)
    record(send, "before")
    Event.objects.update(transaction_id=F("transaction_id") + ahead)
    EventEpoch.objects.update(cluster="another")

    def read(cursor: str) -> list[str]:
        return names(
            feed.page(wanted, feed.read(cursor, service_id=service.pk, now=timezone.now()), limit=10)
        )

    assert read("") == ["before"]
    behind = cursor_behind(feed.page(wanted, START, limit=10).after)
    now = cursor_behind(feed.read("now", service_id=service.pk, now=timezone.now()))
    assert read(behind) == read(now) == []
    record(send, "after")
    record(send, "and later")
    nothing_is_kept_back()
    assert read("") == ["before", "after", "and later"]
    assert read(behind) == read(now) == ["after", "and later"]
    assert list(EventEpoch.objects.values_list("number", flat=True).order_by("number")) == [1, 2]


def test_an_epoch_that_one_transaction_begins_keeps_no_other_waiting():
    service = a_service()
    an_endpoint(service)
    send = a_send(service)
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            record(send, "first")
            begun.set()
            assert may_end.wait(30)
            transaction.set_rollback(True)
        connection.close()

    other = threading.Thread(target=slow)
    other.start()
    assert begun.wait(30)
    record(send, "second")
    may_end.set()
    other.join()
    assert EventEpoch.objects.count() == 0
    record(send, "third")
    assert EventEpoch.objects.get().number == 1
    nothing_is_kept_back()
    assert names(feed.page(EventsWanted(service.pk), START, limit=10)) == ["second", "third"]
