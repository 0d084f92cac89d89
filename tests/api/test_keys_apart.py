"""Two partners share a service. Every operation that a key can call, of this API and of the older ones, is tried with another key's things:
each answers as if they did not exist, none of them is in what is shown, and none changes."""

import pytest
from django.utils import timezone

from sms.models import Callback, CallbackEndpoint, OptOut
from tests.support.partners import Partner, a_key, a_partner_service
from tests.support.two_keys import (
    MARK,
    NUMBER,
    REFUSED,
    WHOLE,
    WITHOUT_ALL,
    Shop,
    asked,
    example_of,
    is_shared,
    listed,
    operations,
    said,
)

pytestmark = pytest.mark.django_db
# what every key of a service may see. A resource that is added here shows everybody's to everybody
OF_THE_SERVICE = {"templates", "senders", "policy-groups", "domains", "caps", "me"}
TOLD = {"opt_outs_search"}  # a refusal is in force for all, so asking about a number tells that it is there


@pytest.fixture
def shop() -> Shop:
    return Shop(a_partner_service())


def a_till(shop: Shop) -> Partner:
    """Another key of the service, which may do everything but see what others made."""
    return Partner(a_key(shop.service, name="Till", scopes=WITHOUT_ALL))


def test_only_what_a_service_has_is_shown_to_all_of_its_keys():
    assert {path.split("/")[3] for _, path, _ in operations() if is_shared(path)} == OF_THE_SERVICE


def test_no_operation_on_one_thing_reaches_what_another_key_made(shop):
    till, boss = a_till(shop), Partner(a_key(shop.service, name="Boss", scopes=WHOLE))
    before, tried = shop.everything(), 0
    for method, path, name in operations():
        if "{" not in path or is_shared(path):
            continue
        theirs = asked(till, method, shop.address(path), example_of(name))
        nobodys = asked(till, method, shop.address(path, nobody=True), example_of(name))
        assert (theirs.status_code, said(theirs)) == (404, said(nobodys)), (name, said(theirs))
        tried += 1
        if method == "GET":  # so that it was asked at the right address
            for its in (shop.partner, boss):
                own = asked(its, method, shop.address(path))
                assert own.status_code == 200, (name, said(own))
    assert shop.everything() == before
    assert tried > 25


def test_no_list_search_or_report_holds_what_another_key_made(shop):
    till, seen = a_till(shop), 0
    for method, path, name in operations():
        if "{" in path or is_shared(path) or (method != "GET" and not name.endswith("_search")):
            continue
        given = {"number": NUMBER if name != "opt_outs_search" else REFUSED}
        theirs, own = (asked(one, method, path, given) for one in (till, shop.partner))
        assert theirs.status_code == own.status_code == 200, (name, said(theirs), said(own))
        assert MARK not in said(theirs), name
        assert listed(own), name
        assert listed(theirs) == [] or name in TOLD, (name, said(theirs))
        seen += 1
    assert seen > 10


def test_what_another_key_called_its_things_is_free_and_tells_nothing(shop):
    """The same names, references, addresses and Idempotency-Keys as theirs: each makes a thing of one's own."""
    till = a_till(shop)
    for path, given in shop.asked.items():
        made = till.post(path, given, Idempotency_Key=f"{path}-{MARK}")
        assert made.status_code == 201 and "Idempotent-Replayed" not in made, (path, said(made))
        assert made.json().get("id") != shop.answers[path].get("id") or "id" not in made.json()
    hosts = CallbackEndpoint.objects.filter(kind=CallbackEndpoint.Kind.NOTIFY)
    assert len({one.secret for one in hosts}) == len({one.key_owner for one in hosts}) == 2
    theirs, nobodys = (
        till.post("sends", {"text": "Hi", "audience": one}, Idempotency_Key=f"a{one}")
        for one in (shop.answers["audiences"]["id"], 2**40)
    )
    assert (theirs.status_code, said(theirs)) == (422, said(nobodys))


def test_a_refusal_is_in_force_for_all_and_lifted_by_its_own(shop):
    till = a_till(shop)
    (known,) = till.post("opt-outs/search", {"number": REFUSED}).json()["items"]
    assert (known["lifted_at"], known["evidence"], known["send"]) == (None, None, None)
    refused = till.post("opt-outs/lift", {"numbers": [NUMBER, REFUSED], "reason": "x"})
    assert (refused.status_code, refused.json()["errors"][0]["row"]) == (409, 2)
    assert OptOut.objects.get().lifted_at is None
    assert shop.partner.post("opt-outs/lift", {"numbers": [REFUSED], "reason": "x"}).json() == {"lifted": 1}


def test_no_endpoint_of_a_key_hears_of_what_others_sent(shop):
    till = a_till(shop)
    for given in ({"keys": ["Shop"]}, {"all_keys": True}):
        refused = till.post("callback-endpoints", {"name": "x", "url": "https://till.example/in"} | given)
        assert refused.status_code in (403, 422), said(refused)
    made = till.post("callback-endpoints", {"name": "x", "url": "https://till.example/in"})
    CallbackEndpoint.objects.update(verified_at=timezone.now())
    before = Callback.objects.count()
    shop.partner.post(f"sends/{shop.send.pk}/stop")
    told = Callback.objects.all()[: Callback.objects.count() - before]
    assert {one.endpoint.key_owner for one in told} == {shop.send.owner}
    assert made.status_code == 201 and not Callback.objects.filter(endpoint=made.json()["id"]).exists()


def test_who_may_not_see_whole_numbers_has_none_of_others_posted_to_an_endpoint(shop):
    CallbackEndpoint.objects.update(full_numbers=True)
    path = f"callback-endpoints/{CallbackEndpoint.objects.get(kind='events').pk}"
    boss = Partner(a_key(shop.service, name="Boss", scopes=[one for one in WHOLE if one != "numbers"]))
    for given in ({"all_keys": True}, {"keys": ["Shop", "Boss"]}):
        refused = boss.call("PATCH", path, given)
        assert refused.status_code == 403 and "“numbers”" in refused.json()["detail"], given
    assert boss.call("PATCH", path, {"full_numbers": False, "all_keys": True}).status_code == 200
