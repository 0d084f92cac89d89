"""The sandbox itself: routes, faults, what becomes of each message, and the log."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from functools import partial

from sms.webex.sandbox import lettering, readback, replies, rules
from sms.webex.sandbox.admission import Admission
from sms.webex.sandbox.book import Book, Message
from sms.webex.sandbox.consent import Consents
from sms.webex.sandbox.control import PREFIX, Control
from sms.webex.sandbox.http1 import Exchange
from sms.webex.sandbox.links import Links
from sms.webex.sandbox.outcomes import CODES, STOPPED, Outcome, outcome_of
from sms.webex.sandbox.policy_api import PolicyApi
from sms.webex.sandbox.refusals import Refused
from sms.webex.sandbox.reports import Reports
from sms.webex.sandbox.settings import Faults, Settings

SILENCE = 120.0


class Sandbox:
    """One tenant of the simulated platform, held in memory."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Start with empty books; ``clock`` gives epoch seconds."""
        self.settings = settings
        self.clock = clock
        self.loop = asyncio.get_running_loop()
        self.random = random.Random(settings.seed)  # noqa: S311 - chance, not secrecy
        self.links = Links(self.random, clock, self.click)
        self.book = Book(lambda: self.settings.log_limit, self.links.drop)
        self.reports = Reports(lambda: self.settings, clock, self.random, self.book.write)
        self.courier = self.reports.courier
        self.admission = Admission(lambda: self.settings, clock, self.random)
        self.consents = Consents()
        self.policy_api = PolicyApi(self.consents, lambda: self.settings.profile_key, clock)
        self.control = Control(self)

    @property
    def faults(self) -> Faults:
        """The faults of the moment."""
        return self.settings.faults

    @property
    def phones(self) -> dict[str, list[Message]]:
        """The messages by phone."""
        return self.book.phones

    def click(self, message: Message, ip: str, agent: str, url: str) -> None:
        """Tell of a visit to a short link."""
        self.reports.click(message, ip, agent, url)

    def forget(self) -> None:
        """Forget every message, receipt, link, member and count."""
        for part in (self.reports, self.links, self.book, self.admission, self.consents):
            part.forget()

    # -- routes

    def handle(self, exchange: Exchange) -> None:
        """Answer a request."""
        path = exchange.path
        if path == "/v2/messages":
            if exchange.method == "POST":
                self.post(exchange)
            else:
                exchange.reply(405, headers=b"Allow: POST\r\n")
        elif path.startswith(PREFIX):
            self.control.handle(exchange)
        elif path.startswith(readback.PREFIX):
            self.read_back(exchange)
        elif not self.policy_api.handle(exchange) and (
            exchange.method not in ("GET", "HEAD") or not self.links.follow(exchange)
        ):
            exchange.reply(404)

    def read_back(self, exchange: Exchange) -> None:
        """`GET /v2/messages/{id}`: every answer but 200 has no body."""
        refused = self.admission.caller(exchange)
        message = self.book.ids.get(exchange.path.removeprefix(readback.PREFIX))
        if refused is not None:
            exchange.reply(refused.status)
        elif exchange.method not in ("GET", "HEAD"):
            exchange.reply(405, headers=b"Allow: GET\r\n")
        elif self.admission.throttled_at_all() is not None:
            exchange.reply(429)
        elif message is None or self.settings.switches.read_back == "off":
            exchange.reply(404)
        else:
            exchange.reply(200, readback.body(message))

    def post(self, exchange: Exchange) -> None:
        """Take a send request through authentication, faults, rate and validation."""
        if self.faults.slow:
            self.loop.call_later(self.faults.slow, self.take, exchange)
        else:
            self.take(exchange)

    def take(self, exchange: Exchange) -> None:
        """Answer a send request now."""
        switches = self.settings.switches
        refused = self.admission.caller(exchange) or self.admission.throttled_at_all()
        if refused is not None:
            refused.give(exchange)
            return
        if self.chance(self.faults.http_500):
            exchange.reply(500)
            return
        silent = self.chance(self.faults.timeout)
        if silent:  # whoever sent it cannot know whether it was accepted, so it sometimes was
            self.loop.call_later(SILENCE, exchange.abort)
            if self.chance(0.5):
                return
        now = self.clock()
        try:
            if exchange.too_large:
                raise Refused("7022", "JSON size exceeded")
            order, destinations = rules.read(exchange.body, self.settings, now)
            taken = self.admission.take(len(destinations))
            if not isinstance(taken, float):
                if not silent:
                    taken.give(exchange)
                return
            if order.policy and switches.policy_codes == "reply":
                for to in destinations:
                    if code := self.policy_code(order.policy, to.msisdn):
                        raise Refused(code, CODES[code][1])
        except Refused as refusal:
            if not silent:
                exchange.reply(400, refusal.body(switches))
            return
        self.accept(exchange, order, destinations, max(order.send_at, now + taken), now, silent=silent)

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return probability > 0 and self.random.random() < probability

    # -- accepting

    def accept(
        self,
        exchange: Exchange,
        order: rules.Order,
        destinations: list[rules.Destination],
        due: float,
        now: float,
        *,
        silent: bool,
    ) -> None:
        """Put the messages in the books, schedule their receipts and answer as the outcomes demand."""
        switches = self.settings.switches
        ids = replies.ids(len(destinations), switches)
        accepted = []
        for message_id, to in zip(ids, destinations, strict=True):
            message = Message(now, message_id, order, to)
            self.prepare(message, to.fault, due)
            accepted.append(message)
        body = replies.body(accepted, now, switches)
        if self.chance(self.faults.malformed):
            body = body[: len(body) // 2]
        drop = silent
        early: list[Message] = []
        for message in accepted:
            if message.outcome.early and due <= now:
                early.append(message)
                continue
            drop = drop or message.outcome.abort
            if due > now:
                self.reports.later(due - now, self.launch, message)
            else:
                self.reports.schedule(message)
        answer = partial(exchange.reply, int(switches.accepted_as), body)
        if silent:
            pass
        elif drop:
            exchange.abort()
        elif early:
            self.reports.hurry(early, answer)
            return
        else:
            answer()
        if early:
            self.reports.hurry(early, lambda: None)

    def prepare(self, message: Message, fault: str, due: float) -> None:
        """Settle the text and the fate of a message and write both down. ``due`` is when it goes out."""
        order = message.order
        if order.links.shorten:
            if not self.chance(self.faults.shortener):
                self.links.shorten(message, order.links.domain)
            elif not order.links.fallback and self.settings.switches.no_fallback == "7202":
                fault = fault or "7202"
        if order.smart:
            self.links.put_smart(message, order.smart, self.settings.smartlinks)
        message.segments = lettering.segments(message.text, unicode=order.unicode)
        fault = order.fault or fault
        if not fault and order.expire_at and order.expire_at <= due:
            fault = "7208"
        message.outcome = STOPPED[fault] if fault else self.outcome(message)
        if order.policy and due <= message.at:
            self.apply_policy(message)
        self.book.add(message)

    def outcome(self, message: Message) -> Outcome:
        """What its number makes of a message that nothing stops."""
        settings = self.settings
        return outcome_of(
            message.digits, settings.outcomes, by_code=settings.switches.number_is_code == "yes"
        )

    def launch(self, message: Message) -> None:
        """Send a message that had to wait; its policy is looked at now."""
        if message.order.policy:
            self.apply_policy(message)
        self.reports.schedule(message)

    def apply_policy(self, message: Message) -> None:
        """Stop a message that its contact policy forbids, and count one that it allows."""
        policy = message.order.policy
        if policy is None:
            return
        code = self.policy_code(policy, message.msisdn)
        if code:
            message.outcome = STOPPED[code]
        elif policy.cap and message.outcome.submitted:
            self.consents.count(policy.group, message.msisdn, self.clock())

    def policy_code(self, policy: rules.Policy, address: str) -> str:
        """The code that a contact policy stops a message with, or ""."""
        app = self.settings.switches.contact_policy
        if app != "on":
            return {"off": "9000", "down": "9004"}[app]
        return policy.fault or self.consents.check(
            policy.group, address, self.clock(), consent=policy.consent, cap=policy.cap
        )
