"""The ledger's arithmetic: a state is the maximum of everything known, in whatever order it becomes known."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.ledger import states as ledger_states
from sms.ledger.counters import CounterDeltas
from sms.ledger.squash import squash
from sms.ledger.state_machine import RANK, StateChange
from sms.models import Message, StateCount
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

NEWS = st.lists(
    st.sampled_from(["unconfirmed", "queued", "submitted", "failed", "delivered"]), min_size=1, max_size=6
)


def told(message_id: int, states: list[str]) -> None:
    for index, state in enumerate(states):
        deltas = CounterDeltas()
        at = START + timedelta(seconds=index)
        ledger_states.apply(
            [StateChange(message_id, state, at, code="7203" if state == "failed" else "")], deltas=deltas
        )
        deltas.write()


@given(states=NEWS, seed=st.integers(0, 99))
def test_any_order_and_repetition_of_the_same_changes_ends_in_the_same_state(states, seed):
    service = a_service(slug=f"s-{Message.objects.count()}-{seed}-{random.getrandbits(40):x}")
    send = a_send(service, 2)
    first, second = send.messages.order_by("pk")
    shuffled = [*states, *states]
    random.Random(seed).shuffle(shuffled)
    told(first.pk, states)
    told(second.pk, shuffled)
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.state == second.state == max(states, key=RANK.__getitem__)
    assert sum(send.counts().values()) == 2
    assert send.counts().get(first.state) == 2


def test_many_changes_in_one_call_end_as_they_would_one_by_one():
    send = a_send(a_service(), 1)
    (message,) = send.messages.all()
    deltas = CounterDeltas()
    ledger_states.apply(
        [StateChange(message.pk, state, START) for state in ("delivered", "submitted", "queued")],
        deltas=deltas,
    )
    deltas.write()
    message.refresh_from_db()
    assert message.state == "delivered"
    assert message.queued_at == message.submitted_at == message.final_at == START


def test_only_an_open_attempt_can_go_back_to_pending():
    send = a_send(a_service(), 1)
    (message,) = send.messages.all()
    deltas = CounterDeltas()
    assert ledger_states.arm([message.pk], at=START, deltas=deltas) == {message.pk}
    back = StateChange(message.pk, "pending", START, attempt=1, returned=True)
    ledger_states.apply([StateChange(message.pk, "queued", START)], deltas=deltas)
    ledger_states.apply([back], deltas=deltas)
    message.refresh_from_db()
    assert message.state == "queued", "a message that the provider has is not pending again"


def test_arming_twice_arms_once():
    send = a_send(a_service(), 1)
    (message,) = send.messages.all()
    deltas = CounterDeltas()
    assert ledger_states.arm([message.pk], at=START, deltas=deltas) == {message.pk}
    assert ledger_states.arm([message.pk], at=START, deltas=deltas) == set()


def test_squashing_keeps_every_total():
    send = a_send(a_service(), 40)
    for message in send.messages.all():
        told(message.pk, ["queued", "delivered"])
    before = send.counts()
    rows = StateCount.objects.count()
    assert squash(keep=2) > 0
    assert StateCount.objects.count() < rows
    assert send.counts() == before == {"delivered": 40}
