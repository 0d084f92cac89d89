"""A service with a catalogue and keys, and a client that speaks to `/v2/messages` as one written for Webex Connect does."""

import json
from typing import Any

from django.test import Client

from sms import api_keys
from sms.models import Actor, ContactPolicyGroup, MessageTemplate, Region, Service, ShortLinkDomain
from tests.domain.desk import a_service

BY = Actor(kind="user", key="1", label="ada@example.test", door="page")
DOMAIN = "https://uk.wbxc.io"


def a_partner_service(**changes: Any) -> Service:
    """Connected to a sandbox, with a template, a policy group and a short-link domain."""
    fields = {"is_sandbox": True, "base_url": "http://127.0.0.1:9"} | changes
    service = a_service(**fields)
    MessageTemplate.objects.create(
        service=service, name="order_shipped", text="Hi $(name), it is on its way."
    )
    MessageTemplate.objects.create(service=service, name="theirs", provider_template_id="5S2ABCDFNR")
    ContactPolicyGroup.objects.create(service=service, name="marketing", group_id="G1")
    ShortLinkDomain.objects.create(service=service, host="uk.wbxc.io", region=Region.objects.get(key="uk"))
    return service


def a_key(service: Service, **changes: Any) -> str:
    fields: dict[str, Any] = {"name": "Shop", "scopes": ["send", "read"]} | changes
    return api_keys.make(service, by=BY, **fields)[1]


def body(*numbers: str, **changes: Any) -> dict[str, Any]:
    """What the seed shows, with one object for each number."""
    made = {
        "channel": "sms",
        "from": "SHOP",
        "to": [
            {"msisdn": [number], "correlationId": f"c{at}"}
            for at, number in enumerate(numbers or ("447700900001",))
        ],
        "content": {"type": "text", "text": "Hello"},
    } | changes
    return {name: value for name, value in made.items() if value is not ...}


def post(token: str, content: Any, *, client: Client | None = None, **headers: str) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"key": token} | headers
    return (client or Client()).post("/v2/messages", raw, content_type="application/json", headers=given)


def get(token: str, message_id: str) -> Any:
    return Client().get(f"/v2/messages/{message_id}", headers={"key": token})
