"""Requests that were armed and did not go at their instant: they get another one, and everything is checked once more."""

import threading
import time

import pytest
from django.utils import timezone

from sms.models import OptOut, Send
from tests.support.dispatching import states
from tests.support.provider import Provider, accepted
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db


def test_a_late_request_gets_another_instant_and_stays_one_attempt():
    def answer(body):
        time.sleep(0.06)  # one poster takes 16 a second of the contracted 40
        return accepted(body)

    provider, send = Provider(answer), a_send(a_service(rate=40), 40)
    report = provider.dispatch(clients=1, seconds=20)
    assert report.outcomes["Late"] > 0
    assert states(send) == {"queued": 40}
    assert report.posted == 40, "another instant is not another message"
    assert len(provider.numbers) == len(set(provider.numbers)) == 40
    assert set(send.messages.values_list("attempt", flat=True)) == {1}


@pytest.mark.parametrize(("what", "state"), [("opted out", "cancelled"), ("expired", "expired")])
def test_what_changes_before_the_other_instant_keeps_the_request_back(what, state):
    service = a_service(rate=20)
    send = a_send(service, 12)
    begun, over = threading.Event(), threading.Event()

    def answer(body):
        begun.set()
        over.wait(20)
        return accepted(body)

    def change() -> bool:
        if begun.is_set() and not over.is_set():
            time.sleep(0.6)  # so that whatever else was armed is late
            if what == "expired":
                Send.objects.filter(pk=send.pk).update(expires_at=timezone.now())
            else:
                for number in send.messages.values_list("msisdn", flat=True):
                    OptOut.objects.create(service=service, msisdn=number, source="inbound")
            over.set()
        return False

    provider = Provider(answer)
    report = provider.dispatch(clients=1, seconds=20, stopped=change)
    assert report.outcomes["Late"] > 0
    assert states(send) == {"queued": 1, state: 11}
    assert len(provider.bodies) == 1
