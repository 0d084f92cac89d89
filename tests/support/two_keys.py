"""A key that made one of everything that a key can make, each of which says `zulu`, and all operations that a key can call."""

import json
import re
from typing import Any, ClassVar

from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator

from sms.api.v1.access import SHARED
from sms.api.v1.documents import EXAMPLES
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
from tests.support.partners import Partner, a_key

MARK = "zulu"
NUMBER, REFUSED = "+447700900777", "+447700900778"
V1, NOBODY = "/api/v1/", "0b6f6ad2-2f3d-4b5e-9d0c-6a1f0c9b7e11"
OURS = (V1, "/v2/", "/v1/", "/resources/")
NAMED = re.compile(r"req_\w+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # another one in each answer
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


def is_shared(path: str) -> bool:
    if not path.startswith(V1):
        return False
    view: Any = resolve(re.sub(r"\{\w+\}", "1", path)).func
    return bool(view.cls.owner == SHARED)


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


def asked(partner: Partner, method: str, at: str, given: Any = None) -> Any:
    headers = {"key": partner.token, "Idempotency-Key": f"{method}{at}"[:200]}
    sent = (
        {}
        if method in ("GET", "DELETE")
        else {"data": json.dumps(given or {}), "content_type": "application/json"}
    )
    return partner.client.generic(method, at, headers=headers, **sent)


def said(answer: Any) -> str:
    """Without what is another one in each answer."""
    content = b"".join(answer) if answer.streaming else answer.content
    return NAMED.sub("", content.decode(errors="replace"))


def listed(answer: Any) -> Any:
    found = answer.json()
    return found["items"] if isinstance(found, dict) else found


def example_of(name: str) -> Any:
    return EXAMPLES["operations"].get(name, {}).get("request", {})
