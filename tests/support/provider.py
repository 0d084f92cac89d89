"""A provider behind `httpx.MockTransport`: our own client, encoder and threads run as they are."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from sms import dispatch
from sms.catalogue.credentials import ProviderConnection
from sms.dispatch.breaker import Breakers
from sms.webex.client import Client

PUBLIC_URL = "https://desk.example.test"


Answer = Callable[[dict], httpx.Response]


def accepted(body: dict) -> httpx.Response:
    reply = {
        "requestTimestamp": "2026-03-02T09:15:04.101Z",
        "messageId": str(uuid.uuid4()),
        "correlationId": body["to"][0]["correlationId"],
        "status": "queued",
    }
    return raw_reply(201, json.dumps(reply).encode())


def raw_reply(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)


def refused(code: str, status: int = 400) -> httpx.Response:
    return raw_reply(status, json.dumps({"code": code, "message": f"refused with {code}"}).encode())


@dataclass
class Provider:
    """What was posted, and what it answers."""

    answer: Answer = accepted
    bodies: list[dict] = field(default_factory=list)
    breakers: Breakers = field(default_factory=Breakers)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client_for(self, line: ProviderConnection) -> Client:
        return Client(line.base_url, line.credentials(), transport=httpx.MockTransport(self._take))

    def _take(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        with self._lock:
            self.bodies.append(body)
        return self.answer(body)

    @property
    def numbers(self) -> list[str]:
        return [body["to"][0]["msisdn"][0] for body in self.bodies]

    def dispatch(self, *, look_ahead: float = 0.0, **options) -> dispatch.DispatchRun:
        """Runs of one process: what its breakers learned stays until `another_process`.

        One run, or as many as it takes for what becomes due within `look_ahead` seconds.
        """
        options = {"clients": 4, "seconds": 60.0, "breakers": self.breakers} | options
        until, done = time.monotonic() + look_ahead, dispatch.DispatchRun()
        while (pause := dispatch.due_within(max(until - time.monotonic(), 0.0))) is not None:
            if pause > 0:
                time.sleep(min(pause, 0.25))
                continue
            report = dispatch.run(public_url=PUBLIC_URL, client_for=self.client_for, **options)
            done.posted += report.posted
            done.outcomes += report.outcomes
            if time.monotonic() >= until:
                break
        return done

    def another_process(self, **options):
        """A run of a process that knows nothing yet."""
        self.breakers = Breakers()
        return self.dispatch(**options)
