"""What is reported of a message: which receipts its outcome produces, when, and what the faults do to them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from sms.webex.sandbox.message_log import DeliveryAttempt, SandboxMessage
from sms.webex.sandbox.outcomes import CLICKED, CLICKS, CODES, FILTER, STOPPED, UNDELIVERED
from sms.webex.sandbox.receipt_sender import ReceiptSender
from sms.webex.sandbox.receipts import SandboxReceipt, click_payload, payload
from sms.webex.sandbox.settings import Settings

SUBMITTED_AFTER = 0.05
FINAL_AFTER = 0.4
DUPLICATE_AFTER = 0.1
SHUFFLE_UP_TO = 2.0
EARLY_WAIT = 2.0
REQUEST_FAULTS = frozenset({"7101", "7102", "7107"})


class ReceiptSchedule:
    """Plans receipts and hands them to the sender. All delays are seconds."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        clock: Callable[[], float],
        chance: random.Random,
        write: Callable[[DeliveryAttempt], None],
    ) -> None:
        """``settings`` gives those of the moment; ``write`` takes each attempt for the log."""
        self.settings = settings
        self.clock = clock
        self.random = chance
        self.write = write
        self.loop = asyncio.get_running_loop()
        self.sender = ReceiptSender(self.attempted, settings, self.after)
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

    def happens(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability

    def schedule(self, message: SandboxMessage) -> None:
        outcome = message.outcome
        if not outcome.receipts:
            return
        code = self.code(message)
        jitter = 0.8 + 0.4 * self.random.random()
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
            wait = last + self.settings().faults.receipt_delay
            for click in CLICKS.get(outcome.clicks, ()):
                self.after(wait + click.delay, self.click, message, click.ip, click.agent)

    def code(self, message: SandboxMessage) -> str:
        if message.outcome is STOPPED["7208"]:
            return self.settings().switches.expiry_code
        return message.outcome.code

    def plan(self, message: SandboxMessage, code: str, delay: float) -> None:
        faults = self.settings().faults
        delay += faults.receipt_delay
        if self.happens(faults.receipt_shuffle):
            delay += self.random.uniform(0, SHUFFLE_UP_TO)
        if self.happens(faults.receipt_duplicate):
            self.after(delay + DUPLICATE_AFTER, self.send, message, code)
        if self.happens(faults.receipt_drop):
            return
        self.after(delay, self.send, message, code)

    def send(self, message: SandboxMessage, code: str) -> None:
        receipt = self.make(message, code)
        if receipt is not None:
            self.sender.deliver(receipt)

    def make(self, message: SandboxMessage, code: str) -> SandboxReceipt | None:
        """A receipt, or None when the request did not ask for it. The handset's status follows either way."""
        switches = self.settings().switches
        status, description = CODES[code]
        if code in REQUEST_FAULTS and switches.request_faults == "un_delivered":
            status = UNDELIVERED
        if code != "7501" or message.status == "queued":
            message.status = status
        if not message.order.notify_url or not self.wanted(message, status):
            return None
        if code == "7501" and switches.submitted_sample == "7102":
            code, description = "7102", CODES["7102"][1]
        moment = self.clock()
        handed = moment - (FINAL_AFTER - SUBMITTED_AFTER)
        body = payload(
            message,
            switches,
            moment=moment,
            handed=handed,
            code=code,
            status=status,
            description=description,
        )
        return self.receipt(message, body, code, status)

    def wanted(self, message: SandboxMessage, status: str) -> bool:
        """Whether ``requestedReceipts`` lets a status through."""
        if status == UNDELIVERED and self.settings().switches.failed_covers == "failed":
            return False
        return not FILTER[status].isdisjoint(message.order.receipts)

    def receipt(self, message: SandboxMessage, body: bytes, code: str, status: str) -> SandboxReceipt:
        return SandboxReceipt(
            url=message.order.notify_url,
            body=body,
            msisdn=message.msisdn,
            message_id=message.message_id,
            correlation=message.correlation,
            code=code,
            status=status,
            auth=message.order.notify_auth,
        )

    async def hurry(self, messages: list[SandboxMessage]) -> None:
        """Deliver all receipts at once, and wait until each has been tried, but no longer than two seconds."""
        tried: list[asyncio.Future[None]] = []
        for message in messages:
            for code in ["7501"] * message.outcome.submitted + [self.code(message)]:
                if (receipt := self.make(message, code)) is not None:
                    receipt.tried = self.loop.create_future()
                    tried.append(receipt.tried)
                    self.sender.deliver(receipt)
        if tried:
            await asyncio.wait(tried, timeout=EARLY_WAIT)

    def click(self, message: SandboxMessage, ip: str, agent: str, url: str = "") -> None:
        """Send a Clicked receipt if the request tracks clicks and asked for them."""
        switches = self.settings().switches
        if not (message.track and message.order.notify_url and self.wanted(message, CLICKED)):
            return
        if message.clicked and switches.clicks_told == "first":
            return
        message.clicked = True
        body = click_payload(
            message, switches, moment=self.clock(), url=url or message.link, ip=ip, agent=agent
        )
        self.sender.deliver(self.receipt(message, body, "7528", CLICKED))

    def attempted(self, receipt: SandboxReceipt, answer: int | str) -> None:
        self.write(
            DeliveryAttempt(
                self.clock(),
                receipt.correlation,
                receipt.message_id,
                receipt.msisdn,
                receipt.code,
                receipt.status,
                receipt.attempt,
                answer,
                "receipt" if receipt.code else "inbound",
            )
        )
