"""An outage at the provider, seen from both ends of the wire: few messages at risk, probes that cannot send, one canary first."""

import threading

import pytest

from sms.models import MessageState
from tests.support.dispatching import release, states
from tests.support.provider import Provider, accepted, raw_reply, refused
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db
AT_RISK = 3 + 4  # unconfirmed in a row that break the circuit, and what four posters had in flight


class Outage:
    """A provider that is down until `up`; requests in the order of their arrival, and how many were there at once."""

    def __init__(self) -> None:
        self.up = self.answers_probes = False
        self.log: list[str] = []
        self.at_once: list[int] = []  # real requests, from the first answered probe on
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, body):
        probe = not body
        with self._lock:
            self.log.append("probe" if probe else "real")
            self._now += 1
            if not probe and self.up:
                self.at_once.append(self._now)
        try:
            if probe:
                return refused("7003") if self.up or self.answers_probes else raw_reply(503)
            return accepted(body) if self.up else raw_reply(503)
        finally:
            with self._lock:
                self._now -= 1

    @property
    def real(self) -> int:
        return self.log.count("real")


def broken(count: int = 60):
    """A send whose provider went down: the circuit is broken."""
    outage, send = Outage(), a_send(a_service(), count)
    provider = Provider(outage)
    provider.dispatch(seconds=1, clients=4)
    assert 3 <= states(send)["unconfirmed"] <= AT_RISK
    return outage, send, provider


def test_an_unanswered_probe_lets_nothing_through():
    outage, send, provider = broken()
    before = outage.real
    for _ in range(3):
        release(send)
        provider.dispatch(seconds=2, look_ahead=2, clients=4)
    assert outage.log.count("probe") >= 2
    assert outage.real == before, "a real message was risked"
    assert states(send)["pending"] == 60 - before


def test_an_answered_probe_lets_one_canary_through_and_then_the_rest():
    outage, send, provider = broken()
    risked = outage.real
    outage.up = True
    release(send)
    provider.dispatch(seconds=10, look_ahead=3, clients=4)
    assert states(send) == {"unconfirmed": risked, "queued": 60 - risked}
    after = outage.log[risked:]
    assert after[0] == "probe" and after.count("probe") == 1
    assert outage.at_once[0] == 1, "the canary goes alone"


def test_a_canary_that_is_lost_breaks_the_circuit_again():
    outage, send, provider = broken()
    risked, outage.answers_probes = outage.real, True
    release(send)
    provider.dispatch(seconds=1, look_ahead=1, clients=4)
    lost = outage.real - risked
    assert 1 <= lost == outage.log[outage.log.index("probe") :].count("real") <= 2, (
        "one canary for each probe"
    )
    assert states(send) == {"unconfirmed": risked + lost, "pending": 60 - risked - lost}


def test_a_service_that_is_refused_connections_waits_and_sends_everything_later():
    import httpx

    down = True

    def answer(body):
        if down:
            raise httpx.ConnectError("refused")
        return accepted(body)

    send, provider = a_send(a_service(), 30), Provider(answer)
    provider.dispatch(seconds=1)
    assert states(send) == {MessageState.PENDING: 30}, "certainly nothing was sent"
    tried = len(provider.bodies)
    assert tried <= 4 + 3, "narrowed to one request behind a growing pause"
    down = False
    release(send)
    provider.dispatch(seconds=10, look_ahead=3)
    assert states(send) == {MessageState.QUEUED: 30}
    assert not [body for body in provider.bodies if not body], (
        "no probe is needed where nothing can have been sent"
    )
