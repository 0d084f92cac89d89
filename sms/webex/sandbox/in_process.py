"""The sandbox without a network and without a memory: one request is played from its answer to its last receipt, by a clock of its own.

Called by `sms.webex.simulated` for requests of test keys. Whoever calls keeps the receipts until they are due.
"""

import asyncio
import heapq
import itertools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from sms.webex.sandbox.app import Sandbox
from sms.webex.sandbox.http_server import Answer, Request
from sms.webex.sandbox.message_log import DeliveryAttempt
from sms.webex.sandbox.receipt_schedule import ReceiptSchedule
from sms.webex.sandbox.receipts import SandboxReceipt
from sms.webex.sandbox.request_options import SandboxPolicyOptions
from sms.webex.sandbox.settings import Settings, Tenant
from sms.webex.sandbox.switches import Switches

PATH = "/v2/messages"
# a tenant's own smartlinks and templates are not known here, and are no reason to refuse
SWITCHES = Switches(unknown_smartlink="leave", contact_policy="on")


class DueReceipt(NamedTuple):
    """The body of a receipt, and when it is to come (epoch seconds)."""

    at: float
    body: bytes


def play(body: bytes, *, now: float, text_limit: int) -> tuple[Answer, list[DueReceipt]]:
    """What the sandbox answers to a request made at `now`, and its receipts in the order in which they come.

    What comes before the answer is due by `now`.
    """
    settings = Settings(text_limit=text_limit, switches=SWITCHES, templates=_templates(body))
    return asyncio.run(_play(body, settings, now))


async def _play(body: bytes, settings: Settings, now: float) -> tuple[Answer, list[DueReceipt]]:
    moment = [now]
    sandbox = _SandboxOfOneRequest(settings, clock=lambda: moment[0])
    headers = {b"key": b"test-mode", b"content-type": b"application/json"}
    request = Request(peer="127.0.0.1", method="POST", path=PATH, headers=headers, body=body, size=len(body))
    answer = await sandbox.post(request)
    schedule = sandbox.receipts
    assert isinstance(schedule, _PlayedSchedule)
    while schedule.waiting:
        moment[0], _, do, given = heapq.heappop(schedule.waiting)
        do(*given)
    return answer, schedule.sender.found


class _ReceiptBook:
    """In the place of the sender: writes receipts down."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.found: list[DueReceipt] = []

    def deliver(self, receipt: SandboxReceipt) -> None:
        self.found.append(DueReceipt(self.clock(), receipt.body))
        if receipt.tried is not None:
            receipt.tried.set_result(None)


class _PlayedSchedule(ReceiptSchedule):
    """What is put off stands in line instead of on the event loop."""

    def __init__(self, tenant: Tenant, write: Callable[[DeliveryAttempt], None]) -> None:
        super().__init__(tenant, write)
        self.sender: Any = _ReceiptBook(tenant.clock)
        self.waiting: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._order = itertools.count()

    def after(self, delay: float, do: Callable[..., object], *given: Any) -> None:
        heapq.heappush(self.waiting, (self.tenant.clock() + delay, next(self._order), do, given))


class _SandboxOfOneRequest(Sandbox):
    schedule = _PlayedSchedule

    def policy_code(self, policy: SandboxPolicyOptions, address: str) -> str:
        """A tenant's groups and who is in them are not known here; the numbers of `outcomes` stand for those refusals."""
        return policy.fault


def _templates(body: bytes) -> dict[str, tuple[str, bool]]:
    """The provider's template that a request names: it is there, and makes a text that nobody reads."""
    try:
        named = json.loads(body)["template"]["id"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {str(named): ("Made by a template.", False)}
