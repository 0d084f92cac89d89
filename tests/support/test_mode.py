"""A live service with a test key, and what its workers do: the simulator's sends and receipts, by a clock that does not wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sms import dispatch, simulator
from sms.inbound import receipts
from sms.models import Service
from sms.webex.client import Client
from tests.support.partners import ALL, Partner, a_key, a_partner_service
from tests.support.provider import PUBLIC_URL

DRAMA = "+447700900{:03}"


def a_live_service(**changes: Any) -> Service:
    """Connected to Webex Connect itself, as far as anybody can tell."""
    return a_partner_service(base_url="", live_since=timezone.now() - timedelta(days=1), **changes)


def a_tester(service: Service, **changes: Any) -> Partner:
    return Partner(a_key(service, name="Tests", scopes=ALL, is_test=True, **changes))


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
def no_network(monkeypatch: Any) -> Iterator[list[str]]:
    """The real client refused to everybody; what wanted one is in the list."""
    asked: list[str] = []

    def refused(self: Client, base_url: str, *_: Any, **__: Any) -> None:
        asked.append(base_url)
        raise OSError("no network in this test")

    with monkeypatch.context() as patched:
        patched.setattr(Client, "__init__", refused)
        yield asked
