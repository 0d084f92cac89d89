"""Where examples are executed: our endpoints behind a socket, a provider on another, and the real sandbox behind a wire tap."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from sms import dispatch
from sms.catalogue.credentials import ProviderConnection
from sms.dispatch.breaker import Breakers
from sms.models import Message, Service
from sms.webex.client import Client
from tests.contract.over_http import HttpCaller, our_server
from tests.sandbox.running import Running, sandbox
from tests.support.drop_in import post
from tests.support.partners import a_key
from tests.support.provider import PUBLIC_URL
from tests.wire.at_our_door import a_service
from tests.wire.relay import Relay, relay
from tests.wire.requests import NOW

TEMPLATE = "7K4QMPLE2R"
TIMES = ("sendAt", "expireAt")


@dataclass
class World:
    """What an example may use. `ahead` is how far the clock is from that of the examples."""

    tenant: Running
    tap: Relay
    browser: HttpCaller
    ahead: dt.timedelta = field(
        default_factory=lambda: dt.timedelta(seconds=int((dt.datetime.now(dt.UTC) - NOW).total_seconds()))
    )

    def service(self, **changes: Any) -> Service:
        """With a catalogue, and connected to the sandbox unless told otherwise."""
        return a_service(**{"base_url": self.tap.url} | changes)

    def ask(self, service: Service, body: Mapping[str, Any], **headers: str) -> Any:
        """A partner's request at our `POST /v2/messages`."""
        return post(a_key(service, per_minute=100_000), dict(body), client=self.browser, **headers)

    def dispatch(self, *, deadline: float = 20.0, transport: httpx.BaseTransport | None = None) -> None:
        def client_for(line: ProviderConnection) -> Client:
            return Client(line.base_url, line.credentials(), deadline=deadline, transport=transport)

        dispatch.run(
            public_url=PUBLIC_URL, seconds=10.0, clients=1, client_for=client_for, breakers=Breakers()
        )

    def sent(self) -> list[dict[str, Any]]:
        """The bodies that leave us when what is due is dispatched, without what is ours alone: correlation ids and our address."""
        before = len(self.tap.bodies())
        self.dispatch()
        bodies: list[dict[str, Any]] = [json.loads(one) for one in self.tap.bodies()[before:]]
        for one in bodies:
            for destination in one["to"]:
                del destination["correlationId"]
            del one["notifyUrl"]
        return bodies

    def moved(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """With its times as far from the clock as they are from `NOW`; what is no time stays as it is."""
        return {name: self._moved(value) if name in TIMES else value for name, value in said.items()}

    def _moved(self, value: Any) -> Any:
        try:
            there = dt.datetime.fromisoformat(value) + self.ahead
        except (TypeError, ValueError, OverflowError):
            return value
        return there.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @contextmanager
    def switched(self, switches: Mapping[str, str]) -> Iterator[None]:
        """The sandbox with other switches."""
        before = self.tenant.get("/__sandbox__/settings").json["switches"]
        self._switch(switches)
        try:
            yield
        finally:
            self._switch({name: before[name] for name in switches})

    def _switch(self, switches: Mapping[str, str]) -> None:
        if switches:
            answer = self.tenant.call("POST", "/__sandbox__/settings", {"switches": dict(switches)})
            assert answer.status == 200, answer.body


@contextmanager
def world() -> Iterator[World]:
    """The sandbox drops its receipts, since the addresses in the examples are nobody's; it takes any service key, and one JWT."""
    with ExitStack() as open_things:
        tenant = open_things.enter_context(
            sandbox(template=f"{TEMPLATE}=$(offerName) in $(area)", fault="receipt_drop=1")
        )
        tap = open_things.enter_context(relay(tenant.port))
        yield World(tenant, tap, open_things.enter_context(our_server()))


def the_message() -> Message:
    return Message.objects.select_related("send__service").latest("pk")
