"""Receipts over the border of a month, where PostgreSQL keeps each month in a partition of its own; SQLite shows the same from outside."""

import threading
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.utils import timezone

from sms.inbound import receipts
from sms.inbound.receipts.inbox import insert
from sms.inbound.receipts.incoming import Incoming
from sms.models import Receipt
from sms.models.sql import receipt_months
from sms.models.sql.receipt_months import following, months, partition
from sms.sends.messages import story_of
from tests.support.past_sends import a_past_send, an_old_service, run
from tests.support.processes import until
from tests.support.receipts import post, posted_message, receipt
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def the_next_border() -> datetime:
    return following(timezone.now().replace(day=1))


def came(service, raw: bytes, *, at: datetime, **how) -> int:
    """How many new receipts of one that came then, from a spool or by a request."""
    return insert(
        [Incoming.read(raw, service_id=service.pk, key=service.correlation_key, received_at=at)], **how
    )


def partition_of(raw: bytes) -> str:
    if connection.vendor != "postgresql":
        return "sms_receipt"
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM sms_receipt WHERE raw = %s", [raw])
        ((name,),) = cursor.fetchall()
    return name


def test_receipts_on_both_sides_of_the_border_are_stored_applied_and_repeated_as_ever():
    receipts.keep_months()
    service, border = a_service(), the_next_border()
    message, name = posted_message(service)
    before, after = receipt(name, code="7501", status="Submitted"), receipt(name)
    with time_machine.travel(border - SECOND, tick=False) as clock:
        assert post(service, before).status_code == 200
        for _ in range(2):
            clock.shift(2 * SECOND)
            assert post(service, before).status_code == post(service, after).status_code == 200
        assert Receipt.objects.count() == 2
        assert receipts.fold() == 2
        message.refresh_from_db()
        assert message.state == "delivered"
        clock.shift(2 * DAY)
        assert post(service, before).status_code == 200
        assert Receipt.objects.count() == 2
        assert receipts.fold() == 0
    assert came(service, after, at=border - SECOND) == 0, (
        "spooled before the border, brought in after its repeat"
    )
    if connection.vendor == "postgresql":
        last, first = partition(border - SECOND), partition(border)
        assert (partition_of(before), partition_of(after)) == (last, first)
        assert {last, first} <= there()


def test_what_a_person_brings_in_is_known_whenever_it_came_before():
    service, border = a_service(), the_next_border()
    raw = receipt("theirs")
    assert came(service, raw, at=border - 20 * DAY) == 1
    assert came(service, raw, at=border + 20 * DAY, everywhere=True) == 0


@pytest.mark.django_db(transaction=True)
def test_two_repeats_stored_at_once_on_both_sides_of_the_border_are_one():
    service, border = a_service(), the_next_border()
    raw, new = receipt("theirs"), list[int]()

    def second() -> None:
        new.append(came(service, raw, at=border + SECOND))
        connections.close_all()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        assert came(service, raw, at=border - SECOND) == 1
        thread.start()
        if connection.vendor == "postgresql":
            until(lambda: new or _somebody_waits(), "the other waits")
    thread.join()
    assert new == [0]
    assert Receipt.objects.count() == 1


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_receipt_of_a_month_that_has_no_partition_yet_or_no_longer_is_as_any_other():
    service, now = a_service(), timezone.now()
    message, name = posted_message(service)
    raw, at = receipt(name), now - 250 * DAY
    rest = receipt_months.REST

    assert came(service, raw, at=at) == 1
    places = [partition_of(raw)]
    for moment in (
        at,
        now,
    ):  # as if the job of that time came too late; then half a year has passed since the month
        receipts.keep_months(now=moment)
        places.append(partition_of(raw))
    assert places == (
        [rest, partition(at), rest] if connection.vendor == "postgresql" else ["sms_receipt"] * 3
    )
    assert came(service, raw, at=at) == 0
    assert receipts.fold() == 1
    message.refresh_from_db()
    assert message.state == "delivered"


@pytest.mark.django_db(transaction=True)
def test_a_month_goes_once_the_archive_has_all_of_it(state_folder):
    service, now = an_old_service(keep_messages=30), timezone.now()
    receipts.keep_months(now=now - 70 * DAY)
    send = a_past_send(service, days=70)
    ids = list(send.messages.values_list("pk", flat=True))
    before = [told_by(service, pk) for pk in ids]
    theirs = {partition_of(raw) for raws in before for raw in raws}

    receipts.keep_months(now=now)
    assert theirs <= there()
    run(service)
    assert not Receipt.objects.exists()
    receipts.keep_months(now=now)
    assert not theirs & there() - {"sms_receipt"}
    assert [told_by(service, pk) for pk in ids] == before


def told_by(service, message_id: int) -> list[bytes]:
    """Receipts as the page of a message shows them."""
    return [bytes(one.raw) for one in story_of(service, message_id).receipts]


def there() -> set[str]:
    return {partition(month) for month in months()} or {"sms_receipt"}
