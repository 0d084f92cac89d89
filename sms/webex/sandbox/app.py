"""The sandbox itself: routes, faults, what becomes of each message, and the log."""

import asyncio
import random
import time
from collections.abc import Callable

from sms.webex.sandbox import json_body, message_text, replies, rules
from sms.webex.sandbox.admission import Admission
from sms.webex.sandbox.consent import Consents
from sms.webex.sandbox.control import PREFIX, Control
from sms.webex.sandbox.destinations import SandboxDestination
from sms.webex.sandbox.http_server import Answer, Request, Response, Silence
from sms.webex.sandbox.links import ShortLinks
from sms.webex.sandbox.message_log import MessageLog, SandboxMessage
from sms.webex.sandbox.outcomes import CODES, STOPPED, outcome_of
from sms.webex.sandbox.policy_api import PolicyApi
from sms.webex.sandbox.receipt_schedule import ReceiptSchedule
from sms.webex.sandbox.refusals import SandboxRefused
from sms.webex.sandbox.request_options import SandboxPolicyOptions
from sms.webex.sandbox.settings import Faults, Settings, Tenant

SILENCE = 120.0


class Sandbox:
    """One tenant of the simulated platform, held in memory."""

    schedule: type[ReceiptSchedule] = ReceiptSchedule

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        chance = random.Random(settings.seed)  # noqa: S311 - chance, not secrecy
        self.tenant = tenant = Tenant(settings, clock, chance)
        self.links = ShortLinks(tenant, self.click)
        self.log = MessageLog(tenant, self.links.drop)
        self.receipts = self.schedule(tenant, self.log.write)
        self.admission = Admission(tenant)
        self.consents = Consents()
        self.policy_api = PolicyApi(tenant, self.consents)
        self.control = Control(tenant, self.links, self.log, self.receipts, self.forget)

    @property
    def faults(self) -> Faults:
        return self.tenant.settings.faults

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
        if path.startswith(replies.READ_BACK):
            return self.read_back(request)
        return self.policy_api.handle(request) or self.links.follow(request) or Response(404)

    def read_back(self, request: Request) -> Response:
        """`GET /v2/messages/{id}`: every answer but 200 has no body."""
        message = self.log.ids.get(request.path.removeprefix(replies.READ_BACK))
        if refused := self.admission.caller(request):
            return Response(refused.status)
        if request.method not in ("GET", "HEAD"):
            return Response(405, headers=b"Allow: GET\r\n")
        if self.admission.throttled_at_all():
            return Response(429)
        if message is None or self.tenant.switches.read_back == "off":
            return Response(404)
        return Response(200, replies.read_back(message))

    async def post(self, request: Request) -> Answer:
        if request.method != "POST":
            return Response(405, headers=b"Allow: POST\r\n")
        if self.faults.slow:
            await asyncio.sleep(self.faults.slow)
        if refused := self.admission.caller(request) or self.admission.throttled_at_all():
            return refused
        if self.tenant.chance(self.faults.http_500):
            return Response(500)
        if not self.tenant.chance(self.faults.timeout):
            return await self.take(request)
        if not self.tenant.chance(0.5):  # the caller cannot know whether it was accepted, so it sometimes was
            await self.take(request)
        return Silence(SILENCE)

    async def take(self, request: Request) -> Answer:
        switches = self.tenant.switches
        now = self.tenant.clock()
        try:
            if refused := json_body.not_json(request, switches):
                return refused
            order, destinations = rules.read(request.body, self.tenant.settings, now)
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

    # -- accepting

    async def accept(
        self, order: rules.SandboxOrder, destinations: list[SandboxDestination], due: float, now: float
    ) -> Answer:
        """Write the messages down, schedule their receipts and answer as the outcomes demand."""
        switches = self.tenant.switches
        answers = replies.replies_to(destinations, switches)
        accepted = []
        for answer, to in zip(answers, destinations, strict=True):
            if answer.status != replies.QUEUED:
                continue
            message = SandboxMessage(
                now, answer.message_id, order, to.msisdn, bool(to.digits), to.correlation, to.text
            )
            self.prepare(message, to.fault, due)
            accepted.append(message)
        body = replies.body(answers, now, switches)
        if self.tenant.chance(self.faults.malformed):
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
            if not self.tenant.chance(self.faults.shortener):
                self.links.shorten(message, order.links.domain)
            elif not order.links.fallback and self.tenant.switches.no_fallback == "7202":
                fault = fault or "7202"
        if order.smart:
            self.links.put_smart(message, order.smart, self.tenant.settings.smartlinks)
        message.segments = message_text.segments(message.text, unicode=order.unicode)
        fault = order.fault or fault
        if not fault and order.expire_at and order.expire_at <= due:
            fault = "7208"
        outcomes, by_code = self.tenant.settings.outcomes, self.tenant.switches.number_is_code == "yes"
        message.outcome = STOPPED[fault] if fault else outcome_of(message.digits, outcomes, by_code=by_code)
        if due <= message.at:
            self.apply_policy(message)
        self.log.add(message)

    def launch(self, message: SandboxMessage) -> None:
        """Send a message that had to wait; its policy is looked at now."""
        self.apply_policy(message)
        self.receipts.schedule(message)

    def apply_policy(self, message: SandboxMessage) -> None:
        """Stop a message that its contact policy, if it has one, forbids, and count one that it allows."""
        policy = message.order.policy
        if policy is None:
            return
        if code := self.policy_code(policy, message.msisdn):
            message.outcome = STOPPED[code]
        elif policy.cap and message.outcome.submitted:
            self.consents.count(policy.group, message.msisdn, self.tenant.clock())

    def policy_code(self, policy: SandboxPolicyOptions, address: str) -> str:
        """The code that a contact policy stops a message with, or ""."""
        app = self.tenant.switches.contact_policy
        if app != "on":
            return {"off": "9000", "down": "9004"}[app]
        return policy.fault or self.consents.check(
            policy.group, address, self.tenant.clock(), consent=policy.consent, cap=policy.cap
        )
