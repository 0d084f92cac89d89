"""Messages posted to a sandbox by our client, and what both suites against it share."""

from typing import Any

from sms.webex.auth import Jwt, ServiceKey
from sms.webex.client import Client
from sms.webex.replies import Accepted
from sms.webex.wire import Content, Destination, Options, SendRequest, encode
from tests.sandbox.running import Running
from tests.wire.requests import RULES

KEY = ServiceKey("any-key")
LINKS = Options(shorten_links=True, track_clicks=True, domain="https://uk.wbxc.io")
ALL = ["SUBMITTED", "DELIVERED", "CLICKED", "FAILED"]


def post(url: str, body: bytes, credentials: ServiceKey | Jwt = KEY, *, deadline: float = 10) -> Accepted:
    """By our client, on a connection of its own."""
    with Client(url, credentials, deadline=deadline) as client:
        return client.post(body)


def tell(running: Running, **changes: Any) -> None:
    """Change settings of a sandbox that runs."""
    assert running.call("POST", "/__sandbox__/settings", changes).status == 200


def message(request: SendRequest) -> bytes:
    return encode(request, rules=RULES)


def to(number: str, url: str, *, text: str = "Hi https://shop.example/o/1", **more: Any) -> SendRequest:
    """A tracked message that asks for every receipt."""
    fields = {"options": LINKS, "requested_receipts": ALL, "callback_data": "order=981"} | more
    return SendRequest(
        from_="TEXTDESK",
        to=[Destination(msisdn=[number], correlation_id=f"c-{number[-3:]}")],
        content=Content(text=text),
        notify_url=url,
        **fields,
    )
