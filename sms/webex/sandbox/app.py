"""The sandbox itself: routes, faults, what becomes of each message, and the log."""

from __future__ import annotations

import asyncio
import json
import random
import re
import string
import time
import uuid
from collections.abc import AsyncIterator, Callable
from functools import partial

from sms.webex.sandbox import rules
from sms.webex.sandbox.book import Delivered, Message
from sms.webex.sandbox.http1 import Exchange
from sms.webex.sandbox.outcomes import (
    CLICKED,
    CLICKS,
    CODES,
    EXPIRED_HERE,
    FILTER,
    INVALID_ADDRESS,
    TOO_LONG,
    outcome_of,
)
from sms.webex.sandbox.receipts import Courier, Receipt, click_payload, iso, payload
from sms.webex.sandbox.settings import Settings

SUBMITTED_AFTER = 0.05
FINAL_AFTER = 0.4
DUPLICATE_AFTER = 0.1
SHUFFLE_UP_TO = 2.0
EARLY_WAIT = 2.0
SILENCE = 120.0
PART = 2000

_ALPHABET = string.ascii_letters + string.digits
_SHORT = re.compile(r"/([A-Za-z0-9]{6})")


class Bucket:
    """A token bucket of one second's worth of calls."""

    def __init__(self, rate: float) -> None:
        """Start full."""
        self.rate = rate
        self.size = max(rate, 1.0)
        self.level = self.size
        self.at = time.monotonic()

    def take(self) -> bool:
        """Take a token if there is one."""
        now = time.monotonic()
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Sandbox:
    """One tenant of the simulated platform, held in memory."""

    def __init__(self, settings: Settings) -> None:
        """Start with empty books."""
        self.settings = settings
        self.faults = settings.faults
        self.loop = asyncio.get_running_loop()
        self.random = random.Random(settings.seed)  # noqa: S311 - chance, not secrecy
        self.bucket = Bucket(settings.tps) if settings.tps else None
        self.courier = Courier(
            self.report, retry_seconds=settings.retry_seconds, hub_secret=settings.hub_secret
        )
        self.log: list[Message | Delivered] = []
        self.phones: dict[str, list[Message]] = {}
        self.short: dict[str, tuple[str, Message]] = {}
        self.messages = 0
        self.receipts = 0

    # -- routes

    def handle(self, exchange: Exchange) -> None:
        """Answer a request."""
        path = exchange.path
        if path == "/v2/messages":
            if exchange.method == "POST":
                self.post(exchange)
            else:
                exchange.reply(405, headers=b"Allow: POST\r\n")
        elif exchange.method not in ("GET", "HEAD"):
            exchange.reply(405 if path.startswith("/__sandbox__/") else 404)
        elif path == "/__sandbox__/log":
            exchange.stream(self.log_lines(), b"application/x-ndjson")
        elif path == "/__sandbox__/handsets":
            exchange.stream(self.handsets(), b"application/json")
        elif path == "/__sandbox__/health":
            waiting = self.courier.waiting()
            exchange.reply(
                200,
                json.dumps(
                    {
                        "status": "ok",
                        "messages": self.messages,
                        "receipts": self.receipts,
                        "receiptsWaiting": waiting,
                    }
                ).encode(),
            )
        elif (match := _SHORT.fullmatch(path)) and match[1] in self.short:
            self.follow(exchange, match[1])
        else:
            exchange.reply(404)

    def post(self, exchange: Exchange) -> None:
        """Take a send request through authentication, faults, rate and validation."""
        if self.faults.slow:
            self.loop.call_later(self.faults.slow, self.take, exchange)
        else:
            self.take(exchange)

    def take(self, exchange: Exchange) -> None:
        """Answer a send request now."""
        if self.faults.auth or not self.admitted(exchange):
            exchange.reply(401)
            return
        shape = self.throttled()
        if shape:
            limit = rules.Refused("7020", "You have reached the maximum transaction limit")
            exchange.reply(*((429,) if shape == "429" else (400, limit.body())))
            return
        if self.chance(self.faults.http_500):
            exchange.reply(500)
            return
        silent = self.chance(self.faults.timeout)
        if silent:  # whoever sent it cannot know whether it was accepted, so it sometimes was
            self.loop.call_later(SILENCE, exchange.abort)
            if self.chance(0.5):
                return
        if exchange.too_large:
            exchange.reply(400, rules.Refused("7022", "JSON size exceeded").body())
            return
        try:
            order = rules.read(exchange.body, self.settings.templates)
        except rules.Refused as refusal:
            if not silent:
                exchange.reply(400, refusal.body())
            return
        self.accept(exchange, order, silent=silent)

    def admitted(self, exchange: Exchange) -> bool:
        """Whether the caller may send. A JWT is looked at first, and then the key not at all."""
        authorization = exchange.headers.get(b"authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(b" ")
            secret = self.settings.service_secret
            return (
                bool(secret)
                and scheme.lower() == b"bearer"
                and rules.token_is_good(token.strip(), self.settings.service_id, secret)
            )
        key = exchange.headers.get(b"key", b"").decode("latin-1")
        return key == self.settings.key if self.settings.key else bool(key)

    def throttled(self) -> str:
        """The shape of a throttling answer, "429" or "7020", or "".

        With ``--tps`` the fault ``throttle`` only chooses the shape; without, every request is refused.
        """
        shape = self.faults.throttle
        if self.bucket is None:
            if not shape:
                return ""
        elif self.bucket.take():
            return ""
        if shape == "1":
            return "429" if self.chance(0.5) else "7020"
        return shape or "429"

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return probability > 0 and self.random.random() < probability

    # -- accepting

    def accept(self, exchange: Exchange, order: rules.Order, *, silent: bool) -> None:
        """Put the messages in the books, schedule their receipts and answer as the outcomes demand."""
        now = time.time()
        base = str(uuid.uuid4())
        accepted = []
        for index, to in enumerate(order.destinations):
            message = Message(now, f"{base}_{index}" if index else base, order, to)
            self.prepare(message, order, now)
            accepted.append(message)
        body = json.dumps(
            {
                "requestTimestamp": iso(now),
                "messageId": base,
                "correlationId": order.destinations[0].correlation,
                "status": "queued",
            }
        ).encode()
        if self.chance(self.faults.malformed):
            body = body[: len(body) // 2]
        drop = silent
        early: list[Message] = []
        for message in accepted:
            if message.outcome.early and not order.send_at > now:
                early.append(message)
                continue
            drop = drop or message.outcome.abort
            wait = order.send_at - now
            if wait > 0:
                self.loop.call_later(wait, self.schedule, message)
            else:
                self.schedule(message)
        if silent:
            pass
        elif drop:
            exchange.abort()
        elif early:
            self.hurry(early, partial(exchange.reply, 201, body))
            return
        else:
            exchange.reply(201, body)
        if early:
            self.hurry(early, lambda: None)

    def prepare(self, message: Message, order: rules.Order, now: float) -> None:
        """Settle the text and the fate of a message and write both down."""
        if order.shorten:
            self.shorten(message, order.shorten)
        message.segments = rules.segments(message.text, unicode=order.unicode)
        if not message.digits:
            message.outcome = INVALID_ADDRESS
        elif len(message.text) > self.settings.text_limit:
            message.outcome = TOO_LONG
        elif order.expire_at and order.expire_at <= max(now, order.send_at):
            message.outcome = EXPIRED_HERE
        else:
            message.outcome = outcome_of(message.digits)
        self.messages += 1
        self.log.append(message)
        self.phones.setdefault(message.msisdn, []).append(message)

    def shorten(self, message: Message, domain: str) -> None:
        """Rewrite the https links of a message's text."""
        text, end, parts = message.text, 0, []
        for start, stop, url in rules.links(text):
            code = "".join(self.random.choices(_ALPHABET, k=6))
            while code in self.short:
                code = "".join(self.random.choices(_ALPHABET, k=6))
            self.short[code] = (url, message)
            message.link = message.link or url
            parts += [text[end:start], f"{domain}/{code}"]
            end = stop
        message.text = "".join([*parts, text[end:]])

    # -- receipts

    def schedule(self, message: Message) -> None:
        """Set the clock for a message's receipts."""
        outcome = message.outcome
        if not outcome.receipts:
            return
        jitter = 0.8 + 0.4 * self.random.random()
        first, last = SUBMITTED_AFTER * jitter, FINAL_AFTER * jitter
        if outcome.muddled:
            for code, delay in ((outcome.code, first), ("7501", last)):
                self.plan(message, code, delay)
                self.plan(message, code, delay + DUPLICATE_AFTER)
            return
        if outcome.submitted:
            self.plan(message, "7501", first)
        self.plan(message, outcome.code, last)
        for click in CLICKS.get(outcome.clicks, ()):
            if message.link:
                self.loop.call_later(
                    last + self.faults.receipt_delay + click.delay, self.click, message, click.ip, click.agent
                )

    def plan(self, message: Message, code: str, delay: float) -> None:
        """Schedule one receipt, with what the faults do to it."""
        faults = self.faults
        delay += faults.receipt_delay
        if self.chance(faults.receipt_shuffle):
            delay += self.random.uniform(0, SHUFFLE_UP_TO)
        if self.chance(faults.receipt_duplicate):
            self.loop.call_later(delay + DUPLICATE_AFTER, self.send, message, code)
        if self.chance(faults.receipt_drop):
            return
        self.loop.call_later(delay, self.send, message, code)

    def send(self, message: Message, code: str) -> Receipt | None:
        """Send a receipt if it was asked for."""
        job = self.make(message, code)
        if job is not None:
            self.courier.deliver(job)
        return job

    def make(self, message: Message, code: str) -> Receipt | None:
        """A receipt, or None when the request did not ask for it. The handset's status follows either way."""
        status, description = CODES[code]
        if code != "7501" or message.status == "queued":
            message.status = status
        if not message.notify_url or FILTER[status].isdisjoint(message.receipts):
            return None
        body = payload(
            moment=time.time(),
            description=description,
            code=code,
            status=status,
            destination=message.digits or message.msisdn,
            transid=message.message_id,
            callback=message.callback,
            correlation=message.correlation,
            count=message.segments,
        )
        return self.job(message, body, code, status)

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
        )

    def hurry(self, messages: list[Message], answer: Callable[[], None]) -> None:
        """Deliver all receipts at once, and reply once each has been tried, or after two seconds."""
        jobs: list[Receipt] = []
        for message in messages:
            codes = ["7501", message.outcome.code] if message.outcome.submitted else [message.outcome.code]
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

    def follow(self, exchange: Exchange, code: str) -> None:
        """Send the visitor of a short link on, and tell of the click."""
        url, message = self.short[code]
        agent = exchange.headers.get(b"user-agent", b"").decode("latin-1")
        if exchange.method == "GET":
            self.click(message, exchange.peer, agent, url)
        exchange.reply(302, headers=b"Location: " + url.encode("utf-8") + b"\r\n")

    def click(self, message: Message, ip: str, agent: str, url: str = "") -> None:
        """Send a Clicked receipt if the request tracks clicks and asked for them."""
        wanted = message.track and not FILTER[CLICKED].isdisjoint(message.receipts)
        if not wanted or not message.notify_url:
            return
        body = click_payload(
            moment=time.time(),
            url=url or message.link,
            ip=ip,
            agent=agent,
            destination=message.digits,
            transid=message.message_id,
            callback=message.callback,
            correlation=message.correlation,
        )
        self.courier.deliver(self.job(message, body, "7528", CLICKED))

    def report(self, job: Receipt, answer: int | str) -> None:
        """Write an attempt down."""
        self.receipts += 1
        self.log.append(
            Delivered(
                time.time(),
                job.correlation,
                job.message_id,
                job.msisdn,
                job.code,
                job.status,
                job.attempt,
                answer,
            )
        )

    # -- the books

    async def log_lines(self) -> AsyncIterator[bytes]:
        """The log as it stands, a part at a time so that sending goes on meanwhile."""
        end = len(self.log)
        for start in range(0, end, PART):
            part = self.log[start : min(start + PART, end)]
            yield "".join(json.dumps(one.as_log()) + "\n" for one in part).encode()
            await asyncio.sleep(0)

    async def handsets(self) -> AsyncIterator[bytes]:
        """Messages by phone, with the last status of each."""
        yield b"{"
        for index, phone in enumerate(list(self.phones)):
            shown = [
                {
                    "at": iso(one.at),
                    "from": one.sender,
                    "text": one.text,
                    "segments": one.segments,
                    "status": one.status,
                    "messageId": one.message_id,
                    "correlationId": one.correlation,
                }
                for one in self.phones[phone]
            ]
            yield f"{', ' if index else ''}{json.dumps(phone)}: {json.dumps(shown)}".encode()
            if index % 500 == 499:
                await asyncio.sleep(0)
        yield b"}\n"
