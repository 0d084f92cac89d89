"""The sandbox itself: routes, faults, what becomes of each message, and the log."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from sms.webex.sandbox import message_text, readback, replies, rules
from sms.webex.sandbox.admission import Admission
from sms.webex.sandbox.consent import Consents
from sms.webex.sandbox.control import PREFIX, Control
from sms.webex.sandbox.http_server import Answer, Request, Response, Silence
from sms.webex.sandbox.links import ShortLinks
from sms.webex.sandbox.message_log import MessageLog, SandboxMessage
from sms.webex.sandbox.outcomes import CODES, STOPPED, ScriptedOutcome, outcome_of
from sms.webex.sandbox.policy_api import PolicyApi
from sms.webex.sandbox.receipt_schedule import ReceiptSchedule
from sms.webex.sandbox.refusals import SandboxRefused
from sms.webex.sandbox.request_options import SandboxPolicyOptions
from sms.webex.sandbox.settings import Faults, Settings

SILENCE = 120.0


class Sandbox:
    """One tenant of the simulated platform, held in memory."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.clock = clock
        self.random = random.Random(settings.seed)  # noqa: S311 - chance, not secrecy
        self.links = ShortLinks(self.random, clock, self.click)
        self.log = MessageLog(lambda: self.settings.log_limit, self.links.drop)
        self.receipts = ReceiptSchedule(lambda: self.settings, clock, self.random, self.log.write)
        self.admission = Admission(lambda: self.settings, clock, self.random)
        self.consents = Consents()
        self.policy_api = PolicyApi(self.consents, lambda: self.settings.profile_key, clock)
        self.control = Control(self)

    @property
    def faults(self) -> Faults:
        return self.settings.faults

    def click(self, message: SandboxMessage, ip: str, agent: str, url: str) -> None:
        self.receipts.click(message, ip, agent, url)

    def forget(self) -> None:
        for part in (self.receipts, self.links, self.log, self.admission, self.consents):
            part.forget()

    # -- routes

    async def handle(self, request: Request) -> Answer:
        path = request.path
        if path == "/v2/messages":
            return await self.post(request)
        if path.startswith(PREFIX):
            return self.control.handle(request)
        if path.startswith(readback.PREFIX):
            return self.read_back(request)
        return self.policy_api.handle(request) or self.links.follow(request) or Response(404)

    def read_back(self, request: Request) -> Response:
        """`GET /v2/messages/{id}`: every answer but 200 has no body."""
        message = self.log.ids.get(request.path.removeprefix(readback.PREFIX))
        if refused := self.admission.caller(request):
            return Response(refused.status)
        if request.method not in ("GET", "HEAD"):
            return Response(405, headers=b"Allow: GET\r\n")
        if self.admission.throttled_at_all():
            return Response(429)
        if message is None or self.settings.switches.read_back == "off":
            return Response(404)
        return Response(200, readback.body(message))

    async def post(self, request: Request) -> Answer:
        if request.method != "POST":
            return Response(405, headers=b"Allow: POST\r\n")
        if self.faults.slow:
            await asyncio.sleep(self.faults.slow)
        if refused := self.admission.caller(request) or self.admission.throttled_at_all():
            return refused
        if self.chance(self.faults.http_500):
            return Response(500)
        if not self.chance(self.faults.timeout):
            return await self.take(request)
        if not self.chance(0.5):  # the caller cannot know whether it was accepted, so it sometimes was
            await self.take(request)
        return Silence(SILENCE)

    async def take(self, request: Request) -> Answer:
        switches = self.settings.switches
        now = self.clock()
        try:
            if request.too_large:
                raise SandboxRefused("7022", "JSON size exceeded")
            order, destinations = rules.read(request.body, self.settings, now)
            taken = self.admission.take(len(destinations))
            if isinstance(taken, Response):
                return taken
            if order.policy and switches.policy_codes == "reply":
                for to in destinations:
                    if code := self.policy_code(order.policy, to.msisdn):
                        raise SandboxRefused(code, CODES[code][1])
        except SandboxRefused as refusal:
            return refusal.answer(switches)
        return await self.accept(order, destinations, max(order.send_at, now + taken), now)

    def chance(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability

    # -- accepting

    async def accept(
        self, order: rules.SandboxOrder, destinations: list[rules.SandboxDestination], due: float, now: float
    ) -> Answer:
        """Write the messages down, schedule their receipts and answer as the outcomes demand."""
        switches = self.settings.switches
        ids = replies.ids(len(destinations), switches)
        accepted = []
        for message_id, to in zip(ids, destinations, strict=True):
            message = SandboxMessage(now, message_id, order, to)
            self.prepare(message, to.fault, due)
            accepted.append(message)
        body = replies.body(accepted, now, switches)
        if self.chance(self.faults.malformed):
            body = body[: len(body) // 2]
        early = [one for one in accepted if one.outcome.early and due <= now]
        for message in accepted:
            if due > now:
                self.receipts.after(due - now, self.launch, message)
            elif not message.outcome.early:
                self.receipts.schedule(message)
        if early:
            await self.receipts.hurry(early)
        if any(one.outcome.abort for one in accepted):
            return Silence()
        return Response(int(switches.accepted_as), body)

    def prepare(self, message: SandboxMessage, fault: str, due: float) -> None:
        """Settle the text and the fate of a message and write both down. ``due`` is when it goes out."""
        order = message.order
        if order.links.shorten:
            if not self.chance(self.faults.shortener):
                self.links.shorten(message, order.links.domain)
            elif not order.links.fallback and self.settings.switches.no_fallback == "7202":
                fault = fault or "7202"
        if order.smart:
            self.links.put_smart(message, order.smart, self.settings.smartlinks)
        message.segments = message_text.segments(message.text, unicode=order.unicode)
        fault = order.fault or fault
        if not fault and order.expire_at and order.expire_at <= due:
            fault = "7208"
        message.outcome = STOPPED[fault] if fault else self.outcome(message)
        if order.policy and due <= message.at:
            self.apply_policy(message)
        self.log.add(message)

    def outcome(self, message: SandboxMessage) -> ScriptedOutcome:
        settings = self.settings
        return outcome_of(
            message.digits, settings.outcomes, by_code=settings.switches.number_is_code == "yes"
        )

    def launch(self, message: SandboxMessage) -> None:
        """Send a message that had to wait; its policy is looked at now."""
        if message.order.policy:
            self.apply_policy(message)
        self.receipts.schedule(message)

    def apply_policy(self, message: SandboxMessage) -> None:
        """Stop a message that its contact policy forbids, and count one that it allows."""
        policy = message.order.policy
        if policy is None:
            return
        code = self.policy_code(policy, message.msisdn)
        if code:
            message.outcome = STOPPED[code]
        elif policy.cap and message.outcome.submitted:
            self.consents.count(policy.group, message.msisdn, self.clock())

    def policy_code(self, policy: SandboxPolicyOptions, address: str) -> str:
        """The code that a contact policy stops a message with, or ""."""
        app = self.settings.switches.contact_policy
        if app != "on":
            return {"off": "9000", "down": "9004"}[app]
        return policy.fault or self.consents.check(
            policy.group, address, self.clock(), consent=policy.consent, cap=policy.cap
        )
