"""One row that cannot be read stops its own send, with a sentence, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection

from sms.inbound import receipts
from sms.models import Hold, ReceiptInbox, Send, Slice
from tests.support.dispatching import states
from tests.support.provider import Provider
from tests.support.receipts import post, posted_message, receipt
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db


def break_lane(send) -> None:
    Slice.objects.filter(send=send).update(lane=20)


def break_links(send) -> None:
    Send.objects.filter(pk=send.pk).update(smartlinks=["no pair"])


def break_messages(send) -> None:
    last = send.messages.last()
    type(last).objects.filter(pk=last.pk).update(substitutions=["no", "mapping"])


@pytest.mark.parametrize("broken", [break_lane, break_links, break_messages])
def test_a_row_that_cannot_be_read_holds_its_send_and_all_others_go_on(broken):
    service = a_service()
    bad, good, others = a_send(service, 3), a_send(service, 3), a_send(a_service(slug="other"), 3)
    broken(bad)
    provider = Provider()
    provider.dispatch()
    assert states(good) == states(others) == {"queued": 3}
    assert states(bad) == {"pending": 3}
    hold = Hold.objects.get()
    assert (hold.send, hold.rule, hold.lifted_at) == (bad, "unreadable", None)
    assert hold.because.startswith("Something stored of this send cannot be read (")
    assert hold.because.endswith("). It is held until that is fixed; all others go on.")
    assert not Slice.objects.exclude(owner="").exists()


def test_a_send_that_was_mended_and_resumed_goes():
    send = a_send(a_service(), 3)
    break_lane(send)
    provider = Provider()
    provider.dispatch()
    Slice.objects.filter(send=send).update(lane=send.lane)
    Hold.objects.update(lifted_at=send.created_at, lifted_by="ada")
    provider.dispatch(look_ahead=5)
    assert states(send) == {"queued": 3}


@contextmanager
def missing(table: str, column: str) -> Iterator[None]:
    """As after a migration or a grant that went wrong."""

    def rename(*names: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE {} RENAME COLUMN {} TO {}".format(table, *names))

    rename(column, "elsewhere")
    try:
        yield
    finally:
        rename("elsewhere", column)


@pytest.mark.django_db(transaction=True)
def test_a_column_that_is_missing_holds_no_send():
    send = a_send(a_service(), 3)
    provider = Provider()
    with missing("sms_message", "posted_at"), pytest.raises(DatabaseError):
        provider.dispatch()
    assert not Hold.objects.exists() and not provider.bodies
    assert states(send) == {"pending": 3}
    provider.dispatch(look_ahead=120)  # when the lease of the first run is over
    assert states(send) == {"queued": 3}


@pytest.mark.django_db(transaction=True)
def test_a_column_that_is_missing_sets_no_receipt_aside():
    service = a_service()
    message, name = posted_message(service)
    assert post(service, receipt(name)).status_code == 200
    with missing("sms_message", "segments_billed"), pytest.raises(DatabaseError):
        receipts.fold()
    assert ReceiptInbox.objects.get().why == ReceiptInbox.Why.NEW
    receipts.fold()
    message.refresh_from_db()
    assert message.state == "delivered"
