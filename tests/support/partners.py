"""A service with keys and a catalogue, a partner who calls `/api/v1/` with one, and one of everything to ask for."""

import json
from typing import Any

from django.test import Client

from sms import callbacks
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.catalogue import api_keys
from sms.inbound import optouts
from sms.models import (
    Callback,
    ContactPolicyGroup,
    Conversation,
    InboundMessage,
    MessageTemplate,
    OptOut,
    Region,
    Sender,
    Service,
    ShortLinkDomain,
)
from tests.support.sends import BY, a_send, a_service

ALL = ["send", "read", "texts", "numbers", "optouts", "catalogue", "callbacks", "all"]
DOMAIN = "https://uk.wbxc.io"


def a_partner_service(**changes: Any) -> Service:
    """Connected to a sandbox, with a template, a policy group and a short-link domain."""
    fields = {"base_url": "http://127.0.0.1:9"} | changes
    service = a_service(**fields)
    MessageTemplate.objects.create(
        service=service, name="order_shipped", text="Hi $(name), it is on its way."
    )
    MessageTemplate.objects.create(service=service, name="theirs", provider_template_id="5S2ABCDFNR")
    ContactPolicyGroup.objects.create(service=service, name="marketing", group_id="G1")
    ShortLinkDomain.objects.create(service=service, host="uk.wbxc.io", region=Region.objects.get(key="uk"))
    return service


def a_key(service: Service, **changes: Any) -> str:
    fields: dict[str, Any] = {"name": "Shop", "scopes": ["send", "read", "texts", "all"]} | changes
    return api_keys.make(service, by=BY, **fields)[1]


class Partner:
    """Speaks JSON with its key."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.client = Client()

    def call(self, method: str, path: str, body: Any = ..., **headers: str) -> Any:
        given = {"key": self.token} | {name.replace("_", "-"): value for name, value in headers.items()}
        more = {} if body is ... else {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, f"/api/v1/{path}", headers=given, **more)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = ..., **headers: str) -> Any:
        return self.call("POST", path, {} if body is ... else body, **headers)


def a_partner(*scopes: str, service: Service | None = None, **changes: Any) -> tuple[Service, Partner]:
    service = service or a_partner_service(**changes)
    return service, Partner(a_key(service, scopes=list(scopes or ALL)))


def one_of_everything(service: Service) -> dict[str, int]:
    """Ids by resource."""
    send = a_send(service, 2)
    optouts.opt_out(service.pk, [optouts.Refusal("+447700900002", "asked")], by=BY, source=OptOut.Source.PAGE)
    policy = callbacks.AddressPolicy()
    endpoint = callbacks.add(service, name="Orders", url="https://partner.example/in", by=BY, policy=policy)
    told = Callback.objects.create(
        endpoint=endpoint,
        event_id="evt_1",
        kind="message.delivered",
        body="{}",
        created_at=send.created_at,
        next_at=send.created_at,
    )
    packed = packing.pack_pasted("mobile\n+447700900003\n12\n", country="GB", limits=Limits())
    audience = saved.create(service, packed, name="Regulars", by=BY)
    hotline = Sender.objects.create(service=service, address="72345", kind="short_code")
    known = {"service": service, "msisdn": "+447700900004", "address": hotline.address}
    conversation = Conversation.objects.create(**known, last_at=send.created_at)
    sms = InboundMessage.objects.create(
        **known,
        conversation=conversation,
        dedupe=b"1" * 16,
        raw=b"{}",
        text="When?",
        received_at=send.created_at,
    )
    return {
        "sends": send.pk,
        "audiences": audience.pk,
        "messages": send.messages.first().pk,
        "templates": service.templates.first().pk,
        "senders": service.senders.first().pk,
        "policy-groups": service.policy_groups.first().pk,
        "domains": service.link_domains.first().pk,
        "opt-outs": service.opt_outs.first().pk,
        "callback-endpoints": endpoint.pk,
        "callbacks": told.pk,
        "inbound": sms.pk,
    }
