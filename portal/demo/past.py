"""Weeks of a desk at work, made by a seeded generator.

Everything goes the way of real messages: sends and messages are stored as dispatch would leave them (`sms.ledger`), receipts and clicks
come in through the inbox and are folded, replies come in as incoming SMS. So counters, facts, opt-outs and conversations agree with the
messages because the same code makes them. No request leaves, and the sandbox knows nothing of it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.utils import timezone

from portal.demo.customers import Customer
from portal.demo.entries import DOMAIN, POLICY_GROUP
from portal.models import User
from portal.sandbox_phones import PHONE_AGENT
from sms.catalogue import link_lengths
from sms.inbound import optouts, receipts
from sms.ledger import slices, states
from sms.ledger.counters import CounterDeltas
from sms.ledger.slices import MessageContent
from sms.ledger.state_machine import StateChange
from sms.models import (
    Conversation,
    InboundMessage,
    MessageState,
    MessageTemplate,
    Notice,
    Send,
    SendState,
    Service,
    Slice,
)
from sms.models.sql.insert import StatementBatch
from sms.models.sql.messages import Acceptance
from sms.values import correlation_id, text

AT_ONCE = 2_000  # receipts of one insert
WAVE = 40  # messages that are handed over together
NO_RECEIPT_AFTER = timedelta(days=3)
JUST_NOW = timedelta(minutes=10)  # what became of a newer send would not be known yet
STILL_OPEN = timedelta(days=2)  # newer replies wait for an answer
SCANNER = "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))"
ENDS = (  # of a thousand messages: how many, status, code, words
    (960, "Delivered", "7500", "Delivered"),
    (20, "Un-Delivered", "7203", "Absent subscriber"),
    (8, "Un-Delivered", "7208", "Message expired"),
    (6, "Failed", "7201", "Blocked by operator"),
    (6, "", "", ""),  # no receipt ever comes
)
CARRIERS = {"+44": ("GBVOD", "GBEEL", "GBTHR", "GBOTU"), "+33": ("FRORA",), "+49": ("DETMO",)}
REPLIES = (
    "Can you move my appointment to Friday?",
    "Thank you!",
    "Is parking free?",
    "My parcel has not come yet. Can you check?",
    "Does the offer hold in the shop as well?",
    "Wrong number, I think",
)


@dataclass(frozen=True, slots=True)
class PastSend:
    """One send of a day: what it was called, what it said, when, and to whom."""

    name: str
    template: str
    sender: str
    at: datetime
    to: Sequence[Customer]
    values: Sequence[Mapping[str, str]]
    file: str

    @property
    def is_sale(self) -> bool:
        return self.template == "flash_sale"


class Past:
    """The generator. `make` writes, in the transaction of the caller; the facts are folded afterwards."""

    def __init__(
        self, service: Service, customers: Sequence[Customer], author: User, chance: Random, *, days: int
    ) -> None:
        self.days = days
        self.service, self.customers, self.author, self.chance = service, customers, author, chance
        self.zone = ZoneInfo(service.clock)
        self.now = timezone.now()
        self.senders = {one.address: one for one in service.senders.all()}
        templates = MessageTemplate.objects.filter(service=service)
        self.templates = {one.name: (one, one.versions.latest("number")) for one in templates}
        self.domain = service.link_domains.get(host=DOMAIN)
        self.group = service.policy_groups.get(group_id=POLICY_GROUP)
        self.refused: set[str] = set()
        self.waiting: list[receipts.Incoming] = []
        self.replies: list[tuple[datetime, Customer, str, str]] = []

    def make(self) -> int:
        """Returns how many messages there are."""
        today = self.now.astimezone(self.zone).date()
        count = 0
        for back in range(self.days, -1, -1):
            for one in self._of_day(today - timedelta(days=back)):
                if one.at < self.now - JUST_NOW:
                    count += self._play(one)
            self._hear()
        self._take_in(self.waiting)
        self._tidy()
        return count

    # -- what a day brings

    def _of_day(self, day: date) -> Iterator[PastSend]:
        """By the hour, so that who refuses in the morning gets nothing in the afternoon."""
        if day.weekday() == 3:
            yield self._sale(day)
        if day.weekday() < 5:
            yield self._orders(day)
            yield self._appointments(day)

    def _orders(self, day: date) -> PastSend:
        to = self._some(self.chance.randint(6, 12))
        values = [
            {"name": one.name.split()[0], "order": str(self.chance.randint(40_000, 99_999))} for one in to
        ]
        at = self._clock(day, 11, 30)
        return PastSend(f"Orders of {day:%-d %B}", "order_shipped", "TEXTDESK", at, to, values, "orders.csv")

    def _appointments(self, day: date) -> PastSend:
        to = self._some(self.chance.randint(10, 20))
        on = f"{day + timedelta(days=1):%-d %B}"
        values = [
            {
                "name": one.name.split()[0],
                "date": on,
                "time": f"{self.chance.randint(9, 17)}:{self.chance.choice('03')}0",
            }
            for one in to
        ]
        at = self._clock(day, 16, 0)
        return PastSend(f"Appointments of {on}", "appointment", "72345", at, to, values, "appointments.xlsx")

    def _sale(self, day: date) -> PastSend:
        to = self._some(self.chance.randint(70, 100))
        values = [{"name": one.name.split()[0]} for one in to]
        # each of the senders was used before, so that none of them needs an approval as a new one does
        sender = "447700900000" if day.day <= 7 else "72345"
        return PastSend(
            f"Flash sale, {day:%-d %B}",
            "flash_sale",
            sender,
            self._clock(day, 10, 0),
            to,
            values,
            "members.csv",
        )

    def _some(self, count: int) -> list[Customer]:
        return [one for one in self.chance.sample(self.customers, k=count) if one.msisdn not in self.refused]

    def _clock(self, day: date, hour: int, minute: int) -> datetime:
        return datetime.combine(day, time(hour, minute), self.zone)

    # -- a send, as dispatch left it

    def _play(self, one: PastSend) -> int:
        template, version = self.templates[one.template]
        links = {"link_domain": self.domain, "policy_group": self.group} if one.is_sale else {}
        send = slices.begin(
            service=self.service,
            name=one.name,
            sender=self.senders[one.sender],
            text=version.text,
            template=template,
            template_version=version,
            state=SendState.FINISHED,
            due_at=one.at,
            recipients=len(one.to),
            source=one.file,
            created_by=self.author,
            posted_at=one.at + timedelta(seconds=20),
            # from the first, so that it is told to nobody; a message may be without a receipt for three days
            settled_at=min(one.at + NO_RECEIPT_AFTER, self.now),
            **links,
        )
        made_at = one.at - timedelta(minutes=self.chance.randint(10, 90))
        Send.objects.filter(pk=send.pk).update(created_at=made_at)
        deltas, batch = CounterDeltas(), StatementBatch()
        lines = [
            self._line(row, customer, version.text, values, host=DOMAIN if one.is_sale else "")
            for row, (customer, values) in enumerate(zip(one.to, one.values, strict=True), start=2)
        ]
        ids = slices.store(send, lines, deltas=deltas, batch=batch)
        batch.run()
        Slice.objects.filter(send=send).update(done=True)
        for start in range(0, len(ids), WAVE):
            at = one.at + timedelta(seconds=1 + start / WAVE * 0.4)
            self._hand_over(ids[start : start + WAVE], at, deltas)
            for pk, customer in zip(ids[start : start + WAVE], one.to[start : start + WAVE], strict=True):
                self._outcome(pk, customer, one, at, deltas)
        deltas.write()
        return len(ids)

    def _line(
        self, row: int, to: Customer, template: str, values: Mapping[str, str], *, host: str
    ) -> MessageContent:
        written = text.render(template, substitutions=values)
        return MessageContent(
            row=row,
            msisdn=to.msisdn,
            text=written,
            substitutions=dict(values),
            segments=link_lengths.span(written, host)[0],
        )

    def _hand_over(self, ids: Sequence[int], at: datetime, deltas: CounterDeltas) -> None:
        states.arm(ids, at=at, deltas=deltas)
        took = timedelta(milliseconds=self.chance.randint(60, 220))
        accepted = [Acceptance(pk, 1, self._provider_id(pk)) for pk in ids]
        states.accept(accepted, at=at + took, deltas=deltas)

    def _provider_id(self, pk: int) -> str:
        return hashlib.blake2b(b"%d" % pk, digest_size=16).hexdigest()

    # -- what became of a message

    def _outcome(self, pk: int, to: Customer, one: PastSend, at: datetime, deltas: CounterDeltas) -> None:
        status, code, words = self._end()
        if not status and self.now - at > NO_RECEIPT_AFTER:
            states.apply([StateChange(pk, MessageState.NO_REPORT, at + NO_RECEIPT_AFTER)], deltas=deltas)
            return
        status, code, words = (status, code, words) if status else ENDS[0][1:]
        carrier = self.chance.choice(CARRIERS[to.msisdn[:3]])
        sent = at + timedelta(seconds=self.chance.uniform(0.4, 2))
        ended = sent + timedelta(seconds=min(self.chance.lognormvariate(1.1, 0.8), 240))
        self._receive(pk, to, "Submitted", "7501", "Submitted", at=sent)
        self._receive(pk, to, status, code, words, at=ended, carrier=carrier)
        if status == "Delivered":
            self._react(pk, to, one, ended)

    def _end(self) -> tuple[str, str, str]:
        left = self.chance.randrange(1000)
        for share, status, code, words in ENDS:
            if left < share:
                return status, code, words
            left -= share
        raise AssertionError("the shares are a thousand")

    def _react(self, pk: int, to: Customer, one: PastSend, delivered: datetime) -> None:
        if one.is_sale and self.chance.random() < 0.16:
            for _ in range(self.chance.choice((1, 1, 1, 2))):
                self._click(pk, to, delivered + timedelta(minutes=self.chance.uniform(0.6, 400)), PHONE_AGENT)
        if one.is_sale and self.chance.random() < 0.02:
            self._click(pk, to, delivered + timedelta(seconds=0.5), SCANNER)
        if one.sender == "TEXTDESK":
            return  # nobody can answer a name
        if self.chance.random() < (0.014 if one.is_sale else 0.003):
            self.replies.append(
                (delivered + timedelta(minutes=self.chance.uniform(1, 60)), to, one.sender, "STOP")
            )
            self.refused.add(to.msisdn)
        elif self.chance.random() < 0.012:
            says = self.chance.choice(REPLIES)
            self.replies.append(
                (delivered + timedelta(minutes=self.chance.uniform(2, 180)), to, one.sender, says)
            )

    def _click(self, pk: int, to: Customer, at: datetime, agent: str) -> None:
        if at >= self.now:
            return
        url, ip = "https://shop.example/sale", f"203.0.113.{self.chance.randint(1, 250)}"
        self._receive(pk, to, "Clicked", "7528", f"{url}|{ip}", at=at, more=agent)

    def _receive(
        self,
        pk: int,
        to: Customer,
        status: str,
        code: str,
        words: str,
        *,
        at: datetime,
        carrier: str = "",
        more: str = "",
    ) -> None:
        """A receipt as the provider writes it."""
        info = {
            "timeStamp": at.isoformat(timespec="milliseconds"),
            "Description": words,
            "code": code,
            "deliveryChannel": "SMS",
            "additionalInfo": more,
            "destination": to.msisdn[1:],
            "destinationType": "msisdn",
            "deliveryStatus": status,
        }
        key = self.service.correlation_key
        note = {
            "deliveryInfo": info | ({"messageCount": "1"} if carrier else {}),
            "subtid": "",
            "transid": self._provider_id(pk),
            "callbackData": "",
            "correlationid": correlation_id.write(message_id=pk, attempt=1, key=key),
        } | ({"carrier": carrier} if carrier else {})
        self.waiting.append(
            receipts.Incoming(
                service_id=self.service.pk,
                message_id=pk,
                attempt=1,
                raw=json.dumps({"deliveryInfoNotification": note}, separators=(",", ":")).encode(),
                received_at=at + timedelta(milliseconds=200),
            )
        )

    # -- taking in

    def _hear(self) -> None:
        """Receipts that are many enough, and what people answered today: from tomorrow on those who refused get nothing."""
        if len(self.waiting) >= AT_ONCE:
            self._take_in(self.waiting)
            self.waiting = []
        for at, who, address, says in sorted(self.replies, key=lambda one: one[0]):
            self._answer(min(at, self.now), who, address, says)
        self.replies = []

    def _take_in(self, waiting: Sequence[receipts.Incoming]) -> None:
        receipts.insert(waiting)
        while receipts.fold():
            pass

    def _answer(self, at: datetime, who: Customer, address: str, says: str) -> None:
        stamp = at.isoformat(timespec="milliseconds")
        body = {
            "userId": "8765",
            "Channel": "SMS",
            "da": address,
            "message_source": "SMS",
            "oa": who.msisdn[1:],
            "message": says,
            "messageCount": "1",
            "tid": f"0044_{self.chance.randrange(10**11):011d}",
            "datetime": stamp,
            "ts": stamp,
            "x_networkid": "GBVOD",
        }
        optouts.take(json.dumps(body).encode(), service_id=self.service.pk, received_at=at)

    def _tidy(self) -> None:
        """What is days old was answered and read long ago."""
        old = Conversation.objects.filter(
            service=self.service, last_at__lt=self.now - STILL_OPEN, done_at=None
        )
        old.update(done_at=self.now, done_by=self.author.email, waiting_since=None)
        InboundMessage.objects.filter(service=self.service, answer_due=True).update(answer_due=False)
        Notice.objects.filter(service=self.service, at__lt=self.now - STILL_OPEN).update(seen_at=self.now)
