"""Several personal messages in one request: what phones show is what the desk says, whatever the provider does with values.

The sandbox is the witness; its phones show a text as the tenant's own would.
"""

import itertools

import pytest

from sms import dispatch
from sms.audiences.files import Limits, read_pasted
from sms.dispatch.breaker import Breakers
from sms.models import Message
from sms.webex.origin import origin_of
from tests.sandbox.running import sandbox
from tests.support.provider import PUBLIC_URL
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db

NAMES = ("Ada", "Bob", "Bob", "Żoe")
REPLIES = (("object", "suffix"), ("list", "same"), ("object_with_list", "own"))
TENANTS = list(itertools.product(("fill", "templates"), ("parentheses", "braces", "both"), REPLIES))


def on_phones(tenant) -> dict[str, list[str]]:
    phones = tenant.get("/__sandbox__/handsets", {"Accept": "application/json"}).json
    return {number: [one["text"] for one in shown] for number, shown in phones.items()}


def sent(tenant, content: str, **service) -> tuple[dict[str, list[str]], int]:
    """What each phone shows, and the number of requests that it took."""
    shop = a_service(base_url=tenant.url, batch_size=10, **service)
    rows = "\n".join(["number,name", *(f"+44771000000{at},{name}" for at, name in enumerate(NAMES))])
    send = a_send(shop, audience=read_pasted(rows, country="GB", limits=Limits()), content=content)
    run = dispatch.run(public_url=PUBLIC_URL, clients=2, seconds=30.0, breakers=Breakers())
    recorded = {one.msisdn: [one.text] for one in Message.objects.filter(send=send)}
    shown = on_phones(tenant)
    assert shown == recorded, "the desk says what phones show"
    return shown, run.outcomes.total()


@pytest.mark.parametrize(("inline", "placeholder", "replies"), TENANTS)
def test_no_phone_reads_a_placeholder_of_ours_whatever_the_tenant_does(inline, placeholder, replies):
    switches = [
        f"inline_values={inline}",
        f"placeholder={placeholder}",
        f"reply_to_many={replies[0]}",
        f"ids_of_many={replies[1]}",
    ]
    with sandbox(switch=switches, fault="receipt_drop=1") as tenant:
        shown, posts = sent(tenant, "Hi $(name)!")
    assert posts == 3, "those with the same text share a request"
    assert sorted(text for texts in shown.values() for text in texts) == sorted(f"Hi {one}!" for one in NAMES)


@pytest.mark.parametrize("form", ["parentheses", "braces"])
def test_where_filling_is_proved_a_request_carries_all_of_one_encoding(form):
    with sandbox(switch=[f"placeholder={form}"], fault="receipt_drop=1") as tenant:
        proved = {"inline_values": form, "inline_values_origin": origin_of(tenant.url)}
        shown, posts = sent(tenant, "Hi $(name)!", **proved)
    assert posts == 2
    assert shown["+447710000003"] == ["Hi Żoe!"]


def test_what_was_proved_at_another_address_proves_nothing_here():
    with sandbox(switch=["inline_values=templates"], fault="receipt_drop=1") as tenant:
        proved = {"inline_values": "parentheses", "inline_values_origin": "https://api.uk.webexconnect.io"}
        shown, _ = sent(tenant, "Hi $(name)!", **proved)
    assert shown["+447710000000"] == ["Hi Ada!"]


@pytest.mark.parametrize("form", ["parentheses", "braces"])
def test_a_text_that_shows_a_token_of_its_own_is_never_left_to_the_provider(form):
    """`${name}` is plain text to us; a provider that fills it in would change what people read."""
    with sandbox(switch=["placeholder=both", "missing_value=blank"], fault="receipt_drop=1") as tenant:
        proved = {"inline_values": form, "inline_values_origin": origin_of(tenant.url)}
        rows = "number,name\n+447710000000,Ada\n+447710000001,$" + "{p1}"
        shop = a_service(base_url=tenant.url, batch_size=10, **proved)
        a_send(shop, audience=read_pasted(rows, country="GB", limits=Limits()), content="Hi $(name)!")
        dispatch.run(public_url=PUBLIC_URL, clients=2, seconds=30.0, breakers=Breakers())
        posts = tenant.log("message")
    assert len({line["messageId"].partition("_")[0] for line in posts}) == 2
