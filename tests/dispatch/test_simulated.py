"""Sends with a test key in a live service: the outcomes of the sandbox, and never a byte for the provider."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from sms import dispatch, simulator
from sms.dispatch.post import client_of
from sms.dispatch.settle import Settlement, by_person
from sms.models import (
    ApprovalRules,
    Message,
    Pace,
    Resend,
    Send,
    Service,
    SimulatedReceipt,
    Slice,
    SpendCount,
)
from sms.models.sql import fixed_columns
from sms.sends import holds
from sms.values import correlation_id
from tests.support.dispatching import Dispatcher, back_in_time, release, states
from tests.support.provider import Provider, accepted, raw_reply
from tests.support.sends import BY, PROVED, a_send
from tests.support.simulating import (
    DRAMA,
    a_live_service,
    a_simulated_send,
    a_tester,
    bring_receipts,
    no_network,
    simulate,
)

pytestmark = pytest.mark.django_db(transaction=True)

OUTCOMES = {
    1: ("delivered", "7500"),
    2: ("failed", "7203"),
    3: ("failed", "7208"),
    4: ("delivered", "7500"),
    5: ("queued", ""),
    6: ("delivered", "7500"),
    7: ("delivered", "7500"),
    8: ("delivered", "7500"),
    9: ("delivered", "7500"),
    10: ("failed", "9002"),
    11: ("failed", "9006"),
    12: ("failed", "7201"),
    13: ("delivered", "7500"),
}


def test_the_number_decides_as_in_the_sandbox(monkeypatch):
    service = a_live_service()
    recipients = [{"number": DRAMA.format(one)} for one in OUTCOMES]
    link = {"link_domain": "uk.wbxc.io", "shorten_links": True, "track_clicks": True}
    body = {"text": "See https://shop.example/x", "recipients": recipients, "sender": "SHOP"} | link
    answer = a_tester(service).post("sends", body, Idempotency_Key="k")
    assert answer.status_code == 201 and answer.json()["test"] is True, answer.content
    send, provider = Send.objects.get(), Provider()
    assert send.simulated and send.state == "sending"
    provider.dispatch()
    assert provider.bodies == [] and not Message.objects.filter(attempt__gt=0).exists()
    with no_network(monkeypatch) as tried:
        assert simulate() == len(recipients)
        assert tried == []
    found = {int(one.msisdn[-3:]): (one.state, one.code) for one in send.messages.all()}
    assert found == OUTCOMES
    clicks = {4: ["human", "human"], 7: ["machine"] * 3}
    for digits, verdicts in clicks.items():
        message = send.messages.get(msisdn=DRAMA.format(digits))
        assert [one.verdict for one in message.clicks.order_by("at")] == verdicts
    assert not SimulatedReceipt.objects.exists()
    assert (dispatch.due_within(4, simulated=True) or 0) > 0, (
        "a dropped connection keeps no send open for long"
    )
    release(send)
    simulate()
    assert Send.objects.get().state == "finished"
    provider.dispatch()
    assert provider.bodies == [] and not Pace.objects.exists()


def test_the_provider_sees_none_of_the_simulated_whatever_shares_a_service_with_them():
    """The same numbers, text and lanes; requests of many; both kinds of dispatchers at once; a contracted rate."""
    service = a_live_service(batch_size=10, rate=200, **PROVED)
    real = [a_send(service, 40, lane=lane) for lane in (0, 1, 2)]
    pretend = [a_simulated_send(service, 40, lane=lane) for lane in (0, 1, 2)]
    provider = Provider()
    both = [
        threading.Thread(target=_and_close, args=(provider.dispatch,)),
        threading.Thread(target=_and_close, args=(simulate,)),
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    keys = {one["correlationId"] for body in provider.bodies for one in body.get("to", [])}
    assert len(keys) == 120 == sum(len(body.get("to", [])) for body in provider.bodies)
    assert set(map(_message_of, keys)) == set(
        Message.objects.filter(send__in=real).values_list("pk", flat=True)
    )
    bring_receipts()
    assert [states(one) for one in pretend] == [{"delivered": 40}] * 3
    assert [states(one) for one in real] == [{"queued": 40}] * 3
    assert not SpendCount.objects.filter(used__gt=120).exists()


def test_what_dies_in_mid_send_is_settled_by_its_receipt_and_never_posted():
    service = a_live_service()
    send = a_simulated_send(service, 3)
    dead = Dispatcher(send, "dead", simulated=True)
    dead.arm(3)  # and then the process is gone: nobody knows whether the simulator took them
    Slice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    provider = Provider()
    provider.dispatch()
    dispatch.sweep()
    simulate()
    assert states(send) == {"unconfirmed": 3}
    by_person(send, Settlement.SEND_AGAIN, by=BY)
    provider.dispatch()
    simulate()
    assert states(send) == {"delivered": 3} and provider.bodies == []


def test_what_the_simulator_took_is_no_evidence_that_the_provider_did_not_take_something():
    service = a_live_service()
    lost = a_send(service, resend=Resend.EVIDENCE)
    Provider(lambda body: raw_reply(500)).dispatch(clients=1)
    others = a_simulated_send(service, 30)
    simulate()
    assert states(others) == {"delivered": 30}
    for one in (lost, others):
        back_in_time(one, timedelta(minutes=16))
    Send.objects.filter(pk=lost.pk).update(partner="Shop")  # of which others of the service are witnesses
    release(lost)
    provider = Provider(accepted)
    provider.dispatch()
    assert [body for body in provider.bodies if body] == [] and states(lost) == {"unconfirmed": 1}


def test_a_pause_holds_it_and_afterwards_it_is_still_simulated():
    service = a_live_service()
    send = a_simulated_send(service)
    hold = holds.hold(send, by=BY, because="wait")
    provider = Provider()
    assert simulate() == 0
    holds.lift(hold, by=BY)
    provider.dispatch()
    assert simulate() == 1 and states(send) == {"delivered": 1} and provider.bodies == []


def test_nothing_makes_a_simulated_send_real():
    service = a_live_service()
    send = a_simulated_send(service)
    key = service.api_keys.get(is_test=True)
    for rows, changes in (
        (Send.objects.filter(pk=send.pk), {"simulated": False}),
        (Slice.objects.filter(send=send), {"simulated": False}),
        (service.api_keys.filter(pk=key.pk), {"is_test": False}),
        (service.api_keys.filter(pk=key.pk), {"is_test": False, "prefix": "td_live_00000000"}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**changes)
    with pytest.raises(IntegrityError), transaction.atomic():
        service.api_keys.create(name="Odd", prefix="td_test_11111111", digest="d", is_test=False)
    fixed_columns.remove(connection)  # as by an operator's hand
    try:
        Slice.objects.filter(send=send).update(simulated=False)
    finally:
        fixed_columns.install(connection)
    provider = Provider()
    provider.dispatch(seconds=1.0)
    assert provider.bodies == [] and states(send) == {"pending": 1}, "the last look reads the send itself"
    with pytest.raises(TypeError):
        client_of(simulator.connection_of(service))


def test_neither_approval_nor_caps_nor_the_night_keep_it_back():
    service = a_live_service(cap_day=1, cap_number=1, quiet_hours="00:00-23:59")
    ApprovalRules.objects.create(service=service, size=1, size_approvers=1)
    send = a_simulated_send(service, 5)
    assert (send.simulated, send.quiet_hours, send.counted_on) == (True, "", None)
    assert simulate() == 5 and not SpendCount.objects.exists()


def _message_of(correlation: str) -> int:
    return correlation_id.read(correlation, key=Service.objects.get().correlation_key).message_id


def _and_close(act) -> None:
    try:
        act()
    finally:
        connection.close()
