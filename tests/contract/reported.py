"""Examples of what the provider posts to us: receipts and incoming SMS, at their secret addresses over HTTP."""

import json
from dataclasses import dataclass, field
from typing import Any

from sms.inbound import receipts
from sms.models import Click, InboundMessage, ReceiptInbox, Service
from sms.models import Receipt as StoredReceipt
from sms.values import correlation_id
from sms.webex import signature
from sms.webex.receipts import parse_receipt
from tests.contract.asked import SMALLEST
from tests.contract.rows import json_shown
from tests.contract.world import World, the_message
from tests.support.receipts import receipt

SECRET, BEFORE = "the webhook's secret", "the one before"
SECRETS = {"receipt_secret": SECRET, "receipt_secret_before": BEFORE}
OURS = "<ours>"  # stands for our correlation id


@dataclass(frozen=True, slots=True)
class Reported:
    """A receipt and what then holds. `info` and `outer` beside the usual receipt, or the `raw` body; `signed` is the header's value.

    `becomes` is of the message, its click and the waiting receipt; `read` is of the stored body as we read it.
    """

    info: dict[str, Any] = field(default_factory=dict)
    outer: dict[str, Any] = field(default_factory=dict)
    becomes: dict[str, Any] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    raw: str = ""
    signed: tuple[str, str] | None = None  # algorithm and secret; posted to the address for webhooks
    proved: bool = True  # whether a good signature came before
    answer: int = 200

    def shown(self) -> str:
        said = f"`{self.raw}`" if self.raw else f"`{json_shown(self.info | self.outer)}`"
        sign = f" signed with {self.signed[0]} and {self.signed[1]}" if self.signed else ""
        sign += "" if self.proved else " before any good signature"
        found = self.becomes | self.read
        then = f"`{json_shown(found)}`" if found else ""
        return f"{said}{sign} → {self.answer if self.answer != 200 else ''}{then}"

    def run(self, world: World) -> None:
        service = world.service(**(SECRETS if self.signed or not self.proved else {}))
        assert world.ask(service, SMALLEST).status_code == 201
        world.dispatch()
        raw = self.raw.encode() or self._body(service)
        headers = {}
        if self.signed:
            algorithm, secret = self.signed
            headers["x-hub-signature"] = _signed(raw, algorithm, secret)
            if self.proved:
                prove(world, service)
        address = f"/receipts/{service.webhook_token if self.signed else service.receipt_token}/"
        answer = world.browser.post(address, raw, content_type="application/json", headers=headers)
        assert answer.status_code == self.answer, f"it is answered {answer.status_code}"
        if self.answer != 200:
            return
        stored = StoredReceipt.objects.latest("pk")
        assert bytes(stored.raw) == raw
        receipts.fold()
        found = self._found()
        for name, value in self.becomes.items():
            assert found[name] == value, f"{name} is {found[name]!r}"
        notice = parse_receipt(raw) if self.read else None
        for name, value in self.read.items():
            said = getattr(notice, name)
            said = said.isoformat() if hasattr(said, "isoformat") else said
            assert said == value, f"{name} is read as {said!r}"

    def _body(self, service: Service) -> bytes:
        ours = correlation_id.write(message_id=the_message().pk, attempt=1, key=service.correlation_key)
        outer = {name: ours if value == OURS else value for name, value in self.outer.items()}
        return receipt("" if OURS in self.outer.values() else ours, info=self.info, **outer)

    @staticmethod
    def _found() -> dict[str, Any]:
        message, click = the_message(), Click.objects.last()
        waiting = ReceiptInbox.objects.last()
        return {
            "state": message.state,
            "code": message.code,
            "carrier": message.carrier,
            "segments": message.segments_billed,
            "clicked": click.url if click else "",
            "from address": click.ip if click else "",
            "by": click.user_agent if click else "",
            "set aside": waiting.why if waiting else "",
        }


def prove(world: World, service: Service) -> None:
    """The first receipt with a good signature, after which others are asked for one."""
    raw = receipt("of no message")
    headers = {"x-hub-signature": _signed(raw, "sha256", SECRET)}
    address = f"/receipts/{service.webhook_token}/"
    answer = world.browser.post(address, raw, content_type="application/json", headers=headers)
    assert answer.status_code == 200


def _signed(raw: bytes, algorithm: str, secret: str) -> str:
    if algorithm == "sha1":
        return "sha1=" + "0" * 40
    service_hash: Any = algorithm
    return signature.sign(raw, secret=secret, algorithm=service_hash)


@dataclass(frozen=True, slots=True)
class Incoming:
    """An incoming SMS and what is kept of it."""

    said: dict[str, Any] | list[Any]
    becomes: dict[str, Any]

    def shown(self) -> str:
        return f"`{json_shown(self.said)}` → `{json_shown(self.becomes)}`"

    def run(self, world: World) -> None:
        service = world.service()
        address = f"/inbound/{service.receipt_token}/"
        answer = world.browser.post(address, json.dumps(self.said), content_type="application/json")
        assert answer.status_code == 200, f"it is answered {answer.status_code}"
        kept = InboundMessage.objects.latest("pk")
        for name, value in self.becomes.items():
            assert getattr(kept, name) == value, f"{name} is {getattr(kept, name)!r}"
