"""The client of simulated sends. It has no credentials and no network: a request ends in the sandbox's engine in this process."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import connection as database

from sms.models import Service
from sms.simulator import receipts
from sms.webex.auth import ServiceKey
from sms.webex.client import Client
from sms.webex.sandbox.in_process import DueReceipt
from sms.webex.simulated import SimulatedNetwork

NOWHERE = "https://simulator.invalid"  # no name under .invalid is ever found (RFC 2606)


@dataclass(frozen=True, slots=True)
class SimulatedConnection:
    """What the simulator knows of a service. Nothing in it opens anything."""

    service_id: int
    correlation_key: str
    text_limit: int


def connection_of(service: Service) -> SimulatedConnection:
    return SimulatedConnection(service.pk, service.correlation_key, service.text_limit)


def client_of(simulated: SimulatedConnection) -> Client:
    """Used by one thread, whose connection to the database ends with it."""
    keep = partial(_keep, simulated)
    network = SimulatedNetwork(text_limit=simulated.text_limit, keep=keep, closed=database.close)
    return Client(NOWHERE, ServiceKey("test-mode"), transport=network)


def _keep(simulated: SimulatedConnection, found: Sequence[DueReceipt], now: float) -> None:
    receipts.keep(found, service_id=simulated.service_id, key=simulated.correlation_key, now=now)
