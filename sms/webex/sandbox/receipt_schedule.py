"""What is reported of a message: which receipts its outcome produces, when, and what the faults do to them."""

import asyncio
from collections.abc import Callable
from typing import Any

from sms.webex.sandbox.message_log import DeliveryAttempt, SandboxMessage
from sms.webex.sandbox.outcomes import BY_NAME, CLICKED, CLICKS, CODES, FILTER, ORDINARY, STOPPED, UNDELIVERED
from sms.webex.sandbox.receipt_sender import ReceiptSender
from sms.webex.sandbox.receipts import SandboxReceipt, click_payload, payload
from sms.webex.sandbox.settings import Tenant

SUBMITTED_AFTER = 0.05
FINAL_AFTER = 0.4
DUPLICATE_AFTER = 0.1
SHUFFLE_UP_TO = 2.0
EARLY_WAIT = 2.0
PHONE_OFF = BY_NAME["expired"]
REQUEST_FAULTS = frozenset({"7101", "7102", "7107"})


class ReceiptSchedule:
    """Plans receipts and hands them to the sender. All delays are seconds."""

    def __init__(self, tenant: Tenant, write: Callable[[DeliveryAttempt], None]) -> None:
        """``write`` takes each attempt for the log."""
        self.tenant = tenant
        self.write = write
        self.loop = asyncio.get_running_loop()
        self.sender = ReceiptSender(self.attempted, lambda: tenant.settings, self.after)
        self.era = 0

    def after(self, delay: float, do: Callable[..., object], *given: Any) -> None:
        """Do something after a while, unless everything is forgotten before."""
        self.loop.call_later(delay, self.now, self.era, do, given)

    def now(self, era: int, do: Callable[..., object], given: tuple[Any, ...]) -> None:
        if era == self.era:
            do(*given)

    def forget(self) -> None:
        self.era += 1
        self.sender.forget()

    async def close(self) -> None:
        self.era += 1
        await self.sender.close()

    def schedule(self, message: SandboxMessage) -> None:
        outcome = message.outcome
        if not outcome.receipts:
            return
        code = self.code(message)
        jitter = 0.8 + 0.4 * self.tenant.random.random()
        first, last = SUBMITTED_AFTER * jitter, FINAL_AFTER * jitter
        if outcome.muddled:
            for each, delay in ((code, first), ("7501", last)):
                self.plan(message, each, delay)
                self.plan(message, each, delay + DUPLICATE_AFTER)
            return
        if outcome.submitted:
            self.plan(message, "7501", first)
        self.plan(message, code, last)
        if message.link:
            wait = last + self.tenant.settings.faults.receipt_delay
            for click in CLICKS.get(outcome.clicks, ()):
                self.after(wait + click.delay, self.click, message, click.ip, click.agent)

    def code(self, message: SandboxMessage) -> str:
        if message.outcome is STOPPED["7208"]:
            return self.tenant.switches.expiry_code
        if (
            message.outcome is PHONE_OFF
            and message.order.expire_at
            and self.tenant.switches.validity_kept == "no"
        ):
            return ORDINARY.code
        return message.outcome.code

    def plan(self, message: SandboxMessage, code: str, delay: float) -> None:
        faults = self.tenant.settings.faults
        delay += faults.receipt_delay
        if self.tenant.chance(faults.receipt_shuffle):
            delay += self.tenant.random.uniform(0, SHUFFLE_UP_TO)
        if self.tenant.chance(faults.receipt_duplicate):
            self.after(delay + DUPLICATE_AFTER, self.send, message, code)
        if self.tenant.chance(faults.receipt_drop):
            return
        self.after(delay, self.send, message, code)

    def send(self, message: SandboxMessage, code: str) -> None:
        for receipt in self.make(message, code):
            self.sender.deliver(receipt)

    def make(self, message: SandboxMessage, code: str) -> list[SandboxReceipt]:
        """A receipt for each address that it goes to. The handset's status follows also where there is none."""
        switches = self.tenant.switches
        status, description = CODES[code]
        if code in REQUEST_FAULTS and switches.request_faults == "un_delivered":
            status = UNDELIVERED
        if code != "7501" or message.status == "queued":
            message.status = status
        calls = self.calls(message, status)
        if not calls:
            return []
        if code == "7501" and switches.submitted_sample == "7102":
            code, description = "7102", CODES["7102"][1]
        moment = self.tenant.clock()
        handed = moment - (FINAL_AFTER - SUBMITTED_AFTER)
        body = payload(
            message, switches, moment=moment, handed=handed, code=code, status=status, description=description
        )
        return [self.receipt(message, body, code, status, webhook=webhook) for webhook in calls]

    def calls(self, message: SandboxMessage, status: str) -> list[bool]:
        """What a receipt goes to: False stands for the notifyUrl of the request, True for the webhook of the tenant.

        ``requestedReceipts`` is about the notifyUrl; the webhook has every notification ticked.
        """
        beside = self.tenant.switches.webhook_beside
        there = bool(message.order.notify_url)
        webhook = bool(self.tenant.settings.webhook_url) and not (there and beside == "notify_url")
        notify = there and self.wanted(message, status) and not (webhook and beside == "webhook")
        return [False] * notify + [True] * webhook

    def wanted(self, message: SandboxMessage, status: str) -> bool:
        """Whether ``requestedReceipts`` lets a status through."""
        if status == UNDELIVERED and self.tenant.switches.failed_covers == "failed":
            return False
        return not FILTER[status].isdisjoint(message.order.receipts)

    def receipt(
        self, message: SandboxMessage, body: bytes, code: str, status: str, *, webhook: bool
    ) -> SandboxReceipt:
        return SandboxReceipt(
            url=self.tenant.settings.webhook_url if webhook else message.order.notify_url,
            body=body,
            msisdn=message.msisdn,
            message_id=message.message_id,
            correlation=message.correlation,
            code=code,
            status=status,
            auth="" if webhook else message.order.notify_auth,
            webhook=webhook,
        )

    async def hurry(self, messages: list[SandboxMessage]) -> None:
        """Deliver all receipts at once, and wait until each has been tried, but no longer than two seconds."""
        tried: list[asyncio.Future[None]] = []
        for message in messages:
            for code in ["7501"] * message.outcome.submitted + [self.code(message)]:
                for receipt in self.make(message, code):
                    receipt.tried = self.loop.create_future()
                    tried.append(receipt.tried)
                    self.sender.deliver(receipt)
        if tried:
            await asyncio.wait(tried, timeout=EARLY_WAIT)

    def click(self, message: SandboxMessage, ip: str, agent: str, url: str = "") -> None:
        """Send a Clicked receipt if the request tracks clicks, to where it is wanted."""
        switches, calls = self.tenant.switches, self.calls(message, CLICKED)
        if not (message.track and calls):
            return
        if message.clicked and switches.clicks_told == "first":
            return
        message.clicked = True
        body = click_payload(
            message, switches, moment=self.tenant.clock(), url=url or message.link, ip=ip, agent=agent
        )
        for webhook in calls:
            self.sender.deliver(self.receipt(message, body, "7528", CLICKED, webhook=webhook))

    def attempted(self, receipt: SandboxReceipt, answer: int | str) -> None:
        kind = "receipt" if receipt.code else "inbound"
        of = (receipt.correlation, receipt.message_id, receipt.msisdn, receipt.code, receipt.status)
        self.write(DeliveryAttempt(kind, self.tenant.clock(), *of, receipt.attempt, answer))
