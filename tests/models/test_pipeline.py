"""PostgreSQL at work while we compute: the same rows in the same order, and errors that are Django's."""

import pytest
from django.db import DatabaseError, connection, transaction

from sms.inbound import receipts
from sms.ledger import states
from sms.models import Message, ReceiptInbox
from sms.models.sql import receipt_inbox
from sms.models.sql.pipeline import pipelined, rows_ahead
from sms.values import correlation_id
from tests.support.provider import Provider
from tests.support.receipts import post, receipt
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db
ONE = "SELECT value FROM (SELECT %s AS value) AS one WHERE value > 0"


def test_rows_come_statement_by_statement_until_one_has_none():
    with pipelined():
        assert list(rows_ahead(ONE, [[1], [2], [3]])) == [[(1,)], [(2,)], [(3,)]]
        assert list(rows_ahead(ONE, [[1], [0], [3]])) == [[(1,)]]
        assert list(rows_ahead(ONE, [])) == []


def test_the_caller_may_ask_other_things_between():
    with transaction.atomic(), pipelined():
        for found in rows_ahead(ONE, [[1], [2]]):
            assert Message.objects.count() == 0
            assert found


@pytest.mark.parametrize("asked", [True, False])
def test_what_goes_wrong_is_djangos_error(asked):
    with pytest.raises(DatabaseError), transaction.atomic(), pipelined():
        if asked:
            list(rows_ahead("SELECT nothing FROM nowhere WHERE 1 = %s", [[1]]))
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM nowhere")


def test_receipts_of_one_message_in_several_parts_are_applied_once(monkeypatch):
    monkeypatch.setattr(receipt_inbox, "PART", 2)
    monkeypatch.setattr(states, "PART", 1)
    service = a_service()
    send = a_send(service, 3)
    Provider().dispatch()
    messages = list(send.messages.order_by("pk"))
    for code, status in (("7501", "Submitted"), ("7203", "Un-Delivered"), ("7500", "Delivered")):
        for message in messages:
            name = correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
            post(service, receipt(name, code=code, status=status))
        post(service, b"not json but " + code.encode())
    assert receipts.fold() == 12
    assert receipts.fold() == 0
    assert send.counts() == {"delivered": 3}
    assert {message.detail for message in send.messages.all()} == {"Also reported failed, code 7203."}
    assert set(ReceiptInbox.objects.values_list("why", flat=True)) == {"unreadable"}


def test_the_limit_counts_over_all_parts(monkeypatch):
    monkeypatch.setattr(receipt_inbox, "PART", 2)
    service = a_service()
    for number in range(7):
        post(service, receipt(f"of nobody {number}"))
    assert [receipts.fold(limit=3), receipts.fold(limit=3), receipts.fold(limit=3)] == [3, 3, 1]
