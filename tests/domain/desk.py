"""A small desk for domain tests: a service with its catalogue, numbers, and a provider behind `httpx.MockTransport`.

The provider is a transport, so our own client, encoder and threads run as they are.
"""

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from sms import dispatch, prepare
from sms.audience import Audience, Limits, read_pasted
from sms.catalogue.credentials import Line
from sms.compose.create import create
from sms.compose.order import Order
from sms.dispatch.gate import Gates
from sms.models import Actor, AuthKind, Region, Send, Sender, SenderKind, SendState, Service
from sms.webex.client import Client

BY = Actor(kind="user", key="1", label="ada@example.test", door="page")
PUBLIC_URL = "https://desk.example.test"
Answer = Callable[[dict], httpx.Response]


def a_service(**changes) -> Service:
    fields = {
        "slug": "shop",
        "name": "Shop",
        "region": Region.objects.get(key="uk"),
        "auth_kind": AuthKind.KEY,
        "api_key": "a-key",
    } | changes
    service = Service.objects.create(**fields)
    Sender.objects.create(service=service, address="SHOP", kind=SenderKind.ALPHANUMERIC, is_default=True)
    return service


def numbers(count: int, *, start: int = 0) -> Audience:
    """`count` valid UK mobiles."""
    text = "\n".join(f"+44771{start + index:07d}" for index in range(count))
    return read_pasted(text, country="GB", limits=Limits())


def an_order(service: Service, count: int = 1, **changes) -> Order:
    fields = {"sender": service.senders.first(), "audience": numbers(count), "content": "Hello"} | changes
    return Order(service=service, **fields)


def a_send(service: Service, count: int = 1, **changes) -> Send:
    send = create(an_order(service, count, **changes), by=BY)
    if send.state == SendState.PREPARING:  # a large one is wanted with its messages
        prepare.run(stopped=lambda: False)
        send.refresh_from_db()
    return send


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
    gates: Gates = field(default_factory=Gates)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client_for(self, line: Line) -> Client:
        return Client(line.base_url, line.credentials(), transport=httpx.MockTransport(self._take))

    def _take(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        with self._lock:
            self.bodies.append(body)
        return self.answer(body)

    @property
    def numbers(self) -> list[str]:
        return [body["to"][0]["msisdn"][0] for body in self.bodies]

    def dispatch(self, **options) -> dispatch.Report:
        """One run of one process: what its gates learned stays until `another_process`."""
        options = {"clients": 4, "seconds": 5.0, "gates": self.gates} | options
        return dispatch.run(public_url=PUBLIC_URL, client_for=self.client_for, **options)

    def another_process(self, **options):
        """A run of a process that knows nothing yet."""
        self.gates = Gates()
        return self.dispatch(**options)


def receipt(correlation_id: str, *, code: str = "7500", status: str = "Delivered", **extra: object) -> bytes:
    info = {
        "timeStamp": "2026-03-02T09:15:07.412Z",
        "Description": status,
        "code": code,
        "messageCount": "1",
        "deliveryChannel": "SMS",
        "additionalInfo": "",
        "destination": "447710000000",
        "destinationType": "msisdn",
        "deliveryStatus": status,
    } | extra.pop("info", {})
    outer = {
        "deliveryInfo": info,
        "subtid": "",
        "transid": "t-1",
        "callbackData": "",
        "correlationid": correlation_id,
    } | extra
    return json.dumps({"deliveryInfoNotification": outer}).encode()
