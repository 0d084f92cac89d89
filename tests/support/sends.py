"""A service with its catalogue, numbers that are valid, and sends made of them."""

from sms.audiences.files import Audience, Limits, read_pasted
from sms.compose import background
from sms.compose.create import create
from sms.compose.options import asking_for, changed
from sms.compose.order import Order
from sms.models import Actor, AuthKind, Region, Send, Sender, SenderKind, SendOptions, SendState, Service

BY = Actor(kind="user", key="1", label="ada@example.test", door="page")

# fields of a service whose tenant was proved to fill values into texts of ours
PROVED = {"inline_values": "parentheses", "inline_values_origin": "https://api.uk.webexconnect.io"}


# tests and benches write to the same numbers again and again; those of the spend caps set their own (tests/compose/test_spend_caps.py)
UNCAPPED = dict.fromkeys(("cap_day", "cap_key", "cap_country", "cap_number"))


def a_service(**changes) -> Service:
    fields = {
        "slug": "shop",
        "name": "Shop",
        "region": Region.objects.get(key="uk"),
        "auth_kind": AuthKind.KEY,
        "api_key": "a-key",
        **UNCAPPED,
    } | changes
    service = Service.objects.create(**fields)
    Sender.objects.create(service=service, address="SHOP", kind=SenderKind.ALPHANUMERIC, is_default=True)
    return service


def numbers(count: int, *, start: int = 0) -> Audience:
    """`count` valid UK mobiles."""
    text = "\n".join(f"+44771{start + index:07d}" for index in range(count))
    return read_pasted(text, country="GB", limits=Limits())


def an_order(service: Service, count: int = 1, **changes) -> Order:
    """`changes` are fields of the order and of its options."""
    fields = {"sender": service.senders.first(), "audience": numbers(count), "content": "Hello"} | changes
    given = {field.name: fields.pop(field.name) for field in SendOptions.fields() if field.name in fields}
    options = changed(fields.pop("options", asking_for()), **given)
    return Order(service=service, options=options, **fields)


def a_send(service: Service, count: int = 1, **changes) -> Send:
    send = create(an_order(service, count, **changes), by=BY)
    if send.state == SendState.PREPARING:  # a large one is wanted with its messages
        background.run(stopped=lambda: False)
        send.refresh_from_db()
    return send
