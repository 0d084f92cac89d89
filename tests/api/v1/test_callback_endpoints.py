"""Endpoints at the partner API: whose sends they hear of, where they are, what they are signed with, and what a key may not have."""

from datetime import datetime

import pytest
import standardwebhooks
from django.utils import timezone

from sms.callbacks.events import Happening, record
from sms.models import ApiKey, Callback, CallbackEndpoint, Send, Sender, Service
from sms.models.callback import new_secret
from sms.webex import signature
from tests.support.callback_receiver import receiving
from tests.support.callbacks import deliver
from tests.support.partners import Partner, a_key, a_partner_service
from tests.support.provider import Provider
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = {"name": "Shop", "url": "http://127.0.0.1:9/shop"}


@pytest.fixture(autouse=True)
def loopback(settings):
    settings.CALLBACKS = {"loopback": True}


def a_partner_called(service: Service, name: str, *scopes: str) -> Partner:
    return Partner(a_key(service, name=name, scopes=["callbacks", "send", "read", *scopes]))


def proven(made) -> dict:
    assert made.status_code == 201, made.content
    CallbackEndpoint.objects.filter(pk=made.json()["id"]).update(verified_at=timezone.now())
    return made.json()


def happens(service: Service, send: Send | None, once: int, **changes) -> None:
    about = {"owner": send.owner, "send_id": send.pk, "sender_id": send.sender_id} if send else {}
    fields = {"type": "message.delivered", "service_id": service.pk, "at": timezone.now(), "once": (once,)}
    record([Happening(**fields | about | changes)])


def heard_by(endpoint: dict) -> int:
    return Callback.objects.filter(endpoint=endpoint["id"]).count()


def test_an_endpoint_hears_of_its_own_key_unless_it_asks_for_others_senders_or_labels():
    service = a_partner_service()
    shop, bank = a_partner_called(service, "Shop"), a_partner_called(service, "Bank", "all")
    other = Sender.objects.create(service=service, address="BANK", kind="alphanumeric")
    mine = proven(shop.post("callback-endpoints", SHOP))
    assert (mine["keys"], mine["all_keys"]) == (["Shop"], False)
    every = proven(bank.post("callback-endpoints", SHOP | {"all_keys": True}))
    both = proven(
        bank.post("callback-endpoints", {**SHOP, "url": SHOP["url"] + "2", "keys": ["Shop", "Bank"]})
    )
    some = {"all_keys": True, "senders": ["BANK"], "labels": ["Spring sale"], "url": SHOP["url"] + "3"}
    narrow = proven(bank.post("callback-endpoints", SHOP | some))
    assert (narrow["senders"], narrow["labels"]) == (["BANK"], ["spring-sale"])
    sends = {}
    for name in ("Shop", "Bank", ""):
        sends[name] = a_send(service)
        owner = ApiKey.objects.get(name=name).identity if name else None
        Send.objects.filter(pk=sends[name].pk).update(owner=owner)
        sends[name].refresh_from_db()
    sends["Bank"].labels.create(service=service, word="spring-sale")
    for place, send in enumerate(sends.values()):
        happens(service, send, place)
    happens(service, sends["Bank"], 7, sender_id=other.pk)
    happens(service, None, 8, type="opt_out.added")
    assert [heard_by(one) for one in (mine, every, both, narrow)] == [1, 5, 3, 1]
    # what it hears of can be changed, and none means one's own again
    path = f"callback-endpoints/{both['id']}"
    assert bank.call("PATCH", path, {"keys": ["Shop"]}).json()["keys"] == ["Shop"]
    assert bank.call("PATCH", path, {"keys": []}).json()["keys"] == ["Bank"]
    assert bank.call("PATCH", path, {"name": "Named"}).json()["keys"] == ["Bank"]
    for body in ({"keys": []}, {"all_keys": False}):  # of an endpoint that is another key's, that key's own
        changed = bank.call("PATCH", f"callback-endpoints/{mine['id']}", body)
        assert changed.json()["keys"] == ["Shop"], changed.content


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"all_keys": True}, 403, None),
        ({"keys": ["Bank"]}, 403, None),
        ({"texts": True}, 403, None),
        ({"full_numbers": True}, 403, None),
        ({"senders": ["NOBODY"]}, 400, "senders[0]"),
        ({"labels": ["+447700900001"]}, 400, "labels"),
        ({"batch_size": 101}, 400, "batch_size"),
        ({"secret": "short"}, 400, "secret"),
        ({"secret": "whsec_c2hvcnQ="}, 400, "secret"),
        ({"kind": "notify"}, 400, "name"),
        ({"url": "http://10.0.0.1/"}, 400, "url"),
    ],
)
def test_what_a_key_may_not_have_or_nobody_can_is_refused_by_name(body, status, field):
    answer = a_partner_called(a_partner_service(), "Shop").post("callback-endpoints", SHOP | body)
    assert answer.status_code == status, answer.content
    assert field is None or answer.json()["errors"][0]["field"] == field


def test_only_a_key_that_reads_the_catalogue_is_told_which_senders_there_are():
    service = a_partner_service()
    address = service.senders.get().address
    for scopes, told in (((), False), (("catalogue",), True)):
        partner = a_partner_called(service, "Shop", *scopes)
        answer = partner.post("callback-endpoints", SHOP | {"senders": ["NOBODY"]})
        assert answer.status_code == 400 and (address in answer.content.decode()) == told, answer.content


def test_a_key_that_may_see_less_cannot_have_more_posted_elsewhere():
    service = a_partner_service()
    wide = a_partner_called(service, "Shop", "all", "numbers", "texts")
    made = wide.post("callback-endpoints", SHOP | {"all_keys": True, "full_numbers": True, "texts": True})
    path = f"callback-endpoints/{made.json()['id']}"
    CallbackEndpoint.objects.update(key_owner=ApiKey.objects.get().identity)
    narrow = a_partner_called(service, "Shop")  # of the same name
    for body in ({"url": SHOP["url"] + "/mine"}, {"full_numbers": True}, {"all_keys": True}):
        assert narrow.call("PATCH", path, body).status_code == 403, body
    assert narrow.call("PATCH", path, {"name": "Renamed"}).status_code == 200


def test_the_secret_of_an_endpoint_can_be_given_and_the_previous_ended_and_no_other_key_changes_it():
    service = a_partner_service()
    shop, bank = a_partner_called(service, "Shop"), a_partner_called(service, "Bank", "all")
    mine, theirs = new_secret(), new_secret()
    made = shop.post("callback-endpoints", SHOP | {"secret": mine}).json()
    assert made["secret"] == mine
    path = f"callback-endpoints/{made['id']}"
    turned = shop.post(f"{path}/rotate-secret", {"secret": theirs}).json()
    assert turned["secret"] == theirs and datetime.fromisoformat(turned["before_until"]) > timezone.now()
    assert shop.get(path).json()["secret_before_until"]
    for act in ("rotate-secret", "retire-secret"):
        assert bank.post(f"{path}/{act}").status_code == 403
    for _ in range(2):
        assert shop.post(f"{path}/retire-secret").json()["secret_before_until"] is None
    endpoint = CallbackEndpoint.objects.get()
    assert (endpoint.secret, endpoint.secret_before) == (theirs, "")
    assert shop.post(f"{path}/rotate-secret", {"secret": "mine, for ever"}).status_code == 400


def test_receipts_to_a_notify_url_are_signed_with_a_secret_that_the_partner_knows():
    service = a_partner_service()
    shop = a_partner_called(service, "Shop")
    with receiving() as partner:
        before = {"kind": "notify", "url": f"{partner.url}/receipts?x=1", "secret": "s3cret-of-webex"}
        host = shop.post("callback-endpoints", before)
        assert host.status_code == 201 and host.json()["url"] == partner.url
        assert shop.post("callback-endpoints", before).json()["errors"][0]["field"] == "url"
        path = f"callback-endpoints/{host.json()['id']}"
        body = {"text": "Hi", "recipients": ["+447700900001"], "notify_url": f"{partner.url}/receipts"}
        assert shop.post("sends", body, Idempotency_Key="n-1").status_code == 201
        elsewhere = {**body, "notify_url": "http://127.0.0.1:9/"}  # a host that comes by itself
        assert shop.post("sends", elsewhere, Idempotency_Key="n-2").status_code == 201
        Provider().dispatch()
        callback = Callback.objects.create(
            endpoint_id=host.json()["id"],
            event_id="evt_n",
            kind="message.delivered",
            url=f"{partner.url}/receipts",
            body="{}",
            created_at=timezone.now(),
            next_at=timezone.now(),
        )
        deliver()
        heard = next(one for one in partner.heard if one.id == callback.event_id)
        assert signature.verify(heard.body, heard.headers["x-hub-signature"], secrets=["s3cret-of-webex"])
    assert set(CallbackEndpoint.objects.values_list("secret_shown", flat=True)) == {True}
    assert {one.secret for one in CallbackEndpoint.objects.all()} == {"s3cret-of-webex"}
    assert shop.post(f"{path}/verify").status_code == 409 and shop.post(f"{path}/test").status_code == 409


def test_the_first_new_secret_of_a_host_that_came_by_itself_holds_at_once():
    service = a_partner_service()
    shop = a_partner_called(service, "Shop")
    body = {"text": "Hi", "recipients": ["+447700900001"], "notify_url": "http://127.0.0.1:9/"}
    assert shop.post("sends", body, Idempotency_Key="n-3").status_code == 201
    path = f"callback-endpoints/{CallbackEndpoint.objects.get().pk}"
    first = shop.post(f"{path}/rotate-secret").json()
    endpoint = CallbackEndpoint.objects.get()
    assert first["before_until"] is None
    assert endpoint.secrets_at(timezone.now(), endpoint.secret_before_until) == (first["secret"],)
    second = shop.post(f"{path}/rotate-secret").json()
    endpoint = CallbackEndpoint.objects.get()
    assert (
        second["before_until"] and len(endpoint.secrets_at(timezone.now(), endpoint.secret_before_until)) == 2
    )


def test_a_test_event_is_as_real_ones_are_and_an_address_that_moved_is_asked_first():
    service = a_partner_service()
    shop = a_partner_called(service, "Shop")
    with receiving(answer=lambda _: (202, {}, b"thanks")) as partner:
        made = shop.post("callback-endpoints", {**SHOP, "url": partner.url, "batch_size": 5})
        path = f"callback-endpoints/{made.json()['id']}"
        assert shop.post(f"{path}/test").status_code == 409  # nothing before it is proven
        proven(made)
        said = shop.post(f"{path}/test", {"type": "inbound.received"}).json()
        assert (said["delivered"], said["status"], said["reply"]) == (True, 202, "thanks")
        assert said["event"]["test"] is True and said["event"]["data"]["number"] == "+44 7700 ••• 001"
        (heard,) = partner.heard
        assert heard.json["data"]["events"] == [said["event"]]
        assert standardwebhooks.Webhook(made.json()["secret"]).verify(heard.body, heard.headers)
        assert shop.post(f"{path}/test", {"type": "message.unknown"}).status_code == 400
        moved = shop.call("PATCH", path, {"url": f"{partner.url}/moved"})
        assert moved.json()["url"].endswith("/moved") and moved.json()["verified_at"] is None
        assert shop.post(f"{path}/test").status_code == 409
        assert shop.post(f"{path}/verify").status_code == 422
        taken = shop.post("callback-endpoints", {**SHOP, "url": f"{partner.url}/moved"})
        assert taken.status_code == 400
