"""Two transactions that want the same messages: one waits for the other, and neither is ended by PostgreSQL for a deadlock."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from sms import dispatch
from sms.dispatch import settle
from sms.dispatch.claim import Owner, claim, lock_sends, reopen
from sms.dispatch.post import PostOutcome
from sms.dispatch.record import record
from sms.ledger import states as ledger
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import Message, MessageState, Resend, Send, Slice
from sms.webex.replies import Accepted
from tests.support.dispatching import Dispatcher, back_in_time, states
from tests.support.provider import Provider, raw_reply
from tests.support.sends import a_send, a_service

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,  # SQLite has one writer at a time
]
PATIENCE = 60.0


def lock(pk: int) -> None:
    list(Message.objects.select_for_update(no_key=True).filter(pk=pk).values_list("pk"))


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database OR l.database IS NULL"
            " JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted"
        )
        return bool(cursor.fetchone()[0])


def as_a_fold_meets(act, low: int, high: int) -> None:
    """A fold of receipts has locked the message with the lower id, and wants the other once `act` waits for the first."""
    as_another_meets(act, lambda: lock(low), lambda: lock(high))


def as_another_meets(act, has, wants) -> None:
    """Another transaction has locks, and wants more once `act` waits for it."""
    trouble: list[BaseException] = []

    def work() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SET lock_timeout = 0"
                )  # a deadlock is looked for, however slow the other one is
            act()
        except BaseException as problem:
            trouble.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        has()
        thread.start()
        deadline = time.monotonic() + PATIENCE
        while thread.is_alive() and not waits_for_a_lock():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        wants()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    if trouble:
        raise trouble[0]


def records(outcomes) -> None:
    with transaction.atomic():
        deltas = CounterDeltas()
        record(outcomes, at=timezone.now(), deltas=deltas)
        deltas.write()


def scanned_backwards(send) -> tuple[int, int]:
    """Both its messages, stored so that a statement without an order meets the higher id first."""
    low, high = send.messages.order_by("pk").values_list("pk", flat=True)
    Message.objects.filter(pk=low).update(row=7)
    return low, high


def test_what_was_accepted_beside_a_message_whose_receipt_was_faster():
    send = a_send(a_service(), 2)
    low, high = send.messages.order_by("pk").values_list("pk", flat=True)
    outcomes = [PostOutcome(one, Accepted("id", "")) for one in Dispatcher(send, "one").arm(2)]
    with transaction.atomic():
        deltas = CounterDeltas()
        ledger.apply([StateChange(low, MessageState.DELIVERED, timezone.now())], deltas=deltas)
        deltas.write()
    as_a_fold_meets(lambda: records(outcomes), low, high)
    assert states(send) == {"delivered": 1, "queued": 1}


def test_what_a_policy_sends_again():
    send = a_send(a_service(), 2, resend=Resend.ALWAYS, validity=3600)
    Provider(lambda _body: raw_reply(500)).dispatch(seconds=5)
    back_in_time(send, timedelta(minutes=1))
    assert states(send) == {"unconfirmed": 2}
    as_a_fold_meets(lambda: settle.by_policy([send.pk]), *scanned_backwards(send))
    assert states(send) == {"pending": 2}


def test_arming_does_not_wait_for_a_message_that_somebody_has_locked_and_takes_it_later():
    send = a_send(a_service(), 2)
    low, high = send.messages.order_by("pk").values_list("pk", flat=True)
    one = Dispatcher(send, "one")
    armed: list[list[int]] = []

    def arm() -> None:
        armed.append([message.pk for request in one.arm(2) for message in request.messages])
        connection.close()

    thread = threading.Thread(target=arm)
    with transaction.atomic():
        lock(low)
        thread.start()
        thread.join(PATIENCE)
    assert armed == [[high]]
    arm()
    assert armed == [[high], [low]]


@pytest.mark.parametrize(
    "act", [dispatch.sweep, lambda: claim(owner=Owner("next"), limit=2)], ids=["sweep", "claim"]
)
def test_leases_that_ran_out_are_settled_beside_who_has_the_send_and_its_messages(act):
    """As a policy, a person who settles, or an answer that comes late: the send, then messages, then what is to be due again."""
    send = a_send(a_service(), 2)
    Dispatcher(send, "dead").arm(2)
    Slice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    low, high = scanned_backwards(send)

    def has() -> None:
        lock_sends([send.pk])
        lock(low)

    def wants() -> None:
        lock(high)
        reopen(list(Slice.objects.values_list("pk", flat=True)))
        Send.objects.update(name="Renamed")

    as_another_meets(act, has, wants)
    assert states(send) == {"unconfirmed": 2}
