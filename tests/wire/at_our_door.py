"""Requests in the provider's own body, posted at `POST /v2/messages` over HTTP, with the catalogue that this folder's requests name."""

import datetime as dt
import json
from typing import Any

from sms.models import (
    ContactPolicyGroup,
    MessageTemplate,
    Region,
    Sender,
    SenderKind,
    Service,
    ShortLinkDomain,
)
from tests.support.drop_in import body, post
from tests.support.partners import a_key, a_partner_service
from tests.support.provider import Provider
from tests.wire.requests import NOW


def a_service(**changes: Any) -> Service:
    service = a_partner_service(**{"batch_size": 1} | changes)
    for address in ("TEXTDESK", "T-Mobile", "72345", "447700900000"):
        kind = SenderKind.SHORT_CODE if len(address) == 5 else SenderKind.LONG_CODE
        kind = kind if address.isdecimal() else SenderKind.ALPHANUMERIC
        Sender.objects.create(service=service, address=address, kind=kind)
    MessageTemplate.objects.create(service=service, name="offer", provider_template_id="7K4QMPLE2R")
    MessageTemplate.objects.create(service=service, name="numbered", provider_template_id="4711")
    for group in ("GRP_textdesk_000000001", "G"):
        ContactPolicyGroup.objects.create(service=service, name=group, group_id=group)
    ShortLinkDomain.objects.create(
        service=service, host="s.imiconnect.co", region=Region.objects.get(key="uk")
    )
    return service


class Door:
    """A partner with a key that may see whole numbers."""

    def __init__(self) -> None:
        self.token = a_key(a_service(), scopes=["send", "read", "texts", "numbers"], per_minute=100_000)

    def post(self, content: Any) -> Any:
        return post(self.token, content)

    def code(self, content: Any) -> str:
        """The code of the refusal, or 201."""
        answer = self.post(content)
        return "201" if answer.status_code == 201 else answer.json()["code"]

    def sent(self, **fields: Any) -> list[dict[str, Any]]:
        """What the provider is posted for a request; our own ids and addresses are left out."""
        answer = self.post(body(**fields))
        assert answer.status_code == 201, answer.content
        provider = Provider()
        provider.dispatch()
        for one in provider.bodies:
            del one["to"][0]["correlationId"], one["notifyUrl"]
        return provider.bodies


def moved_to_now(said: dict[str, Any]) -> bytes:
    """The request with its times as far from the clock as they are from `NOW`."""
    ahead = dt.datetime.now(dt.UTC) - NOW
    times = {
        name: (dt.datetime.fromisoformat(said[name]) + ahead).isoformat()
        for name in ("sendAt", "expireAt")
        if name in said
    }
    return json.dumps(said | times).encode()
