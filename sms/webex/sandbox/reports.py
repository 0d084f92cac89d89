"""What is told of a message: which receipts come of its fate, when, and what the faults do to them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from sms.webex.sandbox.book import Delivered, Message
from sms.webex.sandbox.courier import Courier
from sms.webex.sandbox.outcomes import CLICKED, CLICKS, CODES, FILTER, STOPPED, UNDELIVERED
from sms.webex.sandbox.receipts import Receipt, click_payload, payload
from sms.webex.sandbox.settings import Settings

SUBMITTED_AFTER = 0.05
FINAL_AFTER = 0.4
DUPLICATE_AFTER = 0.1
SHUFFLE_UP_TO = 2.0
EARLY_WAIT = 2.0
REQUEST_FAULTS = frozenset({"7101", "7102", "7107"})


class Reports:
    """Plans receipts and hands them to the courier. All delays are seconds."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        clock: Callable[[], float],
        chance: random.Random,
        write: Callable[[Delivered], None],
    ) -> None:
        """``settings`` gives those of the moment; ``write`` takes each attempt for the log."""
        self.settings = settings
        self.clock = clock
        self.random = chance
        self.write = write
        self.loop = asyncio.get_running_loop()
        self.courier = Courier(self.attempted, settings)
        self.era = 0

    def later(self, delay: float, do: Callable[..., object], *given: Any) -> None:
        """Do something after a while, unless everything is forgotten before."""
        self.loop.call_later(delay, self.now, self.era, do, given)

    def now(self, era: int, do: Callable[..., object], given: tuple[Any, ...]) -> None:
        """Do what was put off."""
        if era == self.era:
            do(*given)

    def forget(self) -> None:
        """Drop every receipt that is planned, waiting or under way."""
        self.era += 1
        self.courier.forget()

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return probability > 0 and self.random.random() < probability

    def schedule(self, message: Message) -> None:
        """Set the clock for a message's receipts."""
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
                self.later(wait + click.delay, self.click, message, click.ip, click.agent)

    def code(self, message: Message) -> str:
        """The code of a message's final receipt."""
        if message.outcome is STOPPED["7208"]:
            return self.settings().switches.expiry_code
        return message.outcome.code

    def plan(self, message: Message, code: str, delay: float) -> None:
        """Schedule one receipt, with what the faults do to it."""
        faults = self.settings().faults
        delay += faults.receipt_delay
        if self.happens(faults.receipt_shuffle):
            delay += self.random.uniform(0, SHUFFLE_UP_TO)
        if self.happens(faults.receipt_duplicate):
            self.later(delay + DUPLICATE_AFTER, self.send, message, code)
        if self.happens(faults.receipt_drop):
            return
        self.later(delay, self.send, message, code)

    def send(self, message: Message, code: str) -> None:
        """Send a receipt if it was asked for."""
        job = self.make(message, code)
        if job is not None:
            self.courier.deliver(job)

    def make(self, message: Message, code: str) -> Receipt | None:
        """A receipt, or None when the request did not ask for it. The handset's status follows either way."""
        switches = self.settings().switches
        status, description = CODES[code]
        if code in REQUEST_FAULTS and switches.request_faults == "un_delivered":
            status = UNDELIVERED
        if code != "7501" or message.status == "queued":
            message.status = status
        if not message.notify_url or not self.wanted(message, status):
            return None
        if code == "7501" and switches.submitted_sample == "7102":
            code, description = "7102", CODES["7102"][1]
        moment = self.clock()
        body = payload(
            switches,
            moment=moment,
            handed=moment - (FINAL_AFTER - SUBMITTED_AFTER),
            description=description,
            code=code,
            status=status,
            digits=message.digits or message.msisdn,
            transid=message.message_id,
            callback=message.callback,
            correlation=message.correlation,
            count=message.segments,
        )
        return self.job(message, body, code, status)

    def wanted(self, message: Message, status: str) -> bool:
        """Whether ``requestedReceipts`` lets a status through."""
        if status == UNDELIVERED and self.settings().switches.failed_covers == "failed":
            return False
        return not FILTER[status].isdisjoint(message.receipts)

    def job(self, message: Message, body: bytes, code: str, status: str) -> Receipt:
        """A receipt ready to go."""
        return Receipt(
            message.notify_url,
            body,
            msisdn=message.msisdn,
            message_id=message.message_id,
            correlation=message.correlation,
            code=code,
            status=status,
            auth=message.auth,
        )

    def hurry(self, messages: list[Message], answer: Callable[[], None]) -> None:
        """Deliver all receipts at once, and reply once each has been tried, or after two seconds."""
        jobs: list[Receipt] = []
        for message in messages:
            codes = ["7501"] * message.outcome.submitted + [self.code(message)]
            jobs += [job for code in codes if (job := self.make(message, code)) is not None]
        left = len(jobs)
        fallback = self.loop.call_later(EARLY_WAIT, answer)

        def one_done() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                fallback.cancel()
                answer()

        if not jobs:
            one_done()
        for job in jobs:
            job.done = one_done
            self.courier.deliver(job)

    def click(self, message: Message, ip: str, agent: str, url: str = "") -> None:
        """Send a Clicked receipt if the request tracks clicks and asked for them."""
        switches = self.settings().switches
        if not (message.track and message.notify_url and self.wanted(message, CLICKED)):
            return
        if message.clicked and switches.clicks_told == "first":
            return
        message.clicked = True
        body = click_payload(
            switches,
            moment=self.clock(),
            url=url or message.link,
            ip=ip,
            agent=agent,
            digits=message.digits,
            transid=message.message_id,
            callback=message.callback,
            correlation=message.correlation,
        )
        self.courier.deliver(self.job(message, body, "7528", CLICKED))

    def attempted(self, job: Receipt, answer: int | str) -> None:
        """Write an attempt down."""
        self.write(
            Delivered(
                self.clock(),
                job.correlation,
                job.message_id,
                job.msisdn,
                job.code,
                job.status,
                job.attempt,
                answer,
                "receipt" if job.code else "inbound",
            )
        )
