"""A live service with a test key, and what its workers do: the simulator's sends and receipts, by a clock that does not wait."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sms import dispatch, simulator
from sms.inbound import receipts
from sms.models import Send, Service
from tests.support.partners import ALL, Partner, a_key, a_partner_service
from tests.support.provider import PUBLIC_URL
from tests.support.sends import a_send

SCOPES = [one for one in ALL if one != "all"]
DRAMA = "+447700900{:03}"


def a_live_service(**changes: Any) -> Service:
    """Connected to Webex Connect itself, as far as anybody can tell."""
    return a_partner_service(base_url="", live_since=timezone.now() - timedelta(days=1), **changes)


def a_tester(service: Service, **changes: Any) -> Partner:
    return Partner(a_key(service, name="Tests", scopes=SCOPES, is_test=True, **changes))


def simulate() -> int:
    """What waits for the simulator and every receipt that it owes, however late it is due; returns messages posted."""
    posted = dispatch.run_simulated(public_url=PUBLIC_URL, seconds=30.0).posted
    bring_receipts()
    return posted


def bring_receipts() -> None:
    later = timezone.now() + timedelta(minutes=1)
    while simulator.hand_over(now=later):
        pass
    while receipts.fold():
        pass


@contextmanager
def no_network(monkeypatch: Any) -> Iterator[list[Any]]:
    """Nothing of Python's can connect or look a name up; what tried is in the list."""
    tried: list[Any] = []

    def refused(*what: Any, **_: Any) -> None:
        tried.append(what)
        raise OSError("no network in this test")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", refused)
        patched.setattr(socket, "getaddrinfo", refused)
        yield tried


def a_simulated_send(service: Service, count: int = 1, **changes: Any) -> Send:
    """As `a_send`, by a test key."""
    key = service.api_keys.filter(is_test=True).first()
    if key is None:
        a_tester(service)
        key = service.api_keys.get(is_test=True)
    return a_send(service, count, key=key, **changes)
