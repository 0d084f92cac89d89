"""The switches of a tenant where the client acts, with the sandbox set the same way, or the worst way, as the witness."""

import json

import pytest

from sms import dispatch
from sms.compose.errors import ComposeError
from sms.dispatch.breaker import Breakers
from sms.models import Message, ShortLinkDomain, Smartlink
from tests.sandbox.running import Clock, sandbox
from tests.support.drop_in import body, post
from tests.support.partners import a_key
from tests.support.provider import PUBLIC_URL
from tests.support.sends import a_send, a_service
from tests.wire.relay import relay

pytestmark = pytest.mark.django_db

STRICT = ["options_tags=required", "fallback_flag=required"]


def sent(tenant, content: str, *, link_domain: bool = False, **service) -> Message:
    """One message, posted to the sandbox."""
    shop = a_service(base_url=tenant.url, **service)
    domain = ShortLinkDomain.objects.create(service=shop, region=shop.region, host="uk.wbxc.io")
    Smartlink.objects.create(service=shop, name="App", smartlink_id=4371, validity=60)
    send = a_send(shop, content=content, link_domain=domain if link_domain else None)
    dispatch.run(public_url=PUBLIC_URL, clients=1, seconds=30.0, breakers=Breakers())
    return Message.objects.get(send=send)


@pytest.mark.parametrize(
    ("switches", "fields", "state"),
    [
        (STRICT, {}, "queued"),
        ([], {}, "queued"),
        ([], {"link_fields": "given"}, "queued"),
        (STRICT, {"link_fields": "given"}, "failed"),
    ],
)
def test_links_are_shortened_also_where_all_six_options_are_mandatory(switches, fields, state):
    with sandbox(switch=switches, fault="receipt_drop=1") as tenant:
        message = sent(tenant, "See https://shop.example/a", link_domain=True, **fields)
        assert message.state == state
        if state == "queued":
            assert "https://uk.wbxc.io/" in tenant.last()["text"]
        else:
            assert message.code == "7003"


@pytest.mark.parametrize("unit", ["minutes", "seconds"])
def test_a_smartlink_lives_as_long_as_the_catalogue_says_in_either_unit(unit):
    clock = Clock()
    with sandbox(switch=[f"smartlink_validity={unit}"], fault="receipt_drop=1", clock=clock) as tenant:
        sent(tenant, "{{smartlink_4371}}", smartlink_unit=unit)
        path = tenant.last()["text"].partition("https://uk.wbxc.io")[2]
        clock.at += 59 * 60
        assert tenant.get(path).status == 302
        clock.at += 2 * 60
        assert tenant.get(path).status == 410


def test_an_emoji_counts_as_two_until_it_is_known_to_count_as_one():
    party = "\N{PARTY POPPER}" * 513
    with sandbox(fault="receipt_drop=1") as tenant:
        with pytest.raises(ComposeError, match="1,026 characters"):
            sent(tenant, party)
        assert sent(tenant, party, slug="other", length_unit="characters").state == "queued"


def test_a_partner_says_the_validity_of_a_smartlink_in_its_tenants_unit():
    with (
        sandbox(switch=["smartlink_validity=seconds"], fault="receipt_drop=1") as tenant,
        relay(tenant.port) as tap,
    ):
        shop = a_service(base_url=tap.url, smartlink_unit="seconds")
        asked = body(
            content={"type": "text", "text": "{{smartlink_4371}}"},
            smartlinks=[{"smartlinkId": 4371, "validity": 90}],
        )
        assert post(a_key(shop), asked).status_code == 201
        dispatch.run(public_url=PUBLIC_URL, clients=1, seconds=30.0, breakers=Breakers())
        (posted,) = tap.bodies()
    assert json.loads(posted)["smartlinks"] == [{"smartlinkId": 4371, "validity": 90}]
