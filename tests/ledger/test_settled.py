"""A send is settled by whoever ends its last message, however many do that at once, and at the same number of statements."""

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sms.inbound import receipts
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import Send
from tests.support.callbacks import comes_in
from tests.support.partners import a_partner
from tests.support.provider import Provider
from tests.support.sends import a_send, a_service

TABLES = ("sms_send", "sms_message", "sms_echo", "sms_reject", "sms_statecount", "sms_event")


def about_sends(taken: CaptureQueriesContext) -> int:
    """Statements; without those that a key and a process have once a minute."""
    return sum(
        any(f'{table}"' in one["sql"] or f"{table} " in one["sql"] for table in TABLES) for one in taken
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_that_end_the_last_two_messages_at_once_the_later_one_sees_both():
    send = a_send(a_service(), 2)
    Provider().dispatch()
    written = [threading.Event(), threading.Event()]

    def end(place: int, pk: int) -> None:
        try:
            with transaction.atomic():
                deltas = CounterDeltas()
                states.apply([StateChange(pk, "delivered", timezone.now(), attempt=1)], deltas=deltas)
                deltas.write()
                written[place].set()
                written[1 - place].wait(1)  # where there is one writer at a time, in vain
        finally:
            connection.close()

    ids = send.messages.values_list("pk", flat=True)
    threads = [threading.Thread(target=end, args=pair) for pair in enumerate(list(ids))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send.refresh_from_db()
    assert send.counts() == {"delivered": 2} and send.settled_at is not None


@pytest.mark.django_db
def test_more_sends_and_more_recipients_take_no_more_statements(django_capture_on_commit_callbacks):
    service, partner = a_partner()

    def folded(sends: int) -> int:
        made = [a_send(service, 1) for _ in range(sends)]
        Provider().dispatch()
        for send in made:
            comes_in(send.messages.select_related("send__service").get())
        with CaptureQueriesContext(connection) as taken, django_capture_on_commit_callbacks(execute=True):
            assert receipts.fold() == sends
        assert Send.objects.filter(settled_at=None).count() == 0
        return about_sends(taken)

    def made(recipients: int) -> int:
        people = [
            {"number": f"+44770090{recipients:02d}{at:02d}", "reference": f"c-{at}"}
            for at in range(recipients)
        ]
        with CaptureQueriesContext(connection) as taken:
            answer = partner.post(
                "sends", {"text": "Hello", "recipients": people}, Idempotency_Key=f"k{recipients}"
            )
        assert answer.status_code == 201 and len(answer.json()["messages"]) == recipients
        return about_sends(taken)

    folded(1)
    assert folded(2) == folded(9)
    made(1)
    assert made(2) == made(60)
