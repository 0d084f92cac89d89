"""Two partners share a service. Every operation that a key can call, of this API and of the older ones, is tried with another key's things:
each answers as if they did not exist, none of them is in what is shown, and none changes."""

import json
import re
from typing import Any, ClassVar

import pytest
from django.urls import resolve
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from sms.api.v1.access import SHARED
from sms.api.v1.schema import EXAMPLES
from sms.models import (
    Callback,
    CallbackEndpoint,
    Event,
    InboundMessage,
    OptOut,
    SavedAudience,
    Send,
    Service,
)
from sms.models.api_key import SCOPE_NAMES
from sms.reports import facts
from tests.support.drop_in import body, post
from tests.support.partners import Partner, a_key, a_partner_service

pytestmark = pytest.mark.django_db
MARK = "zulu"  # in all that the other key wrote
NUMBER, REFUSED = "+447700900777", "+447700900778"
NAMED = re.compile(r"req_\w+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # another one in each answer
V1, NOBODY = "/api/v1/", "0b6f6ad2-2f3d-4b5e-9d0c-6a1f0c9b7e11"
OURS = ("/api/v1/", "/v2/", "/v1/", "/resources/")
# what every key of a service may see. A resource that is added here shows everybody's to everybody
OF_THE_SERVICE = {"templates", "senders", "policy-groups", "domains", "caps", "me"}
TOLD = {"opt_outs_search"}  # a refusal is in force for all, so asking about a number tells that it is there
WHOLE = sorted(SCOPE_NAMES)
WITHOUT_ALL = [one for one in WHOLE if one != "all"]


def operations() -> list[tuple[str, str, str]]:
    """(method, path with its placeholders, operation id) of everything that takes a key."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return [
        (method.upper(), path, one["operationId"])
        for path, methods in paths.items()
        if path.startswith(OURS)
        for method, one in methods.items()
        if isinstance(one, dict) and one.get("security")
    ]


class Shop:
    """The other key, with one of everything that a key can make, each of which says `zulu`."""

    asked: ClassVar[dict[str, Any]] = {
        "sends": {
            "text": f"Your code, {MARK}, is $(code)",
            "recipients": [{"number": NUMBER, "values": {"code": MARK}}, "+44123"],
            "name": MARK,
            "client_reference": MARK,
            "callback_data": MARK,
            "notify_url": f"https://{MARK}.example/n",
        },
        "audiences": {"name": MARK, "note": MARK, "csv": f"mobile,name\n{NUMBER},{MARK}\n12,x\n"},
        "callback-endpoints": {"name": MARK, "url": f"https://{MARK}.example/in"},
        "opt-outs": {"numbers": [REFUSED], "evidence": MARK},
    }

    def __init__(self, service: Service) -> None:
        self.service = service
        self.partner = Partner(a_key(service, name="Shop", scopes=WITHOUT_ALL))
        self.answers = {path: self._made(path, given) for path, given in self.asked.items()}
        self.send = Send.objects.get(pk=self.answers["sends"]["id"])
        text = {"type": "text", "text": MARK}
        by_v2 = post(self.partner.token, body("447700900779", correlationId=MARK, content=text))
        self.message_id: str = by_v2.json()["messageId"]
        at = self.send.created_at
        callback = Callback.objects.create(
            endpoint_id=self.answers["callback-endpoints"]["id"],
            event_id=Event.objects.filter(send_id=self.send.pk).values_list("event_id", flat=True).first()
            or "e",
            kind="message.delivered",
            created_at=at,
            since=at,
            next_at=at,
        )
        reply = InboundMessage.objects.create(
            service=service, dedupe=b"1", raw=b"", msisdn=NUMBER, text=MARK, send=self.send, received_at=at
        )
        facts.fold()
        # by the first part of an address: a new kind of thing needs one here
        self.ids: dict[str, int] = {
            "sends": self.send.pk,
            "messages": self.send.messages.get().pk,
            "audiences": self.answers["audiences"]["id"],
            "callback-endpoints": callback.endpoint_id,
            "callbacks": callback.pk,
            "opt-outs": service.opt_outs.get().pk,
            "inbound": reply.pk,
        }

    def _made(self, path: str, given: Any) -> Any:
        answer = self.partner.post(path, given, Idempotency_Key=f"{path}-{MARK}")
        assert answer.status_code == 201, answer.content
        return answer.json()

    def address(self, path: str, *, nobody: bool = False) -> str:
        if not path.startswith(V1):
            return re.sub(r"\{\w+\}", NOBODY if nobody else self.message_id, path)
        return re.sub(r"\{\w+\}", lambda _: str(2**40 if nobody else self.ids[path.split("/")[3]]), path)

    def everything(self) -> list[dict[str, Any]]:
        kinds: tuple[Any, ...] = (Send, SavedAudience, CallbackEndpoint, Callback, OptOut, InboundMessage)
        return [row for kind in kinds for row in kind.objects.order_by("pk").values()]


@pytest.fixture
def shop() -> Shop:
    return Shop(a_partner_service())


def a_till(shop: Shop) -> Partner:
    """Another key of the service, which may do everything but see what others made."""
    return Partner(a_key(shop.service, name="Till", scopes=WITHOUT_ALL))


def is_shared(path: str) -> bool:
    if not path.startswith(V1):
        return False
    view: Any = resolve(re.sub(r"\{\w+\}", "1", path)).func
    return bool(view.cls.owner == SHARED)


def asked(partner: Partner, method: str, at: str, given: Any = None) -> Any:
    headers = {"key": partner.token, "Idempotency-Key": f"{method}{at}"[:200]}
    sent = (
        {}
        if method in ("GET", "DELETE")
        else {"data": json.dumps(given or {}), "content_type": "application/json"}
    )
    return partner.client.generic(method, at, headers=headers, **sent)


def said(answer: Any) -> str:
    content = b"".join(answer) if answer.streaming else answer.content
    return NAMED.sub("", content.decode(errors="replace"))


def listed(answer: Any) -> Any:
    found = answer.json()
    return found["items"] if isinstance(found, dict) else found


def example_of(name: str) -> Any:
    return EXAMPLES["operations"].get(name, {}).get("request", {})


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
